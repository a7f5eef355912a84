"""The cross entropy of a batch of scenes against a loop over its equation, and the class weights."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.training.loading import class_share
from instseg3d_ros.training.module import Training, class_weight, scene_cross_entropy
from instseg3d_ros.training.recipe import LossRecipe, Recipe
from instseg3d_ros.training.run import train


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


def test_a_training_weighs_by_the_shares_of_its_data(two_folders):
    architecture = Architecture(classes=len(SYNTHETIC), width=4)
    plain, weighted = (
        Training(Network(architecture), ModelCard(architecture, SYNTHETIC), Recipe(data=two_folders, loss=loss))
        for loss in (LossRecipe(), LossRecipe(rarity=1.0))
    )
    assert plain.class_weight is None
    assert weighted.class_weight[:3].tolist() == pytest.approx([2 / 3, 10 / 9, 5 / 3], rel=1e-6)
    assert "class_weight" not in weighted.state_dict()


def test_a_rarity_out_of_range_is_refused(two_folders):
    with pytest.raises(InputError, match=r"loss.rarity is 2.*0 .* to 1"):
        train(Recipe(data=two_folders, loss=LossRecipe(rarity=2)))


def test_data_without_labels_is_refused(tmp_path):
    write(tmp_path, [-1] * 5)
    with pytest.raises(InputError, match="no labelled points"):
        class_share(Recipe(data=[str(tmp_path)]), 3)


@pytest.fixture
def two_folders(tmp_path):
    """Ten labelled points of three classes in two folders, and two without a label."""
    write(tmp_path / "a", [0, 0, 0, 1, 1, -1])
    write(tmp_path / "b", [0, 0, 1, 2, 2, -1])
    return [str(tmp_path / "a"), str(tmp_path / "b")]


def write(folder, semantic):
    (folder / "train").mkdir(parents=True)
    points = np.random.default_rng(0).random((len(semantic), 3)).astype(np.float32)
    scene = Scene(points, None, np.array(semantic), np.zeros(len(semantic), int), "scene")
    scene.write(folder / "train" / "scene.npz")
