"""Local SGD (Stich 2019): processes step by themselves and average their weights every few steps."""

from __future__ import annotations

import lightning
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.utilities.types import STEP_OUTPUT
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from instseg3d_ros.data.batch import PointBatch


class Averaging(lightning.Callback):
    """Every `every` steps the weights and norm statistics of all processes are replaced by their mean.

    In between each process follows its own gradients, so no step waits for the slowest process. The optimizer's moments
    are not averaged. This callback must come before the checkpoint's: then a checkpoint holds the mean if
    `checkpoint_every` is a multiple of `every`.
    """

    def __init__(self, every: int):
        self.every = every

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        model = trainer.strategy.model
        assert isinstance(model, DistributedDataParallel)
        model.register_comm_hook(None, keep_own)
        # Before every step Lightning tells all processes whether the first was asked to end, and they wait for it. Here
        # they are told when they meet anyway.
        loop = trainer.fit_loop.epoch_loop
        if tell := getattr(loop, "_broadcast_sigterm_tensor", None):
            loop._broadcast_sigterm_tensor = lambda: tell() if self._due(trainer) else None  # type: ignore[method-assign]

    def _due(self, trainer: Trainer) -> bool:
        return trainer.global_step % self.every == 0

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: STEP_OUTPUT, batch: PointBatch, index: int
    ) -> None:
        if self._due(trainer) and (index + 1) % trainer.accumulate_grad_batches == 0:
            average(module)

    def on_validation_start(self, trainer: Trainer, module: LightningModule) -> None:
        average(module)  # so that the mean is scored and exported

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        average(module)


def keep_own(state: None, bucket: distributed.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """A DDP hook that keeps the gradients of this process instead of their mean over the processes."""
    own: torch.futures.Future[torch.Tensor] = torch.futures.Future()
    own.set_result(bucket.buffer())
    return own


@torch.no_grad()
def average(module: torch.nn.Module) -> None:
    """Replace every floating tensor of `module`'s state by its mean over the processes, in one message."""
    values = [value for value in module.state_dict().values() if value.is_floating_point()]
    flat = torch.cat([value.reshape(-1).float() for value in values])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for value, mean in zip(values, flat.split([value.numel() for value in values])):
        value.copy_(mean.view_as(value))
