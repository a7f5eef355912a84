"""Planes fitted to blocks of a view; their normals give angles of incidence and serve the alignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.sparse.native import kernels

FEWEST = 5  # smallest number of points of a flat block
FLAT = 0.06  # largest ratio of the smallest to the middle variance in a flat block


@dataclass(frozen=True)
class Planes:
    """block (N,) int32 of each point; center (B, 3), unit normal (B, 3) and flatness `flat` (B,) bool of each block."""

    block: np.ndarray
    center: np.ndarray
    normal: np.ndarray
    flat: np.ndarray


def fit_planes(points: np.ndarray, size: float) -> Planes:
    """Least-squares planes of points (N, 3) float32 in cubes of edge `size`."""
    points = np.ascontiguousarray(points, np.float32)
    if kernels.available("view"):
        block, flat = np.empty(len(points), np.int32), np.empty(len(points), bool)
        center, normal = np.empty((len(points), 3)), np.empty((len(points), 3))
        outputs = block, center, normal, flat.view(np.uint8)
        blocks = kernels.call("view", "planes", len(points), points, size, FEWEST, FLAT, *outputs)
        return Planes(block, center[:blocks].copy(), normal[:blocks].copy(), flat[:blocks].copy())
    return _fit_numpy(points, size)


def _fit_numpy(points: np.ndarray, size: float) -> Planes:
    corner = np.floor(points / size).astype(np.int64)
    corner -= corner.min(axis=0)
    spans = corner.max(axis=0) + 1
    _, block = np.unique((corner[:, 0] * spans[1] + corner[:, 1]) * spans[2] + corner[:, 2], return_inverse=True)
    count = np.bincount(block).astype(np.float64)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(block, values, minlength=len(count))

    center = np.stack([sums(points[:, k]) for k in range(3)], axis=1) / count[:, None]
    away = points - center[block]
    spread = np.empty((len(count), 3, 3))
    for i in range(3):
        for j in range(i, 3):
            spread[:, i, j] = spread[:, j, i] = sums(away[:, i] * away[:, j]) / count
    values, vectors = np.linalg.eigh(spread)
    flat = (count >= FEWEST) & (values[:, 0] < FLAT * values[:, 1] + 1e-12)
    return Planes(block.astype(np.int32), center, vectors[:, :, 0], flat)
