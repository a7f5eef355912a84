"""What the readers and writers of cloud files share: far-away coordinates, colours as bytes, one-line errors."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

FAR = 1000.0  # metres; beyond, float32 rounds coordinates to more than a tenth of a millimetre


def near_origin(points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """float32 points and the whole-metre origin taken off them, None where they were near zero already."""
    if points.dtype != np.float64:
        return np.ascontiguousarray(points, np.float32), None
    finite = np.isfinite(points).all(axis=1)
    center = points[finite].mean(axis=0) if finite.any() else np.zeros(3)
    if np.abs(center).max() < FAR:
        with np.errstate(over="ignore"):
            return points.astype(np.float32), None
    origin = np.round(center)
    return (points - origin).astype(np.float32), origin


def far_again(cloud: Cloud) -> np.ndarray:
    """The cloud's coordinates as its file had them: float32, or float64 where an origin had been taken off."""
    return cloud.points if cloud.origin is None else cloud.points.astype(np.float64) + cloud.origin


def to_bytes(colors: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 from bytes, from 16-bit channels, or from floats 0..1."""
    if colors.dtype == np.uint8:
        return colors
    if colors.dtype == np.uint16:
        # Some writers put bytes into 16-bit channels as they are.
        return (colors >> 8 if colors.max(initial=0) > 255 else colors).astype(np.uint8)
    if colors.dtype.kind == "f":
        colors = np.nan_to_num(colors, posinf=0, neginf=0)
        colors = np.rint(colors * (1 if colors.max(initial=0) > 1 else 255))
    return np.clip(colors, 0, 255).astype(np.uint8)


@contextmanager
def reading(path: Path, kind: str):
    """Turn whatever a parser raises on a malformed file into one InputError that names the file."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except PermissionError:
        raise InputError(f"{path}: may not be read; check its permissions") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, expected a {kind} file") from None
    except Exception as error:
        text = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"{path}: cannot be read as {kind} ({text}); write it again") from None
