from types import SimpleNamespace

import pytest
import torch
from sparse_clouds import grid_of, shapes
from torch import nn

from instseg3d_ros.errors import InputError
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.backbone import resnet, unet
from instseg3d_ros.network.model import Network
from instseg3d_ros.sparse import BatchNormReLU, DownConv3d, SparseTensor, SubmanifoldConv3d, UpConv3d, engine, voxelize
from instseg3d_ros.sparse.native import build, kernels
from instseg3d_ros.sparse.precision import choose, reduced_precision

needs_bf16 = pytest.mark.skipif(not kernels.has_bf16(), reason="no bfloat16 instructions, or no compiler")


class Small(nn.Module):
    """Every kind of layer, with channels that fill vectors and that do not."""

    def __init__(self):
        super().__init__()
        self.stem = SubmanifoldConv3d(3, 18)
        self.norm, self.same = BatchNormReLU(18), SubmanifoldConv3d(18, 34)
        self.down_norm, self.down = BatchNormReLU(34), DownConv3d(34, 40)
        self.up_norm, self.up = BatchNormReLU(40), UpConv3d(40, 5)

    def forward(self, x):
        x = self.same(self.norm(self.stem(x)))
        return self.up(self.up_norm(self.down(self.down_norm(x))), x.grid).features


@needs_bf16
@pytest.mark.parametrize("name", ["cloud", "scenes", "one voxel", "line"])
def test_close_to_float32(name):
    grid = grid_of(shapes()[name])
    network, x = Small().eval(), SparseTensor(torch.randn(len(grid), 3), grid)
    with torch.no_grad():
        exact = network(x)
        with reduced_precision(torch.bfloat16):
            y = network(x)
        again = network(x)
    assert y.dtype == torch.float32 and not torch.equal(y, exact)
    assert (y - exact).norm() <= 0.02 * exact.norm()
    assert torch.equal(exact, again)


@needs_bf16
def test_what_the_heads_get_keeps_its_digits():
    """Features far from zero that vary by little are told apart: convolutions round, the closing norm does not."""
    grid = grid_of(shapes()["cloud"])
    network, x = unet(6, width=8).eval(), SparseTensor(torch.randn(len(grid), 6), grid)
    network.norm.weight.data.fill_(0.002)
    network.norm.bias.data.fill_(5.3)
    with torch.no_grad():
        exact = network(x).features
        with reduced_precision(torch.bfloat16):
            y = network(x).features
    assert y.dtype == torch.float32
    assert (y - exact).abs().mean() < 0.05 * exact.std(dim=0).mean() < 2**-8, "bfloat16 has steps of 2^-5 here"


@needs_bf16
def test_products_are_those_of_rounded_numbers():
    """A convolution equals the float64 convolution of inputs and weights rounded to bfloat16."""
    grid = grid_of(shapes()["cloud"])
    conv, x = SubmanifoldConv3d(16, 20), torch.randn(len(grid), 16).bfloat16()
    with torch.no_grad(), reduced_precision(torch.bfloat16):
        y = conv(SparseTensor(x, grid)).features
    conv.weight.data = conv.weight.data.bfloat16().double()
    torch.testing.assert_close(y.double(), conv(SparseTensor(x.double(), grid)).features.detach(), rtol=1e-4, atol=1e-4)


@needs_bf16
@pytest.mark.parametrize("name", ["cloud", "scenes", "one voxel", "line"])
@pytest.mark.parametrize("c_in, c_out", [(16, 20), (6, 5), (3, 4)])
def test_training_multiplies_rounded_numbers(name, c_in, c_out):
    """Values and gradients equal those in float64 of the rounded values."""

    def rounded(t, channels):
        return (t if channels % 2 else t.bfloat16()).double()  # an odd number of channels stays in float32

    grid = grid_of(shapes()[name])
    coarse = grid.down()[0]
    for conv, site, extra in (
        (SubmanifoldConv3d(c_in, c_out), grid, ()),
        (DownConv3d(c_in, c_out), grid, ()),
        (UpConv3d(c_in, c_out), coarse, (grid,)),
    ):

        def run(x, weight, conv=conv, site=site, extra=extra):
            return torch.func.functional_call(conv, {"weight": weight}, (SparseTensor(x, site), *extra)).features

        x = torch.randn(len(site), c_in, requires_grad=True)
        with torch.autocast("cpu", torch.bfloat16):
            y = run(x, conv.weight)
        assert y.dtype == torch.float32
        gradient = torch.randn_like(y)
        d_x, d_weight = torch.autograd.grad(y, (x, conv.weight), gradient)

        def exact(a, b, g, run=run):
            a, b = (t.detach().double().requires_grad_() for t in (a, b))
            value = run(a, b)
            return value.detach(), *torch.autograd.grad(value, (a, b), g.double())

        forward = exact(rounded(x, c_in), rounded(conv.weight, c_in), gradient)[0]
        back = exact(x, rounded(conv.weight, c_in * c_out), rounded(gradient, c_in * c_out))[1]
        torch.testing.assert_close(y.double(), forward, rtol=1e-4, atol=1e-4)
        if c_in % 2 == c_out % 2 == 0:
            torch.testing.assert_close(d_x.double(), back, rtol=1e-4, atol=1e-4)
        else:
            assert (d_x.double() - back).norm() <= 1e-2 * back.norm() + 1e-6
        d_exact = exact(rounded(x, c_in), conv.weight, rounded(gradient, c_in))[2]
        torch.testing.assert_close(d_weight.double(), d_exact, rtol=1e-4, atol=1e-4)


@needs_bf16
def test_a_network_in_mixed_precision_learns_what_float32_learns():
    """Heads and losses are float32, and the gradient points where that of float32 does."""
    grid = grid_of(shapes()["cloud"])
    torch.manual_seed(1)
    network = Network(Architecture(width=8, voxel_size=0.05, classes=5))
    positions = (grid.coords[:, 1:].float() + 0.5) * 0.05
    x, target = SparseTensor(torch.randn(len(grid), 6), grid), torch.randint(0, 5, (len(grid),))
    inputs = SimpleNamespace(x=x, voxels=voxelize(positions, None, 0.05))  # random features in place of colours
    gradients = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            output = network(inputs)
            assert output.logits.dtype == output.embedding.dtype == output.refined_embedding.dtype == torch.float32
            loss = nn.functional.cross_entropy(output.logits, target)
        network.zero_grad()
        loss.backward()
        parameters = [p for p in network.backbone.parameters() if p.grad is not None]
        assert all(p.grad.dtype == torch.float32 for p in parameters)
        gradients.append(torch.cat([p.grad.flatten() for p in parameters]))
    assert not torch.equal(*gradients)
    assert nn.functional.cosine_similarity(*gradients, dim=0) > 0.9  # few voxels, random targets: norms amplify


def test_float32_is_untouched():
    grid = grid_of(shapes()["cloud"])
    network, x = Small().eval(), SparseTensor(torch.randn(len(grid), 3), grid)
    with torch.no_grad():
        exact = network(x)
        with reduced_precision(torch.float32):
            assert torch.equal(network(x), exact)


def test_choices(monkeypatch):
    assert choose("fp32") == torch.float32
    assert choose("auto") in (torch.float32, torch.bfloat16)
    with pytest.raises(InputError, match="'fp16' needs CUDA"):
        choose("fp16")
    assert [choose(name, "cuda") for name in ("auto", "fp16", "bf16", "fp32")] == [
        torch.float16, torch.float16, torch.bfloat16, torch.float32,
    ]  # fmt: skip
    for device in ("cpu", "cuda"):
        with pytest.raises(InputError, match="'int8' is unknown; one of: auto, fp32, bf16, fp16"):
            choose("int8", device)
    monkeypatch.setenv(build.OFF, "0")
    assert choose("auto") == torch.float32
    with pytest.raises(InputError, match="fp32"):
        choose("bf16")


@pytest.mark.parametrize("make", [unet, resnet])
def test_float16_as_on_cuda(make, monkeypatch):
    """The way that CUDA takes, plain torch layers under autocast, on a CPU: float16 features, float32 statistics."""
    monkeypatch.setenv(build.OFF, "0")
    monkeypatch.setattr(engine.engine_torch, "Convolution", engine.engine_torch.GatherConvolution)
    torch.manual_seed(0)
    grid = grid_of(shapes()["scenes"])
    backbone, x = make(6, 8).eval(), SparseTensor(torch.randn(len(grid), 6), grid)
    with torch.inference_mode():
        exact = backbone(x).features
        with reduced_precision(torch.float16):
            y = backbone(x).features
            inside = backbone.levels(backbone.stem(x)).features
    assert exact.dtype == y.dtype == torch.float32 and inside.dtype == torch.float16
    norms = [module for module in backbone.modules() if isinstance(module, BatchNormReLU)]
    assert all(norm.running_mean.dtype == torch.float32 for norm in norms)
    assert (y - exact).norm() <= 0.01 * exact.norm()
