"""Between the cloud's own frame and the one in which the network works: z up, x forward."""

from __future__ import annotations

import numpy as np

# body ← optical: forward is the optical z, left is -x, up is -y (REP 103).
BODY_FROM_OPTICAL = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)


def body_from_cloud(axes: str, frame: str) -> np.ndarray:
    """(4, 4) rotation to body axes; `axes` is auto, optical or body, `frame` the cloud's frame_id."""
    optical = "optical" in frame if axes == "auto" else axes == "optical"
    return BODY_FROM_OPTICAL if optical else np.eye(4)


def select(points: np.ndarray, parameters) -> np.ndarray:
    """(N,) bool: within the node's own limits. The far limit is the segmenter's business. NaN compares as outside."""
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
