"""A folder of scenes from a recipe: worlds handed to processes, files written as they come."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from instseg3d_ros.data.synthetic.frames import KINDS, Recipe, scenes
from instseg3d_ros.labels import SYNTHETIC


@dataclass(frozen=True)
class Task:
    """World number `group` of a kind and split: how many views of it, and where they go."""

    recipe: Recipe
    folder: str
    split: str
    kind: str
    group: int
    views: int


def plan(
    recipe: Recipe, folder: Path, frames: dict[tuple[str, str], int], shard: tuple[int, int] = (0, 1)
) -> list[Task]:
    """Tasks for `frames[split, kind]` frames; shard (i, n) takes every n-th world from the i-th."""
    tasks = []
    for (split, kind), count in frames.items():
        per_world = KINDS[kind][2]
        for group in range(shard[0], -(-count // per_world), shard[1]):
            tasks.append(Task(recipe, str(folder), split, kind, group, min(per_world, count - group * per_world)))
    return tasks


def generate(tasks: list[Task], jobs: int, quiet: bool = False) -> list[Path]:
    """Carry out the tasks on `jobs` processes, with a progress bar in frames; the files written, in task order."""
    from tqdm import tqdm

    folder = Path(tasks[0].folder) if tasks else None
    for split in {task.split for task in tasks}:
        (folder / split).mkdir(parents=True, exist_ok=True)
    if folder:
        SYNTHETIC.write(folder / "labels.yaml")
    written: list[Path] = []
    with tqdm(total=sum(task.views for task in tasks), unit="frame", disable=quiet) as bar:
        for paths in _outcomes(tasks, jobs):
            written += paths
            bar.update(len(paths))
    return written


def _outcomes(tasks: list[Task], jobs: int) -> Iterable[list[Path]]:
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(run, tasks)
        return
    import multiprocessing

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the children: they share the cores already
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(run, tasks)


def run(task: Task) -> list[Path]:
    paths = []
    catalogue = _catalogue(task.recipe)
    for scene in scenes(task.recipe, catalogue, task.split, task.kind, task.group, task.views):
        path = Path(task.folder) / task.split / f"{scene.name}.npz"
        scene.write(path)
        paths.append(path)
    return paths


@lru_cache(maxsize=2)
def _catalogue(recipe: Recipe):
    return recipe.catalogue()
