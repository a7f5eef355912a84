"""From points to the input of the network: voxels, their input features, a sparse tensor.

To add an input feature, add a property to `NetworkInput` and an entry to `FEATURES` and to `INPUTS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from instseg3d_ros.sparse import SparseTensor, Voxels, voxelize

FEATURES = {"color": 3, "position": 3}  # name of a property of `NetworkInput` → number of columns
INPUTS = {  # name in a recipe → features, in this order
    "position_color": ("color", "position"),
    "position": ("position",),
    "color": ("color",),
}


def input_width(inputs: str) -> int:
    """Number of columns of the input features that a recipe names `inputs`."""
    return sum(FEATURES[name] for name in INPUTS[inputs])


@dataclass(frozen=True)
class NetworkInput:
    """The input of the network: V voxels of one or several scenes.

    `voxels.features` are mean colours; None for a cloud without colour, or if the network does not use colour.
    """

    voxels: Voxels
    inputs: str = "position_color"

    @staticmethod
    def of_points(
        points: Tensor,
        colors: Tensor | None,
        voxel_size: float,
        inputs: str,
        batch: Tensor | None = None,
        engine: str = "torch",
    ) -> NetworkInput:
        """From points (N, 3) in metres, colours (N, 3) 0 to 255 or None, and the scene (N,) of each point."""
        colors = colors if "color" in INPUTS[inputs] else None
        return NetworkInput(voxelize(points, colors, voxel_size, batch, engine), inputs)

    @cached_property
    def x(self) -> SparseTensor:
        """The input features (V, 3 or 6), on the voxels' grid."""
        features = torch.cat([getattr(self, name) for name in INPUTS[self.inputs]], dim=1)
        return SparseTensor(features, self.voxels.grid)

    @cached_property
    def color(self) -> Tensor:
        """(V, 3): colour c / 127.5 − 1; 0 (mid-grey) for a cloud without colour."""
        positions, colors = self.voxels.positions, self.voxels.features
        return torch.zeros_like(positions) if colors is None else colors.to(positions.dtype) / 127.5 - 1

    @cached_property
    def position(self) -> Tensor:
        """(V, 3) position relative to the origin of the voxel's scene, in metres: independent of the cloud's frame."""
        voxels = self.voxels
        if voxels.grid.num_scenes == 1 and len(voxels.grid):
            return voxels.positions - _origin(voxels.positions)
        return voxels.positions - scene_origin(voxels.positions, voxels.grid.batch)


def scene_origin(positions: Tensor, batch: Tensor) -> Tensor:
    """(V, 3) origin of each voxel's scene: mean x and y, height of the floor (`floor_level`)."""
    origin = torch.empty_like(positions)
    for scene in range(int(batch.max()) + 1 if len(batch) else 0):
        rows = (batch == scene).nonzero().squeeze(1)
        if len(rows):
            origin[rows] = _origin(positions[rows])
    return origin


def _origin(positions: Tensor) -> Tensor:
    """(3,): the origin of a scene with at least one voxel."""
    return torch.stack((positions[:, 0].mean(), positions[:, 1].mean(), floor_level(positions[:, 2])))


def floor_level(z: Tensor) -> Tensor:
    """Height of the floor: the 2 % quantile of z (N,), on which single outliers below the floor have no effect."""
    return z.kthvalue(1 + int(0.02 * (len(z) - 1))).values
