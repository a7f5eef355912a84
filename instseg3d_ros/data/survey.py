"""What a data set holds, in a table, before a training spends hours on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from instseg3d_ros.data.scene import Scene, scene_files
from instseg3d_ros.data.units import unit_remark
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet

MOST = 400  # scenes that are read; of more, so many are spread evenly over all


@dataclass
class Survey:
    """Counts over the scenes read. Arrays (C,) by class: scenes with points of it, points, instances."""

    labels: LabelSet
    scenes: np.ndarray
    points: np.ndarray
    instances: np.ndarray
    of: int = 0  # scenes that there are
    read: int = 0
    total: int = 0  # points, also without a label
    colorless: int = 0  # scenes
    odd: list[str] = field(default_factory=list)  # scenes in a strange unit

    def table(self) -> str:
        """Scenes, points, share of the labelled points and instances of each class."""
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
        """What can be trained on, but hardly on purpose."""
        found = []
        missing = [entry.name for entry, count in zip(self.labels.classes, self.points) if not count]
        if missing:
            found.append(f"no labelled point of: {', '.join(missing)}; the network cannot learn these classes")
        lonely = [
            entry.name
            for entry, points, count in zip(self.labels.classes, self.points, self.instances)
            if entry.thing and points and not count
        ]
        if lonely:
            found.append(
                f"points but no instances of: {', '.join(lonely)}; "
                "number their objects, or set thing: false in labels.yaml"
            )
        if self.colorless == self.read:
            found.append("no scene has colour; the network learns shapes alone (write colors, or ignore this)")
        return found + self.odd

    def check(self, instances: bool) -> None:
        """InputError where nothing can be learned; `instances`: objects are to be learned as well."""
        if not self.points.sum():
            raise InputError(
                f"none of the {self.total:,} points of the {self.read:,} training scenes has a label; "
                "write the class index of each point as 'semantic' (npz) or 'label' (ply)"
            )
        if instances and not self.instances.sum():
            raise InputError(
                "the training scenes hold no instance of a thing; number the objects 1, 2 … in 'instance', "
                "or train classes alone: --semantic_steps as many as --steps, --object_scenes 0"
            )


def survey(
    roots: Sequence[Path], labels: LabelSet, voxel: float, progress: Callable[[Iterable], Iterable] = iter
) -> Survey:
    """Read training scenes of all folders, at most `MOST`. InputError names a scene that cannot be read."""
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
