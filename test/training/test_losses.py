"""The cross entropy of a batch of scenes, against a loop that spells it, and the weights of its classes."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from instseg3d_ros.training.loading import class_share
from instseg3d_ros.training.module import class_weight, scene_cross_entropy
from instseg3d_ros.training.recipe import Recipe


def spelled(logits, semantic, batch, weight):
    """Voxel by voxel: −w log softmax, mean over the labelled voxels of a scene, mean over scenes."""
    scenes = []
    for scene in range(int(batch.max()) + 1):
        rows = [i for i in range(len(batch)) if batch[i] == scene and semantic[i] >= 0]
        terms = [-(1 if weight is None else weight[semantic[i]]) * logits[i].log_softmax(0)[semantic[i]] for i in rows]
        scenes.append(sum(terms) / len(terms) if terms else torch.zeros((), dtype=logits.dtype))
    return sum(scenes) / len(scenes)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_loop_in_value_and_gradient(weighted):
    generator = torch.Generator().manual_seed(3)
    count = 120
    logits = torch.randn(count, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    semantic = torch.randint(-1, 5, (count,), generator=generator)
    batch = torch.randint(0, 3, (count,), generator=generator).sort().values
    weight = torch.rand(5, generator=generator, dtype=torch.float64) if weighted else None
    results = []
    for function in (scene_cross_entropy, spelled):
        value = function(logits, semantic, batch, weight)
        results.append((value, *torch.autograd.grad(value, logits)))
    for mine, expected in zip(*results):
        assert torch.allclose(mine, expected, rtol=1e-12, atol=1e-14)


def test_without_weights_it_is_torchs_mean():
    logits, semantic = torch.randn(50, 4, dtype=torch.float64), torch.arange(50) % 4
    value = scene_cross_entropy(logits, semantic, torch.zeros(50, dtype=torch.int64))
    assert value.item() == pytest.approx(functional.cross_entropy(logits, semantic).item(), rel=1e-12)


def test_a_scene_without_labels_counts_as_zero():
    logits = torch.randn(6, 3, requires_grad=True)
    semantic = torch.tensor([0, 1, 2, -1, -1, -1])
    batch = torch.tensor([0, 0, 0, 1, 1, 1])
    value = scene_cross_entropy(logits, semantic, batch)
    expected = functional.cross_entropy(logits[:3], semantic[:3]) / 2
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    assert math.isfinite(logits.grad.abs().sum()) and not logits.grad[3:].any()


@pytest.mark.parametrize("rarity", [0.5, 1.0])
def test_rare_classes_weigh_more_and_a_point_weighs_one_on_average(rarity):
    share = np.array([0.64, 0.32, 0.04])
    weight = class_weight(share, rarity)
    assert (share * weight).sum() == pytest.approx(1)
    assert weight[2] / weight[0] == pytest.approx(16**rarity)
    assert weight[1] / weight[0] == pytest.approx(2**rarity)


def test_a_class_that_is_not_there_has_a_bounded_weight():
    weight = class_weight(np.array([0.999, 0.001, 0.0]), 1.0)
    assert weight[2] == weight[1] and np.isfinite(weight).all()


def test_shares_are_those_of_the_labelled_points(two_folders):
    share = class_share(Recipe(data=two_folders), 4)
    assert share == pytest.approx([0.5, 0.3, 0.2, 0.0])


@pytest.fixture
def two_folders(tmp_path):
    """Ten labelled points of three classes in two folders, and two without a label."""
    from instseg3d_ros.data.scene import Scene

    for name, semantic in (("a", [0, 0, 0, 1, 1, -1]), ("b", [0, 0, 1, 2, 2, -1])):
        (tmp_path / name / "train").mkdir(parents=True)
        points = np.random.default_rng(0).random((6, 3)).astype(np.float32)
        Scene(points, None, np.array(semantic), np.zeros(6, int), name).write(tmp_path / name / "train" / f"{name}.npz")
    return [str(tmp_path / "a"), str(tmp_path / "b")]
