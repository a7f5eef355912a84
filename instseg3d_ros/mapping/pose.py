"""Poses: rigid transforms (4, 4) from the sensor's body axes to the frame of the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from instseg3d_ros.errors import InputError

RIGID = 1e-3  # largest difference of RᵀR from the identity


def check_pose(pose: ArrayLike, max_distance: float) -> np.ndarray:
    """The pose as (4, 4) float64. Raises InputError if it is not finite, not rigid, or beyond `max_distance` metres."""
    pose = np.asarray(pose, np.float64)
    if pose.shape != (4, 4):
        raise InputError(f"pose is not a (4, 4) matrix: its shape is {pose.shape}; pass a rigid transform")
    if not np.isfinite(pose).all():
        raise InputError("pose is not finite; pass a rigid transform without NaN or infinity")
    rotation = pose[:3, :3]
    error = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    if error > RIGID or np.linalg.det(rotation) < 0 or np.abs(pose[3] - [0, 0, 0, 1]).max() > RIGID:
        raise InputError(
            f"pose is not rigid: RᵀR differs from the identity by {error:.2g}; expected {RIGID:g} or less, no mirroring"
        )
    distance = float(np.linalg.norm(pose[:3, 3]))
    if distance > max_distance:
        raise InputError(f"pose is far away: {distance:.0f} m from the frame's origin; the limit is {max_distance:g} m")
    return pose


def tilt(pose: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that levels the sensor's axes and keeps its heading: the rotation of the pose without its yaw."""
    yaw = np.arctan2(pose[1, 0], pose[0, 0])
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]]) @ pose[:3, :3]


def inverse(pose: np.ndarray) -> np.ndarray:
    """Inverse of a rigid transform (4, 4)."""
    out = np.eye(4)
    out[:3, :3] = pose[:3, :3].T
    out[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return out


def from_twist(twist: np.ndarray) -> np.ndarray:
    """Transform (4, 4) from a rotation vector (rx, ry, rz) in radians and a shift (x, y, z) in metres."""
    from scipy.spatial.transform import Rotation

    out = np.eye(4)
    out[:3, :3] = Rotation.from_rotvec(twist[:3]).as_matrix()
    out[:3, 3] = twist[3:]
    return out


def size_of(transform: np.ndarray) -> tuple[float, float]:
    """Shift in metres and angle in degrees of a rigid transform."""
    cosine = np.clip((np.trace(transform[:3, :3]) - 1) / 2, -1, 1)
    return float(np.linalg.norm(transform[:3, 3])), float(np.degrees(np.arccos(cosine)))
