"""One labelled cloud, and the folder layout in which every data set reaches training and evaluation.

    DATASET/labels.yaml            label set (see `LabelSet.write`)
    DATASET/train/<scene>.npz      points (N,3) float32 metres, z up · colors (N,3) uint8, optional ·
    DATASET/val/<scene>.npz        semantic (N,) int16 class index, -1 unlabelled · instance (N,) int32, 0 none
                                   optional: camera (4,4) float64, points ← optical camera · pixel (N,) int32 and
                                   shape (2,) where the cloud came from an image of that height and width
A PLY with vertex properties x y z, red green blue, label (class index) and instance is read as well.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import IGNORE, LabelSet

EXTENSIONS = (".npz", ".ply")


@dataclass
class Scene:
    """A labelled cloud; arrays as in the module's docstring."""

    points: np.ndarray
    colors: np.ndarray | None
    semantic: np.ndarray
    instance: np.ndarray
    name: str = ""
    extras: dict = field(default_factory=dict)  # camera, pixel, shape where known

    def __post_init__(self):
        count = len(self.points)
        for name in ("colors", "semantic", "instance"):
            value = getattr(self, name)
            if value is not None and len(value) != count:
                raise InputError(f"{self.name or 'scene'}: {len(value)} {name} for {count} points; they must agree")

    def __len__(self):
        return len(self.points)

    def write(self, path: Path) -> None:
        """Write an uncompressed npz (decompression would cost more than the disk does) beside and rename."""
        path = Path(path)
        arrays = {"points": self.points, "semantic": self.semantic, "instance": self.instance, **self.extras}
        if self.colors is not None:
            arrays["colors"] = self.colors
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with open(beside, "wb") as file:
            np.savez(file, **arrays)
        os.replace(beside, path)

    @staticmethod
    def read(path: Path) -> Scene:
        """Read an npz or a PLY; raises InputError that names the file and what is wrong with it."""
        path = Path(path)
        if path.suffix == ".ply":
            arrays = _read_ply(path)
        else:
            try:
                with np.load(path, allow_pickle=False) as content:
                    arrays = dict(content)
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                raise InputError(f"{path}: cannot be read as npz ({error}); write it again") from None
        missing = {"points", "semantic", "instance"} - arrays.keys()
        if missing:
            raise InputError(f"{path}: lacks {', '.join(sorted(missing))}; has {', '.join(sorted(arrays))}")
        colors = arrays.pop("colors", None)
        return Scene(
            arrays.pop("points").astype(np.float32, copy=False),
            None if colors is None else colors.astype(np.uint8, copy=False),
            arrays.pop("semantic").astype(np.int16, copy=False),
            arrays.pop("instance").astype(np.int32, copy=False),
            path.stem,
            arrays,
        )


def _read_ply(path: Path) -> dict[str, np.ndarray]:
    import open3d

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    cloud = open3d.t.io.read_point_cloud(str(path)).point
    if "positions" not in cloud or not len(cloud["positions"]):
        raise InputError(f"{path}: holds no points that can be read as PLY")
    arrays = {"points": cloud["positions"].numpy()}
    count = len(arrays["points"])
    if "colors" in cloud:
        arrays["colors"] = cloud["colors"].numpy()
    for target, source, default in (("semantic", "label", IGNORE), ("instance", "instance", 0)):
        arrays[target] = cloud[source].numpy().reshape(-1) if source in cloud else np.full(count, default)
    return arrays


def scene_files(root: Path, split: str) -> list[Path]:
    """Paths of a split's scenes in name order; InputError where the split is missing or empty."""
    folder = Path(root) / split
    files = sorted(p for p in folder.glob("*") if p.suffix in EXTENSIONS and not p.name.startswith("."))
    if not files:
        raise InputError(f"{folder}: no scenes; expected {' or '.join('*' + e for e in EXTENSIONS)} there")
    return files


def read_labels(root: Path) -> LabelSet:
    """The label set of a folder of scenes."""
    return LabelSet.read(Path(root) / "labels.yaml")
