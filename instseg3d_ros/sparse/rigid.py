"""Rigid transforms and range filters of whole clouds, in a single pass over the points."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.sparse.native import kernels


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a (3, 3) rotation or a rigid (4, 4) transform to points (N, 3) float32 → (N, 3) float32.

    Returns the same array, without a copy, for an identity. NaN stays NaN; points beyond float32 become infinite.
    Without the compiled kernel the sums are in float32.
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    if np.array_equal(matrix, np.eye(len(matrix))):
        return points
    rotation, shift = matrix[:3, :3], matrix[:3, 3] if matrix.shape == (4, 4) else np.zeros(3)
    out = np.empty_like(points)
    if kernels.available("voxelize"):
        table = np.column_stack((rotation, shift)).astype(np.float64)
        kernels.call("voxelize", "transform", len(points), points, table, out)
        return out
    x, y, z = np.ascontiguousarray(points.T)
    with np.errstate(invalid="ignore", over="ignore"):
        # By columns: for a product of 300,000 x 3 by 3 x 3 BLAS starts its threads, which takes longer than the
        # product.
        for axis, (a, b, c) in enumerate(rotation.astype(np.float32)):
            out[:, axis] = x * a + y * b + z * c + np.float32(shift[axis])
    return out


def usable_points(points: np.ndarray, max_range: float) -> np.ndarray | None:
    """(N,) bool: points (N, 3) float32 that are finite and at most `max_range` metres away; None if all points are."""
    if kernels.available("voxelize"):
        points = np.ascontiguousarray(points, dtype=np.float32)
        usable = np.empty(len(points), bool)
        count = kernels.call("voxelize", "usable", len(points), points, max_range, usable.view(np.uint8))
        return None if count == len(points) else usable
    with np.errstate(invalid="ignore", over="ignore"):
        usable = np.einsum("ni,ni->n", points, points) <= max_range * max_range
    return None if usable.all() else usable
