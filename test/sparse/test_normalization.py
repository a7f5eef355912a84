import pytest
import torch
from sparse_clouds import grid_of, shapes
from torch import nn

from instseg3d_ros.sparse import BatchNormReLU, SparseTensor

GRID = grid_of(shapes()["cloud"])


def pair(dtype, channels=5):
    ours = BatchNormReLU(channels).to(dtype)
    with torch.no_grad():
        ours.weight.uniform_(0.5, 2)
        ours.bias.normal_()
        ours.running_mean.normal_()
        ours.running_var.uniform_(0.5, 2)
    theirs = nn.BatchNorm1d(channels, eps=1e-4, momentum=0.01).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("channels", [1, 5, 16, 48])
def test_equals_batch_norm_and_relu(training, dtype, channels, kernels):
    ours, theirs = pair(dtype, channels)
    ours.train(training), theirs.train(training)
    x = (torch.randn(len(GRID), channels, dtype=dtype) * 3 + 1).requires_grad_()
    y, expected = ours(SparseTensor(x, GRID)).features, torch.relu(theirs(x))
    torch.testing.assert_close(y, expected)
    direction = torch.randn_like(y)
    got = torch.autograd.grad(y, (x, ours.weight, ours.bias), direction)
    want = torch.autograd.grad(expected, (x, theirs.weight, theirs.bias), direction)
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b, rtol=1e-4 if dtype == torch.float32 else 1e-9, atol=1e-5)
    for a, b in zip(ours.buffers(), theirs.buffers()):
        torch.testing.assert_close(a, b)


def test_gradients_by_differences(kernels):
    ours, _ = pair(torch.float64, 3)
    grid = grid_of(shapes()["line"][:7])
    x = torch.randn(len(grid), 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ours(SparseTensor(x, grid)).features, (x,))


def test_a_single_voxel_trains_on_the_running_statistics(kernels):
    ours, theirs = pair(torch.float32)
    grid = grid_of(torch.zeros(1, 4, dtype=torch.int64))
    x = torch.randn(1, 5)
    before = [b.clone() for b in ours.buffers()]
    torch.testing.assert_close(ours.train()(SparseTensor(x, grid)).features, torch.relu(theirs.eval()(x)))
    assert all(torch.equal(a, b) for a, b in zip(before, ours.buffers()))


def test_inference_follows_the_statistics(kernels):
    ours, theirs = pair(torch.float32)
    x = torch.randn(len(GRID), 5)
    for _ in range(3):
        with torch.no_grad():
            y = ours.eval()(SparseTensor(x, GRID)).features
            torch.testing.assert_close(y, torch.relu(theirs.eval()(x)))
            ours.weight.add_(0.5), theirs.weight.add_(0.5)
            torch.testing.assert_close(ours(SparseTensor(x, GRID)).features, torch.relu(theirs(x)))
        ours.train()(SparseTensor(x * 3, GRID)), theirs.train()(x * 3)
