import pytest
import torch
import torch.nn.functional as F
from sparse_clouds import grid_of, shapes

from instseg3d_ros.sparse import DownConv3d, SparseTensor, SubmanifoldConv3d, UpConv3d, VoxelGrid, engine_torch
from instseg3d_ros.sparse.kernel_map import KernelMap
from instseg3d_ros.sparse.native import build

SHAPES = shapes()
DENSE = [name for name in SHAPES if name not in ("far", "isolated")]  # their volume is too large to be dense


def to_dense(features, grid):
    """(scenes, C, X, Y, Z) and the coordinates of its corner, which are even, so that halving keeps it."""
    coords = grid.coords.long()
    corner = (coords[:, 1:].amin(0) - 2) // 2 * 2
    size = ((coords[:, 1:].amax(0) - corner + 4) // 2 * 2).tolist()
    index = (coords[:, 0], *(coords[:, 1:] - corner).unbind(1))
    dense = features.new_zeros(grid.num_scenes, *size, features.shape[1]).index_put(index, features)
    return dense.permute(0, 4, 1, 2, 3), corner


def at(dense, coords, corner):
    coords = coords.long()
    x, y, z = (coords[:, 1:] - corner).unbind(1)
    return dense[coords[:, 0], :, x, y, z]


def features(grid, channels, dtype=torch.float64):
    return torch.randn(len(grid), channels, dtype=dtype, requires_grad=True)


def kernel(weight):
    return weight.permute(0, 4, 1, 2, 3)


def assert_same(outputs, expected, inputs, tolerance=1e-10):
    """Values and the gradients of a random projection agree."""
    torch.testing.assert_close(outputs, expected, rtol=tolerance, atol=tolerance)
    direction = torch.randn_like(expected)
    got, want = (torch.autograd.grad(y, inputs, direction, retain_graph=True) for y in (outputs, expected))
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", DENSE)
def test_submanifold_equals_dense(name, kernels):
    grid = grid_of(SHAPES[name])
    conv = SubmanifoldConv3d(3, 5).double()
    x = features(grid, 3)
    dense, corner = to_dense(x, grid)
    expected = at(F.conv3d(dense, kernel(conv.weight), padding=1), grid.coords, corner)
    assert_same(conv(SparseTensor(x, grid)).features, expected, (x, conv.weight))


@pytest.mark.parametrize("name", DENSE)
def test_down_and_up_equal_dense(name, kernels):
    grid = grid_of(SHAPES[name])
    down, up = DownConv3d(3, 4).double(), UpConv3d(4, 2).double()
    x = features(grid, 3)
    dense, corner = to_dense(x, grid)
    coarse = down(SparseTensor(x, grid))
    expected = at(F.conv3d(dense, kernel(down.weight), stride=2), coarse.grid.coords, corner // 2)
    assert_same(coarse.features, expected, (x, down.weight))

    y = features(coarse.grid, 4)
    dense = to_dense(y, coarse.grid)[0]
    corner = (coarse.grid.coords[:, 1:].long().amin(0) - 2) // 2 * 4
    expected = F.conv_transpose3d(dense, up.weight.permute(4, 0, 1, 2, 3), stride=2)
    assert_same(up(SparseTensor(y, coarse.grid), grid).features, at(expected, grid.coords, corner), (y, up.weight))


@pytest.mark.parametrize("name", SHAPES)
def test_gradients_by_differences(name, kernels):
    grid = grid_of(SHAPES[name][:12])
    coarse = grid.down()[0]
    for conv, site, extra in (
        (SubmanifoldConv3d(2, 3), grid, ()),
        (DownConv3d(2, 3), grid, ()),
        (UpConv3d(2, 3), coarse, (grid,)),
    ):
        conv = conv.double()

        def run(x, weight, conv=conv, site=site, extra=extra):
            return torch.func.functional_call(conv, {"weight": weight}, (SparseTensor(x, site), *extra)).features

        assert torch.autograd.gradcheck(run, (features(site, 2), conv.weight))


@pytest.mark.parametrize("name", SHAPES)
def test_both_torch_ways_agree(name, monkeypatch):
    """One operation per offset (CPU) and one product of gathered rows (GPU), in small chunks."""
    monkeypatch.setattr(engine_torch, "GATHERED", 500)
    grid = grid_of(SHAPES[name])
    for kernel_map in (KernelMap.submanifold(grid), KernelMap.down(grid), KernelMap.up(grid)):
        side = 3 if kernel_map.offsets == 27 else 2
        x = torch.randn(kernel_map.sizes[0], 3, dtype=torch.float64, requires_grad=True)
        weight = torch.randn(4, side, side, side, 3, dtype=torch.float64, requires_grad=True)
        gathered = engine_torch.GatherConvolution.apply(x, weight, kernel_map)
        assert_same(gathered, engine_torch.Convolution.apply(x, weight, kernel_map), (x, weight))


@pytest.mark.parametrize("name", ["far", "isolated", "scenes"])
def test_voxels_apart_do_not_meet(name, kernels):
    """Each connected part alone gives the same numbers as all together."""
    coords = torch.unique(SHAPES[name], dim=0)
    grid = grid_of(coords)
    conv = SubmanifoldConv3d(4, 4)
    x = features(grid, 4, torch.float32)
    together = conv(SparseTensor(x, grid)).features
    part_of = grid.coords[:, 0] if name == "scenes" else (grid.coords[:, 1] + 32) // 64
    for part in part_of.unique():
        rows = torch.nonzero(part_of == part).squeeze(1)
        alone, inverse = VoxelGrid.from_coords(grid.coords[rows].long())
        y = torch.empty(len(rows), 4)
        y[inverse] = x.detach()[rows]
        torch.testing.assert_close(conv(SparseTensor(y, alone)).features[inverse], together[rows])


def test_only_wanted_gradients(kernels):
    grid = grid_of(SHAPES["cloud"])
    conv = SubmanifoldConv3d(3, 3)
    conv(SparseTensor(torch.randn(len(grid), 3), grid)).features.sum().backward()
    assert conv.weight.grad is not None
    conv.weight.requires_grad_(False)
    x = features(grid, 3, torch.float32)
    conv(SparseTensor(x, grid)).features.sum().backward()
    assert x.grad is not None


def test_same_bits_every_time(kernels):
    grid = grid_of(torch.randint(0, 24, (6000, 4)) * torch.tensor([0, 1, 1, 1]))
    conv = SubmanifoldConv3d(16, 16)
    x = features(grid, 16, torch.float32)
    runs = []
    for _ in range(4):
        y = conv(SparseTensor(x, grid)).features
        runs.append((y, *torch.autograd.grad(y.square().sum(), (x, conv.weight))))
    assert all(torch.equal(a, b) for run in runs[1:] for a, b in zip(run, runs[0]))


def test_up_refuses_another_grid():
    grid, other = grid_of(SHAPES["cloud"]), grid_of(SHAPES["plane"])
    with pytest.raises(ValueError, match="fine_grid"):
        UpConv3d(2, 2)(SparseTensor(torch.zeros(len(other.down()[0]), 2), other.down()[0]), grid)


def test_autocast_of_plain_torch_computes_in_the_lower_type(monkeypatch):
    """Without compiled kernels; `test_precision` tests the rounding with them."""
    monkeypatch.setenv(build.OFF, "0")
    grid = grid_of(SHAPES["cloud"])
    conv, x = SubmanifoldConv3d(4, 4), features(grid, 4, torch.float32)
    exact = conv(SparseTensor(x, grid)).features
    with torch.autocast("cpu", torch.bfloat16):
        y = conv(SparseTensor(x, grid)).features
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), exact, rtol=0.1, atol=0.1)
    y.float().sum().backward()
    assert x.grad.dtype == conv.weight.grad.dtype == torch.float32


def test_empty(kernels):
    grid = grid_of(torch.empty(0, 4, dtype=torch.int64))
    y = DownConv3d(3, 4)(SubmanifoldConv3d(3, 3)(SparseTensor(torch.empty(0, 3), grid)))
    assert UpConv3d(4, 2)(y, grid).features.shape == (0, 2)


def test_inference_follows_the_weights(kernels):
    """Data cached between calls is dropped if the weights change in place, are replaced, or are trained."""
    grid = grid_of(SHAPES["cloud"])
    conv, x = SubmanifoldConv3d(4, 6).eval(), SparseTensor(torch.randn(len(grid), 4), grid)

    def check():
        with torch.no_grad():
            y = conv(x).features
        torch.testing.assert_close(y, conv(x).features.detach())

    check()
    with torch.no_grad():
        conv.weight.mul_(2)
    check()
    conv.load_state_dict({"weight": torch.randn_like(conv.weight)})
    check()
    conv.weight = torch.nn.Parameter(torch.randn_like(conv.weight))
    check()
    conv.train()
    conv.weight.data.add_(1)
    conv.eval()
    check()
    conv.double()
    x = x.replace(x.features.double())
    check()
