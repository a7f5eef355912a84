"""The Lightning module: losses of a step, validation by the segmenter, the optimizer."""

from __future__ import annotations

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch.nn import functional

from instseg3d_ros.data.batch import PointBatch, to_voxels
from instseg3d_ros.labels import IGNORE
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.loss import clearance_loss, structure_aware_loss
from instseg3d_ros.network.model import Network
from instseg3d_ros.training.loading import class_share
from instseg3d_ros.training.recipe import Recipe
from instseg3d_ros.training.validation import Validation


class Training(lightning.LightningModule):
    """Joint training of the network in Figure 2.

    Losses are means over scenes, so that N processes compute the gradient of one process with N times the batch.
    """

    class_weight: torch.Tensor | None

    def __init__(self, network: Network, card: ModelCard, recipe: Recipe):
        super().__init__()
        self.network = network
        self.card = card
        self.recipe = recipe
        self.validation = Validation(card, recipe)
        weight = None
        if recipe.loss.rarity:
            share = class_share(recipe, len(card.labels.names))
            weight = torch.tensor(class_weight(share, recipe.loss.rarity), dtype=torch.float32)
            card.class_weight = weight.tolist()
        self.register_buffer("class_weight", weight, persistent=False)

    def losses(self, points: PointBatch, joint: bool) -> dict[str, torch.Tensor]:
        """Terms of the total loss of a batch. The embedding terms are zero unless `joint` is set."""
        architecture, o = self.network.architecture, self.recipe.loss
        voxels = to_voxels(points, architecture.voxel_size, architecture.inputs)
        output = self.network(voxels.inputs)
        semantic = scene_cross_entropy(output.logits, voxels.semantic, voxels.batch, self.class_weight)
        terms = {"semantic": o.semantic_weight * semantic}
        for name, embedding in (("embedding", output.embedding), ("refined", output.refined_embedding)):
            if joint:
                term = structure_aware_loss(
                    embedding, voxels.positions, voxels.instance, voxels.batch,
                    o.alpha, o.beta, o.structure_aware, o.reduction,
                )  # fmt: skip
                if o.clearance:
                    labelled = voxels.semantic != IGNORE
                    apart = clearance_loss(embedding, voxels.instance, labelled, voxels.batch, o.margin)
                    term = term + o.clearance * apart
                terms[name] = o.embedding_weight * term
            else:  # distributed training needs a gradient of every parameter, so the heads get a zero gradient
                terms[name] = 0 * embedding.sum()
        return terms

    def training_step(self, points: PointBatch, index: int) -> torch.Tensor:
        """Total loss of a batch; only the semantic term before step `semantic_steps`."""
        joint = self.global_step >= self.recipe.semantic_steps
        terms = self.losses(points, joint)
        total = torch.stack(list(terms.values())).sum()
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        shown = {f"loss/{name}": value.detach() for name, value in terms.items()}
        # The values of this process only, because gathering those of all processes in every step takes too long.
        self.log_dict(shown, prog_bar=True)
        self.log_dict({"loss/total": total.detach(), "learning_rate": torch.tensor(rate)})
        return total

    def on_validation_epoch_start(self) -> None:
        self.validation.begin(self.network)

    def validation_step(self, scenes: list, index: int) -> None:
        for scene in scenes:
            self.validation.add(scene)

    def on_validation_epoch_end(self) -> None:
        scores = self.validation.scores()
        self.log_dict({f"val/{name}": value for name, value in scores.items()}, prog_bar=True, rank_zero_only=True)
        self.card.scores = scores

    def configure_optimizers(self) -> OptimizerLRScheduler:
        r = self.recipe
        # Lightning does not clip in mixed precision for an optimizer that is fused.
        optimizer = torch.optim.Adam(self.parameters(), r.learning_rate, fused=not r.clip)
        falling = max(1, int(r.final_decay * r.steps))
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 1.0 if not r.final_decay else min(1.0, max(0.0, (r.steps - step) / falling))
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def scene_cross_entropy(
    logits: torch.Tensor, semantic: torch.Tensor, batch: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross entropy, averaged over the labelled voxels of each scene, then over scenes. (V, C), (V,), (V,) → scalar.

    `weight` (C,) multiplies the term of each voxel by the weight of its class; the average still divides by the number
    of voxels.
    """
    scenes = int(batch.max()) + 1
    loss = functional.cross_entropy(logits, semantic, weight, ignore_index=IGNORE, reduction="none")
    labelled = (semantic != IGNORE).to(loss.dtype)
    total = loss.new_zeros(scenes).index_add(0, batch, loss)
    count = loss.new_zeros(scenes).index_add(0, batch, labelled)
    return (total / count.clamp(min=1)).mean()


def class_weight(share: np.ndarray, rarity: float) -> np.ndarray:
    """Class weights w (C,) ∝ share^−rarity, scaled to a mean of 1 over the points: Σ share · w = 1.

    Shares below 0.1 % are set to 0.1 %.
    """
    weight = np.maximum(share, 1e-3) ** -rarity
    return weight / (share * weight).sum()
