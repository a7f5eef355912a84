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


def in_sight(cells: Cells, pose: np.ndarray, image: RangeImage) -> np.ndarray:
    """Rows of the cells within the picture and no farther than what was seen."""
    place = cells["position"]
    if image.pinhole:
        # Most cells lie behind the sensor or beyond what it saw; one product finds them.
        ahead = place @ pose[:3, 0].astype(np.float32) - np.float32(pose[:3, 0] @ pose[:3, 3])
        near = (ahead > 0) & (ahead < image.farthest)
    else:
        away = place - pose[:3, 3].astype(np.float32)
        near = np.einsum("ij,ij->i", away, away) < image.farthest**2
    rows = np.flatnonzero(near & cells.filled)
    return rows[image.inside(transform_points(place[rows], inverse(pose)))[0]]


def carve(cells: Cells, rows: np.ndarray, pose: np.ndarray, image: RangeImage, size: float, times: float) -> np.ndarray:
    """Misses for those of the cells `rows` that rays passed through; returns the rows that are empty now. Cells that
    this view saw must not be among them."""
    body = transform_points(cells["position"][rows], inverse(pose))
    margin = SLACK * size + NOISE * np.einsum("ij,ij->i", body, body)
    return evidence.add_misses(cells, rows[image.passed_through(body, margin)], times)
