"""The one type for a point cloud: what files, bags and messages are read into, and what is written from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from instseg3d_ros.errors import InputError


class Original(Protocol):
    """Everything that a file held, so that a copy of it with more numbers per point loses nothing."""

    kinds: ClassVar[tuple[str, ...]]  # extensions in which it can be written

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its numbers per point."""
        ...

    def write(self, path: Path, added: dict[str, np.ndarray], renamed: dict[str, str]) -> None:
        """Write the content again, with columns (N,) `added` and names changed as `renamed` says."""
        ...


@dataclass
class Cloud:
    """A point cloud as its file or message holds it: in its own frame and order, points that are not finite kept.

    points (N, 3) float32 metres; colors (N, 3) uint8 or None; shape (height, width) where organised, else None;
    frame: frame_id, "" where the format knows none; stamp: nanoseconds, 0 where unknown; name: the file's stem.
    columns: further numbers per point (normals, intensity …), carried from input to output.
    origin: (3,) float64, what was subtracted from the coordinates of a far-away (surveyed) cloud to fit float32.
    packed: (N,) float32 or uint32, the bits 0xAARRGGBB of `colors` as a message held them, None where it did not.
    remarks: what a user should know about how the cloud was read, one line each.
    original: the file's whole content, where its kind can carry labels.
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
    remarks: list[str] = field(default_factory=list)
    original: Original | None = None

    def __len__(self) -> int:
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

    def scaled(self, metres: float) -> Cloud:
        """The cloud of a file whose unit has `metres`; itself where that is 1."""
        if metres == 1:
            return self
        points, origin = near_origin(far_again(self).astype(np.float64) * metres)
        return replace(self, points=points, origin=origin)


FAR = 1000.0  # metres; beyond, float32 rounds float64 coordinates to more than a tenth of a millimetre
FAR_SINGLE = 10_000.0  # metres; nearer, float32 coordinates are where a sensor may have seen them


PROBE = 1000  # points that are looked at


def near_origin(points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """float32 points and the whole-metre origin subtracted from them, None where they were near zero already."""
    origin = far_origin(points[:: len(points) // PROBE + 1])
    with np.errstate(over="ignore"):
        if origin is None:
            return np.ascontiguousarray(points, np.float32), None
        return (points - origin).astype(np.float32), origin


def far_origin(probe: np.ndarray) -> np.ndarray | None:
    """(3,) whole metres in the middle of some points (K, 3) of a cloud that float32 cannot hold; None where it can."""
    finite = np.isfinite(probe).all(axis=1)
    if not finite.any():
        return None
    middle = np.median(probe[finite].astype(np.float64), axis=0)
    far = np.abs(middle).max() >= (FAR if probe.dtype == np.float64 else FAR_SINGLE)
    return np.round(middle) if far else None


def far_again(cloud: Cloud) -> np.ndarray:
    """The cloud's coordinates as its file had them: float32, or float64 where an origin had been taken off."""
    return cloud.points if cloud.origin is None else cloud.points.astype(np.float64) + cloud.origin
