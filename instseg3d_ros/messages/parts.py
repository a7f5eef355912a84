"""Clouds with the selected, the remaining and the obstacle points of an answer, and the surfaces below objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.cloud import Cloud, far_again
from instseg3d_ros.messages.pointcloud2 import PackedCloud, encode
from instseg3d_ros.messages.rotations import inverse
from instseg3d_ros.segmentation.boxes import upright_box
from instseg3d_ros.segmentation.result import Box, Instance, Result, move_instances

FLOOR = "floor"
CELL = 0.05  # metres; largest distance between neighbouring points of a surface
NEAR = 0.03  # metres; largest height difference between an object's lowest point and the surface below it
THICKNESS = 0.01  # metres; thickness of the box of a surface
MARGIN = 0.1  # metres around an object in which the surface must be visible
FEWEST = 20  # smallest number of points of a surface
OWNED = 0.25  # share of a surface's points in an object above which the surface belongs to this object


def selected_ids(selection: str, instances: list[Instance]) -> list[int]:
    """Ids of the selected objects. A selection has ids and class names, separated by commas; empty: all objects."""
    words = {word.strip() for word in selection.split(",") if word.strip()}
    return [one.id for one in instances if not words or str(one.id) in words or one.label in words]


def check_selection(selection: str, labels: LabelSet) -> None:
    """Raise InputError if a word of a selection is neither an id nor the name of a class."""
    for word in (word.strip() for word in selection.split(",")):
        if word and not word.isdecimal():
            labels.index(word)


def object_points(cloud: Cloud, result: Result, selection: str) -> PackedCloud:
    """The points of the selected objects, with `instance`."""
    return _subset(cloud, result, np.isin(result.instance, selected_ids(selection, result.instances)))


def remaining_points(cloud: Cloud, result: Result, selection: str) -> PackedCloud:
    """All finite points except those of the selected objects."""
    return _subset(cloud, result, cloud.finite & ~np.isin(result.instance, selected_ids(selection, result.instances)))


def obstacle_points(cloud: Cloud, result: Result, labels: LabelSet) -> PackedCloud:
    """All finite points except those of the floor. Points without a label are included, since they may be obstacles."""
    floor = labels.names.index(FLOOR) if FLOOR in labels.names else -2
    return _subset(cloud, result, cloud.finite & (result.semantic != floor))


def _subset(cloud: Cloud, result: Result, mask: np.ndarray) -> PackedCloud:
    colors = cloud.colors if cloud.packed is None else cloud.packed
    chosen = None if colors is None else colors[mask]
    far = cloud.origin is not None
    return encode(far_again(cloud)[mask], chosen, double=far, instance=result.instance[mask].astype(np.uint32))


@dataclass(frozen=True)
class Support:
    """A horizontal surface below objects: a thin box whose upper face is the surface, and the ids of the objects."""

    box: Box
    objects: list[int]


def find_supports(cloud: Cloud, result: Result, rotation: np.ndarray) -> list[Support]:
    """Surfaces below objects, in the cloud's frame. rotation (3, 3): from the cloud's axes to axes with z up.

    The surface below an object consists of points that do not belong to the object, have the height of its lowest
    point, and are connected to points beside the object. If the surface is hidden, the object has no surface.
    """
    points = cloud.points @ rotation.T.astype(np.float32)
    levelling = np.eye(4)  # axes with z up ← frame of the points, from which an origin may have been subtracted
    levelling[:3, :3] = rotation
    if cloud.origin is not None:
        levelling[:3, 3] = -rotation @ cloud.origin
    supports: list[Support] = []
    owners: list[set[int]] = []  # for each surface the objects to which it belongs (0: none)
    for one, upright in zip(result.instances, move_instances(result.instances, levelling)):
        height = float(upright.box.center[2] - upright.box.size[2] / 2)
        known = (s for s, owner in zip(supports, owners) if one.id not in owner and _below(s.box, upright.box, height))
        support = next(known, None)
        if support is not None:
            support.objects.append(one.id)
            continue
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero((np.abs(points[:, 2] - height) < NEAR) & (result.instance != one.id))
        rows = rows[_connected(points[rows], upright.box)]
        if len(rows) >= FEWEST:
            supports.append(Support(_slab(points[rows]), [one.id]))
            ids, counts = np.unique(result.instance[rows], return_counts=True)
            owners.append(set(ids[counts > OWNED * len(rows)].tolist()))
    return [Support(support.box.moved(inverse(levelling)), support.objects) for support in supports]


def _below(slab: Box, box: Box, height: float) -> bool:
    """Whether a surface is below an object: at the height of its lowest point and below its middle."""
    local = slab.rotation.T @ (box.center - slab.center)
    top = slab.center[2] + slab.size[2] / 2
    return bool((np.abs(local[:2]) <= slab.size[:2] / 2).all()) and abs(top - height) < NEAR


def _connected(levelled: np.ndarray, box: Box) -> np.ndarray:
    """(N,) bool: points (N, 3) at the same height that are connected to points beside the object's box."""
    if not len(levelled):
        return np.zeros(0, bool)
    cells = np.floor(levelled[:, :2] / CELL).astype(np.int64)
    cells -= cells.min(axis=0)
    grid = np.zeros(cells.max(axis=0) + 1, bool)
    grid[tuple(cells.T)] = True
    piece = label(grid, np.ones((3, 3)))[0][tuple(cells.T)]
    outside = (np.abs((levelled - box.center) @ box.rotation)[:, :2] - box.size[:2] / 2).max(axis=1)
    return np.isin(piece, np.unique(piece[(outside > 0) & (outside < MARGIN)]))


def _slab(surface: np.ndarray) -> Box:
    box = upright_box(surface)
    top = float(np.median(surface[:, 2]))
    center = np.array([box.center[0], box.center[1], top - THICKNESS / 2])
    return Box(center, np.array([box.size[0], box.size[1], THICKNESS]), box.rotation)
