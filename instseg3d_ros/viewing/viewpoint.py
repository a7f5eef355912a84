"""The camera of a picture: its pose, and the projection of points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Viewpoint:
    """A pinhole camera. position (3,); rotation (3, 3) with rows right, down, forward; focal and centre in pixels."""

    position: np.ndarray
    rotation: np.ndarray
    focal: float
    center: tuple[float, float]
    width: int
    height: int

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Column, row (float pixels) and depth (metres along the view) of points (N, 3)."""
        local = (points - self.position.astype(np.float32)) @ self.rotation.T.astype(np.float32)
        depth = local[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.float32(self.focal) / depth
            return local[:, 0] * scale + self.center[0], local[:, 1] * scale + self.center[1], depth

    @property
    def toward(self) -> np.ndarray:
        """Direction (2,), in the plane of the floor, from the scene to the camera."""
        away = -self.rotation[2, :2]
        return away / max(float(np.linalg.norm(away)), 1e-9)

    def scaled(self, factor: float) -> Viewpoint:
        """The same view on an image that is `factor` times as large."""
        center = (self.center[0] * factor, self.center[1] * factor)
        width, height = round(self.width * factor), round(self.height * factor)
        return replace(self, focal=self.focal * factor, center=center, width=width, height=height)
