"""Quaternions (x, y, z, w) and rigid transforms (4, 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation, Slerp


def rigid(translation: ArrayLike, quaternion: ArrayLike) -> np.ndarray:
    """Transform (4, 4) that rotates, then translates. The quaternion is normalized."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    matrix[:3, 3] = translation
    return matrix


def inverse(transform: np.ndarray) -> np.ndarray:
    """Inverse of a rigid (4, 4) transform."""
    result = np.eye(4)
    result[:3, :3] = transform[:3, :3].T
    result[:3, 3] = -transform[:3, :3].T @ transform[:3, 3]
    return result


def quaternion_of(rotation: np.ndarray) -> np.ndarray:
    """Quaternion (4,) of a rotation (3, 3)."""
    return Rotation.from_matrix(rotation).as_quat()


def rotation_of(quaternion: ArrayLike) -> np.ndarray:
    """Rotation (3, 3) of a quaternion."""
    return Rotation.from_quat(quaternion).as_matrix()


def interpolate(start: ArrayLike, end: ArrayLike, fraction: float) -> np.ndarray:
    """Spherical interpolation: the quaternion at `fraction` of the shorter arc from `start` to `end`."""
    return Slerp((0, 1), Rotation.from_quat((start, end)))(fraction).as_quat()
