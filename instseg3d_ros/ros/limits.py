"""The region of interest: which points of a cloud are labelled at all."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.ros.parameters import Parameters


def select(points: np.ndarray, parameters: Parameters) -> np.ndarray:
    """(N,) bool: inside the parameters' limits except `max_range`, which the segmenter applies. NaN is outside."""
    keep = np.ones(len(points), bool)
    x, y, z = points.T
    with np.errstate(invalid="ignore", over="ignore"):
        if parameters.min_range > 0:
            keep &= np.einsum("ni,ni->n", points, points) >= parameters.min_range**2
        if parameters.min_height > -1000 or parameters.max_height < 1000:
            keep &= (z >= parameters.min_height) & (z <= parameters.max_height)
        box = np.asarray(parameters.crop_box)
        if box.any():
            low, high = np.minimum(box[:3], box[3:]), np.maximum(box[:3], box[3:])
            for axis, column in enumerate((x, y, z)):
                keep &= (column >= low[axis]) & (column <= high[axis])
    return keep
