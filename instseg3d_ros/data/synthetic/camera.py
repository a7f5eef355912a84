"""Pinhole cameras: intrinsics, pose, rays. Optical axes: x right, y down, z forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Camera:
    """A pinhole camera. pose (4,4) float64: world ← optical axes; f, cx, cy in pixels; f is the same in x and y."""

    pose: np.ndarray
    width: int
    height: int
    f: float
    cx: float
    cy: float

    def directions(self) -> np.ndarray:
        """Directions (height * width, 3) of the rays in optical axes, with z = 1, so that lengths are depths."""
        u, v = np.meshgrid(np.arange(self.width), np.arange(self.height))
        x, y = (u - self.cx) / self.f, (v - self.cy) / self.f
        return np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3)

    def rays(self) -> np.ndarray:
        """Rays (height * width, 6) float32: origins and directions in the world."""
        rays = np.empty((self.width * self.height, 6), np.float32)
        rays[:, :3] = self.pose[:3, 3]
        rays[:, 3:] = self.directions() @ self.pose[:3, :3].T
        return rays


def look(position: ArrayLike, yaw: float, pitch: float, roll: float = 0.0) -> np.ndarray:
    """Pose (4,4) of a camera at `position` that looks along `yaw` (0 = +x), `pitch` radians below the horizon."""
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), -np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([c * right + s * down, -s * right + c * down, forward], 1)
    pose[:3, 3] = position
    return pose
