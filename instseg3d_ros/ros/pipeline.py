"""One cloud from its bytes to the answer: read, levelled, segmented, ids kept, boxes turned back."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2

from instseg3d_ros.data.units import metres
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.rotations import inverse
from instseg3d_ros.messages.tf_buffer import Unavailable, plain
from instseg3d_ros.ros.clouds import Received, read_cloud
from instseg3d_ros.ros.limits import select
from instseg3d_ros.ros.model import Model
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.transforms import Transforms
from instseg3d_ros.segmentation.result import Result, move_instances
from instseg3d_ros.sparse.rigid import transform_points

BACKWARDS = 10**8  # nanoseconds that a stamp may lie before the last one's without being a new run of a bag


class Dropped(Exception):
    """A cloud without an answer. `reason` is one of a handful, counted; the message says what to do."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """`result` is in the cloud's frame, in which `up` (3,) points up; `stages` are milliseconds.

    remark: what is odd about the cloud although it was answered, or empty.
    """

    received: Received
    result: Result
    up: np.ndarray
    stages: dict[str, float]
    remark: str = ""


class Pipeline:
    """`answer` is called by one thread; `reset` and assigning `transforms` by any."""

    def __init__(self, model: Model, tracker):
        self.model, self._tracker = model, tracker
        self.transforms: Transforms | None = None  # the listener, once a parameter asks for a frame
        self._reset = threading.Event()
        self._last_stamp = 0

    def reset(self) -> None:
        """Time has jumped: what is remembered from cloud to cloud no longer holds."""
        self._reset.set()

    def answer(self, data: bytes, parameters: Parameters) -> Answer:
        """CDR bytes of one PointCloud2 → all that is published of it; raises Dropped with the reason."""
        clock = _Stages()
        received = self._read(data, parameters)
        cloud = received.cloud
        clock.lap("decode")
        level = self._level(parameters, cloud)
        fixed = level
        if parameters.track and parameters.fixed_frame:
            fixed = self._lookup(parameters.fixed_frame, cloud.frame, cloud.stamp, parameters)
        place = np.eye(4)  # the cloud's frame ← its points, which are near zero where the frame's coordinates are not
        if cloud.origin is not None:
            place[:3, 3] = cloud.origin
        points = transform_points(cloud.points, level @ place)
        keep = select(points, parameters)
        if not keep.all():
            points = np.where(keep[:, None], points, np.float32(np.nan))
        clock.lap("transform")
        result = self.model(points, cloud.colors)
        clock.stages.update(result.timings)
        clock.lap("segment")
        # From the network's frame to the fixed one, where ids are kept, and home to the cloud's.
        result = _turn(result, fixed @ inverse(level))
        result = self._keep_ids(
            result, points if fixed is level else transform_points(cloud.points, fixed @ place), cloud.stamp, parameters
        )
        result = _turn(result, inverse(fixed))
        clock.lap("track")
        return Answer(received, result, level[2, :3], clock.stages, _remark(cloud, points, result, parameters))

    @staticmethod
    def _read(data: bytes, parameters: Parameters) -> Received:
        try:
            message = deserialize_message(data, PointCloud2)
        except Exception:  # rclpy has no exception of its own for it
            raise Dropped("malformed cloud", f"received {len(data)} bytes that are not a valid PointCloud2") from None
        try:
            received = read_cloud(message, parameters.max_points)
            return replace(received, cloud=received.cloud.scaled(metres(parameters.unit)))
        except InputError as error:
            raise Dropped("malformed cloud", str(error)) from None

    def _level(self, parameters: Parameters, cloud: Cloud) -> np.ndarray:
        """(4, 4) to the frame in which the network works, z up."""
        if parameters.target_frame:
            return self._lookup(parameters.target_frame, cloud.frame, cloud.stamp, parameters)
        level = np.eye(4)
        level[:3, :3] = body_rotation(cloud, parameters.axes)
        return level

    def _lookup(self, target: str, frame: str, stamp: int, parameters: Parameters) -> np.ndarray:
        if plain(frame) == plain(target):
            return np.eye(4)
        if self.transforms is None:
            raise Dropped("no transform", f"no transform from {frame} to {target}: not listening to /tf yet")
        try:
            return self.transforms.lookup(target, frame, stamp, parameters.tf_timeout)
        except Unavailable as error:
            raise Dropped("no transform", str(error)) from None

    def _keep_ids(self, result: Result, points: np.ndarray, stamp: int, parameters: Parameters) -> Result:
        if self._reset.is_set() or stamp < self._last_stamp - BACKWARDS or not parameters.track:
            self._reset.clear()
            self._tracker.reset()
        self._last_stamp = stamp
        return self._tracker.update(result, points, stamp / 1e9) if parameters.track else result


def _turn(result: Result, transform: np.ndarray) -> Result:
    return replace(result, instances=move_instances(result.instances, transform))


def _remark(cloud: Cloud, points: np.ndarray, result: Result, parameters: Parameters) -> str:
    """Why a cloud got no label at all, or no colour; points (N, 3) are as the network saw them."""
    if not len(points) or (result.semantic >= 0).any():
        return cloud.remarks[0] if cloud.remarks else ""
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        if not cloud.finite.any():
            return f"all {len(points)} points of a cloud are NaN; nothing was labelled"
        return "no point of a cloud lies within min_range, min_height, max_height and crop_box; nothing was labelled"
    nearest = float(np.linalg.norm(finite.astype(np.float64), axis=1).min())
    return (
        f"no point of a cloud is in range, nothing was labelled: the nearest is {nearest:,.1f} m from the origin of "
        f"'{parameters.target_frame or cloud.frame}'; raise max_range, set target_frame where that is not the robot's "
        "frame, or unit where the cloud is not in metres"
    )


class _Stages:
    """Milliseconds since the last lap, by name."""

    def __init__(self):
        self.stages: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.stages[name] = 1000 * (now - self._last)
        self._last = now
