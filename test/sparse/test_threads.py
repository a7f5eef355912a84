"""Compiled kernels give the same bits for any number of threads, for parallel callers, and in forked processes."""

import multiprocessing
import threading

import pytest
import torch

from instseg3d_ros.sparse import (
    BatchNormReLU,
    DownConv3d,
    SparseTensor,
    SubmanifoldConv3d,
    UpConv3d,
    k_nearest_neighbors,
    voxelize,
)
from instseg3d_ros.sparse.native import kernels

pytestmark = pytest.mark.skipif(bool(kernels.missing()), reason="no C++ compiler")


@pytest.fixture(autouse=True)
def _threads_afterwards():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def work(count=90_000):
    """All that a training step does, as a list of tensors."""
    torch.manual_seed(0)
    points = torch.rand(count, 3) * torch.tensor([4.0, 4.0, 0.3])
    layers = SubmanifoldConv3d(3, 20), BatchNormReLU(20), DownConv3d(20, 36), BatchNormReLU(36), UpConv3d(36, 7)
    stem, norm, down, down_norm, up = layers
    voxels = voxelize(points, points * 2, 0.1)
    x = stem(SparseTensor(voxels.features, voxels.grid))
    y = up(down_norm(down(norm(x))), x.grid).features
    gradients = torch.autograd.grad((y * y.detach()).mean(), [p for layer in layers for p in layer.parameters()])
    nearest = k_nearest_neighbors(voxels.positions, voxels.grid, 0.1, 6)
    return [y.detach(), voxels.positions, voxels.voxel_of_point, nearest, *gradients]


def same(results, expected):
    return all(torch.equal(a, b) for a, b in zip(results, expected))


def test_same_bits_on_any_number_of_threads():
    results = []
    for threads in (1, 2, 3, 7):
        torch.set_num_threads(threads)
        results.append(work())
    assert all(same(result, results[0]) for result in results[1:])


def small_work():
    """Without random numbers, which callers at once would share."""
    points = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(1))
    voxels = voxelize(points, points, 0.05)
    return [voxels.positions, voxels.grid.neighbors, k_nearest_neighbors(voxels.positions, voxels.grid, 0.05, 4)]


def test_callers_at_once():
    torch.set_num_threads(2)
    expected, results = small_work(), []
    callers = [threading.Thread(target=lambda: results.append(small_work())) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=120)
    assert len(results) == 3 and all(same(result, expected) for result in results)


def _in_a_child(queue):
    torch.set_num_threads(2)
    queue.put(float(small_work()[0].double().sum()))


def test_forked_processes_have_helpers_of_their_own():
    """As the workers of a data loader are, after the parent has used its threads."""
    torch.set_num_threads(2)
    expected = float(small_work()[0].double().sum())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_a_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0


def test_torch_on_one_thread_leaves_the_threads_of_kernels():
    torch.set_num_threads(3)
    with kernels.torch_on_one_thread():
        assert (torch.get_num_threads(), kernels.threads()) == (1, 3)
        with kernels.torch_on_one_thread():
            assert (torch.get_num_threads(), kernels.threads()) == (1, 3)
        assert (torch.get_num_threads(), kernels.threads()) == (1, 3)
    assert (torch.get_num_threads(), kernels.threads()) == (3, 3)
