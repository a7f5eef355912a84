import pytest
import torch
from sparse_clouds import grid_of, shapes

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse import VoxelGrid
from instseg3d_ros.sparse.morton import deinterleave, interleave
from instseg3d_ros.sparse.neighbors import offsets

SHAPES = shapes()


def test_interleave_is_inverted_and_orders_cells():
    xyz = torch.randint(0, 256, (1000, 3))
    assert torch.equal(deinterleave(interleave(xyz)), xyz)
    assert torch.equal(interleave(xyz) >> 3, interleave(xyz >> 1))
    assert interleave(torch.tensor([1, 0, 1])) == 5


@pytest.mark.parametrize("name", SHAPES)
def test_coords_and_inverse(name):
    coords = SHAPES[name]
    grid, inverse = VoxelGrid.from_coords(coords)
    assert torch.equal(grid.coords[inverse].long(), coords)
    assert len(grid) == len(torch.unique(coords, dim=0))
    assert torch.equal(grid.batch, grid.coords[:, 0].long())
    assert grid.num_scenes == coords[:, 0].max() + 1
    assert (grid.codes.diff() > 0).all()


@pytest.mark.parametrize("name", SHAPES)
def test_levels_and_neighbors_by_dictionary(name, kernels):
    """Each level and its table equal those of a dictionary, also beyond the level at which blocks are single voxels."""
    grid = grid_of(SHAPES[name])
    for _ in range(11):
        rows = {tuple(c): i for i, c in enumerate(grid.coords.tolist())}
        around = (grid.coords[:, None, 1:] + offsets()).tolist()
        wanted = [[rows.get((c[0], *o), -1) for o in near] for c, near in zip(grid.coords.tolist(), around)]
        assert grid.neighbors.tolist() == wanted
        coarse, parent, slot = grid.down()
        expected = grid.coords.clone()
        expected[:, 1:] >>= 1
        assert torch.equal(coarse.coords[parent], expected)
        assert len(coarse) == len(torch.unique(expected, dim=0))
        assert torch.equal(slot, ((grid.coords[:, 1:] & 1) * torch.tensor([4, 2, 1])).sum(1))
        assert torch.equal(grid.children[parent, slot].long(), torch.arange(len(grid)))
        assert (grid.children >= 0).sum() == len(grid)
        assert grid.down()[0] is coarse
        grid = coarse


def test_levels_are_built_once():
    grid = grid_of(SHAPES["cloud"])
    assert grid.down()[0] is grid.down()[0] and grid.neighbors is grid.neighbors


def test_permuted_voxels_give_the_same_grid():
    coords = SHAPES["scenes"]
    order = torch.randperm(len(coords))
    (grid, inverse), (other, other_inverse) = VoxelGrid.from_coords(coords), VoxelGrid.from_coords(coords[order])
    assert torch.equal(grid.coords, other.coords)
    assert torch.equal(inverse[order], other_inverse)


def test_empty():
    grid = grid_of(torch.empty(0, 4, dtype=torch.int64))
    assert len(grid) == 0 and grid.neighbors.shape == (0, 27) and len(grid.down()[0]) == 0


def test_extent_beyond_62_bits_is_the_users_mistake():
    with pytest.raises(InputError, match="larger voxels"):
        grid_of(torch.tensor([[0, -(2**30), -(2**30), -(2**30)], [0, 2**30, 2**30, 2**30]]))
