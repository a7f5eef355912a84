"""From a recipe to exported weights: build the trainer, resume a killed training, export the models."""

from __future__ import annotations

import dataclasses
import logging
import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader
from tqdm import tqdm

from instseg3d_ros.data.scene import read_labels, scenes_of_each
from instseg3d_ros.data.survey import survey
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.benchmark_layout import labels_ids
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.inputs import FEATURES, INPUTS
from instseg3d_ros.network.model import Network
from instseg3d_ros.sparse import BatchNormReLU
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.precision import WITHOUT_BF16
from instseg3d_ros.training import figures, objects
from instseg3d_ros.training.averaging import Averaging
from instseg3d_ros.training.loading import training_loader, validation_loader
from instseg3d_ros.training.module import Training
from instseg3d_ros.training.recipe import Recipe

log = logging.getLogger(__name__)

STEM = "backbone.stem.weight"  # of the first layer: (…, columns of the input features)


class Data(lightning.LightningDataModule):
    """Data loaders that begin at the trainer's current step."""

    def __init__(self, recipe: Recipe):
        super().__init__()
        self.recipe = recipe

    def train_dataloader(self) -> DataLoader:
        assert self.trainer is not None, "Lightning sets the trainer first"
        return training_loader(self.recipe, self.trainer.global_step, self.trainer.global_rank, self.trainer.world_size)

    def val_dataloader(self) -> DataLoader:
        return validation_loader(self.recipe)


class Best(lightning.Callback):
    """Saves the network with the best AP50 of all validations as `PATH`."""

    PATH = Path("checkpoints") / "best.safetensors"

    def __init__(self, out: Path):
        self.path = out / self.PATH
        self.score = -1.0

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        assert isinstance(module, Training)
        score = module.card.scores.get("ap50", 0.0)
        if trainer.is_global_zero and not trainer.sanity_checking and score > self.score:
            self.score = score
            checkpoint.save(self.path, module.network, module.card)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.score}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.score = state["best"]


class Bar(TQDMProgressBar):
    """A progress bar over all steps of the training, also after a resumption, without the number of the log folder."""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        super().on_train_start(trainer, module)
        self._show_all(trainer)

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        super().on_train_epoch_start(trainer, module)
        self._show_all(trainer)

    def _show_all(self, trainer: Trainer) -> None:
        bar, done = self.train_progress_bar, trainer.global_step * trainer.accumulate_grad_batches
        bar.reset(trainer.max_steps * trainer.accumulate_grad_batches)
        bar.initial = bar.n = done
        bar.set_description("training")

    def get_metrics(self, trainer: Trainer, module: LightningModule) -> dict[str, int | str | float | dict[str, float]]:
        return {name: value for name, value in super().get_metrics(trainer, module).items() if name != "v_num"}


def build(recipe: Recipe) -> Training:
    """The Lightning module of a recipe, with random weights or those of `init`. Raises InputError on a wrong value."""
    _check(recipe)
    labels = _labels(recipe)
    torch.manual_seed(recipe.seed)
    network, card = _network(recipe, labels)
    return Training(network, card, recipe)


def train(recipe: Recipe) -> Path:
    """Train, or resume an interrupted training of the same `out`. Returns the path of the exported weights."""
    module = build(recipe)
    _survey(recipe, module.card.labels)
    out = Path(recipe.out)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(_no_advertisement)
    several = recipe.devices * recipe.nodes > 1
    trainer = lightning.Trainer(
        max_steps=recipe.steps,
        accelerator=recipe.accelerator,
        devices=recipe.devices,
        num_nodes=recipe.nodes,
        # Statistics of batch norms need no broadcast: they are equal in all processes, or differ by intention.
        strategy=DDPStrategy(forward_sync_buffers=False) if several else "auto",
        precision=cast(Any, _precision(recipe)),  # the trainer checks the name
        gradient_clip_val=recipe.clip or None,
        accumulate_grad_batches=recipe.accumulate,
        use_distributed_sampler=False,  # `Steps` already divides the scenes among the processes
        check_val_every_n_epoch=None,
        val_check_interval=recipe.validate_every * recipe.accumulate,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        default_root_dir=out,
        logger=[
            CSVLogger(out, name="logs", version=_next_version(out)),
            TensorBoardLogger(out, name="tensorboard", version=""),
        ],
        callbacks=[
            *([Averaging(recipe.average_every)] if several and recipe.average_every > 1 else []),
            ModelCheckpoint(out / "checkpoints", filename="{step}", every_n_train_steps=recipe.checkpoint_every,
                            save_top_k=1, save_last=True, enable_version_counter=False),
            Best(out),
            Bar(refresh_rate=10),
        ],
        enable_model_summary=False,
    )  # fmt: skip
    last = out / "checkpoints" / "last.ckpt"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*multi-threaded, use of fork.*")
        warnings.filterwarnings("ignore", ".*LeafSpec.*")  # a deprecation inside Lightning
        warnings.filterwarnings("ignore", ".*your dataloader is not resumable.*")  # `Data` begins at the right step
        warnings.filterwarnings("ignore", ".*exists and is not empty.*")  # a resumed training needs this folder
        trainer.fit(
            module, datamodule=Data(recipe), ckpt_path=str(last) if last.is_file() else None, weights_only=False
        )
    if trainer.is_global_zero:
        export(recipe, module.network, module.card)
        figures.write(out, recipe.data)
    return out / "model.safetensors"


def export(recipe: Recipe, network: Network, card: ModelCard) -> None:
    """Write `model.safetensors`, the final network, and `best.safetensors`, the network of the best validation.

    Each file is written once, with an object head if the recipe has `object_scenes`. A training that was interrupted
    before has written neither file; the same command resumes it.
    """
    out = Path(recipe.out)
    models = {"model.safetensors": (network, card)}
    if (out / Best.PATH).is_file():
        models["best.safetensors"] = checkpoint.load(out / Best.PATH)
    for name, model in models.items():
        checkpoint.save(out / name, *(_with_object_head(recipe, name, *model) if recipe.object_scenes else model))


def _with_object_head(recipe: Recipe, name: str, network: Network, card: ModelCard) -> tuple[Network, ModelCard]:
    scenes = objects.pick_scenes(recipe.object_data or recipe.data, recipe.object_scenes)
    device = "cpu" if recipe.accelerator == "cpu" else "auto"
    bar = partial(tqdm, desc=f"objects of {name}", unit="scene")
    try:
        return objects.teach(network, card, scenes, recipe.seed, device, bar, points=recipe.object_points)
    except InputError as error:  # the weights are usable without an object head
        log.warning("%s is written without an object head: %s", Path(recipe.out) / name, error)
        return network, card


def _survey(recipe: Recipe, labels: LabelSet) -> None:
    """Print a table of the data. Raises InputError if the data have no labels, or no folder has a val split."""
    labels_ids(labels)
    scenes_of_each(recipe.data, "val")
    if os.environ.get("LOCAL_RANK", "0") != "0":  # only the first process prints the table
        return
    bar = partial(tqdm, desc="reading", unit="scene", leave=False, disable=None)
    found = survey([Path(root) for root in recipe.data], labels, recipe.network.voxel_size, bar)
    print(found.table())
    for warning in found.warnings():
        print(f"warning: {warning}")
    found.check(instances=recipe.steps > recipe.semantic_steps)


def _precision(recipe: Recipe) -> str:
    """The recipe's precision; float32 in place of bfloat16 on a CPU that emulates bfloat16, ten times as slow."""
    on_cpu = recipe.accelerator == "cpu" or (recipe.accelerator == "auto" and not torch.cuda.is_available())
    if not recipe.precision.startswith("bf16") or not on_cpu or kernels.has_bf16():
        return recipe.precision
    rank_zero_only(log.warning)("precision %s: %s; training in 32-true", recipe.precision, WITHOUT_BF16)
    return "32-true"


def _no_advertisement(record: logging.LogRecord) -> bool:
    return "Tip:" not in record.getMessage()


def _check(recipe: Recipe) -> None:
    if not recipe.data:
        raise InputError("data is empty; name one or more folders of scenes (--data DIR)")
    for name in ("steps", "batch_size", "accumulate", "devices", "nodes", "average_every", "validate_every",
                 "checkpoint_every"):  # fmt: skip
        if getattr(recipe, name) < 1:
            raise InputError(f"{name} is {getattr(recipe, name)}; expected 1 or more")
    if recipe.object_scenes < 0:
        raise InputError(f"object_scenes is {recipe.object_scenes}; expected 0 (no object head) or more")
    if recipe.clip < 0:
        raise InputError(f"clip is {recipe.clip}; expected 0 (no limit) or more")
    if recipe.learning_rate <= 0:
        raise InputError(f"learning_rate is {recipe.learning_rate}; expected more than 0")
    if not 0 <= recipe.loss.rarity <= 1:
        raise InputError(
            f"loss.rarity is {recipe.loss.rarity}; expected 0 (equal weights) to 1 (weight inverse to the share of "
            "the points)"
        )


def _labels(recipe: Recipe) -> LabelSet:
    roots = [*recipe.data, *recipe.object_data]
    found = [read_labels(Path(root)) for root in roots]
    for root, labels in zip(roots, found):
        if labels.names != found[0].names:
            raise InputError(
                f"{root}: its classes differ from those of {recipe.data[0]}; train on folders with one label set"
            )
    return found[0]


def _network(recipe: Recipe, labels: LabelSet) -> tuple[Network, ModelCard]:
    architecture = Architecture(classes=len(labels), **dataclasses.asdict(recipe.network))
    network = Network(architecture)
    for module in network.modules():
        if isinstance(module, BatchNormReLU):
            module.synchronize = recipe.synchronize
    if recipe.init:
        copy_weights(checkpoint.find(recipe.init), network, labels)
    card = ModelCard(
        architecture, labels, recipe=dataclasses.asdict(recipe), segmentation=dataclasses.asdict(recipe.segmentation)
    )
    return network, card


def copy_weights(path: Path, network: Network, labels: LabelSet) -> None:
    """Copy the weights of the model file `path` into `network`: all tensors of equal shape.

    If this network uses fewer input features than that of the file, its first layer takes the weights of these.
    Not copied are the last layer of the semantic head if the classes differ, graph layers that the file does not have
    (new graph layers only smooth the embedding), and the embedding head if only one of both networks is anchored. The
    object head is not copied, because it is trained at the end. Raises InputError if other tensors do not fit.
    """
    source, card = checkpoint.load(path)
    state, given = network.state_dict(), source.state_dict()
    given[STEM] = _of_features(given[STEM], source.architecture.inputs, network.architecture.inputs)
    fits = {name: value for name, value in given.items() if name in state and state[name].shape == value.shape}
    if card.labels.names != labels.names:
        fits = {name: value for name, value in fits.items() if not name.startswith("semantic_head.2")}
        log.warning("%s has %d classes, this training has %d others: the last layer of the semantic head is not copied",
                    path, len(card.labels), len(labels))  # fmt: skip
    new = ("semantic_head", *(f"graph.{i}." for i in range(source.architecture.graph_layers, len(network.graph))))
    if (network.anchor is None) != (source.anchor is None):
        fits = {name: value for name, value in fits.items() if not name.startswith("embedding_head")}
        new = (*new, "embedding_head", "anchor")
    left = [name for name in state if name not in fits and not name.startswith(new)]
    if left:
        raise InputError(
            f"{path}: tensor {left[0]} and {len(left) - 1} more do not fit this network; use that model's architecture"
        )
    state.update(fits)
    network.load_state_dict(state)


def _of_features(weight: torch.Tensor, given: str, wanted: str) -> torch.Tensor:
    """The columns (…, F) of the input features of `wanted`, a name in `INPUTS`, among those of `given`."""
    if not set(INPUTS[wanted]) <= set(INPUTS[given]):
        return weight
    columns = dict(zip(INPUTS[given], weight.split([FEATURES[name] for name in INPUTS[given]], dim=-1), strict=True))
    return torch.cat([columns[name] for name in INPUTS[wanted]], dim=-1)


def _next_version(out: Path) -> str:
    """Name of a new log folder for each start, so that a resumed training does not overwrite its earlier curve."""
    if "LOCAL_RANK" in os.environ and os.environ["LOCAL_RANK"] != "0":
        return "other"
    taken = [int(p.name[6:]) for p in (out / "logs").glob("start_*") if p.name[6:].isdigit()]
    return f"start_{max(taken, default=-1) + 1}"
