"""Measures the time that ROS adds to the segmenter: conversion of clouds, and the whole node."""

from __future__ import annotations

import array
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib.recfunctions import structured_to_unstructured
from rclpy.serialization import serialize_message
from sensor_msgs.msg import PointCloud2, PointField

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.race import Row, against, race
from instseg3d_ros.messages.colors import packed_point_colors
from instseg3d_ros.ros.clouds import CloudBytes, colored_cloud, read_cloud, segmented_cloud
from instseg3d_ros.ros.markers import instance_markers
from instseg3d_ros.ros.model import Model
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Pipeline
from instseg3d_ros.segmentation.tracker import Tracker

NODE = 1.10


def rows(group: str, frame: Frame, rounds: int, path: Path, name: str) -> Iterator[Row]:
    yield from _messages(group, frame, rounds)
    yield _node(group, frame, rounds, path, name)


def _message(frame: Frame) -> PointCloud2:
    """An unorganised cloud in the layout of cameras: x y z and a packed float rgb, 16 bytes per point."""
    table = np.zeros(len(frame.points), [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4")])
    table["x"], table["y"], table["z"] = frame.points.T
    red, green, blue = frame.colors.astype("<u4").T
    table["rgb"] = red << 16 | green << 8 | blue
    message = PointCloud2(height=1, width=len(table), point_step=16, row_step=16 * len(table), is_dense=True)
    message.header.frame_id = "base_link"
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(("x", "y", "z", "rgb"))
    ]
    message.data = array.array("B", table.tobytes())
    return message


def _messages(group: str, frame: Frame, rounds: int) -> Iterator[Row]:
    """Compare decoding and encoding with two methods of sensor_msgs_py: point by point, and structured arrays."""
    message = _message(frame)
    cloud = read_cloud(message, 10**9)
    packed = cloud.cloud.packed
    assert packed is not None
    times = race(
        {
            "decode": lambda: read_cloud(message, 10**9),
            "points one by one": lambda: _one_by_one(message),
            "structured": lambda: _structured(message),
            "encode": lambda: colored_cloud(cloud, packed),
            "struct.pack": lambda: _packed(frame),
        },
        max(3, rounds // 2),
    )
    yield against(group, "decode a cloud", len(frame.points), times, "decode", "points one by one")
    yield against(group, "decode a cloud", len(frame.points), times, "decode", "structured")
    yield against(group, "encode a cloud", len(frame.points), times, "encode", "struct.pack")


def _one_by_one(message: PointCloud2) -> np.ndarray:
    """Decode as `list(read_points(cloud))` does."""
    unpack = struct.Struct("<ffff").unpack_from
    return np.array([unpack(message.data, i * message.point_step) for i in range(message.width)])


def _structured(message: PointCloud2) -> tuple[np.ndarray, np.ndarray]:
    """Decode as `read_points_numpy(cloud)` does, and unpack the colours."""
    names = [field.name for field in message.fields]
    assert message.point_step == 16
    table = np.ndarray(message.width, np.dtype([(name, "<f4") for name in names]), message.data)
    xyz = structured_to_unstructured(table[["x", "y", "z"]])
    packed = np.ascontiguousarray(table["rgb"]).view("<u4")
    return xyz, np.stack([packed >> shift & 255 for shift in (16, 8, 0)], 1).astype("u1")


def _packed(frame: Frame) -> bytes:
    pack = struct.Struct("<fffI").pack
    return b"".join(
        pack(x, y, z, r << 16 | g << 8 | b)
        for (x, y, z), (r, g, b) in zip(frame.points.tolist(), frame.colors.tolist())
    )


def _node(group: str, frame: Frame, rounds: int, path: Path, name: str) -> Row:
    """Compare the node, from the bytes of a cloud to the bytes of all messages, with the segmenter alone."""
    parameters = Parameters(model=str(path), device="cpu", axes="body")
    model = Model(parameters)
    pipeline = Pipeline(model, Tracker())
    data = CloudBytes(serialize_message(_message(frame)))

    def node() -> None:
        answer = pipeline.answer(data, parameters)
        cloud, result = answer.received, answer.result
        serialize_message(segmented_cloud(cloud, result))
        serialize_message(colored_cloud(cloud, packed_point_colors(result, model.labels, parameters.color_by)))
        serialize_message(instance_markers(cloud.header, result.instances, parameters.marker_lifetime, answer.up))

    times = race({"node": node, "segmenter": lambda: model(frame.points, frame.colors)}, rounds)
    ratio = times["segmenter"].ratio_of(times["node"])
    return Row(
        group, f"node with {name}, bytes to bytes", len(frame.points), times["node"], "segmenter", times["segmenter"],
        ratio, NODE, at_most=True, unit="× as long",
    )  # fmt: skip
