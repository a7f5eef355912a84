"""Which cells a map forgets so that it stays bounded."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping.cells import Cells

SPARE = 0.05  # share of the limit that is freed at once, so that this is not done for every view
OLD = 100.0  # views after which a cell counts as one radius farther away


def too_far(cells: Cells, place: np.ndarray, radius: float) -> np.ndarray:
    """Rows of cells farther than `radius` metres from `place` (3,)."""
    away = cells["position"][cells.rows] - place.astype(np.float32)
    return cells.rows[np.einsum("ij,ij->i", away, away) > radius * radius]


def too_many(cells: Cells, place: np.ndarray, view: int, limit: int) -> np.ndarray:
    """Rows to forget where there are more than `limit` cells: the oldest and farthest first.

    A cell's rank is its distance from `place`, relative to the median, plus its age in units of OLD views.
    """
    if len(cells) <= limit:
        return np.zeros(0, np.int64)
    rows = cells.rows
    distance = np.linalg.norm(cells["position"][rows] - place.astype(np.float32), axis=1)
    rank = distance / max(float(np.median(distance)), 1e-6) + (view - cells["seen"][rows]) / OLD
    kept = int(limit * (1 - SPARE))
    return rows[np.argpartition(rank, kept)[kept:]]
