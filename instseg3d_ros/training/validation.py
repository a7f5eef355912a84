"""Validation: the segmenter segments each scene, and ScanNet's protocol scores the answers."""

from __future__ import annotations

import math

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.evaluation.accumulate import Accumulator
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.training.recipe import Recipe


class Validation:
    """Collects scenes between `begin` and `scores`."""

    def __init__(self, card: ModelCard, recipe: Recipe):
        self.card = card
        self.recipe = recipe

    def begin(self, network: Network) -> None:
        """Create a segmenter with the current weights of `network`, and reset the totals."""
        device = next(network.parameters()).device
        # In the scenes of a data set z points up, so that the vertical need not be estimated.
        self.segmenter = Segmenter(network, self.card, str(device), level="off", max_range=1e3)
        self.total = Accumulator(self.card.labels)

    def add(self, scene: Scene) -> None:
        """Segment a scene and add it to the totals."""
        result = self.segmenter(scene.points, scene.colors)
        self.total.add_result(scene.name, scene.semantic, scene.instance, result, self.card.labels.names)

    def scores(self) -> dict[str, float]:
        """AP, AP50 and AP25 by class and without regard to class, and mean IoU; an undefined score is 0."""
        outcome = self.total.outcome("model", "validation", "val")
        found = {
            **{name: getattr(outcome.mean, name) for name in ("ap", "ap50", "ap25")},
            **{f"agnostic_{name}": getattr(outcome.agnostic, name) for name in ("ap", "ap50", "ap25")},
            "iou": outcome.iou,
        }
        return {name: 0.0 if math.isnan(value) else float(value) for name, value in found.items()}
