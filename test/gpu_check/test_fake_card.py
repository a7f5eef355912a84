"""The code for CUDA tensors on a simulated device: same answers, no tensor on the wrong device."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from fake_card import CUDA, FakeCard, OnCard, move

from instseg3d_ros.gpu_check import answers, layers, networks
from instseg3d_ros.gpu_check.clouds import demo_clouds
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.sparse import BatchNormReLU, engine, k_nearest_neighbors, voxelize
from instseg3d_ros.sparse.native import kernels


@pytest.fixture(scope="module")
def frame():
    return demo_clouds(2500)[0]


def test_the_disguise_refuses_what_cuda_refuses():
    with FakeCard() as card:
        x = torch.ones(3, device="cuda")
        assert x.device == CUDA and isinstance(x + 1, OnCard) and torch.zeros(2).to(x).device == CUDA
        for refused in (
            lambda: x.numpy(),
            lambda: np.asarray(x),
            lambda: kernels.call("kernel_map", "halve", 3, x, x, x, x),
        ):
            with pytest.raises((TypeError, RuntimeError)):
                refused()
        with pytest.raises(RuntimeError, match="expected all tensors on cuda"):
            x + torch.ones(3)
        assert x.cpu().numpy().sum() == 3 and float(x.sum()) == 3
    assert card.waits["cpu"] == 1 and card.waits["__float__"] == 1
    assert not torch.cuda.is_available() or torch.version.cuda


def test_segmenter_answers_as_on_the_cpu(frame, monkeypatch):
    """Every stage takes the way of CUDA tensors: gathered convolutions, neighbours by cells, mean shift in torch."""
    network, card, _ = networks.load("unet", frame, 16)
    card = dataclasses.replace(card, segmentation={**card.segmentation, "min_score": 0.0})  # objects of few points
    expected = Segmenter(copy.deepcopy(network), card, "cpu")(frame.points, frame.colors)
    taken = set()
    gathered = engine.engine_torch.GatherConvolution.forward

    def seen(ctx, features, *others):
        taken.add(type(features))
        return gathered(ctx, features, *others)

    monkeypatch.setattr(engine.engine_torch.GatherConvolution, "forward", staticmethod(seen))
    with FakeCard() as device:
        segmenter = Segmenter(move(network), card, "cuda", "torch")
        segmenter._stuff = segmenter._stuff.to("cuda")
        found = segmenter(frame.points, frame.colors)
    assert taken == {OnCard}
    assert answers.labels_alike(found, expected) == 100
    assert len(expected.instances) > 1 and answers.objects_alike([found], [expected]) == 100
    assert device.waits["synchronize"] >= 6  # one for each stage


def test_neighbors_by_cells(frame):
    points = torch.from_numpy(frame.points)
    here = voxelize(points, None, 0.02)
    expected = k_nearest_neighbors(here.positions, here.grid, 0.02, 8)
    with FakeCard():
        there = voxelize(points.to("cuda"), None, 0.02)
        found = k_nearest_neighbors(there.positions, there.grid, 0.02, 8).cpu()
    distances = [(here.positions[n] - here.positions[:, None]).norm(dim=2) for n in (found, expected)]
    torch.testing.assert_close(*distances)


@pytest.mark.parametrize("kind", ["unet", "resnet"])
def test_backbones(kind, frame):
    network, _, _ = networks.load(kind, frame, 4)
    with torch.inference_mode():
        expected = network.backbone(networks.inputs(frame, network.architecture)).features
    assert any(isinstance(module, BatchNormReLU) for module in network.modules())
    with FakeCard(), torch.inference_mode():
        x = networks.inputs(frame, network.architecture, CUDA)
        found = move(network).backbone(x).features
    assert layers.relative(found.as_subclass(torch.Tensor), expected) < 1e-4
