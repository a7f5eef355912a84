import pytest
import torch

from instseg3d_ros.sparse import attend


def case(count=40, k=5, features=4, hidden=8, dtype=torch.float64):
    sizes = (count, features), (count, hidden), (count, hidden), (hidden,)
    inputs = [torch.randn(size, dtype=dtype, requires_grad=True) for size in sizes]
    neighbors = torch.randint(0, count, (count, k))
    neighbors[:, 0] = torch.arange(count)
    neighbors[3] = 3  # a point whose neighbours are all itself
    return inputs, neighbors


def by_loop(x, center, neighbor, score, neighbors):
    rows = []
    for i, near in enumerate(neighbors):
        scores = torch.stack([score @ torch.relu(center[i] + neighbor[j]) for j in near])
        rows.append(scores.softmax(0) @ x[near])
    return torch.stack(rows)


@pytest.mark.parametrize("sizes", [(4, 8), (4, 5), (7, 3), (1, 1)])
def test_equals_the_equations(sizes, kernels):
    inputs, neighbors = case(features=sizes[0], hidden=sizes[1])
    y, expected = attend(*inputs, neighbors), by_loop(*inputs, neighbors)
    torch.testing.assert_close(y, expected)
    direction = torch.randn_like(y)
    got, want = torch.autograd.grad(y, inputs, direction), torch.autograd.grad(expected, inputs, direction)
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("sizes", [(4, 8), (3, 2)])
def test_gradients_by_differences(sizes, kernels):
    inputs, neighbors = case(count=9, k=3, features=sizes[0], hidden=sizes[1])
    assert torch.autograd.gradcheck(lambda *inputs: attend(*inputs, neighbors), inputs)


def test_large_scores_do_not_overflow(kernels):
    inputs, neighbors = case(dtype=torch.float32)
    inputs[3] = torch.full_like(inputs[3], 1e4)
    assert attend(*inputs, neighbors).isfinite().all()


def test_same_bits_on_any_number_of_threads(kernels):
    inputs, neighbors = case(count=5000, k=8, dtype=torch.float32)
    results, before = [], torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        y = attend(*inputs, neighbors)
        results.append((y, *torch.autograd.grad(y.square().sum(), inputs)))
    torch.set_num_threads(before)
    if kernels == "native":
        assert all(torch.equal(a, b) for result in results[1:] for a, b in zip(result, results[0]))


def test_empty(kernels):
    inputs, neighbors = case(count=4)
    inputs = [t[:0] if t.ndim == 2 else t for t in inputs]
    assert attend(*inputs, neighbors[:0]).shape == (0, 4)
