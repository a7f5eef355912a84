"""A second look, at whole objects: voxels are named one by one, but a desk differs from a table as a whole."""

from __future__ import annotations

import torch
from torch import nn

CLIP = 5.0  # standard deviations; what lies farther out was never seen in training


class ObjectHead(nn.Module):
    """Descriptions (K, `inputs`) of K objects → class scores before softmax (K, C), logit of an IoU (K,).

    `segmentation.description` makes the descriptions. The IoU is the one to be expected of the mask with the object
    that it covers best, of whichever class. A third output, whether that IoU is above a half, serves learning alone.
    `mean` and `scale` normalize the descriptions; they are those of the training's descriptions.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, classes: int, inputs: int, width: int = 256):
        super().__init__()
        self.classes = classes
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, classes + 2))

    def forward(self, descriptions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.layers(self.normalized(descriptions))
        return scores[:, :-2], scores[:, -2]

    def normalized(self, descriptions: torch.Tensor) -> torch.Tensor:
        return ((descriptions - self.mean) / self.scale).clamp(-CLIP, CLIP)
