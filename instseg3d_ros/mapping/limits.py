"""Selects the cells that a map forgets, so that its size stays bounded."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping.cells import EDGE, Cells

SPARE = 0.05  # fraction of the limit that is freed at once, so that not every view has to free cells
OLD = 100.0  # views after which a cell counts as one radius farther away


def too_far(cells: Cells, size: float, place: np.ndarray, radius: float) -> np.ndarray:
    """Rows of cells, with edges of `size` metres, farther than `radius` metres from `place` (3,)."""
    reach = size * EDGE * 3**0.5 / 2
    distance = np.linalg.norm(cells.middles() * size - place, axis=1)
    rows = cells.rows_of(np.flatnonzero(distance > radius - reach))
    away = cells["position"][rows] - place.astype(np.float32)
    return rows[np.einsum("ij,ij->i", away, away) > radius * radius]


def too_many(cells: Cells, size: float, place: np.ndarray, view: int, limit: int) -> np.ndarray:
    """Rows to forget if the map has more than `limit` cells: those of the oldest and farthest blocks.

    A block's rank is its distance from `place`, relative to the median, plus its age in units of OLD views.
    """
    if len(cells) <= limit:
        return np.zeros(0, np.int64)
    distance = np.linalg.norm(cells.middles() * size - place, axis=1)
    age = view - cells.last_seen[cells.slots]
    rank = distance / max(float(np.median(distance)), 1e-6) + age / OLD
    order = np.argsort(-rank, kind="stable")
    gone = np.cumsum(cells.cells_in[cells.slots[order]]) < len(cells) - limit * (1 - SPARE)
    return cells.rows_of(order[: int(gone.sum()) + 1])
