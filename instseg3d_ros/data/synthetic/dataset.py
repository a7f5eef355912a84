"""Writes a folder of scenes from a recipe: the work is divided into tasks, which processes carry out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.frames import KINDS, SceneRecipe, scenes
from instseg3d_ros.data.synthetic.scan import scan_room
from instseg3d_ros.labels import LABEL_SETS


@dataclass(frozen=True)
class Frames:
    """A task: `count` views of world number `group` of a kind and split."""

    recipe: SceneRecipe
    folder: str
    split: str
    kind: str
    group: int
    count: int

    def scenes(self) -> Iterator[Scene]:
        return scenes(self.recipe, _catalogue(self.recipe), self.split, self.kind, self.group, self.count)


@dataclass(frozen=True)
class Scan:
    """A task: whole room number `number` of a split, with `points` points."""

    recipe: SceneRecipe
    folder: str
    split: str
    number: int
    points: int
    count: int = 1

    def scenes(self) -> Iterator[Scene]:
        yield scan_room(self.recipe, _catalogue(self.recipe), self.split, self.number, self.points)


def plan(
    recipe: SceneRecipe,
    folder: Path,
    counts: dict[tuple[str, str], int],
    shard: tuple[int, int] = (0, 1),
    views: int | None = None,
) -> list[Frames]:
    """Tasks for `counts[split, kind]` frames, `views` of each world; shard (i, n): every n-th world from i on."""
    tasks = []
    for (split, kind), count in counts.items():
        per_world = views or KINDS[kind][2]
        for group in range(shard[0], -(-count // per_world), shard[1]):
            tasks.append(Frames(recipe, str(folder), split, kind, group, min(per_world, count - group * per_world)))
    return tasks


def generate(tasks: Sequence[Frames | Scan], jobs: int, quiet: bool = False) -> list[Path]:
    """Carry out tasks in `jobs` processes, with a progress bar; returns the paths of the files in task order."""
    from tqdm import tqdm

    folder = Path(tasks[0].folder)
    for split in {task.split for task in tasks}:
        (folder / split).mkdir(parents=True, exist_ok=True)
    LABEL_SETS[tasks[0].recipe.labels].write(folder / "labels.yaml")
    written: list[Path] = []
    with tqdm(total=sum(task.count for task in tasks), unit="scene", disable=quiet) as bar:
        for paths in _outcomes(tasks, jobs):
            written += paths
            bar.update(len(paths))
    return written


def _outcomes(tasks: Sequence[Frames | Scan], jobs: int) -> Iterator[list[Path]]:
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(run, tasks)
        return
    import multiprocessing

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread per process, because the processes use all cores
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(tasks))) as pool:
        yield from pool.imap(run, tasks)


def run(task: Frames | Scan) -> list[Path]:
    """Write the scenes of a task; returns their paths."""
    paths = []
    for scene in task.scenes():
        path = Path(task.folder) / task.split / f"{scene.name}.npz"
        scene.write(path)
        paths.append(path)
    return paths


@lru_cache(maxsize=2)
def _catalogue(recipe: SceneRecipe) -> Catalogue:
    return recipe.catalogue()
