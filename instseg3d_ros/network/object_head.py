"""A second look, at whole objects: voxels are named one by one, but a desk differs from a table as a whole."""

from __future__ import annotations

import torch
from torch import nn

MEASURES = 23  # numbers of a description beside class probabilities and features; see `segmentation.description`
CLIP = 5.0  # standard deviations; what lies farther out was never seen in training


class ObjectHead(nn.Module):
    """Descriptions (K, 2 C + `MEASURES` + F) of K objects → class scores before softmax (K, C), logit of an IoU (K,).

    Descriptions end with F `features` of the backbone. The IoU is that to be expected of the mask with the object that
    it covers best, whichever class that is. A third output, whether that IoU is above a half, serves learning alone.
    `mean` and `scale` are those of the descriptions that it was trained on.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, classes: int, features: int = 0, width: int = 256):
        super().__init__()
        self.classes, seen = classes, 2 * classes + MEASURES + features
        self.register_buffer("mean", torch.zeros(seen))
        self.register_buffer("scale", torch.ones(seen))
        self.layers = nn.Sequential(nn.Linear(seen, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, classes + 2))

    def forward(self, descriptions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.layers(self.normalized(descriptions))
        return scores[:, :-2], scores[:, -2]

    def normalized(self, descriptions: torch.Tensor) -> torch.Tensor:
        return ((descriptions - self.mean) / self.scale).clamp(-CLIP, CLIP)
