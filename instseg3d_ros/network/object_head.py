"""A second look, at whole objects: voxels are named one by one, but a desk differs from a table as a whole."""

from __future__ import annotations

import torch
from torch import nn

MEASURES = 19  # numbers of a description beside the class probabilities; see `segmentation.description`
CLIP = 5.0  # standard deviations; what lies farther out was never seen in training


class ObjectHead(nn.Module):
    """Descriptions of K objects (K, C + `MEASURES`) → class scores before softmax (K, C), logit of the overlap (K,).

    The second is the IoU to be expected of the mask with the object that it covers best, whichever class that is.
    A third output, whether that IoU is above a half, serves learning alone. `mean` and `scale` (F,) are those of the
    descriptions that it was trained on.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, classes: int, width: int = 128):
        super().__init__()
        features = classes + MEASURES
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Linear(features, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, classes + 2)
        )

    def forward(self, descriptions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.layers(self.normalized(descriptions))
        return scores[:, :-2], scores[:, -2]

    def normalized(self, descriptions: torch.Tensor) -> torch.Tensor:
        return ((descriptions - self.mean) / self.scale).clamp(-CLIP, CLIP)
