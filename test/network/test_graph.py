"""Graph layers against loops over equations 6 to 10."""

import pytest
import torch

from instseg3d_ros.network.graph import AttentionAggregator, GraphLayer, MeanAggregator


@pytest.fixture
def graph():
    torch.manual_seed(0)
    return torch.randn(20, 4, dtype=torch.float64), torch.randint(0, 20, (20, 5))


def attention_by_loop(layer, x, neighbors):
    out = torch.zeros_like(x)
    for i in range(len(x)):
        scores = []
        for j in neighbors[i]:  # equation 8: f on the concatenation [x_i, x_j]
            weight = torch.cat((layer.center.weight, layer.neighbor.weight), dim=1)
            hidden = torch.relu(weight @ torch.cat((x[i], x[j])) + layer.center.bias)
            scores.append((layer.score.weight @ hidden + layer.score.bias)[0])
        exponentials = [torch.exp(p) for p in scores]  # equation 9
        for e, j in zip(exponentials, neighbors[i]):
            out[i] += e / sum(exponentials) * x[j]  # equation 7
    return out


def test_attention_equals_equations_7_to_9(graph):
    x, neighbors = graph
    layer = AttentionAggregator(4).double()
    assert torch.allclose(layer(x, neighbors), attention_by_loop(layer, x, neighbors), atol=1e-12)


def test_mean_equals_equation_6(graph):
    x, neighbors = graph
    expected = torch.stack([sum(x[j] for j in row) / len(row) for row in neighbors])
    assert torch.allclose(MeanAggregator(4)(x, neighbors), expected, atol=1e-12)


@pytest.mark.parametrize("aggregator", ["attention", "mean"])
def test_layer_equals_equation_10(graph, aggregator):
    x, neighbors = graph
    layer = GraphLayer(4, aggregator).double()
    torch.nn.init.normal_(layer.update.weight)
    aggregate = layer.aggregate(x, neighbors)
    expected = torch.stack([torch.cat((x[i], aggregate[i])) @ layer.update.weight.T for i in range(len(x))])
    assert torch.allclose(layer(x, neighbors), expected, atol=1e-12)
    assert layer.update.bias is None


def test_gradients(graph):
    x, neighbors = graph
    layer = GraphLayer(4).double()
    assert torch.autograd.gradcheck(lambda v: layer(v, neighbors[:6] % 6), (x[:6].clone().requires_grad_(),))


@pytest.mark.parametrize("dim", [4, 6])
@pytest.mark.parametrize("dtype, close", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_inference_equals_training(dim, dtype, close):
    torch.manual_seed(0)
    x, neighbors = torch.randn(2000, dim, dtype=dtype), torch.randint(0, 2000, (2000, 8))
    neighbors[:, 0] = torch.arange(2000)
    layer = GraphLayer(dim).to(dtype)
    torch.nn.init.normal_(layer.update.weight)
    with torch.inference_mode():
        found = layer(x, neighbors)
        assert torch.equal(found, layer(x, neighbors))
    assert torch.allclose(found, layer(x, neighbors), atol=close)


@pytest.mark.parametrize("aggregator", ["attention", "mean"])
@pytest.mark.parametrize("grad", [True, False])
def test_some_points_alone(graph, aggregator, grad):
    x, neighbors = graph
    neighbors[:, 0] = torch.arange(20)
    layer, rows = GraphLayer(4, aggregator).double(), torch.tensor([7, 2, 19])
    with torch.set_grad_enabled(grad):
        assert torch.allclose(layer(x, neighbors[rows]), layer(x, neighbors)[rows], atol=1e-12)


def test_every_weight_has_a_gradient(graph):  # distributed training asks for it
    x, neighbors = graph
    layer = GraphLayer(4).double()
    layer(x, neighbors).sum().backward()
    assert all(weight.grad is not None for weight in layer.parameters())
