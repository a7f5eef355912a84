"""Transforms at a given stamp. `listen` uses tf2_ros if it is installed, else this package's listener."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.rotations import rigid
from instseg3d_ros.messages.tf_buffer import TransformBuffer, Unavailable, plain
from instseg3d_ros.messages.tf_message import TYPE_HASH, StampedTransform, decode_transforms

if TYPE_CHECKING:
    from rclpy.node import Node

POLL = 0.005  # seconds between two look-ups while waiting


def listen(node: Node) -> Transforms:
    """Listen to /tf and /tf_static. Raises InputError if the middleware cannot receive them without tf2_msgs."""
    try:
        return Tf2Transforms(node)
    except ImportError:
        return OwnTransforms(node)


class Transforms(ABC):
    """Interface of a transform listener: lookup(target, source, stamp, timeout) → (4, 4) target ← source."""

    def lookup(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """Transform (4, 4) target ← source at `stamp` (nanoseconds).

        Waits up to `timeout` seconds of real time, also when /clock has stopped. Raises Unavailable, whose message
        names both frames and the reason.
        """
        target, source = plain(target), plain(source)  # tf2 refuses a leading slash
        end = time.monotonic() + timeout
        while True:
            try:
                return self._now(target, source, stamp)
            except Unavailable:
                if time.monotonic() >= end:
                    raise
            time.sleep(POLL)

    @abstractmethod
    def _now(self, target: str, source: str, stamp: int) -> np.ndarray:
        """Transform at `stamp`, without waiting."""

    @abstractmethod
    def clear(self) -> None:
        """Discard transforms that change with time, because time has jumped back."""

    @abstractmethod
    def close(self) -> None:
        """Free the subscriptions."""


class OwnTransforms(Transforms):
    """Listener without tf2_ros: it decodes serialized TFMessages. It uses the type support of tf2_msgs if installed."""

    def __init__(self, node: Node):
        from rclpy.qos import DurabilityPolicy, QoSProfile

        self._node, self._buffer = node, TransformBuffer()
        kind = _tf_message_type()
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._subscriptions = [
            node.create_subscription(kind, topic, partial(self._hear, fixed), qos, raw=True)
            for topic, fixed, qos in (("/tf", False, QoSProfile(depth=100)), ("/tf_static", True, latched))
        ]

    def _hear(self, fixed: bool, data: bytes) -> None:
        try:
            transforms: list[StampedTransform] = decode_transforms(data)
        except InputError as error:
            self._node.get_logger().warning(f"/tf: {error}", throttle_duration_sec=5.0)
            return
        self._buffer.add(transforms, fixed)

    def _now(self, target: str, source: str, stamp: int) -> np.ndarray:
        return self._buffer.lookup(target, source, stamp)

    def clear(self) -> None:
        self._buffer.clear()

    def close(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []


class Tf2Transforms(Transforms):
    """Listener of tf2_ros, polled because the waiting of tf2_ros uses the node's clock and hangs if /clock stops."""

    def __init__(self, node: Node):
        import tf2_ros
        from rclpy.time import Time

        self._time, self._error = Time, tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer(node=node)
        self._listener = tf2_ros.TransformListener(self._buffer, node, spin_thread=False)

    def _now(self, target: str, source: str, stamp: int) -> np.ndarray:
        try:
            transform = self._buffer.lookup_transform(target, source, self._time(nanoseconds=stamp)).transform
        except self._error as error:
            reason = " ".join(str(error).split())
            raise Unavailable(f"no transform from {source} to {target} at the cloud's stamp: {reason}") from None
        t, q = transform.translation, transform.rotation
        return rigid((t.x, t.y, t.z), (q.x, q.y, q.z, q.w))

    def clear(self) -> None:
        self._buffer.clear()

    def close(self) -> None:
        self._listener.unregister()


def _tf_message_type() -> type:
    try:
        from tf2_msgs.msg import TFMessage
    except ImportError:
        from instseg3d_ros.ros.standalone.raw_types import raw_type, supported

        if supported():
            raise InputError(
                f"reading /tf needs tf2_msgs ({supported()}); run: sudo apt install ros-$ROS_DISTRO-tf2-ros"
            ) from None
        return raw_type("tf2_msgs", "TFMessage", TYPE_HASH)
    return TFMessage
