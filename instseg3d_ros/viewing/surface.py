"""Computes normals and spacing of the points of a cloud, for drawing."""

from __future__ import annotations

import numpy as np

CELL = 0.025  # metres; normals are computed from points that are averaged over cells of this size
MAX_CELLS = 60_000
NEIGHBORS = 14


def thin(points: np.ndarray, cell: float) -> np.ndarray:
    """Rows (M,) of one point per cell of a grid of `cell` metres, in ascending order."""
    return np.sort(np.unique(cell_keys(points, cell), return_index=True)[1])


def describe(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals (N, 3) float32, with arbitrary sign, and spacing (N,) float32, in metres, of finite points (N, 3)."""
    from scipy.spatial import cKDTree

    cell = CELL
    while True:
        _, owner, counts = np.unique(cell_keys(points, cell), return_inverse=True, return_counts=True)
        if len(counts) <= MAX_CELLS:
            break
        cell *= max(1.15, float(np.sqrt(len(counts) / MAX_CELLS)))
    means = np.stack([np.bincount(owner, points[:, axis]) for axis in range(3)], axis=1) / counts[:, None]
    if len(means) < 4:
        return np.tile(np.array((0, 0, 1), np.float32), (len(points), 1)), np.full(len(points), cell, np.float32)
    _, near = cKDTree(means).query(means, k=min(NEIGHBORS, len(means)))
    local = means[near] - means[near].mean(axis=1, keepdims=True)
    normals = np.linalg.eigh(np.einsum("nki,nkj->nij", local, local))[1][:, :, 0].astype(np.float32)
    # The surface in a cell has about the area of the cell's side; averaging over neighbours corrects partial cells.
    density = counts[near[:, : min(7, near.shape[1])]].mean(axis=1)
    spacing = (cell / np.sqrt(density)).astype(np.float32)
    return normals[owner], spacing[owner]


def cell_keys(points: np.ndarray, cell: float) -> np.ndarray:
    """(N,) int64 key of each point's grid cell."""
    cells = np.floor((points - points.min(axis=0)) / cell).astype(np.int64)
    return (cells[:, 0] << 42) + (cells[:, 1] << 21) + cells[:, 2]
