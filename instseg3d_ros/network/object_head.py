"""A second look, at whole objects: voxels are named one by one, but a desk differs from a table as a whole."""

from __future__ import annotations

import torch
from torch import nn

MEASURES = 16  # numbers of a description beside the class probabilities; see `segmentation.description`
CLIP = 5.0  # standard deviations; what lies farther out was never seen in training


class ObjectHead(nn.Module):
    """Descriptions of K objects (K, C + `MEASURES`) → class scores before softmax (K, C), logit of being right (K,).

    The second says whether the mask covers one object by more than half (IoU above 0.5), whichever class it is.
    `mean` and `scale` (F,) are those of the descriptions that it was trained on.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, classes: int, width: int = 64):
        super().__init__()
        features = classes + MEASURES
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Linear(features, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, classes + 1)
        )

    def forward(self, descriptions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.layers(self.normalized(descriptions))
        return scores[:, :-1], scores[:, -1]

    def normalized(self, descriptions: torch.Tensor) -> torch.Tensor:
        return ((descriptions - self.mean) / self.scale).clamp(-CLIP, CLIP)
