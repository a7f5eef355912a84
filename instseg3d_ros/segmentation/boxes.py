"""Gravity-aligned boxes: the smallest rectangle around an object as seen from above, and the object's height."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from instseg3d_ros.segmentation.result import Box
from instseg3d_ros.sparse.native import kernels


def upright_box(points: np.ndarray) -> Box:
    """Smallest upright box around (N, 3) points, N ≥ 1; see `upright_boxes`."""
    return upright_boxes(points, np.arange(len(points)), np.array([0, len(points)]))[0]


def upright_boxes(points: np.ndarray, rows: np.ndarray, begin: np.ndarray) -> list[Box]:
    """A box for each group of points: group g is points[rows[begin[g] : begin[g + 1]]], at least one point.

    points (N, 3) metres, rows (M,) and begin (G + 1,) integers. A box's x axis runs along its longer horizontal side,
    its yaw lies in −90° … 90°. Points on a line or a single point give sizes of 0.
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    rows, begin = (np.ascontiguousarray(value, dtype=np.int64) for value in (rows, begin))
    if not kernels.available("boxes"):
        groups = (points[rows[first:last]].astype(np.float64) for first, last in pairwise(begin))
        return _boxes(np.array([_box_numpy(group) for group in groups]).reshape(-1, 8))

    table = np.empty((len(begin) - 1, 8))
    kernels.call("boxes", "upright_boxes", points, rows, begin, len(table), table)
    return _boxes(table)


def _boxes(table: np.ndarray) -> list[Box]:
    """Boxes from (G, 8): center (3), size (3), cosine and sine of the yaw; x may be along either horizontal side."""
    size, (cosine, sine) = table[:, 3:6].copy(), table[:, 6:].T
    wide = size[:, 1] > size[:, 0]
    size[wide] = size[wide][:, [1, 0, 2]]
    cosine, sine = np.where(wide, -sine, cosine), np.where(wide, cosine, sine)
    sign = np.where((cosine < 0) | ((cosine == 0) & (sine < 0)), -1.0, 1.0)
    rotation = np.zeros((len(table), 3, 3))
    rotation[:, 0, 0] = rotation[:, 1, 1] = sign * cosine
    rotation[:, 1, 0] = sign * sine
    rotation[:, 0, 1] = -rotation[:, 1, 0]
    rotation[:, 2, 2] = 1
    return [Box(*parts) for parts in zip(table[:, :3], size, rotation)]


def _box_numpy(points: np.ndarray) -> np.ndarray:
    outline = _hull(points[:, :2])
    edges = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(*edges.T)
    cosine, sine = np.where(lengths > 0, edges.T / np.where(lengths > 0, lengths, 1), [[1], [0]])
    along, across = outline @ np.stack((cosine, sine)), outline @ np.stack((-sine, cosine))  # (H, E)
    low = np.stack((along.min(axis=0), across.min(axis=0)))
    high = np.stack((along.max(axis=0), across.max(axis=0)))
    best = int(np.prod(high - low, axis=0).argmin())
    c, s = cosine[best], sine[best]
    a, b = (low + high)[:, best] / 2
    bottom, top = points[:, 2].min(), points[:, 2].max()
    return np.array([c * a - s * b, s * a + c * b, (bottom + top) / 2, *(high - low)[:, best], top - bottom, c, s])


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners (H, 2) of the convex outline of (N, 2) points."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):  # fewer than three points, or all on a line
        order = np.lexsort(points.T[::-1])
        return points[order[[0, -1]]]
