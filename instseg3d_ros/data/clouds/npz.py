"""NumPy archives: points and colours, or a depth image with its camera; and what the data sets of this package hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from instseg3d_ros.data.clouds.cloud import far_again, near_origin, reading, to_bytes
from instseg3d_ros.data.clouds.rgbd import OPTICAL_FRAME, Intrinsics, back_project
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

POINT_KEYS = ("points", "xyz", "positions")
COLOR_KEYS = ("colors", "rgb", "color")


def read_npz(path: Path) -> Cloud:
    """Read `points` (N, 3) or (H, W, 3) with `colors`, or `depth` (H, W) metres with `K` (3, 3) and `color`."""
    path = Path(path)
    with reading(path, "npz"), np.load(path, allow_pickle=False) as content:
        if not hasattr(content, "files"):
            raise InputError(f"{path}: is a single array; expected an npz with points and colors")
        arrays = {name: content[name] for name in content.files}
    color = next((arrays.pop(key) for key in COLOR_KEYS if key in arrays), None)
    key = next((key for key in POINT_KEYS if key in arrays), None)
    if key is None and {"depth", "K"} <= arrays.keys():
        return _from_depth(arrays, color, path)
    if key is None:
        raise InputError(f"{path}: has neither points nor depth and K; it has {', '.join(arrays) or 'nothing'}")
    points = arrays.pop(key)
    if points.dtype.kind not in "fiu" or points.ndim not in (2, 3) or points.shape[-1] != 3:
        raise InputError(
            f"{path}: {key} has shape {points.shape}, type {points.dtype}; expected (N, 3) or (H, W, 3) numbers"
        )
    shape = points.shape[:2] if points.ndim == 3 else None
    points, origin = near_origin(points.reshape(-1, 3))
    recorded = arrays.pop("shape", None)
    if shape is None and recorded is not None and recorded.size == 2 and int(np.prod(recorded)) == len(points):
        shape = (int(recorded[0]), int(recorded[1]))
    columns = {
        name: array for name, array in arrays.items() if array.shape == (len(points),) and array.dtype.kind in "fiub"
    }
    return Cloud(points, _colors(color, len(points), path), shape, name=path.stem, columns=columns, origin=origin)


def _from_depth(arrays: dict[str, np.ndarray], color: np.ndarray | None, path: Path) -> Cloud:
    depth, matrix = arrays["depth"], arrays["K"]
    if depth.ndim != 2 or matrix.shape != (3, 3):
        raise InputError(f"{path}: depth has shape {depth.shape}, K {matrix.shape}; expected (H, W) and (3, 3)")
    scale = 1000.0 if depth.dtype.kind in "iu" else 1.0
    points = back_project(depth / scale, Intrinsics.from_matrix(matrix))
    return Cloud(points, _colors(color, len(points), path), depth.shape, OPTICAL_FRAME, name=path.stem)


def _colors(color: np.ndarray | None, count: int, path: Path) -> np.ndarray | None:
    if color is None:
        return None
    if color.size != 3 * count or color.shape[-1] != 3 or color.dtype.kind not in "fiu":
        raise InputError(f"{path}: colors have shape {color.shape}; expected three per each of {count} points")
    return to_bytes(color.reshape(-1, 3))


def write_npz(path: Path, cloud: Cloud) -> None:
    """Write points, colors, shape and the columns; compressed, for these are kept and sent rather than trained on."""
    arrays: dict = {"points": far_again(cloud), **cloud.columns}
    if cloud.colors is not None:
        arrays["colors"] = cloud.colors
    if cloud.shape is not None:
        arrays["shape"] = np.array(cloud.shape)
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)
