"""Scenes → a batch of voxels with features and targets. Training, validation and the segmenter share this path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.network.inputs import NetworkInput


@dataclass
class PointBatch:
    """Points of several scenes: points (N,3); colors (N,3) float32 0..255; batch, semantic and instance (N,) int64."""

    points: torch.Tensor
    colors: torch.Tensor
    batch: torch.Tensor
    semantic: torch.Tensor
    instance: torch.Tensor

    def to(self, device: torch.device | str) -> PointBatch:
        """The same batch on another device."""
        return PointBatch(*(value.to(device, non_blocking=True) for value in vars(self).values()))

    def pin_memory(self) -> PointBatch:
        """Copy the batch to pinned memory; the data loader calls this for batches that go to a GPU."""
        return PointBatch(*(value.pin_memory() for value in vars(self).values()))


@dataclass
class VoxelBatch:
    """Inputs and targets of the network: inputs of V voxels; semantic and instance (V,) int64 of each voxel."""

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
    """Stack scenes. A scene without colours gets mid-grey, which stands for missing colour in the network."""
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
    """Voxelize a batch. A voxel has the labels of its first point; points are in random or image order."""
    network_input = NetworkInput.of_points(points.points, points.colors, voxel_size, inputs, points.batch, engine)
    voxel_of_point = network_input.voxels.voxel_of_point
    count, total = len(network_input.voxels.positions), len(points.points)
    first = torch.full((count,), total, dtype=torch.int64, device=voxel_of_point.device)
    first.scatter_reduce_(0, voxel_of_point, torch.arange(total, device=first.device), "amin")
    return VoxelBatch(network_input, points.semantic[first], points.instance[first])
