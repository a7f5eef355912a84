"""A labelled cloud, and the folder layout of data sets for training and evaluation.

    DATASET/labels.yaml            label set (see `LabelSet.write`)
    DATASET/train/<scene>.npz      points (N,3) float32 metres, z up · colors (N,3) uint8, optional ·
    DATASET/val/<scene>.npz        semantic (N,) int16 class index, -1 unlabelled · instance (N,) int32, 0 none
                                   optional: camera (4,4) float64, points ← optical camera · pixel (N,) int32 and
                                   shape (2,) if the cloud comes from an image of this height and width
A PLY with vertex properties x y z, red green blue, label (class index) and instance is read as well, also as
CloudCompare writes it (scalar_label, scalar_instance).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from instseg3d_ros.data.clouds.ply import read_ply
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.data.scene_arrays import (
    INSTANCE,
    SEMANTIC,
    check_one_class_each,
    colors_of,
    find_name,
    instance_of,
    points_of,
    semantic_of,
)
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.cloud import far_again
from instseg3d_ros.replacing import replacing

EXTENSIONS = (".npz", ".ply")


@dataclass
class Scene:
    """A labelled cloud; arrays as in the module's docstring."""

    points: np.ndarray
    colors: np.ndarray | None
    semantic: np.ndarray
    instance: np.ndarray
    name: str = ""
    extras: dict = field(default_factory=dict)  # camera, pixel, shape and origin, if known

    def __post_init__(self) -> None:
        count = len(self.points)
        for name in ("colors", "semantic", "instance"):
            value = getattr(self, name)
            if value is not None and len(value) != count:
                raise InputError(f"{self.name or 'scene'}: {len(value)} {name} for {count} points; they must agree")

    def __len__(self) -> int:
        return len(self.points)

    def write(self, path: Path) -> None:
        """Write an uncompressed npz atomically, by rename. Decompression would take longer than reading more bytes."""
        arrays = {"points": self.points, "semantic": self.semantic, "instance": self.instance, **self.extras}
        if self.colors is not None:
            arrays["colors"] = self.colors
        with replacing(path) as beside, open(beside, "wb") as file:
            np.savez(file, **arrays)

    @staticmethod
    def read(path: Path) -> Scene:
        """Read an npz or a PLY. Raises InputError with the file's name and the problem.

        Arrays of other programs are converted (`scene_arrays`). The valid class indices are known if the data set's
        labels.yaml is in the parent folder of the scene's folder. Points that are not finite are left out.
        """
        path = Path(path)
        arrays, colors = (_read_ply if path.suffix.lower() == ".ply" else _read_npz)(path)
        names = _class_names(path)
        chosen = {}
        for name, known in (("semantic", SEMANTIC), ("instance", INSTANCE)):
            array_name = find_name([*arrays], known)
            if array_name is None:
                held = ", ".join(sorted({*arrays})) or "nothing"
                raise InputError(f"{path}: lacks {name}; it has {held}. Name the array {name}, or {known[1]}")
            chosen[name] = arrays.pop(array_name)
        try:
            points, origin = points_of(arrays.pop("points"))
            scene = Scene(
                points,
                colors_of(colors),
                semantic_of(chosen["semantic"], len(names) if names is not None else None),
                instance_of(chosen["instance"]),
                path.stem,
                arrays if origin is None else _moved(arrays, origin),
            )
            check_one_class_each(scene.semantic, scene.instance, names or ())
        except InputError as error:
            raise InputError(f"{path}: {str(error).removeprefix(f'{path.stem}: ')}") from None
        finite = np.isfinite(scene.points).all(axis=1)
        return scene if finite.all() else scene.part(finite)

    def part(self, keep: np.ndarray) -> Scene:
        """The scene restricted to the points in `keep` (N,) bool, with their labels, colours and pixels."""
        extras = {
            name: value[keep] if np.ndim(value) and len(value) == len(self) else value
            for name, value in self.extras.items()
        }
        colors = None if self.colors is None else self.colors[keep]
        return Scene(self.points[keep], colors, self.semantic[keep], self.instance[keep], self.name, extras)


def _read_npz(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    with reading(path, "npz"), np.load(path, allow_pickle=False) as content:
        arrays = dict(content)
    if "points" not in arrays:
        raise InputError(f"{path}: lacks points; it has {', '.join(sorted(arrays)) or 'nothing'}")
    return arrays, arrays.pop("colors", None)


def _read_ply(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    cloud = read_ply(path).checked(path)
    colorless = [remark for remark in cloud.remarks if "colour" in remark]
    if colorless:
        raise InputError(f"{path}: {colorless[0]}; write the colours as red, green and blue from 0 to 255")
    columns = dict(cloud.columns)
    if find_name([*columns], INSTANCE) is None and find_name([*columns], SEMANTIC) is not None:
        columns["instance"] = np.zeros(len(cloud), np.int32)
    return {**columns, "points": far_again(cloud)}, cloud.colors


def _moved(arrays: dict[str, np.ndarray], origin: np.ndarray) -> dict[str, np.ndarray]:
    """Shift the camera's pose by -origin, like the points, and add the origin to the arrays of the scene."""
    moved = {**arrays, "origin": origin}
    if "camera" in arrays and np.shape(arrays["camera"]) == (4, 4):
        moved["camera"] = np.array(arrays["camera"], float)
        moved["camera"][:3, 3] -= origin
    return moved


def _class_names(scene: Path) -> tuple[str, ...] | None:
    """Class names of the data set that contains a scene's file; None if there is no labels.yaml."""
    path = scene.parent.parent / "labels.yaml"
    try:
        return _names_in(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _names_in(path: Path, changed: int) -> tuple[str, ...]:
    return LabelSet.read(path).names


def scene_files(root: Path, split: str) -> list[Path]:
    """Paths of a split's scenes in the order of their names. Raises InputError if the split is missing or empty."""
    folder = Path(root) / split
    files = sorted(p for p in folder.glob("*") if p.suffix.lower() in EXTENSIONS and not p.name.startswith("."))
    if not files:
        raise InputError(f"{folder}: no scenes; expected {' or '.join('*' + e for e in EXTENSIONS)}")
    return files


def scenes_of_each(roots: Sequence[str | Path], split: str) -> list[list[Path]]:
    """`scene_files` of every folder that has this split. Raises InputError if no folder has it."""
    groups, missing = [], []
    for root in roots:
        try:
            groups.append(scene_files(Path(root), split))
        except InputError as error:
            missing.append(error)
    if not groups and missing:
        raise missing[0]
    return groups


def read_labels(root: Path) -> LabelSet:
    """Read the label set of a data set's folder."""
    return LabelSet.read(Path(root) / "labels.yaml")
