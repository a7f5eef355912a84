"""The one type for a point cloud: what files, bags and messages are read into, and what is written from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError


@dataclass
class Cloud:
    """A point cloud as its file or message holds it: in its own frame and order, points that are not finite kept.

    points (N, 3) float32 metres; colors (N, 3) uint8 or None; shape (height, width) where organised, else None;
    frame: frame_id, "" where the format knows none; stamp: nanoseconds, 0 where unknown; name: the file's stem.
    columns: further numbers per point (normals, intensity …), carried from input to output.
    origin: (3,) float64, what was subtracted from the coordinates of a far-away (surveyed) cloud to fit float32.
    packed: (N,) float32 or uint32, the bits 0xAARRGGBB of `colors` as a message held them, None where it did not.
    """

    points: np.ndarray
    colors: np.ndarray | None = None
    shape: tuple[int, int] | None = None
    frame: str = ""
    stamp: int = 0
    name: str = ""
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    origin: np.ndarray | None = None
    packed: np.ndarray | None = None

    def __len__(self):
        return len(self.points)

    @property
    def finite(self) -> np.ndarray:
        """(N,) bool: x, y and z are finite."""
        return np.isfinite(self.points).all(axis=1)

    def checked(self, source: str | Path) -> Cloud:
        """Itself; InputError where there is nothing to segment in it."""
        if not len(self.points):
            raise InputError(f"{source}: holds no points")
        if not self.finite.any():
            raise InputError(f"{source}: all {len(self.points)} points are NaN or infinite; nothing to segment")
        return self
