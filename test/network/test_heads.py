"""The kernel of both heads against the layers of the network."""

import pytest
import torch
from torch import nn

from instseg3d_ros.network.heads import read_heads
from instseg3d_ros.network.inputs import NetworkInput
from instseg3d_ros.network.model import anchor, head
from instseg3d_ros.sparse.native import kernels

pytestmark = pytest.mark.skipif(not kernels.available("heads"), reason="no C++ compiler")


class Heads(nn.Module):
    """What `Network` has after its backbone."""

    def __init__(self, width=4, classes=3, embedding=4, anchored=True):
        super().__init__()
        self.semantic_head, self.embedding_head = head(width, classes), head(width, embedding)
        self.anchor = anchor(embedding) if anchored else None


def both(width=16, classes=22, embedding=4, anchored=True, voxels=1000, limit=0.5):
    """The answers (probability, embedding, things) of the kernel and of the layers in float64, for random weights."""
    torch.manual_seed(width + classes)
    network = Heads(width, classes, embedding, anchored)
    points = torch.rand(voxels, 3) * 3
    inputs = NetworkInput.of_points(points, None, 0.01, "position_color")
    features = torch.randn(len(inputs.voxels.grid), width)
    shift, stuff = torch.randn(classes), torch.arange(classes)[::3]
    with torch.inference_mode():
        found = read_heads(network, features, inputs, shift, stuff, limit)
        exact = network.double()
        probability = (exact.semantic_head(features.double()) - shift).softmax(dim=1)
        embedded = exact.embedding_head(features.double())
        if exact.anchor is not None:
            embedded = embedded + exact.anchor(inputs.position.double())
    things = (probability[:, stuff].sum(dim=1) <= limit).nonzero().squeeze(1)
    return found, (probability, embedded, things)


@pytest.mark.parametrize("anchored", [True, False])
@pytest.mark.parametrize("width, classes, embedding", [(16, 22, 4), (4, 1, 1), (32, 8, 9), (20, 37, 3)])
def test_one_pass_equals_the_layers(width, classes, embedding, anchored):
    found, expected = both(width, classes, embedding, anchored)
    for ours, exact in zip(found[:2], expected[:2]):
        assert torch.allclose(ours.double(), exact, rtol=1e-4, atol=1e-5)
    assert torch.equal(found[2], expected[2])


@pytest.mark.parametrize("voxels", [1, 5, 63, 64, 65, 129])
def test_any_number_of_voxels(voxels):
    found, expected = both(classes=3, voxels=voxels)
    assert torch.allclose(found[0].double(), expected[0], rtol=1e-4, atol=1e-5)
    assert torch.allclose(found[1].double(), expected[1], rtol=1e-4, atol=1e-5)
    assert torch.equal(found[2], expected[2])


def test_the_number_of_threads_changes_no_bit():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = both(voxels=5000)[0]
        torch.set_num_threads(3)
        assert all(map(torch.equal, alone, both(voxels=5000)[0]))
    finally:
        torch.set_num_threads(before)


def test_nothing_is_hidden_of_a_feature_that_is_not_a_number():
    network = Heads()
    inputs = NetworkInput.of_points(torch.rand(50, 3), None, 0.01, "position_color")
    features = torch.zeros(len(inputs.voxels.grid), 4)
    features[7, 2] = torch.nan
    with torch.inference_mode():
        probability, embedding, _ = read_heads(network, features, inputs, torch.zeros(3), torch.tensor([0]), 1.0)
    assert probability.isnan().any(dim=1).nonzero().tolist() == [[7]]
    assert embedding.isnan().any(dim=1).nonzero().tolist() == [[7]]


def test_training_takes_the_layers():
    network = Heads()
    inputs = NetworkInput.of_points(torch.rand(50, 3), None, 0.01, "position_color")
    assert read_heads(network, torch.zeros(50, 4), inputs, torch.zeros(3), torch.tensor([0]), 1.0) is None
