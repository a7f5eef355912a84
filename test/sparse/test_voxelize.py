import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.native import build


def cloud(count=500, scenes=2):
    points = torch.randn(count, 3) * torch.tensor([1.0, 2.0, 0.3]) - 0.5
    return points, torch.rand(count, 3), torch.randint(0, scenes, (count,))


def test_means_counts_and_the_way_back(kernels):
    points, colors, batch = cloud()
    voxels = voxelize(points, colors, 0.2, batch)
    cells = torch.cat((batch[:, None], torch.floor(points.double() / 0.2).long()), 1)
    assert torch.equal(voxels.grid.coords[voxels.voxel_of_point].long(), cells)
    assert voxels.counts.sum() == len(points) and voxels.counts.min() > 0
    for row in range(0, len(voxels.grid), 17):
        mine = voxels.voxel_of_point == row
        assert mine.sum() == voxels.counts[row]
        torch.testing.assert_close(voxels.positions[row], points[mine].mean(0))
        torch.testing.assert_close(voxels.features[row], colors[mine].mean(0))


def test_permuted_points_give_the_same_voxels(kernels):
    points, colors, batch = cloud()
    order = torch.randperm(len(points))
    a, b = voxelize(points, colors, 0.1, batch), voxelize(points[order], colors[order], 0.1, batch[order])
    assert torch.equal(a.grid.coords, b.grid.coords)
    assert torch.equal(a.voxel_of_point[order], b.voxel_of_point)
    torch.testing.assert_close(a.positions, b.positions)
    torch.testing.assert_close(a.features, b.features)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 2e4])
def test_positions_lie_in_their_voxels(scale, kernels):
    points = torch.randn(300, 3) * scale
    voxels = voxelize(points, None, 0.05)
    assert voxels.features is None
    offset = voxels.positions.double() - voxels.grid.coords[:, 1:] * 0.05
    rounding = points.abs().max() * 1e-6
    assert (offset >= -rounding).all() and (offset <= 0.05 + rounding).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
def test_points_out_of_range_are_the_users_mistake(bad, kernels):
    points = torch.zeros(5, 3)
    points[3, 1] = bad
    with pytest.raises(InputError, match="finite" if bad != 1e9 else "larger voxels") as error:
        voxelize(points, None, 0.01)
    assert "\n" not in str(error.value)


def test_bad_options():
    with pytest.raises(InputError, match="voxel size"):
        voxelize(torch.zeros(1, 3), None, 0.0)
    with pytest.raises(InputError, match="engine"):
        voxelize(torch.zeros(1, 3), None, 0.1, engine="minkowski")


def test_no_points(kernels):
    voxels = voxelize(torch.empty(0, 3), torch.empty(0, 3), 0.1)
    assert len(voxels.grid) == 0 and voxels.positions.shape == voxels.features.shape == (0, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_points_as_few(dtype, monkeypatch):
    """Enough points to be taken in parts, which share voxels: the same voxels as by plain torch operations."""
    points = (torch.randn(150_000, 3) * torch.tensor([6.0, 3.0, 0.5])).to(dtype)
    batch = torch.randint(0, 3, (len(points),))
    native = voxelize(points, points[:, :2] * 2, 0.25, batch)
    monkeypatch.setenv(build.OFF, "0")
    plain = voxelize(points, points[:, :2] * 2, 0.25, batch)
    for name in ("codes", "blocks"):
        assert torch.equal(getattr(native.grid, name), getattr(plain.grid, name))
    assert torch.equal(native.voxel_of_point, plain.voxel_of_point) and torch.equal(native.counts, plain.counts)
    torch.testing.assert_close(native.positions, plain.positions)
    torch.testing.assert_close(native.features, plain.features)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_features_of_bytes(dtype, kernels):
    points, _, batch = cloud()
    colors = torch.randint(0, 256, points.shape, dtype=torch.uint8)
    voxels = voxelize(points.to(dtype), colors, 0.2, batch)
    expected = voxelize(points.to(dtype), colors.to(dtype), 0.2, batch)
    assert voxels.features.dtype == dtype and torch.equal(voxels.features, expected.features)
