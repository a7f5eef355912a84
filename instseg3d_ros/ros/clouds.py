"""sensor_msgs/PointCloud2 to a cloud, and answers back to messages."""

from __future__ import annotations

import array
from dataclasses import dataclass

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud, far_again
from instseg3d_ros.messages.header import read_header
from instseg3d_ros.messages.pointcloud2 import PackedCloud, decode, encode, label_columns
from instseg3d_ros.segmentation.result import Result


@dataclass(frozen=True)
class Received:
    """A cloud with what its answers repeat: the header, and height and width, also of clouds that are no image."""

    header: Header
    size: tuple[int, int]
    cloud: Cloud


@dataclass(frozen=True)
class CloudBytes:
    """A serialized PointCloud2, as it arrives."""

    data: bytes

    @property
    def frame(self) -> str:
        return read_header(self.data)[1]

    def decode(self, max_points: int) -> Received:
        """InputError, in one line, where the bytes are no PointCloud2 or the message makes no sense."""
        try:
            message = deserialize_message(self.data, PointCloud2)
        except Exception:  # rclpy has no exception of its own for it
            raise InputError(f"received {len(self.data)} bytes that are not a valid PointCloud2") from None
        return read_cloud(message, max_points)


def read_cloud(message: PointCloud2, max_points: int) -> Received:
    """InputError, in one line, where the message makes no sense."""
    return Received(message.header, (message.height, message.width), decode(message, max_points))


def segmented_cloud(received: Received, result: Result) -> PointCloud2:
    """x y z rgb as received, label uint16 (65535: none), instance uint32, confidence float32."""
    cloud = received.cloud
    colors = cloud.colors if cloud.packed is None else cloud.packed
    far = cloud.origin is not None  # then float32 cannot hold its coordinates
    columns = label_columns(result.semantic, result.instance, result.confidence)
    return cloud_message(received.header, encode(far_again(cloud), colors, received.size, far, **columns))


def colored_cloud(received: Received, packed: np.ndarray) -> PointCloud2:
    """x y z and the colours (N,) uint32, 0x00RRGGBB: what RViz shows."""
    cloud, far = received.cloud, received.cloud.origin is not None
    return cloud_message(received.header, encode(far_again(cloud), packed.view("<f4"), received.size, far))


def cloud_message(header: Header, packed: PackedCloud) -> PointCloud2:
    """The message of an encoded cloud."""
    message = PointCloud2(header=header, height=packed.height, width=packed.width, is_dense=False)
    message.fields = [PointField(name=n, offset=o, datatype=kind, count=1) for n, o, kind in packed.fields]
    message.point_step, message.row_step = packed.point_step, packed.row_step
    data = array.array("B")
    data.frombytes(packed.data.data)  # a list or a NumPy array would take seconds
    message.data = data
    return message
