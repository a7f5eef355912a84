"""Clouds that need more memory than is free are refused before the memory is allocated."""

import numpy as np
import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation import memory_limit
from instseg3d_ros.segmentation.memory_limit import BYTES, check_memory, free_bytes
from instseg3d_ros.sparse import voxelize


def cloud(apart: float, count: int = 2000) -> torch.Tensor:
    """`count` points of a plane, `apart` metres from each other."""
    row = np.arange(count)
    return torch.from_numpy(np.column_stack((row % 50, row // 50, 0 * row)) * apart).float()


def test_the_error_says_what_the_cloud_looks_like_and_what_to_do(monkeypatch):
    monkeypatch.setattr(memory_limit, "ALWAYS", 0)
    monkeypatch.setattr(memory_limit, "free_bytes", lambda device: 5e6)
    far, near = (voxelize(cloud(apart), None, 0.02) for apart in (10.0, 0.02))
    told = (
        r"2,000 points over 490 × 390 × 0 m fill 2,000 voxels of 0.02 m \(1.0 points per voxel\).*0.0 GB are free. Use"
    )
    with pytest.raises(InputError, match=told):
        check_memory(far, 2000, 16)
    check_memory(near, 2000, 16)  # as many voxels, but few on the coarser levels
    with pytest.raises(InputError):
        check_memory(near, 2000, 64)


def test_little_is_not_checked(monkeypatch):
    monkeypatch.setattr(memory_limit, "free_bytes", lambda device: 0.0)
    check_memory(voxelize(cloud(10.0), None, 0.02), 2000, 16)


def test_the_limit_of_the_process_counts(monkeypatch):
    everything = free_bytes(torch.device("cpu"))
    assert everything is not None and everything > 1e8
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1 << 20, 1 << 20))
    assert free_bytes(torch.device("cpu")) < 0


@pytest.mark.parametrize("apart, most", [(10.0, 7.0), (0.02, 2.0)])
def test_voxels_of_all_levels_count(apart, most, monkeypatch):
    asked = []
    monkeypatch.setattr(memory_limit, "ALWAYS", -1)
    monkeypatch.setattr(memory_limit, "free_bytes", lambda device: asked.append(1) or float("inf"))
    voxels = voxelize(cloud(apart), None, 0.02)
    check_memory(voxels, 2000, 16)
    monkeypatch.setattr(memory_limit, "free_bytes", lambda device: BYTES * most * len(voxels.grid) - 1)
    if apart > 1:
        with pytest.raises(InputError):
            check_memory(voxels, 2000, 16)
    else:
        check_memory(voxels, 2000, 16)
    assert asked
