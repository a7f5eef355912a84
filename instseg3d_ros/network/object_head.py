"""The object head: class and quality of whole objects. Voxels of a desk look like a table's; as a whole they differ."""

from __future__ import annotations

import torch
from torch import nn

CLIP = 5.0  # standard deviations; what lies farther out was never seen in training
OWN, AROUND = 192, 64  # voxels of a proposal and of its surroundings that a point encoder sees
GEOMETRY = 7  # numbers of such a voxel beside the backbone's features; see `segmentation.point_samples`


class PointEncoder(nn.Module):
    """Points (G, `OWN` + `AROUND`, `GEOMETRY` + F) of G proposals → what is known of their shape (G, 2 · `width`).

    A PointNet (Qi et al. 2017, arXiv:1612.00593): the same layers for each point, then the maximum over the points, so
    that their order does not matter. The maxima over a proposal's own voxels and over those around it are kept apart;
    the latter are 0 where it is not `surrounded`. `mean` and `scale` normalize the points; they are those of the
    training's points.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, features: int, width: int = 128):
        super().__init__()
        self.width, seen = width, GEOMETRY + features
        self.register_buffer("mean", torch.zeros(seen))
        self.register_buffer("scale", torch.ones(seen))
        self.layers = nn.Sequential(
            nn.Linear(seen + 1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, width)
        )

    def forward(self, points: torch.Tensor, surrounded: torch.Tensor) -> torch.Tensor:
        return self.encode((points - self.mean) / self.scale, surrounded, OWN)

    def encode(self, points: torch.Tensor, surrounded: torch.Tensor, own: int) -> torch.Tensor:
        """The same of normalized points, of which the first `own` belong to the proposal."""
        member = torch.zeros_like(points[..., :1])
        member[:, :own] = 1
        encoded = self.layers(torch.cat((points, member), dim=-1))
        around = encoded[:, own:].amax(dim=1) * surrounded[:, None].to(encoded.dtype)
        return torch.cat((encoded[:, :own].amax(dim=1), around), dim=1)


class ObjectHead(nn.Module):
    """Descriptions (K, `inputs`) of K objects → class scores before softmax (K, C), logit of an IoU (K,).

    `segmentation.description` makes the descriptions. The IoU is the one to be expected of the mask with the object
    that it covers best, of whichever class. A third output, whether that IoU is above a half, serves learning alone.
    `mean` and `scale` normalize the descriptions; they are those of the training's descriptions.

    With `points`, the number of features of a point, it also needs what its `encoder` makes of each object's points.
    With `stuff` it has learned stuff too: a proposal may be a piece of wall.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, classes: int, inputs: int, width: int = 256, points: int | None = None, stuff: bool = False):
        super().__init__()
        self.classes, self.stuff = classes, stuff
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.encoder = None if points is None else PointEncoder(points)
        seen = inputs + (0 if self.encoder is None else 2 * self.encoder.width)
        self.layers = nn.Sequential(nn.Linear(seen, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, classes + 2))

    def forward(
        self, descriptions: torch.Tensor, encoded: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        seen = self.normalized(descriptions)
        scores = self.layers(seen if encoded is None else torch.cat((seen, encoded), dim=1))
        return scores[:, :-2], scores[:, -2]

    def normalized(self, descriptions: torch.Tensor) -> torch.Tensor:
        return ((descriptions - self.mean) / self.scale).clamp(-CLIP, CLIP)
