"""Statistics of the frames of a data set: depth, distance, things in view, pixels without depth.

    python -m instseg3d_ros.data.views datasets/rooms --split train --limit 150

A training set should cover the conditions in which the network is used. These statistics show where it does not.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from instseg3d_ros.data.scene import Scene, scene_files
from instseg3d_ros.errors import InputError

THING = 100  # minimum number of points of a counted thing


@dataclass(frozen=True)
class View:
    """Statistics of a frame: median depth along the optical axis in metres; fractions of its points with a depth above
    3 and 5 m; number of instances of at least `THING` points; fraction of pixels with depth; fraction of points in the
    largest class."""

    depth: float
    beyond_3m: float
    beyond_5m: float
    things: float
    with_depth: float
    largest_class: float

    @staticmethod
    def of(scene: Scene) -> View:
        """Compute the statistics of a scene. Raises InputError if it has no camera, such as a scan of a room."""
        if "camera" not in scene.extras or not len(scene):
            raise InputError(
                f"{scene.name}: no frame of a camera; give a data set of frames, such as `generate` renders"
            )
        pose, shape = scene.extras["camera"], scene.extras["shape"]
        depth = (scene.points - pose[:3, 3]) @ pose[:3, 2]
        sizes, classes = (np.unique(v, return_counts=True) for v in (scene.instance, scene.semantic))
        things = int(((sizes[0] > 0) & (sizes[1] >= THING)).sum())
        return View(
            float(np.median(depth)), float((depth > 3).mean()), float((depth > 5).mean()), float(things),
            len(scene) / float(np.prod(shape)), float(classes[1].max() / len(scene)),
        )  # fmt: skip


def table(views: list[View]) -> str:
    """Markdown table with the first decile, median and ninth decile of each measure."""
    lines = ["| | 10 % | median | 90 % | mean |", "| --- | --- | --- | --- | --- |"]
    for entry in fields(View):
        values = np.array([getattr(view, entry.name) for view in views])
        low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
        name = entry.name.replace("_", " ")
        lines.append(f"| {name} | {low:.2f} | {middle:.2f} | {high:.2f} | {values.mean():.2f} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the table of a data set; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m instseg3d_ros.data.views", description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path, help="folder with train/*.npz and val/*.npz")
    parser.add_argument("--split", default="train", help="split of the data set (default %(default)s)")
    parser.add_argument("--limit", type=int, help="use only this number of frames, spread evenly")
    options = parser.parse_args(arguments)
    try:
        files = scene_files(options.dataset, options.split)
        if options.limit is not None and options.limit < len(files):
            files = [files[i] for i in np.linspace(0, len(files) - 1, max(1, options.limit)).astype(int)]
        measured = table([View.of(Scene.read(file)) for file in files])
        print(f"{len(files)} frames of {options.dataset}/{options.split}\n\n{measured}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
