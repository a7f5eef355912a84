"""A segmented frame with weights: its points in body axes (`Frame`), then its cells in the map (`View`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from instseg3d_ros.mapping.cells import pack
from instseg3d_ros.mapping.range_image import BORDER, RangeImage
from instseg3d_ros.mapping.surface import Planes, fit_planes
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.rigid import transform_points

BLOCK = 4.0  # edge, in cells, of the blocks whose planes give the normals
CLOSE = 2.0  # distance in metres at which the weight is halved
GRAZING, AT_BORDER, AT_JUMP = (
    0.25,
    0.4,
    0.3,
)  # least factor for incidence; factors at the edge of the image and at a jump in range
UNEVEN = 0.7  # factor for incidence if the surface is not flat


@dataclass(frozen=True)
class Frame:
    """N points within range of a segmented cloud.

    points (N, 3) float32 metres in body axes · colors (N, 3) uint8 or None · weight (N,) float32 0…1 ·
    saying (N,) int32: row in `pieces` (P,), the instance ids of the result, or P + class index outside all pieces ·
    confidence (N,) float32 · class_of (P,) class index of each piece
    """

    points: np.ndarray
    colors: np.ndarray | None
    weight: np.ndarray
    saying: np.ndarray
    confidence: np.ndarray
    pieces: np.ndarray
    class_of: np.ndarray
    range_image: RangeImage
    planes: Planes


@dataclass(frozen=True)
class View:
    """K cells, in no particular order.

    keys (K,) · position (K, 3) metres in the map's frame · color (K, 3) 0…255 or None · weight (K,) 0…1 ·
    piece (K,) row in the frame's `pieces` by majority, −1 for none · label (K,) class index ·
    confidence (K,) 0…1
    """

    keys: np.ndarray
    position: np.ndarray
    color: np.ndarray | None
    weight: np.ndarray
    piece: np.ndarray
    label: np.ndarray
    confidence: np.ndarray


def look(
    points: np.ndarray, colors: np.ndarray | None, result: Result, cell: float, max_range: float = np.inf
) -> Frame | None:
    """The frame of a segmented cloud: points (N, 3) float32 in body axes, sensor at the origin.

    Points beyond `max_range` metres are only in the range image. Returns None if no point in range has a label.
    """
    points = np.ascontiguousarray(points, np.float32)
    pieces = np.array([one.id for one in result.instances], np.int64)
    used, saying, class_of = _select(points, result, pieces, max_range)
    if not len(used):
        return None
    labelled = result.semantic >= 0
    image = RangeImage(points if labelled.all() else points[labelled])
    points = np.take(points, used, axis=0)
    planes = fit_planes(points, BLOCK * cell)
    colors = None if colors is None else np.take(np.asarray(colors, np.uint8), used, axis=0)
    confidence = np.take(result.confidence, used).astype(np.float32, copy=False)
    return Frame(points, colors, weigh(points, image, planes), saying, confidence, pieces, class_of, image, planes)


def _select(
    points: np.ndarray, result: Result, pieces: np.ndarray, max_range: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (M,) of the labelled points in range, and `saying` (M,) and `class_of` (P,) of a `Frame`."""
    row_of = np.full(max(int(pieces.max(initial=0)), int(result.instance.max(initial=0))) + 1, -1)
    row_of[pieces] = np.arange(len(pieces))
    class_of = np.zeros(len(pieces), np.int64)
    semantic, instance = (np.ascontiguousarray(a) for a in (result.semantic, result.instance))
    if kernels.available("view") and semantic.dtype == np.int16 and instance.dtype == np.int32:
        used, saying = np.empty(len(points), np.int64), np.empty(len(points), np.int32)
        inputs = len(points), points, semantic, instance, row_of, len(pieces), max_range
        count = kernels.call("view", "choose", *inputs, used, saying, class_of)
        return used[:count], saying[:count], class_of
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.einsum("ni,ni->n", points, points) <= np.float32(max_range) ** 2
    used = np.flatnonzero((semantic >= 0) & near)
    piece, label = row_of[instance[used]], semantic[used].astype(np.int64)
    class_of[piece[piece >= 0]] = label[piece >= 0]  # all points of a piece have its class
    return used, np.where(piece >= 0, piece, len(pieces) + label).astype(np.int32), class_of


def weigh(points: np.ndarray, image: RangeImage, planes: Planes) -> np.ndarray:
    """(N,) float32 weights of points (N, 3) in body axes: the product of

    1 / (1 + (r / CLOSE)²) at range r · the cosine between ray and normal, at least GRAZING, or UNEVEN if the surface is
    not flat · AT_BORDER near the edge of the image · AT_JUMP beside a jump in range
    """
    if kernels.available("view"):
        weight = np.empty(len(points), np.float32)
        settings = np.array([CLOSE, GRAZING, UNEVEN, AT_BORDER, AT_JUMP, BORDER])
        surface = planes.block, planes.normal, planes.flat.view(np.uint8)
        picture = image.packed, image.shape[1], image.jump
        kernels.call("view", "weigh", len(points), points, *picture, *surface, settings, weight)
        return weight
    distance = np.linalg.norm(points, axis=1)
    normal, flat = planes.normal[planes.block], planes.flat[planes.block]
    facing = np.abs(np.einsum("ij,ij->i", points, normal)) / np.maximum(distance, 1e-6)
    border, jump = image.at_edge(points)
    edges = np.where(border, AT_BORDER, 1.0) * np.where(jump, AT_JUMP, 1.0)
    weight = np.where(flat, np.maximum(facing, GRAZING), UNEVEN) * edges / (1 + (distance / CLOSE) ** 2)
    return weight.astype(np.float32)


def place(frame: Frame, pose: np.ndarray, cell: float) -> View:
    """The cells of a frame with the pose (4, 4); `cell` is their edge in metres.

    The points of a cell vote for its piece or class. If votes are equal, the first row of `pieces` wins, then the first
    class.
    """
    collect = _collect if kernels.available("view") else _collect_numpy
    keys, position, color, weight, said, confidence = collect(frame, pose, cell)
    count = len(frame.pieces)
    in_piece = said < count
    label = np.where(in_piece, np.append(frame.class_of, 0)[np.where(in_piece, said, count)], said - count)
    return View(keys, position, color, weight, np.where(in_piece, said, -1), label, confidence)


def _collect(frame: Frame, pose: np.ndarray, cell: float) -> tuple[Any, ...]:
    """For each cell: key, means of position, colour and weight, the winner of the vote (see `Frame.saying`), and the
    mean confidence of its points."""
    count = len(frame.points)
    keys, said = np.empty(count, np.int64), np.empty(count, np.int64)
    position, weight, sure = np.empty((count, 3), np.float32), np.empty(count), np.empty(count)
    color = None if frame.colors is None else np.empty((count, 3), np.float32)
    matrix = np.ascontiguousarray(pose[:3], np.float64)
    inputs = count, frame.points, matrix, cell, frame.colors, frame.weight, frame.saying, frame.confidence
    count = kernels.call("view", "place", *inputs, keys, position, color, weight, said, sure)
    columns = keys, position, color, weight, said, sure
    return tuple(None if column is None else column[:count] for column in columns)


def _collect_numpy(frame: Frame, pose: np.ndarray, cell: float) -> tuple[Any, ...]:
    """`_collect` for machines without a compiler."""
    moved = transform_points(frame.points, pose).astype(np.float64)
    keys, inverse, points = np.unique(pack(np.floor(moved / cell)), return_inverse=True, return_counts=True)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(inverse, values) / points

    position = np.stack([mean(column) for column in moved.T], axis=1)
    color = None if frame.colors is None else np.stack([mean(column) for column in frame.colors.T], axis=1)
    several = int(frame.saying.max()) + 1
    pairs, pair, votes = np.unique(inverse * several + frame.saying, return_inverse=True, return_counts=True)
    sure = np.bincount(pair, frame.confidence)
    owner, said = np.divmod(pairs, several)
    order = np.lexsort((said, -votes, owner))
    most = order[np.searchsorted(owner, np.arange(len(keys)))]
    return keys, position, color, mean(frame.weight), said[most], sure[most] / votes[most]
