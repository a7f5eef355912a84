"""Attributes of the ROS messages that are read here. Messages of rclpy and of rosbags have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Stamp(Protocol):
    """builtin_interfaces/Time."""

    sec: int
    nanosec: int


class Header(Protocol):
    """std_msgs/Header."""

    stamp: Stamp
    frame_id: str


class PointField(Protocol):
    """sensor_msgs/PointField."""

    name: str
    offset: int
    datatype: int


class PointCloud2(Protocol):
    """sensor_msgs/PointCloud2."""

    header: Header
    height: int
    width: int
    fields: Sequence[PointField]
    is_bigendian: bool
    point_step: int
    row_step: int
    data: Buffer | list[int] | tuple[int, ...]


class Image(Protocol):
    """sensor_msgs/Image."""

    height: int
    width: int
    encoding: str
    is_bigendian: bool
    step: int
    data: Buffer


@runtime_checkable
class CompressedImage(Protocol):
    """sensor_msgs/CompressedImage."""

    format: str
    data: Buffer
