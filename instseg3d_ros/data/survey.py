"""A table of the contents of a data set, to check it before a long training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from instseg3d_ros.data.scene import Scene, scene_files
from instseg3d_ros.data.units import unit_remark
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet

MOST = 400  # maximum number of scenes that are read; of larger data sets an evenly spaced sample is read


@dataclass
class Survey:
    """Counts over the scenes read. Arrays (C,) by class: scenes with points of it, points, instances."""

    labels: LabelSet
    scenes: np.ndarray
    points: np.ndarray
    instances: np.ndarray
    of: int = 0  # scenes of the data set
    read: int = 0
    total: int = 0  # points, including unlabelled points
    colorless: int = 0  # scenes without colours
    odd: list[str] = field(default_factory=list)  # remarks on scenes whose unit is probably not metres

    def table(self) -> str:
        """Table of each class's scenes, points, share of the labelled points, and instances."""
        known = self.points.sum()
        rows = [("class", "scenes", "points", "share", "instances")]
        for index, entry in enumerate(self.labels.classes):
            share = f"{self.points[index] / known:.1%}" if known else "-"
            count = f"{self.instances[index]:,}" if entry.thing else "-"
            rows.append((entry.name, f"{self.scenes[index]:,}", f"{self.points[index]:,}", share, count))
        rows.append(("unlabelled", "", f"{self.total - known:,}", "", ""))
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))]).rstrip()
            for row in rows
        ]
        head = f"training data: {self.of:,} scenes, {self.total:,} points"
        if self.read < self.of:
            head += f" in the {self.read:,} scenes that were read for this table"
        if self.colorless:
            head += f"; {self.colorless:,} of {self.read:,} without colour"
        return "\n".join([head, *lines])

    def warnings(self) -> list[str]:
        """Problems that do not prevent a training, but are probably mistakes."""
        warnings = []
        missing = [entry.name for entry, count in zip(self.labels.classes, self.points) if not count]
        if missing:
            warnings.append(
                f"no labelled points of the classes {', '.join(missing)}; the network cannot learn these classes"
            )
        lonely = [
            entry.name
            for entry, points, count in zip(self.labels.classes, self.points, self.instances)
            if entry.thing and points and not count
        ]
        if lonely:
            warnings.append(
                f"points but no instances of: {', '.join(lonely)}; "
                "number their objects, or set thing: false in labels.yaml"
            )
        if self.colorless == self.read:
            warnings.append(
                "no scene has colour, so that the network learns only shapes; add colors, or ignore this warning"
            )
        return warnings + self.odd

    def check(self, instances: bool) -> None:
        """Raise InputError if the data set has no labelled points or, with `instances`, no objects."""
        if not self.points.sum():
            raise InputError(
                f"none of the {self.total:,} points of the {self.read:,} training scenes has a label; "
                "write the class index of each point as 'semantic' (npz) or 'label' (ply)"
            )
        if instances and not self.instances.sum():
            raise InputError(
                "the training scenes hold no instance of a thing; number the objects 1, 2 … in 'instance', "
                "or train only classes: set --semantic_steps to the value of --steps, and --object_scenes to 0"
            )


def survey(
    roots: Sequence[Path], labels: LabelSet, voxel: float, progress: Callable[[Iterable], Iterable] = iter
) -> Survey:
    """Read at most `MOST` training scenes of all folders. Raises InputError for a scene that cannot be read."""
    files = [file for root in roots for file in scene_files(Path(root), "train")]
    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, min(MOST, len(files))).astype(int))]
    count = len(labels)
    zero = np.zeros(count, np.int64)
    result = Survey(labels, zero, zero.copy(), zero.copy(), of=len(files), read=len(chosen))
    for path in progress(chosen):
        scene = Scene.read(path)
        points = np.bincount(scene.semantic[scene.semantic >= 0], minlength=count)
        result.points += points
        result.scenes += points > 0
        result.total += len(scene)
        result.colorless += scene.colors is None
        first = np.unique(scene.instance, return_index=True)[1]
        kinds = scene.semantic[first[(scene.instance[first] > 0)]]
        result.instances += np.bincount(kinds[kinds >= 0], minlength=count)
        if not result.odd and (remark := unit_remark(scene.points, voxel, "metres in the file")):
            result.odd.append(f"{path}: {remark}")
    return result
