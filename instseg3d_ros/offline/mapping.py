"""Builds a map of objects from a bag with TF, or from a folder of depth images with poses."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.data.clouds import is_bag, write_cloud
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.data.clouds.rgbd import read_rgbd
from instseg3d_ros.data.clouds.trajectory import read_trajectory
from instseg3d_ros.errors import InputError
from instseg3d_ros.mapping.object_map import ObjectMap
from instseg3d_ros.mapping.objects import MapObject, MapResult
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.pointcloud2 import label_columns
from instseg3d_ros.messages.tf_buffer import TransformBuffer, Unavailable
from instseg3d_ros.messages.tf_message import decode_transforms
from instseg3d_ros.offline.outputs import instance_json, write_json
from instseg3d_ros.offline.settings import Settings
from instseg3d_ros.segmentation.upright import upright_rotation
from instseg3d_ros.sparse.rigid import transform_points

if TYPE_CHECKING:
    from instseg3d_ros.segmentation.segmenter import Segmenter

LATE = 2.0  # seconds of the recording for which a cloud waits for its transform
LOOKS = 12  # number of images from which the vertical of a folder is estimated


@dataclass(frozen=True)
class View:
    """A cloud, its pose (4, 4) map ← cloud, and its time in seconds; or the reason why the pose is unknown."""

    cloud: Cloud
    pose: np.ndarray | None
    stamp: float
    problem: str = ""


def views_of_bag(bag: Bag, fixed_frame: str) -> Iterator[View]:
    """Clouds with poses from the bag's TF. A cloud waits up to LATE for a transform that was recorded after it."""
    buffer = TransformBuffer()
    waiting: deque[tuple[int, Cloud]] = deque()
    for recorded in bag.messages():
        if recorded.cloud is not None:
            waiting.append((recorded.time, recorded.cloud))
        elif recorded.data:
            buffer.add(decode_transforms(recorded.data), recorded.static)
        elif recorded.problem:
            yield View(Cloud(np.zeros((0, 3), np.float32)), None, 0.0, recorded.problem)
        yield from _ready(waiting, buffer, fixed_frame, recorded.time - LATE * 1e9)
    yield from _ready(waiting, buffer, fixed_frame, float("inf"))


def _ready(waiting: deque[tuple[int, Cloud]], buffer: TransformBuffer, fixed_frame: str, late: float) -> Iterator[View]:
    while waiting:
        time, cloud = waiting[0]
        try:
            pose = buffer.lookup(fixed_frame, cloud.frame, cloud.stamp)
        except Unavailable as error:
            if time > late:
                return
            waiting.popleft()
            yield View(cloud, None, cloud.stamp / 1e9, str(error))
            continue
        waiting.popleft()
        yield View(cloud, pose, cloud.stamp / 1e9)


def views_of_folder(folder: Path, settings: Settings) -> tuple[Iterator[View], int]:
    """Depth images with their poses in a world that is rotated so that z is up, and the number of images."""
    posed = read_trajectory(folder)
    camera = Intrinsics.parse(settings.intrinsics) if settings.intrinsics else None

    def read(path: Path) -> Cloud:
        return read_rgbd(path, camera=camera, scale=settings.depth_scale)

    ups = []
    for image in posed[:: max(1, len(posed) // LOOKS)]:
        cloud = read(image.depth)
        rotation = body_rotation(cloud, settings.axes)
        points = transform_points(cloud.points, rotation)
        up = upright_rotation(points[np.isfinite(points).all(axis=1)])[2]
        ups.append(image.pose[:3, :3] @ rotation.T @ up)
    up = np.median(ups, axis=0)
    world = np.eye(4)
    world[:3, :3] = upright(up / np.linalg.norm(up))
    return (View(read(image.depth), world @ image.pose, image.stamp) for image in posed), len(posed)


def upright(up: np.ndarray) -> np.ndarray:
    """(3, 3) rotation by the smallest angle that takes the unit vector `up` to z."""
    from scipy.spatial.transform import Rotation

    axis = np.cross(up, (0, 0, 1.0))
    length = float(np.linalg.norm(axis))
    if length < 1e-9:
        return np.eye(3) if up[2] > 0 else np.diag([1.0, -1, -1])
    return Rotation.from_rotvec(axis / length * np.arctan2(length, up[2])).as_matrix()


def map_input(
    source: Path,
    stem: Path,
    segmenter: Segmenter,
    fixed_frame: str,
    settings: Settings,
    progress: Callable[[int, int], None],
) -> dict:
    """Write the map of `source`: `stem`.npz, which can be loaded again, .ply, .json, .png and, if in settings, .html.

    Returns the numbers of clouds, points and objects, and the skipped clouds with the reasons.
    """
    world, left_out = ObjectMap(segmenter), Counter[str]()
    if is_bag(source):
        if not fixed_frame:
            raise InputError(f"{source}: a map of a bag needs --fixed-frame, a frame of its TF with z up, such as odom")
        with Bag(source, settings.topic) as bag:
            _add_all(world, views_of_bag(bag, fixed_frame), bag.count, settings, left_out, progress)
    else:
        views, count = views_of_folder(source, settings)
        _add_all(world, views, count, settings, left_out, progress)
    if not world.views:
        reason = next(iter(left_out), "it has no clouds")
        raise InputError(f"{source}: no cloud could be mapped: {reason}")
    result = world.result()
    counts = {"clouds": world.views, "points": len(result.points), "objects": len(result.instances)}
    _write(world, result, stem, fixed_frame or "map", settings, {"input": str(source), **counts, "left_out": left_out})
    return {**counts, "left_out": left_out}


def _add_all(
    world: ObjectMap, views: Iterator[View], count: int, settings: Settings, left_out: Counter[str],
    progress: Callable[[int, int], None],
) -> None:  # fmt: skip
    for number, view in enumerate(views, 1):
        progress(number, count)
        if view.pose is None:
            left_out[view.problem] += 1
            continue
        rotation = body_rotation(view.cloud, settings.axes)
        pose = view.pose.copy()
        pose[:3, :3] = view.pose[:3, :3] @ rotation.T
        try:
            world.add(transform_points(view.cloud.points, rotation), view.cloud.colors, pose, view.stamp)
        except InputError as error:
            left_out[str(error)] += 1


def _write(world: ObjectMap, result: MapResult, stem: Path, frame: str, settings: Settings, head: dict) -> None:
    from instseg3d_ros.viewing.picture import three_panels

    world.save(f"{stem}.npz")
    columns = label_columns(result.semantic, result.instance, result.confidence)
    cloud = Cloud(result.points, result.colors, frame=frame, columns=columns)
    write_cloud(Path(f"{stem}.ply"), cloud)
    write_json(Path(f"{stem}.json"), {**head, "frame": frame, "objects": [object_json(item) for item in world.objects]})
    title = f"{stem.name}: {len(result.instances)} objects in {world.views} views"
    three_panels(result.points, result.colors, result, world.labels, f"{stem}.png", None, title)
    if settings.html:
        from instseg3d_ros.viewing.page import write_page

        write_page(f"{stem}.html", result.points, result.colors, result, world.labels, title, settings.budget)


def object_json(item: MapObject) -> dict:
    """The JSON of an instance with cells instead of points, and the number and times of its views."""
    entry = instance_json(item)
    entry["cells"] = entry.pop("points")
    entry |= {"views": item.views, "first_seen": item.first_seen, "last_seen": item.last_seen}
    return entry
