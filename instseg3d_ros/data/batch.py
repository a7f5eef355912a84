"""Scenes → one batch of voxels with features and targets: the same path for training, validation and the segmenter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.network.inputs import NetworkInput


@dataclass
class PointBatch:
    """Points of several scenes: points (N,3), colors (N,3) float32 0..255, batch, semantic, instance (N,) int64."""

    points: torch.Tensor
    colors: torch.Tensor
    batch: torch.Tensor
    semantic: torch.Tensor
    instance: torch.Tensor

    def to(self, device) -> PointBatch:
        """The same batch on another device."""
        return PointBatch(*(value.to(device, non_blocking=True) for value in vars(self).values()))

    def pin_memory(self) -> PointBatch:
        """Called by the loader where batches go to a GPU."""
        return PointBatch(*(value.pin_memory() for value in vars(self).values()))


@dataclass
class VoxelBatch:
    """What the network and its losses take: inputs of V voxels; semantic, instance (V,) int64 of each."""

    inputs: NetworkInput
    semantic: torch.Tensor
    instance: torch.Tensor

    @property
    def positions(self) -> torch.Tensor:
        """(V, 3) mean positions in metres."""
        return self.inputs.voxels.positions

    @property
    def batch(self) -> torch.Tensor:
        """(V,) int64 scene of each voxel."""
        return self.inputs.voxels.grid.batch


def collate(scenes: list[Scene]) -> PointBatch:
    """Stack scenes; one without colour gets mid-grey, which is what the network is given for no colour."""
    sizes = [len(scene) for scene in scenes]
    colors = [np.full((len(s), 3), 127.5, np.float32) if s.colors is None else s.colors for s in scenes]
    return PointBatch(
        torch.from_numpy(np.concatenate([s.points for s in scenes])),
        torch.from_numpy(np.concatenate(colors).astype(np.float32)),
        torch.repeat_interleave(torch.tensor(sizes)),
        torch.from_numpy(np.concatenate([s.semantic for s in scenes]).astype(np.int64)),
        torch.from_numpy(np.concatenate([s.instance for s in scenes]).astype(np.int64)),
    )


def to_voxels(points: PointBatch, voxel_size: float, inputs: str, engine: str = "torch") -> VoxelBatch:
    """Voxelize; a voxel takes the labels of its first point (points come in random or image order)."""
    made = NetworkInput.of_points(points.points, points.colors, voxel_size, inputs, points.batch, engine)
    count, total = len(made.voxels.positions), len(points.points)
    first = torch.full((count,), total, dtype=torch.int64, device=made.voxels.voxel_of_point.device)
    first.scatter_reduce_(0, made.voxels.voxel_of_point, torch.arange(total, device=first.device), "amin")
    return VoxelBatch(made, points.semantic[first], points.instance[first])
