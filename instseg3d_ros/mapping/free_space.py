"""Cells that a view looked through are emptied, so that what moved is at its new place only."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping import evidence
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.pose import inverse
from instseg3d_ros.mapping.range_image import RangeImage
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.rigid import transform_points

SLACK = 1.5  # cells that a ray must end behind a cell to have passed through it …
NOISE = 0.006  # … and this times the square of the range in metres: depth is less certain farther away


def carve(cells: Cells, pose: np.ndarray, image: RangeImage, size: float, view: int, times: float) -> np.ndarray:
    """Misses for the cells that rays passed through and that view number `view` did not see (column "seen").

    Returns the rows of the cells that are empty now.
    """
    if kernels.available("cells"):
        empty = np.empty(len(cells), np.int64)
        columns = cells["position"], cells["occupied"], cells["seen"], view
        picture = image.packed, image.shape[1], image.before
        margin = SLACK * size, NOISE, evidence.MISS * times
        count = kernels.call(
            "cells", "carve", *cells.index, size, *columns, inverse(pose)[:3].copy(), *picture, *margin, empty
        )  # fmt: skip
        return empty[:count].copy()
    rows = cells.rows
    rows = rows[cells["seen"][rows] != view]
    body = transform_points(cells["position"][rows], inverse(pose))
    margin = SLACK * size + NOISE * np.einsum("ij,ij->i", body, body)
    return evidence.add_misses(cells, rows[image.passed_through(body, margin)], times)
