"""Local SGD (Stich 2019): each process steps separately, and the processes average their weights every few steps."""

from __future__ import annotations

import lightning
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.utilities.types import STEP_OUTPUT
from torch import distributed
from torch.distributed.algorithms.ddp_comm_hooks.post_localSGD_hook import PostLocalSGDState, post_localSGD_hook
from torch.nn.parallel import DistributedDataParallel

from instseg3d_ros.data.batch import PointBatch


class Averaging(lightning.Callback):
    """Replace weights and batch-norm statistics of all processes by their mean, every `every` steps.

    In other steps each process uses only the gradients of its own batch, so that no process waits for the slowest. The
    optimizer's moments are not averaged. This callback must precede the callback of the checkpoints: a checkpoint then
    holds the mean if `checkpoint_every` is a multiple of `every`.

    The model averaging of Lightning's `DDPStrategy` leaves out batch-norm statistics, does not average before a
    validation or at the end, and counts the steps of a resumed training from 0.
    """

    def __init__(self, every: int):
        self.every = every

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        model = trainer.strategy.model
        assert isinstance(model, DistributedDataParallel)
        keep_gradients(model)
        # Before every step Lightning broadcasts whether the first process received SIGTERM, and all processes wait for
        # this. Here the broadcast is made only in steps in which the processes average their weights.
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
        average(module)  # validation scores and exports the mean

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        average(module)


def keep_gradients(model: DistributedDataParallel) -> None:
    """Let each process keep its gradients instead of their mean over the processes."""
    state = PostLocalSGDState(None, None, start_localSGD_iter=0, post_local_gradient_allreduce=False)
    model.register_comm_hook(state, post_localSGD_hook)


@torch.no_grad()
def average(module: torch.nn.Module) -> None:
    """Replace every floating-point tensor of `module`'s state by its mean over the processes, in one all-reduce."""
    values = [value for value in module.state_dict().values() if value.is_floating_point()]
    flat = torch.cat([value.reshape(-1).float() for value in values])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for value, mean in zip(values, flat.split([value.numel() for value in values])):
        value.copy_(mean.view_as(value))
