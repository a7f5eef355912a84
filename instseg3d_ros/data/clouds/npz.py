"""Reads and writes NumPy archives: points and colours, a depth image with its camera, or scenes of this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.data.clouds.rgbd import OPTICAL_FRAME, back_project, depth_in_metres
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud, far_again, near_origin
from instseg3d_ros.messages.point_colors import ColorError, to_bytes

POINT_KEYS = ("points", "xyz", "positions")
COLOR_KEYS = ("colors", "rgb", "color")


@dataclass
class OriginalNPZ:
    """All arrays of the archive; `shape`: shape of a column, (N,), or (H, W) if the points have rows and columns."""

    arrays: dict[str, np.ndarray]
    shape: tuple[int, ...]
    kinds: ClassVar[tuple[str, ...]] = (".npz",)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.arrays)

    def write(self, path: Path, added: dict[str, np.ndarray], renamed: dict[str, str]) -> None:
        """See `Original`."""
        arrays = {renamed.get(name, name): array for name, array in self.arrays.items()}
        _save(path, {**arrays, **{name: column.reshape(self.shape) for name, column in added.items()}})


def read_npz(path: Path) -> Cloud:
    """Read `points` (N, 3) or (H, W, 3) with `colors`, or `depth` (H, W) metres with `K` (3, 3) and `color`.

    Points and colours may have a fourth column, which is not read; arrays of one number per point become columns.
    """
    path = Path(path)
    with reading(path, "npz"), np.load(path, allow_pickle=False) as content:
        if not hasattr(content, "files"):
            raise InputError(f"{path}: holds a single array; expected an npz with points and colors")
        everything = {name: content[name] for name in content.files}
    arrays = dict(everything)
    color = next((arrays.pop(key) for key in COLOR_KEYS if key in arrays), None)
    key = next((key for key in POINT_KEYS if key in arrays), None)
    if key is None and {"depth", "K"} <= arrays.keys():
        points, shape, origin = _from_depth(arrays, path), arrays["depth"].shape, None
        frame = OPTICAL_FRAME
    elif key is None:
        raise InputError(f"{path}: has neither points nor depth and K; it has {', '.join(arrays) or 'nothing'}")
    else:
        points = arrays.pop(key)
        if points.dtype.kind not in "fiu" or points.ndim not in (2, 3) or points.shape[-1] not in (3, 4):
            raise InputError(
                f"{path}: {key} has shape {points.shape}, type {points.dtype}; expected (N, 3) or (H, W, 3) numbers"
            )
        shape, frame = points.shape[:-1], ""
        points, origin = near_origin(points[..., :3].reshape(-1, 3))
    count = len(points)
    recorded = arrays.get("shape")
    image = shape if len(shape) == 2 else None
    if image is None and recorded is not None and recorded.size == 2 and int(np.prod(recorded)) == count:
        image = (int(recorded[0]), int(recorded[1]))
    columns = {name: array.reshape(-1) for name, array in arrays.items()
               if array.shape in (shape, (count,), (count, 1)) and array.dtype.kind in "fiub"}  # fmt: skip
    columns.pop("depth", None)
    colors, remarks = None, []
    try:
        colors = _colors(color, count, path)
    except ColorError as error:
        remarks = [f"read without colour: {error}"]
    return Cloud(
        points, colors, image, frame, name=path.stem, columns=columns, origin=origin, remarks=remarks,
        original=OriginalNPZ(everything, shape),
    )  # fmt: skip


def _from_depth(arrays: dict[str, np.ndarray], path: Path) -> np.ndarray:
    depth, matrix = arrays["depth"], arrays["K"]
    if depth.ndim != 2 or matrix.shape != (3, 3) or depth.dtype.kind not in "fiu":
        raise InputError(f"{path}: depth has shape {depth.shape}, K {matrix.shape}; expected (H, W) and (3, 3)")
    height, width = depth.shape
    try:
        camera = Intrinsics.from_matrix(matrix).for_image(width, height)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return back_project(depth_in_metres(depth), camera)


def _colors(color: np.ndarray | None, count: int, path: Path) -> np.ndarray | None:
    """(N, 3) uint8 of colours (N, 3), (N, 4) with alpha, or of an image of them."""
    if color is None:
        return None
    channels = color.shape[-1] if color.ndim else 0
    if channels not in (3, 4) or color.size != channels * count:
        raise InputError(f"{path}: colors have shape {color.shape}; expected three values for each of {count} points")
    return to_bytes(color.reshape(-1, channels)[:, :3])


def write_npz(path: Path, cloud: Cloud) -> None:
    """Write points, colors, shape and the columns, compressed."""
    arrays: dict = {"points": far_again(cloud), **cloud.columns}
    if cloud.colors is not None:
        arrays["colors"] = cloud.colors
    if cloud.shape is not None:
        arrays["shape"] = np.array(cloud.shape)
    _save(path, arrays)


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
