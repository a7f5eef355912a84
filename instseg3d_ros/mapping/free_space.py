"""Cells that a view looked through are emptied, so that what moved is at its new place only."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping import evidence
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.pose import inverse
from instseg3d_ros.mapping.range_image import RangeImage
from instseg3d_ros.sparse.rigid import transform_points

SLACK = 1.5  # cells that a ray must end behind a cell to have passed through it …
NOISE = 0.006  # … and this times the square of the range in metres: depth is less certain farther away


def in_sight(cells: Cells, pose: np.ndarray, image: RangeImage, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the cells within the picture and `reach` metres, and their places (K, 3) in the sensor's axes."""
    rows = cells.rows
    body = transform_points(cells["position"], inverse(pose))[rows]
    near = np.flatnonzero(np.einsum("ij,ij->i", body, body) <= reach * reach)
    rows, body = rows[near], body[near]
    inside, _, _ = image.inside(body)
    return rows[inside], body[inside]


def carve(cells: Cells, rows: np.ndarray, body: np.ndarray, image: RangeImage, size: float, times: float) -> np.ndarray:
    """Misses for those of the cells `rows`, at `body` (K, 3) in the sensor's axes, that rays passed through; returns
    the rows that are empty now. Cells that this view saw must not be among them."""
    margin = SLACK * size + NOISE * np.einsum("ij,ij->i", body, body)
    return evidence.add_misses(cells, rows[image.passed_through(body, margin)], times)
