"""A thinned grid has the asked number of voxels, most of them where many points lie, and a voxel near every point."""

import pytest
import torch

from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.thinning import thin

SIZE = 0.02


@pytest.fixture
def voxels():
    """A dense sheet near the origin and a sparse one 30 m away, which is in other blocks."""
    torch.manual_seed(0)
    near = torch.rand(20_000, 3) * torch.tensor([0.6, 0.6, 0.0])
    far = torch.rand(2000, 3) * torch.tensor([3.0, 3.0, 0.0]) + 30
    points = torch.cat((near, far))
    return voxelize(points, points * 2, SIZE), points


@pytest.mark.parametrize("most", [2000, 500, 10, 1])
def test_number_and_place_of_the_voxels(voxels, most, kernels):
    full, points = voxels
    few = thin(full, most)
    assert len(few.grid) == len(few.positions) == len(few.features) == len(few.counts) == most
    assert torch.equal(torch.floor(few.positions.double() / SIZE).int(), few.grid.coords[:, 1:])
    again = VoxelGrid.from_coords(few.grid.coords)[0]  # the same grid, as if there had never been other voxels
    assert torch.equal(few.grid.codes, again.codes) and torch.equal(few.grid.blocks, again.blocks)
    assert torch.equal(few.grid.neighbors, again.neighbors)
    own = (torch.floor(points.double() / SIZE).int() == few.grid.coords[few.voxel_of_point, 1:]).all(1)
    assert torch.equal(torch.bincount(few.voxel_of_point[own], minlength=most), few.counts)


def test_points_go_to_a_voxel_of_the_smallest_cell(voxels):
    full, points = voxels
    few = thin(full, 1500)
    cells = torch.floor(points.double() / SIZE).int()
    chosen = few.grid.coords[few.voxel_of_point, 1:]
    kept = few.grid.coords[:, 1:]
    for point in range(0, len(points), 97):
        for level in range(12):
            inside = ((cells[point] >> level) == (kept >> level)).all(1)
            if inside.any():
                assert ((cells[point] >> level) == (chosen[point] >> level)).all()
                break


def test_a_part_on_its_own_goes_to_the_nearest_voxel():
    """Cells of voxels with coordinates of different sign never become one, however wide they are."""
    places = torch.tensor([[0.01, 0.01, 0.01], [9.0, 9.0, 9.0], [-0.01, -0.01, -0.01]])
    points = places.repeat_interleave(torch.tensor([2000, 1000, 1]), 0)
    few = thin(voxelize(points, None, SIZE), 2)
    assert few.counts.tolist() == [2000, 1000] and few.voxel_of_point[-1] == 0


def test_voxels_with_many_points_stay(voxels):
    full, _ = voxels
    few = thin(full, len(full.grid) * 2 // 3)
    dense = full.counts > 10
    assert (few.counts > 10).sum() > 0.95 * dense.sum() and few.counts.float().mean() > full.counts.float().mean()
    assert torch.equal(few.grid.codes, thin(full, len(few.grid)).grid.codes)
    assert thin(full, len(full.grid)) is full
