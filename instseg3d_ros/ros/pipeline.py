"""The steps from a serialized cloud to its answer: decode, level, segment, track ids, rotate the boxes back."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol

import numpy as np

from instseg3d_ros.data.units import metres
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.rotations import inverse
from instseg3d_ros.messages.tf_buffer import Unavailable, plain
from instseg3d_ros.ros.clouds import Received
from instseg3d_ros.ros.limits import select
from instseg3d_ros.ros.map_output import MapOutput
from instseg3d_ros.ros.model import Model
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.transforms import Transforms
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.segmentation.tracker import Tracker
from instseg3d_ros.sparse.rigid import transform_points

BACKWARDS = 10**8  # nanoseconds; a stamp that is older than the last stamp by more starts a new run of a bag


class Frame(Protocol):
    """A cloud, or a depth image with its colour image, before decoding. `frame`: its frame_id."""

    @property
    def frame(self) -> str: ...

    def decode(self, max_points: int) -> Received:
        """Decode the cloud. Raises InputError, with a message of one line, if it is malformed."""
        ...


class Dropped(Exception):
    """Raised for a cloud that gets no answer. The node counts clouds by `reason`; the message contains a remedy."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """The answer to a cloud. `result` is in the cloud's frame.

    rotation (3, 3): level axes, with z up, ← axes of the cloud; stages: milliseconds by name; remark: a problem of the
    cloud that did not prevent an answer, or empty.
    """

    received: Received
    result: Result
    rotation: np.ndarray
    stages: dict[str, float]
    remark: str = ""

    @property
    def up(self) -> np.ndarray:
        """(3,) upward unit vector in the cloud's frame, from a transform or estimated (`level: auto`)."""
        return self.result.up


class Pipeline:
    """Answers clouds. Only one thread may call `answer`; any thread may call `reset` and assign `transforms`."""

    def __init__(self, model: Model, tracker: Tracker, world: MapOutput | None = None):
        self.model, self._tracker, self.world = model, tracker, world
        self.transforms: Transforms | None = None  # the listener, if `target_frame` or `fixed_frame` is set
        self._reset = threading.Event()
        self._last_stamp = 0

    def reset(self) -> None:
        """Discard the tracked objects, for example after a jump in time."""
        self._reset.set()

    def answer(self, frame: Frame, parameters: Parameters) -> Answer:
        """Compute the answer to a frame. Raises Dropped with the reason."""
        clock = _Stages()
        received = self._read(frame, parameters)
        cloud = received.cloud
        clock.lap("decode")
        levelling = self._levelling(parameters, cloud)
        fixed = levelling
        if (parameters.track or self.world is not None) and parameters.fixed_frame:
            fixed = self._lookup(parameters.fixed_frame, cloud.frame, cloud.stamp, parameters)
        home = np.eye(4)  # cloud's frame ← points; an origin is subtracted from points that are too far for float32
        if cloud.origin is not None:
            home[:3, 3] = cloud.origin
        fixed, levelling = fixed @ home, levelling @ home
        turn = _about_camera(levelling, cloud.points)
        points = transform_points(cloud.points, turn)
        keep = select(points, levelling[:3, 3] - turn[:3, 3], parameters)
        if not keep.all():
            points = np.where(keep[:, None], points, np.float32(np.nan))
        clock.lap("transform")
        result = self.model(points, cloud.colors)
        clock.stages.update(result.timings)
        clock.lap("segment")
        if self.world is not None:
            result = self._map(self.world, cloud, points, fixed, result, parameters).moved(home @ inverse(turn))
            clock.lap("map")
        else:
            # Boxes go from the network's frame to the fixed frame, in which ids are tracked, and to the cloud's frame.
            result = result.moved(fixed @ inverse(turn))
            seen = points if np.array_equal(fixed, turn) else transform_points(cloud.points, fixed)
            result = self._keep_ids(result, seen, cloud.stamp, parameters)
            result = result.moved(home @ inverse(fixed))
            clock.lap("track")
        return Answer(received, result, levelling[:3, :3], clock.stages, _remark(cloud, points, result, parameters))

    @staticmethod
    def _read(frame: Frame, parameters: Parameters) -> Received:
        try:
            received = frame.decode(parameters.max_points)
            return replace(received, cloud=received.cloud.scaled(metres(parameters.unit)))
        except InputError as error:
            raise Dropped("malformed cloud", str(error)) from None

    def _levelling(self, parameters: Parameters, cloud: Cloud) -> np.ndarray:
        """(4, 4) transform to the network's frame, in which z points up."""
        if parameters.target_frame:
            return self._lookup(parameters.target_frame, cloud.frame, cloud.stamp, parameters)
        levelling = np.eye(4)
        levelling[:3, :3] = body_rotation(cloud, parameters.axes)
        return levelling

    def _lookup(self, target: str, frame: str, stamp: int, parameters: Parameters) -> np.ndarray:
        if plain(frame) == plain(target):
            return np.eye(4)
        if self.transforms is None:
            raise Dropped("no transform", f"no transform from {frame} to {target}: /tf is not subscribed yet")
        try:
            return self.transforms.lookup(target, frame, stamp, parameters.tf_timeout)
        except Unavailable as error:
            raise Dropped("no transform", str(error)) from None

    @staticmethod
    def _map(
        world: MapOutput, cloud: Cloud, points: np.ndarray, fixed: np.ndarray, result: Result, parameters: Parameters
    ) -> Result:
        """Add the result to the map and return it with the map's ids; points (N, 3) are in the network's frame."""
        rotation = body_rotation(cloud, parameters.axes)
        pose = fixed.copy()
        pose[:3, :3] = fixed[:3, :3] @ rotation.T
        try:
            return world.observe(
                transform_points(cloud.points, rotation), cloud.colors, pose, points, result, cloud.stamp
            )  # fmt: skip
        except InputError as error:
            raise Dropped("pose refused", str(error)) from None

    def _keep_ids(self, result: Result, points: np.ndarray, stamp: int, parameters: Parameters) -> Result:
        if self._reset.is_set() or stamp < self._last_stamp - BACKWARDS or not parameters.track:
            self._reset.clear()
            self._tracker.reset()
        self._last_stamp = stamp
        return self._tracker.update(result, points, stamp / 1e9) if parameters.track else result


def _about_camera(levelling: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(4, 4) transform to the axes of the level frame, with the origin near the camera: ranges start there.

    The camera is at the origin of its optical frame. For a cloud in the coordinates of a map, the origin of the target
    frame may be nearer to the camera, so the origin with the smaller median distance to the points is used.
    """
    turn = levelling.copy()
    turn[:3, 3] = 0
    if levelling[:3, 3].any() and len(points):
        sample = points[:: len(points) // 1000 + 1].astype(np.float64) @ levelling[:3, :3].T
        distances = [np.linalg.norm(sample + shift, axis=1) for shift in (0, levelling[:3, 3])]
        with np.errstate(invalid="ignore"):
            camera, target = (np.median(d[np.isfinite(d)]) if np.isfinite(d).any() else 0 for d in distances)
        if target < camera:
            return levelling
    return turn


def _remark(cloud: Cloud, points: np.ndarray, result: Result, parameters: Parameters) -> str:
    """The reason why no point got a label, or a note on missing colour; points (N, 3) are in the network's frame."""
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
        f"'{parameters.target_frame or cloud.frame}'; increase max_range, or set target_frame if this frame is far "
        "from the "
        "robot, or set unit if the cloud is not in metres"
    )


class _Stages:
    """A stopwatch: milliseconds of each lap, by name."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.stages[name] = 1000 * (now - self._last)
        self._last = now
