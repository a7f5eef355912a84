import pytest
import torch
from sparse_clouds import shapes

from instseg3d_ros.sparse import k_nearest_neighbors, voxelize
from instseg3d_ros.sparse.nearest import by_cells, unseen

SIZE = 0.25


def all_by_cells(positions, grid, size, k):
    return by_cells(positions, grid, size, k, torch.arange(len(grid)))


def brute(positions, batch, k):
    distance = torch.cdist(positions.double(), positions.double(), compute_mode="donot_use_mm_for_euclid_dist")
    distance[batch[:, None] != batch] = torch.inf
    distance.fill_diagonal_(-1)
    nearest = distance.sort(1)[0][:, :k]
    return torch.where(nearest.isinf(), -1, nearest)


def assert_nearest(found, positions, batch, k):
    """Distances equal those of a full search (rows may differ at equal distances); the point itself is first."""
    assert found.shape == (len(positions), k) and found.dtype == torch.int64
    assert torch.equal(found[:, 0], torch.arange(len(found)))
    assert torch.equal(batch[found], batch[:, None].expand(-1, k))
    distance = (positions.double()[found] - positions.double()[:, None]).norm(dim=-1)
    distance[:, 0] = -1
    expected = brute(positions, batch, k)
    short = torch.nn.functional.pad(expected, (0, k - expected.shape[1]), value=-1)
    repeats = (found == found[:, :1]) & (torch.arange(k) > 0)
    distance[repeats] = -1
    torch.testing.assert_close(distance, short, rtol=1e-5, atol=1e-6)
    for row in found.tolist():
        others = [r for r in row if r != row[0]]
        assert len(set(others)) == len(others)


@pytest.mark.parametrize("k", [1, 4, 8])
@pytest.mark.parametrize("name", shapes())
@pytest.mark.parametrize("search", [k_nearest_neighbors, all_by_cells])
def test_equals_brute_force(name, k, search, kernels):
    coords = shapes()[name]
    points = (coords[:, 1:] + torch.rand(len(coords), 3)) * SIZE
    voxels = voxelize(points.float(), None, SIZE, coords[:, 0])
    assert_nearest(search(voxels.positions, voxels.grid, SIZE, k), voxels.positions, voxels.grid.batch, k)


@pytest.mark.parametrize("search", [k_nearest_neighbors, all_by_cells])
def test_sparse_and_dense_together(search, kernels):
    """A dense lump, points many voxels apart, and a second scene over the first."""
    points = torch.cat((torch.rand(2000, 3) * 2, torch.rand(150, 3) * 40 - 20, torch.rand(60, 3) * 500))
    batch = torch.cat((torch.zeros(2100), torch.ones(110))).long()
    voxels = voxelize(points, None, SIZE, batch)
    assert_nearest(search(voxels.positions, voxels.grid, SIZE, 8), voxels.positions, voxels.grid.batch, 8)


def test_no_points(kernels):
    voxels = voxelize(torch.empty(0, 3), None, SIZE)
    assert k_nearest_neighbors(voxels.positions, voxels.grid, SIZE, 4).shape == (0, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("search", [k_nearest_neighbors, by_cells])
def test_some_rows_alone(search, dtype, kernels):
    """In any order; a lump, and points that only a wider search or a tree finds the neighbours of."""
    points = torch.cat((torch.rand(3000, 3) * 3, torch.rand(100, 3) * 60 - 30)).to(dtype)
    voxels = voxelize(points, None, SIZE)
    everything = k_nearest_neighbors(voxels.positions, voxels.grid, SIZE, 8)
    rows = torch.randperm(len(voxels.grid))[: len(voxels.grid) // 3]
    assert torch.equal(search(voxels.positions, voxels.grid, SIZE, 8, rows), everything[rows])
    assert search(voxels.positions, voxels.grid, SIZE, 8, rows[:0]).shape == (0, 8)


def test_unseen_are_named_once(kernels):
    seen = torch.tensor([1, 0, 0, 1, 0, 0], dtype=torch.uint8)
    new = unseen(torch.tensor([[0, 4], [4, 1], [3, 1]]), seen)
    assert sorted(new.tolist()) == [1, 4]
    assert seen.tolist() == [1, 1, 0, 1, 1, 0]
    assert not len(unseen(torch.tensor([[4, 0]]), seen))
