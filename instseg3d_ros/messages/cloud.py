"""The type `Cloud`: files, bags and messages are read into it and written from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from instseg3d_ros.errors import InputError


class Original(Protocol):
    """The whole content of a cloud file, so that a copy with additional numbers per point keeps all data."""

    kinds: ClassVar[tuple[str, ...]]  # file extensions that can be written

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers per point."""
        ...

    def write(self, path: Path, added: dict[str, np.ndarray], renamed: dict[str, str]) -> None:
        """Write the content with additional columns `added` (N,), and with names replaced by `renamed`."""
        ...


@dataclass
class Cloud:
    """A point cloud in the frame and order of its file or message, including points that are not finite.

    points (N, 3) float32, in metres; colors (N, 3) uint8 or None; shape (height, width) of an organised cloud, or None;
    frame: frame_id, or "" if unknown; stamp: nanoseconds, or 0 if unknown; name: the file's name without extension.
    columns: additional numbers per point (normals, intensity …), which are copied from input to output.
    origin: (3,) float64, offset that was subtracted from coordinates far from zero, so that float32 is exact enough.
    packed: (N,) float32 or uint32, colours with the bits 0xAARRGGBB as in the message; None if they were not packed.
    remarks: notes for the user about the reading of the cloud, one line each.
    original: the whole content of the file, if labels can be added to its format.
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
        """Return the cloud. Raises InputError if it has no finite point."""
        if not len(self.points):
            raise InputError(f"{source}: holds no points")
        if not self.finite.any():
            raise InputError(f"{source}: all {len(self.points)} points are NaN or infinite; nothing to segment")
        return self

    def scaled(self, metres: float) -> Cloud:
        """The cloud in metres, if its unit has `metres` metres."""
        if metres == 1:
            return self
        points, origin = near_origin(far_again(self).astype(np.float64) * metres)
        return replace(self, points=points, origin=origin)


FAR = 1000.0  # metres from zero beyond which float32 rounds float64 coordinates by a tenth of a millimetre or more
FAR_SINGLE = 10_000.0  # metres from zero beyond which an offset is also subtracted from float32 coordinates


PROBE = 1000  # number of points that are examined


def near_origin(points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Points as float32, and the origin in whole metres that was subtracted; None if the points are near zero."""
    origin = far_origin(points[:: len(points) // PROBE + 1])
    with np.errstate(over="ignore"):
        if origin is None:
            return np.ascontiguousarray(points, np.float32), None
        return (points - origin).astype(np.float32), origin


def far_origin(probe: np.ndarray) -> np.ndarray | None:
    """(3,): origin in whole metres, the middle of some points (K, 3); None if float32 is exact enough without it."""
    finite = np.isfinite(probe).all(axis=1)
    if not finite.any():
        return None
    middle = np.median(probe[finite].astype(np.float64), axis=0)
    far = np.abs(middle).max() >= (FAR if probe.dtype == np.float64 else FAR_SINGLE)
    return np.round(middle) if far else None


def far_again(cloud: Cloud) -> np.ndarray:
    """The coordinates of the cloud's file: float32, or float64 with the origin added."""
    return cloud.points if cloud.origin is None else cloud.points.astype(np.float64) + cloud.origin
