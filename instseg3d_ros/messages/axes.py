"""The axes of a cloud, and their rotation to body axes (x forward, y left, z up), which the network expects."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

AXES = ("auto", "body", "optical")

# Rows: the body axes in optical axes (REP 103: x right, y down, z forward).
BODY_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
SAMPLE = 40_000  # largest number of points that are used
MIN_CORRELATION = 0.7  # smallest correlation of an axis with the columns or rows of the image


def body_rotation(cloud: Cloud, axes: str = "auto") -> np.ndarray:
    """Rotation (3, 3) from the cloud's axes to body axes: `points @ rotation.T`.

    With "auto" the axes of an organised cloud are derived from its rows and columns (`axes_of_image`), which also works
    for cameras with y up and for simulators that write body axes in an optical frame. Otherwise a frame name that
    contains `optical` means optical axes, and any other name means body axes.
    """
    if axes not in AXES:
        raise InputError(f"axes '{axes}' is unknown; one of: {', '.join(AXES)}")
    if axes == "optical":
        return BODY_FROM_OPTICAL
    if axes == "auto":
        found = None if cloud.shape is None else axes_of_image(cloud.points, cloud.shape)
        if found is not None:
            return found
        if "optical" in cloud.frame:
            return BODY_FROM_OPTICAL
    return np.eye(3)


def axes_of_image(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
    """Rotation (3, 3) from the axes of an organised cloud to body axes; None if the cloud is not like a camera image.

    In a camera image columns increase to the right and rows increase downwards. The axis that correlates with the
    columns is right, the axis that correlates with the rows is down, and the points must lie in front of the camera.
    """
    width = shape[1]
    rows = np.arange(0, len(points), len(points) // SAMPLE + 1)
    valid = rows[np.isfinite(points[rows]).all(axis=1)]
    if len(valid) < 20:
        return None
    points = points[valid].astype(np.float64)
    bearing = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    pixel = np.stack((valid % width, valid // width), axis=1).astype(np.float64)
    bearing -= bearing.mean(axis=0)
    pixel -= pixel.mean(axis=0)
    spread = np.outer(np.linalg.norm(pixel, axis=0), np.linalg.norm(bearing, axis=0))
    correlation = pixel.T @ bearing / np.maximum(spread, 1e-9)  # (2, 3): columns and rows against x, y, z
    right, down = np.abs(correlation).argmax(axis=1)
    if right == down or min(abs(correlation[0, right]), abs(correlation[1, down])) < MIN_CORRELATION:
        return None
    right_axis = np.eye(3)[right] * np.sign(correlation[0, right])
    down_axis = np.eye(3)[down] * np.sign(correlation[1, down])
    forward = np.cross(right_axis, down_axis)
    if np.median(points @ forward) <= 0:  # the points are behind the camera, so this is not a camera image
        return None
    return np.stack((forward, -right_axis, -down_axis))
