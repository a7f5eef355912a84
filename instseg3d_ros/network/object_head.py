"""The object head: a small network that predicts the class and the quality of whole objects.

Single voxels of a desk look like those of a table; whole desks and tables differ.
"""

from __future__ import annotations

import torch
from torch import nn

CLIP = 5.0  # standard deviations at which descriptions are clipped, because training has no values beyond
OWN, AROUND = 192, 64  # numbers of voxels that a point encoder takes of a proposal and of its surroundings
GEOMETRY = 7  # numbers per voxel besides the backbone's features; see `segmentation.point_samples`


class PointEncoder(nn.Module):
    """A PointNet: points (G, `OWN` + `AROUND`, `GEOMETRY` + F) of G proposals → features (G, 2 · `width`).

    As in Qi et al. 2017 (arXiv:1612.00593), the same layers act on each point, and the maximum over the points makes
    the result independent of their order. The first half of the result is the maximum over the voxels of the proposal,
    the second half over the voxels around it; the second half is 0 for proposals that are not `surrounded`. `mean` and
    `scale` are statistics of the training points and normalize the input.
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
        """Encode normalized points, of which the first `own` belong to the proposal."""
        member = torch.zeros_like(points[..., :1])
        member[:, :own] = 1
        encoded = self.layers(torch.cat((points, member), dim=-1))
        around = encoded[:, own:].amax(dim=1) * surrounded[:, None].to(encoded.dtype)
        return torch.cat((encoded[:, :own].amax(dim=1), around), dim=1)


class ObjectHead(nn.Module):
    """Descriptions (K, `inputs`) of K proposals → class scores before softmax (K, C), logit of the quality (K,).

    `segmentation.description` computes the descriptions. The quality is the expected IoU of the proposal with the
    object, of any class, that it covers best. An additional output, whether this IoU is above 0.5, is used only in
    training. `mean` and `scale` are statistics of the training descriptions and normalize the input.

    `names` are the names of its inputs in `segmentation.description.INPUTS`; None stands for all of them.
    If `points` (the number of features per point) is given, `forward` also needs the output of `encoder` for the points
    of each proposal. If `stuff` is True, the head also predicts stuff classes, such as a piece of wall.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self, classes: int, inputs: int, width: int = 256, points: int | None = None, stuff: bool = False,
        names: tuple[str, ...] | None = None,
    ):  # fmt: skip
        super().__init__()
        self.classes, self.stuff, self.names = classes, stuff, names
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
