"""Which way a cloud's axes point: from a camera's to the body's (x forward, y left, z up), the axes of the network."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

AXES = ("auto", "body", "optical")

# Rows are the body's axes in a camera's: REP 103's optical frames have x right, y down, z forward.
BODY_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
SAMPLE = 40_000  # points that are looked at
MIN_CORRELATION = 0.7  # of a direction with the image's columns or rows, to call it right or down


def body_rotation(cloud: Cloud, axes: str = "auto") -> np.ndarray:
    """Rotation (3, 3) that turns the cloud's axes to the body's: `points @ rotation.T`.

    "auto" goes by the image that an organised cloud is (`axes_of_image`: knows cameras with y up, and simulators whose
    optical frame holds body axes), then by the frame's name (…optical…), and takes any other cloud as z up already.
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
    """Rotation (3, 3) to body axes of an organised cloud as its camera saw it; None where it does not look like one.

    A camera's columns run to its right and its rows downwards: the axis that goes with the columns is right, the one
    that goes with the rows is down, and the third must then have the points in front.
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
    if np.median(points @ forward) <= 0:  # behind the camera: not an image as a camera takes it
        return None
    return np.stack((forward, -right_axis, -down_axis))
