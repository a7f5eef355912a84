"""One segmented frame: what it saw and how much that counts, first in the sensor's axes, then in cells of the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from instseg3d_ros.mapping.cells import pack
from instseg3d_ros.mapping.range_image import RangeImage
from instseg3d_ros.mapping.surface import Planes, fit_planes
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.rigid import transform_points

GRAIN = 0.7  # edge of a grain, in cells: with less than 1 few cells of the map fall between two grains
BLOCK = 4.0  # edge, in cells, of a block whose plane gives the normal
CLOSE = 2.0  # metres at which distance halves the weight
GRAZING, AT_BORDER, AT_JUMP = 0.25, 0.4, 0.3  # least weight by incidence; weight at the two kinds of edge
UNEVEN = 0.7  # weight by incidence where the surface is no plane


@dataclass(frozen=True)
class Frame:
    """A segmented cloud as G grains: the points in a small cube that say the same.

    position (G, 3) float32 metres in body axes · color (G, 3) 0…255 or None · weight (G,) 0…1 times its points ·
    saying (G,): row of `pieces` (P,), the result's instance ids, or P + class index where the grain is in no piece ·
    confidence (G,) · class_of (P,) class index of each piece
    """

    position: np.ndarray
    color: np.ndarray | None
    weight: np.ndarray
    points: np.ndarray
    saying: np.ndarray
    confidence: np.ndarray
    pieces: np.ndarray
    class_of: np.ndarray
    range_image: RangeImage
    planes: Planes


@dataclass(frozen=True)
class View:
    """K cells in ascending order of their keys.

    keys (K,) · position (K, 3) metres in the map's frame · color (K, 3) 0…255 or None · weight (K,) 0…1 ·
    piece (K,) row of the frame's `pieces` that most of the cell belongs to, −1 for none · label (K,) class index ·
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
    """The frame of a segmented cloud: points (N, 3) float32 in body axes, sensor at the origin. Points farther than
    `max_range` metres are in the range image only. None where no point is labelled."""
    labelled = result.semantic >= 0
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.einsum("ni,ni->n", points, points) <= max_range * max_range
    used = np.flatnonzero(labelled & near)
    if not len(used):
        return None
    image = RangeImage(points if labelled.all() else points[labelled])
    points = points[used]
    pieces = np.array([one.id for one in result.instances], np.int64)
    row_of = np.full(max(int(pieces.max(initial=0)), int(result.instance.max(initial=0))) + 1, -1)
    row_of[pieces] = np.arange(len(pieces))
    piece, label = row_of[result.instance[used]], result.semantic[used].astype(np.int64)
    class_of = np.zeros(len(pieces), np.int64)
    class_of[piece[piece >= 0]] = label[piece >= 0]  # all points of a piece have its class
    values = [result.confidence[used, None].astype(np.float32)]
    if colors is not None:
        values.append(colors[used].astype(np.float32))
    grains = voxelize(
        torch.from_numpy(points), torch.from_numpy(np.hstack(values)), GRAIN * cell,
        batch=torch.from_numpy(np.where(piece >= 0, piece, len(pieces) + label)),
    )  # fmt: skip
    assert grains.features is not None
    position, means = grains.positions.numpy(), grains.features.numpy()
    planes = fit_planes(position, BLOCK * cell)
    return Frame(
        position, None if colors is None else means[:, 1:], weigh(position, image, planes), grains.counts.numpy(),
        grains.grid.coords[:, 0].numpy().astype(np.int64), means[:, 0], pieces, class_of, image, planes,
    )  # fmt: skip


def weigh(position: np.ndarray, image: RangeImage, planes: Planes) -> np.ndarray:
    """(G,) weights of what lies at `position` (G, 3) in body axes, products of

    1 / (1 + (r / CLOSE)²) at range r · the cosine between ray and normal, GRAZING at least and UNEVEN where the surface
    is not flat · AT_BORDER near the edge of the picture · AT_JUMP where the range jumps.
    """
    distance = np.linalg.norm(position, axis=1)
    normal, flat = planes.normal[planes.block], planes.flat[planes.block]
    facing = np.abs(np.einsum("ij,ij->i", position, normal)) / np.maximum(distance, 1e-6)
    border, jump = image.at_edge(position)
    edges = np.where(border, AT_BORDER, 1.0) * np.where(jump, AT_JUMP, 1.0)
    return np.where(flat, np.maximum(facing, GRAZING), UNEVEN) * edges / (1 + (distance / CLOSE) ** 2)


def place(frame: Frame, pose: np.ndarray, cell: float) -> View:
    """The frame in cells of edge `cell`, seen from `pose`."""
    moved = transform_points(frame.position, pose).astype(np.float64)
    keys, inverse = np.unique(pack(np.floor(moved / cell)), return_inverse=True)
    points = frame.points.astype(np.float64)
    total = np.bincount(inverse, points)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(inverse, points * values) / total

    position = np.stack([mean(column) for column in moved.T], axis=1)
    color = None if frame.color is None else np.stack([mean(column) for column in frame.color.T], axis=1)
    # Of what is said in a cell, that of most points counts. Points that say the same are summed up first.
    several = int(frame.saying.max()) + 1
    pairs, pair = np.unique(inverse * several + frame.saying, return_inverse=True)
    votes, sure = np.bincount(pair, points), np.bincount(pair, points * frame.confidence)
    owner, said = np.divmod(pairs, several)
    order = np.lexsort((said, -votes, owner))
    most = order[np.searchsorted(owner, np.arange(len(keys)))]
    said, count = said[most], len(frame.pieces)
    in_piece = said < count
    label = np.where(in_piece, np.append(frame.class_of, 0)[np.where(in_piece, said, count)], said - count)
    return View(
        keys, position, color, mean(frame.weight), np.where(in_piece, said, -1), label, sure[most] / votes[most]
    )
