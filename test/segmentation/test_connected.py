import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation import connected
from instseg3d_ros.segmentation.connected import (
    connected_numpy,
    split_by_density,
    split_connected,
    split_voxels,
)
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.native import kernels


@pytest.fixture(params=["native", "numpy"])
def split(request):
    if request.param == "numpy":
        return connected_numpy
    if not kernels.available("connected"):
        pytest.skip("no C++ compiler")
    return split_connected


def by_definition(labels, coords, gap):
    apart = np.abs(coords[:, None] - coords[None]).max(axis=2)
    left, right = np.nonzero((apart <= gap) & (labels[:, None] == labels))
    parts = connected_components(coo_matrix((np.ones(len(left)), (left, right)), (len(labels),) * 2))[1]
    order = {}
    return np.array([order.setdefault(part, len(order)) for part in parts])


@pytest.mark.parametrize("gap", [1, 2, 3, 7])
@pytest.mark.parametrize("extent", [8, 25, 60])
def test_parts_are_those_of_the_definition(split, gap, extent):
    rng = np.random.default_rng(gap * extent)
    coords = np.unique(rng.integers(-extent, extent, (400, 3)), axis=0).astype(np.int32)
    coords = rng.permutation(coords)
    labels = rng.integers(0, 4, len(coords)) * 1000 - 5
    assert np.array_equal(split(labels, coords, gap), by_definition(labels, coords, gap))


def test_pairs_touch_up_to_the_gap_in_any_direction(split):
    for offset in [(3, 0, 0), (0, -3, 0), (3, 3, 0), (-3, 3, -3), (2, 3, 1), (3, -3, 2)]:
        for start in range(4):  # wherever the blocks begin
            pair = np.array([(start, start, start), np.add(offset, start)])
            assert split(np.zeros(2, int), pair, 3).tolist() == [0, 0]
            assert split(np.zeros(2, int), pair, 2).tolist() == [0, 1]


def test_coordinates_far_apart(split):
    far = 2**29
    coords = np.array([(-far, -far, -far), (far, far, far), (far - 2, far, far), (0, 0, far), (-far, -far, 1 - far)])
    assert split(np.zeros(5, int), coords, 3).tolist() == [0, 1, 1, 2, 0]


def test_a_gap_of_zero_cuts_nothing():
    labels = np.array([7, -2, 7, 0])
    assert split_connected(labels, np.arange(12).reshape(4, 3) * 100, 0).tolist() == [0, 1, 0, 2]


def test_nothing_to_split():
    assert split_connected(np.zeros(0, int), np.zeros((0, 3), int)).shape == (0,)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("gap", [0, 1, 3])
def test_voxels_of_a_grid(native, gap, monkeypatch):
    """Across the borders of the grid's blocks, with voxels that belong to none."""
    if not native:
        monkeypatch.setenv("INSTSEG3D_NATIVE", "0")
    elif not kernels.available("connected"):
        pytest.skip("no C++ compiler")
    rng = np.random.default_rng(gap)
    xyz = np.concatenate((rng.integers(-12, 12, (2000, 3)), rng.integers(250, 262, (500, 3))))
    coords = torch.from_numpy(np.concatenate((np.zeros((len(xyz), 1), int), xyz), axis=1))
    grid = VoxelGrid.from_coords(coords)[0]
    labels = rng.integers(-1, 3, len(grid))
    parts = split_voxels(labels, grid, gap)
    inside = labels >= 0
    assert (parts[~inside] == -1).all()
    assert np.array_equal(parts[inside], split_connected(labels[inside], grid.coords[inside, 1:].numpy(), gap))
    if gap:
        assert np.array_equal(parts[inside], by_definition(labels[inside], grid.coords[inside, 1:].numpy(), gap))


def row(places):
    """Labels and grid of voxels at these x, all with the same label."""
    coords = torch.tensor([[0, x, 0, 0] for x in places])
    return np.zeros(len(places), int), VoxelGrid.from_coords(coords)[0]


def test_sparse_parts_are_joined_over_one_voxel_more():
    labels, grid = row([0, 1, 3, 5, 8])
    assert split_by_density(labels, grid, np.full(5, 9), 1).tolist() == [0, 0, 1, 2, 3]
    assert split_by_density(labels, grid, np.full(5, 2), 1).tolist() == [0, 0, 0, 0, 1]
    assert split_by_density(labels, grid, np.full(5, 2), 2).tolist() == [0, 0, 0, 0, 0]


def test_a_dense_part_is_joined_to_none():
    labels, grid = row([0, 2, 4, 6])
    parts = split_by_density(labels, grid, np.array([2, 2, 9, 2]), 1)
    assert parts[0] == parts[1] and len({parts[0], parts[2], parts[3]}) == 3


def test_the_density_of_a_part_is_its_mean():
    labels, grid = row([0, 1, 3])
    assert split_by_density(labels, grid, np.array([1, 4, 1]), 1).tolist() == [0, 0, 0]
    assert len(set(split_by_density(labels, grid, np.array([1, 6, 1]), 1))) == 2


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_density_keeps_labels_apart_and_what_has_none_out(gap):
    rng = np.random.default_rng(5)
    coords = torch.from_numpy(np.concatenate((np.zeros((900, 1), int), rng.integers(-12, 12, (900, 3))), axis=1))
    grid = VoxelGrid.from_coords(coords)[0]
    labels, counts = rng.integers(-1, 4, len(grid)), rng.integers(1, 6, len(grid))
    parts, strict = split_by_density(labels, grid, counts, gap), split_voxels(labels, grid, gap)
    assert np.array_equal(parts < 0, labels < 0)
    assert np.array_equal(np.unique(parts[parts >= 0]), np.arange(parts.max() + 1))
    for part in range(parts.max() + 1):
        assert len(set(labels[parts == part])) == 1
    for part in range(strict.max() + 1):  # nothing is cut that the gap had not
        assert len(set(parts[strict == part])) == 1
    assert gap == 0 or parts.max() < strict.max()


def test_density_with_and_without_the_kernel(monkeypatch):
    if not kernels.available("connected"):
        pytest.skip("no C++ compiler")
    rng = np.random.default_rng(6)
    for spread in (6, 12, 30):
        coords = np.concatenate((np.zeros((900, 1), int), rng.integers(-spread, spread, (900, 3))), axis=1)
        grid = VoxelGrid.from_coords(torch.from_numpy(coords))[0]
        labels, counts = rng.integers(-1, 3, len(grid)), rng.integers(1, 6, len(grid))
        compiled = split_by_density(labels, grid, counts, 1)
        with monkeypatch.context() as plain:
            plain.setenv("INSTSEG3D_NATIVE", "0")
            assert np.array_equal(compiled, split_by_density(labels, grid, counts, 1))


def test_no_voxels_of_a_grid():
    grid = VoxelGrid.from_coords(torch.zeros((0, 4), dtype=torch.int64))[0]
    for split in (split_voxels, lambda labels, grid, gap: split_by_density(labels, grid, np.zeros(0), gap)):
        assert split(np.zeros(0, int), grid, 1).shape == (0,)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="gap is -1"):
        split_connected(np.zeros(2, int), np.zeros((2, 3), int), -1)
    with pytest.raises(InputError, match="shape"):
        split_connected(np.zeros(2, int), np.zeros((3, 3), int))
    with pytest.raises(InputError, match="float"):
        split_connected(np.zeros(2, int), np.zeros((2, 3)))


@pytest.mark.parametrize("most", [1, 7, 40])
def test_blocks_of_many_voxels_are_compared_a_few_pairs_at_a_time(most, monkeypatch):
    """With a wide gap a block holds much of the cloud; all pairs of two blocks would not fit into memory."""
    rng = np.random.default_rng(0)
    coords = np.unique(rng.integers(0, 40, (300, 3)), axis=0)
    labels = rng.integers(0, 3, len(coords))
    expected = [connected_numpy(labels, coords, gap) for gap in (2, 5, 9)]
    monkeypatch.setattr(connected, "PAIRS", most)
    for gap, whole in zip((2, 5, 9), expected):
        assert np.array_equal(connected_numpy(labels, coords, gap), whole)
