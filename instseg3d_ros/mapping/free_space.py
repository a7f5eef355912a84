"""Empties cells that a view looked through, so that moved objects are at their new places only."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping import evidence
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.pose import inverse
from instseg3d_ros.mapping.range_image import RangeImage
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.rigid import transform_points

# A ray passes through a cell if it ends at least SLACK · (edge of a cell) + NOISE · range² metres behind the cell.
SLACK = 1.5
NOISE = 0.006  # the noise of depth cameras grows with the square of the range


def carve(cells: Cells, pose: np.ndarray, image: RangeImage, size: float, view: int, times: float) -> np.ndarray:
    """Add `times` misses to the cells that rays passed through, except those that view number `view` saw.

    Returns the rows of the cells that are then empty.
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
