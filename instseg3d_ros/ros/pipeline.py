"""One cloud from its bytes to the answer: read, levelled, segmented, turned back, ids kept, published."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2

from instseg3d_ros.errors import InputError
from instseg3d_ros.ros.clouds import Cloud, read_cloud
from instseg3d_ros.ros.frames import body_from_cloud, select, turn_instances
from instseg3d_ros.ros.rotations import inverse, turn_points
from instseg3d_ros.segmentation.result import Result


class Dropped(Exception):
    """A cloud without an answer. `reason` is one of a handful, counted; the message says what to do."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Pipeline:
    """`answer(data, parameters)` → cloud, result in the cloud's frame, its up direction, milliseconds per stage."""

    def __init__(self, model):
        self.model = model

    def answer(self, data: bytes, parameters) -> tuple[Cloud, Result, np.ndarray, dict[str, float]]:
        clock = _Stages()
        cloud = self._read(data, parameters)
        clock.lap("decode")
        upright = body_from_cloud(parameters.axes, cloud.header.frame_id)
        points = turn_points(upright, cloud.points)
        keep = select(points, parameters)
        if not keep.all():
            points[~keep] = np.nan
        clock.lap("transform")
        result = self.model(points, cloud.colors)
        clock.stages.update(result.timings)
        clock.lap("segment")
        result = replace(result, instances=turn_instances(inverse(upright), result.instances))
        return cloud, result, upright[2, :3], clock.stages

    @staticmethod
    def _read(data: bytes, parameters) -> Cloud:
        try:
            return read_cloud(deserialize_message(data, PointCloud2), parameters.max_points)
        except InputError as error:
            raise Dropped("malformed cloud", str(error)) from None


class _Stages:
    def __init__(self):
        self.stages: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.stages[name] = 1000 * (now - self._last)
        self._last = now
