"""Check 4: trains recipes on the card in mixed precision and compares the losses with those on the CPU."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from instseg3d_ros.gpu_check import clouds
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.gpu_check.finding import Finding
from instseg3d_ros.training.loading import training_loader
from instseg3d_ros.training.recipe import Recipe
from instseg3d_ros.training.run import build

CHECK = "trains"
RECIPES = ("quick", "unet_synthetic")
FIRST, MEAN = 0.02, 0.1  # largest relative difference of the first loss, and of the mean loss, from the CPU's
PRECISION = {True: "16-mixed", False: "32-true"}  # precision on a card, and in the rehearsal


def findings(card: Card, read_recipe: Callable[[list[str]], Recipe]) -> Iterator[Finding]:
    """Check for each recipe that the losses are finite and near the CPU's; report steps and frames per second.

    read_recipe: words as on the command line of `train` → recipe.
    """
    sizes = card.sizes
    data = clouds.scenes(card.folder, "train", sizes.train_frames, sizes.train_resolution)
    for name in RECIPES:
        recipe = read_recipe(words(name, data, card))
        with card.computing():
            there, seconds = losses(recipe, "cuda" if card.on_cuda else "cpu", PRECISION[card.on_cuda], sizes.steps)
        here, _ = losses(recipe, "cpu", "32-true", sizes.compared)
        yield from compare(name, there, here)
        rate = len(seconds) / sum(seconds)
        yield Finding(CHECK, f"{name}, {PRECISION[card.on_cuda]}: speed", rate, "steps/s")
        yield Finding(CHECK, f"{name}, {PRECISION[card.on_cuda]}: speed", rate * recipe.batch_size, "frames/s")


def words(name: str, data: Path, card: Card) -> list[str]:
    """Arguments of `train`: the recipe with this data, and all terms of the loss from the first step on."""
    sizes = card.sizes
    workers = 4 if card.on_cuda else 0
    return [
        name, "--data", str(data), f"--steps={sizes.steps}", "--semantic_steps=0",
        f"--batch_size={sizes.batch_size}", f"--workers={workers}",
    ]  # fmt: skip


def compare(name: str, there: list[float], here: list[float]) -> Iterator[Finding]:
    """Compare losses of the card with the CPU's for the same batches; the card may have trained for more steps."""
    count = len(here)
    yield Finding(CHECK, f"{name}: steps with a finite loss", 100 * float(np.mean(np.isfinite(there))), "%", 100, True)
    first = abs(there[0] / here[0] - 1)
    yield Finding(CHECK, f"{name}: first loss {there[0]:.3f}, CPU {here[0]:.3f}: difference", first, "", FIRST)
    mean, expected = float(np.mean(there[:count])), float(np.mean(here))
    difference = abs(mean / expected - 1)
    what = f"{name}: mean of {count} losses {mean:.3f}, CPU {expected:.3f}: difference"
    yield Finding(CHECK, what, difference, "", MEAN)
    if len(there) >= 10 * count:
        last = float(np.mean(there[-count:]))
        fallen = last / mean if math.isfinite(last) else math.nan
        yield Finding(
            CHECK, f"{name}: mean of the last {count} losses {last:.3f} over that of the first", fallen, "", 1.0
        )


class _Record(lightning.Callback):
    """Records the loss and the time of each step; the time of the first step is omitted, because libraries load."""

    def __init__(self) -> None:
        self.losses: list[torch.Tensor] = []
        self.seconds: list[float] = []
        self._last: float | None = None

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int) -> None:
        self.losses.append(outputs["loss"].detach().float().cpu())
        now = time.perf_counter()
        if self._last is not None:
            self.seconds.append(now - self._last)
        self._last = now


def losses(recipe: Recipe, accelerator: str, precision: str, steps: int) -> tuple[list[float], list[float]]:
    """Train without writing files; returns the losses of all steps, and the seconds of all steps except the first."""
    module = build(recipe)
    record = _Record()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # suppresses warnings about a training without files
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_steps=steps, accelerator=accelerator, devices=1, precision=precision,  # type: ignore[arg-type]
            logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            limit_val_batches=0, num_sanity_val_steps=0, use_distributed_sampler=False, callbacks=[record],
        )  # fmt: skip
        trainer.fit(module, train_dataloaders=training_loader(recipe, 0, 0, 1))
    return [float(loss) for loss in record.losses], record.seconds
