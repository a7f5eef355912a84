"""The region of interest: the points of a cloud that the network labels."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.ros.parameters import Parameters


def select(points: np.ndarray, camera: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Mask (N,) bool of the points within the parameters' limits. NaN is outside. The segmenter applies `max_range`.

    points (N, 3) relative to the camera, in the axes of the level frame; camera (3,): its position in that frame.
    """
    keep = np.ones(len(points), bool)
    with np.errstate(invalid="ignore", over="ignore"):
        if parameters.min_range > 0:
            keep &= np.einsum("ni,ni->n", points, points) >= parameters.min_range**2
        lowest, highest = np.array(parameters.crop_box).reshape(2, 3)
        lowest[2] = max(lowest[2], parameters.min_height)
        highest[2] = min(highest[2], parameters.max_height)
        for column, low, high in zip(points.T, lowest - camera, highest - camera):
            if np.isfinite((low, high)).any():
                keep &= (column >= low) & (column <= high)
    return keep
