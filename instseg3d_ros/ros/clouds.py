"""Conversion of sensor_msgs/PointCloud2 to `Cloud`, and of results to PointCloud2."""

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
    """A cloud with the header and the `size` (height, width) of its message, which the answers repeat."""

    header: Header
    size: tuple[int, int]
    cloud: Cloud


@dataclass(frozen=True)
class CloudBytes:
    """A serialized PointCloud2."""

    data: bytes

    @property
    def frame(self) -> str:
        return read_header(self.data)[1]

    def decode(self, max_points: int) -> Received:
        """Decode the message. Raises InputError (one line) for bytes that are not a PointCloud2 or invalid fields."""
        try:
            message = deserialize_message(self.data, PointCloud2)
        except Exception:  # rclpy defines no exception class for failed deserialization
            raise InputError(f"received {len(self.data)} bytes that are not a valid PointCloud2") from None
        return read_cloud(message, max_points)


def read_cloud(message: PointCloud2, max_points: int) -> Received:
    """Decode a PointCloud2. Raises InputError, with a message of one line, if its layout or values are invalid."""
    return Received(message.header, (message.height, message.width), decode(message, max_points))


def segmented_cloud(received: Received, result: Result) -> PointCloud2:
    """PointCloud2 with x y z rgb as received, label uint16 (65535: none), instance uint32, confidence float32."""
    cloud = received.cloud
    colors = cloud.colors if cloud.packed is None else cloud.packed
    far = cloud.origin is not None  # the coordinates are too large for float32 and are sent as float64
    columns = label_columns(result.semantic, result.instance, result.confidence)
    return cloud_message(received.header, encode(far_again(cloud), colors, received.size, far, **columns))


def colored_cloud(received: Received, packed: np.ndarray) -> PointCloud2:
    """PointCloud2 with x y z and rgb for RViz; `packed` (N,) uint32 holds the colours as 0x00RRGGBB."""
    cloud, far = received.cloud, received.cloud.origin is not None
    return cloud_message(received.header, encode(far_again(cloud), packed.view("<f4"), received.size, far))


def cloud_message(header: Header, packed: PackedCloud) -> PointCloud2:
    """Build the PointCloud2 of an encoded cloud."""
    message = PointCloud2(header=header, height=packed.height, width=packed.width, is_dense=False)
    message.fields = [PointField(name=n, offset=o, datatype=kind, count=1) for n, o, kind in packed.fields]
    message.point_step, message.row_step = packed.point_step, packed.row_step
    data = array.array("B")
    data.frombytes(packed.data.data)  # assigning a list or a NumPy array to `message.data` would take seconds
    message.data = data
    return message
