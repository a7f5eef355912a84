"""Transforms at a stamp, from tf2_ros where it is installed, else from our own listener: one interface, `lookup`."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import partial

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.rotations import rigid
from instseg3d_ros.messages.tf_buffer import TransformBuffer, Unavailable, plain
from instseg3d_ros.messages.tf_message import TYPE_HASH, StampedTransform, decode_transforms

POLL = 0.005  # seconds between two looks while waiting


def listen(node) -> Transforms:
    """A listener on /tf and /tf_static. InputError where the middleware cannot carry them without tf2_msgs."""
    try:
        return Tf2Transforms(node)
    except ImportError:
        return OwnTransforms(node)


class Transforms(ABC):
    """lookup(target, source, stamp, timeout) → (4, 4) target ← source."""

    def lookup(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """At `stamp` nanoseconds, waiting for it up to `timeout` seconds of real time (a stopped /clock waits not).

        Unavailable names both frames and the reason.
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
        """At `stamp`, without waiting."""

    @abstractmethod
    def clear(self) -> None:
        """Time has jumped back: forget what moves."""

    @abstractmethod
    def close(self) -> None:
        """Free the subscriptions."""


class OwnTransforms(Transforms):
    """Reads TFMessage bytes itself; tf2_msgs is used for its type support where it is installed."""

    def __init__(self, node):
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
    """tf2_ros. Its own waiting goes by the node's clock and would hang on a stopped /clock: we poll instead."""

    def __init__(self, node):
        import tf2_ros
        from rclpy.time import Time

        self._time, self._error = Time, tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer(node=node)
        self._listener = tf2_ros.TransformListener(self._buffer, node, spin_thread=False)

    def _now(self, target: str, source: str, stamp: int) -> np.ndarray:
        try:
            found = self._buffer.lookup_transform(target, source, self._time(nanoseconds=stamp)).transform
        except self._error as error:
            reason = " ".join(str(error).split())
            raise Unavailable(f"no transform from {source} to {target} at the cloud's stamp: {reason}") from None
        t, q = found.translation, found.rotation
        return rigid((t.x, t.y, t.z), (q.x, q.y, q.z, q.w))

    def clear(self) -> None:
        self._buffer.clear()

    def close(self) -> None:
        self._listener.unregister()


def _tf_message_type():
    try:
        from tf2_msgs.msg import TFMessage
    except ImportError:
        from instseg3d_ros.ros.standalone.raw_types import raw_type, supported

        if supported():
            raise InputError(
                f"transforms need tf2_msgs here ({supported()}); sudo apt install ros-$ROS_DISTRO-tf2-ros"
            ) from None
        return raw_type("tf2_msgs", "TFMessage", TYPE_HASH)
    return TFMessage
