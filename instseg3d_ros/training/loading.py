"""Chooses the scenes of each training step from seed and step, so that a resumed training has the same scenes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from instseg3d_ros.data.augment import augment
from instseg3d_ros.data.batch import collate
from instseg3d_ros.data.scene import Scene, scene_files, scenes_of_each
from instseg3d_ros.errors import InputError
from instseg3d_ros.training.recipe import Recipe


class Steps(Sampler):
    """Batches of (position in the stream, index of the scene) for this process, from step `start` to `stop`.

    The stream is an endless sequence of permutations of the scenes. Each step takes the next `processes × batch_size`
    scenes for all processes together. One process with twice the batch size therefore gets the scenes of two processes.
    """

    def __init__(
        self, scenes: int, batch_size: int, seed: int, start: int, stop: int, rank: int = 0, processes: int = 1
    ):
        self.scenes, self.batch_size, self.seed = scenes, batch_size, seed
        self.start, self.stop, self.rank, self.processes = start, stop, rank, processes

    def __len__(self) -> int:
        """Number of steps of the whole training, because Lightning also counts the steps before a resumption."""
        return self.stop

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        round_number, order = -1, np.empty(0, int)
        for step in range(self.start, self.stop):
            batch = []
            for slot in range(self.batch_size):
                place = (step * self.processes + self.rank) * self.batch_size + slot
                if place // self.scenes != round_number:
                    round_number = place // self.scenes
                    order = np.random.default_rng((self.seed, round_number)).permutation(self.scenes)
                batch.append((place, int(order[place % self.scenes])))
            yield batch


class TrainingScenes(Dataset):
    """Augmented scenes of the train splits of all folders, indexed by (position in the stream, scene)."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.files = [file for root in recipe.data for file in scene_files(Path(root), "train")]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, item: tuple[int, int]) -> Scene:
        place, index = item
        rng = np.random.default_rng((self.recipe.seed, 1, place))
        scene = Scene.read(self.files[index])
        if not len(scene):
            raise InputError(f"{self.files[index]}: the scene has no points; remove the file from the split")
        return augment(scene, self.recipe.augmentation, rng, self.recipe.network.voxel_size)


class ValidationScenes(Dataset):
    """`validate_scenes` scenes without augmentation, evenly spread over each folder that has a val split."""

    def __init__(self, recipe: Recipe):
        self.files = []
        groups = scenes_of_each(recipe.data, "val")
        share = max(1, recipe.validate_scenes // len(groups))
        for files in groups:
            self.files += [
                files[i] for i in np.unique(np.linspace(0, len(files) - 1, min(share, len(files))).astype(int))
            ]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Scene:
        return Scene.read(self.files[index])


def class_share(recipe: Recipe, classes: int, scenes: int = 400) -> np.ndarray:
    """(classes,): share of each class in the labelled points of `scenes` training scenes, which are evenly spread."""
    files = TrainingScenes(recipe).files
    count = np.zeros(classes)
    for index in np.unique(np.linspace(0, len(files) - 1, min(scenes, len(files))).astype(int)):
        semantic = Scene.read(files[index]).semantic
        count += np.bincount(semantic[semantic >= 0], minlength=classes)
    if not count.sum():
        raise InputError(f"{', '.join(recipe.data)}: no labelled points in {scenes} scenes; give data with labels")
    return count / count.sum()


def training_loader(recipe: Recipe, start: int, rank: int, processes: int) -> DataLoader:
    """Batches from optimizer step `start` on; a step has `accumulate` batches."""
    scenes = TrainingScenes(recipe)
    sampler = Steps(
        len(scenes), recipe.batch_size, recipe.seed,
        start * recipe.accumulate, recipe.steps * recipe.accumulate, rank, processes,
    )  # fmt: skip
    return DataLoader(
        scenes, batch_sampler=sampler, collate_fn=collate, num_workers=recipe.workers,
        persistent_workers=recipe.workers > 0, prefetch_factor=4 if recipe.workers else None,
        worker_init_fn=_one_thread, multiprocessing_context="fork" if recipe.workers else None,
    )  # fmt: skip


def validation_loader(recipe: Recipe) -> DataLoader:
    """Validation scenes in batches of one, without augmentation."""
    return DataLoader(ValidationScenes(recipe), batch_size=1, collate_fn=list)


def _one_thread(worker: int) -> None:
    import torch

    torch.set_num_threads(1)
