"""Input from a depth image, its colour image and camera_info instead of a point cloud."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from instseg3d_ros.data.clouds.rgbd import Intrinsics, back_project
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.header import read_header
from instseg3d_ros.messages.images import decode_color, decode_depth, match_size
from instseg3d_ros.ros.clouds import Received
from instseg3d_ros.ros.input import Reader

TOLERANCE = 20_000_000  # nanoseconds between the stamps of a depth image and its colour image
WAITING = 5  # images of each kind that wait for an image of the other kind with the same stamp


@dataclass(frozen=True)
class Serialized:
    """A serialized message and its message class."""

    data: bytes
    kind: type
    stamp: int

    def message(self) -> Any:
        try:
            return deserialize_message(self.data, self.kind)
        except Exception:  # rclpy defines no exception class for failed deserialization
            name = self.kind.__name__
            raise InputError(f"received {len(self.data)} bytes that are not a valid {name}") from None


@dataclass(frozen=True)
class DepthFrame:
    """A depth image, the colour image with the same stamp (None: no colour camera), and the depth camera's info."""

    depth: Serialized
    color: Serialized | None
    info: Serialized

    @property
    def frame(self) -> str:
        return read_header(self.depth.data)[1]

    def decode(self, max_points: int) -> Received:
        """Compute an organised cloud with the frame and stamp of the depth image.

        Raises InputError if the images and camera_info do not match.
        """
        message = self.depth.message()
        depth = decode_depth(message)
        if depth.size > max_points:
            raise InputError(f"depth image has {depth.size} pixels; max_points is {max_points}")
        points = back_project(depth, intrinsics(self.info.message(), depth.shape))
        colors = None
        if self.color is not None:
            colors = np.ascontiguousarray(match_size(decode_color(self.color.message()), depth)).reshape(-1, 3)
        cloud = Cloud(points, colors, depth.shape, message.header.frame_id, self.depth.stamp)
        return Received(message.header, depth.shape, cloud)


def intrinsics(info: CameraInfo, shape: tuple[int, int]) -> Intrinsics:
    """Intrinsics of the rectified image, from the matrix P, or from K if the driver leaves P zero."""
    if (info.height, info.width) != shape:
        raise InputError(
            f"camera_info is for {info.width} × {info.height} pixels, the depth image has {shape[1]} × {shape[0]}; "
            "remap camera_info to that of the depth image"
        )
    projection, matrix = np.reshape(info.p, (3, 4))[:, :3], np.reshape(info.k, (3, 3))
    return Intrinsics.from_matrix(projection if projection[0, 0] > 0 else matrix)


class DepthInput:
    """Subscribes to `depth`, `image` and `camera_info` and calls `deliver` with frames of matching stamps.

    It has the interface of `Reader`; reliability, durability and lost messages are those of the depth image.
    """

    def __init__(
        self, node: Node, names: tuple[str, str, str], reliability: str, deliver: Callable[[DepthFrame], None]
    ):
        self._deliver = deliver
        self._depths: deque[Serialized] = deque(maxlen=WAITING)
        self._colors: deque[Serialized] = deque(maxlen=WAITING)
        self._info: Serialized | None = None
        self._seen = 0  # depth images since the last frame
        images = (Image, CompressedImage)
        self._depth = Reader(node, names[0], images, reliability, self._take(self._depths))
        self._color = Reader(node, names[1], images, reliability, self._take(self._colors))
        self._camera = Reader(node, names[2], (CameraInfo,), reliability, self._take_info)

    @property
    def topic(self) -> str:
        return self._depth.topic

    @property
    def reliability(self) -> ReliabilityPolicy:
        return self._depth.reliability

    @property
    def latched(self) -> bool:
        return self._depth.latched

    @property
    def lost(self) -> int:
        return self._depth.lost

    @property
    def problem(self) -> str:
        for reader in (self._depth, self._color, self._camera):
            if reader.problem:
                return reader.problem
        if self._seen >= WAITING and self._info is None:
            return f"depth images arrive, but no messages on {self._camera.topic}; remap `camera_info`"
        if self._seen >= WAITING and self._color.publishers():
            return (
                f"depth images arrive, but the images on {self._color.topic} have other stamps "
                f"(within {TOLERANCE // 10**6} ms); synchronise the camera's streams"
            )
        return ""

    def publishers(self) -> int:
        return self._depth.publishers()

    def check(self) -> None:
        for reader in (self._depth, self._color, self._camera):
            reader.check()

    def close(self) -> None:
        for reader in (self._depth, self._color, self._camera):
            reader.close()

    def _take(self, waiting: deque[Serialized]) -> Callable[[bytes, type], None]:
        def take(data: bytes, kind: type) -> None:
            waiting.append(Serialized(data, kind, read_header(data)[0]))
            self._seen += waiting is self._depths
            self._match()

        return take

    def _take_info(self, data: bytes, kind: type) -> None:
        self._info = Serialized(data, kind, read_header(data)[0])
        self._match()

    def _match(self) -> None:
        """Deliver the newest depth image that has a matching colour image, and discard older images."""
        if self._info is None:
            return
        for depth in reversed(self._depths):
            color = min(self._colors, key=lambda image: abs(image.stamp - depth.stamp), default=None)
            if color is not None and abs(color.stamp - depth.stamp) > TOLERANCE:
                color = None
            if color is None and self._color.publishers():
                continue
            while self._depths and self._depths[0] is not depth:
                self._depths.popleft()
            self._depths.popleft()
            self._seen = 0
            self._deliver(DepthFrame(depth, color, self._info))
            return
