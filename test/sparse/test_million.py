"""A million isolated voxels, the worst case for a pyramid of cells."""

import pytest
import torch

from instseg3d_ros.sparse import SparseTensor, SubmanifoldConv3d, VoxelGrid, k_nearest_neighbors
from instseg3d_ros.sparse.native import kernels


@pytest.mark.slow
@pytest.mark.skipif(bool(kernels.missing()), reason="minutes without compiled kernels")
def test_a_million_isolated_voxels():
    xyz = torch.randint(-(2**20) // 3, 2**20 // 3, (1_000_000, 3), generator=torch.Generator().manual_seed(0)) * 3
    coords = torch.cat((torch.zeros(len(xyz), 1, dtype=torch.int64), xyz), 1)
    grid, _ = VoxelGrid.from_coords(coords)
    assert (grid.neighbors >= 0).sum() == len(grid)
    conv, x = SubmanifoldConv3d(2, 3), torch.randn(len(grid), 2)
    with torch.no_grad():
        y = conv(SparseTensor(x, grid)).features
        torch.testing.assert_close(y, x @ conv.weight[:, 1, 1, 1].t())
    positions = (grid.coords[:, 1:] + 0.5).float()
    found = k_nearest_neighbors(positions, grid, 1.0, 2)
    sample = torch.arange(0, len(grid), 50_000)
    distance = torch.cdist(positions[sample].double(), positions.double(), compute_mode="donot_use_mm_for_euclid_dist")
    distance[torch.arange(len(sample)), sample] = torch.inf
    nearest = (positions[found[sample, 1]].double() - positions[sample].double()).norm(dim=1)
    torch.testing.assert_close(nearest, distance.amin(1))
