"""Features on the sites of a voxel grid."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from instseg3d_ros.sparse.grid import VoxelGrid


@dataclass(frozen=True)
class SparseTensor:
    """Features on the voxels of `grid`. features: (V, C), a row for each voxel, in the order of the grid."""

    features: Tensor
    grid: VoxelGrid

    def __post_init__(self) -> None:
        if len(self.features) != len(self.grid):
            raise ValueError(f"{len(self.features)} rows of features on a grid of {len(self.grid)} voxels")

    def replace(self, features: Tensor) -> SparseTensor:
        """A tensor with other features (V, C') on the same grid."""
        return SparseTensor(features, self.grid)
