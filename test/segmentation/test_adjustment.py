"""The class weights of the training are undone in the scores, by the share `adjust`."""

import dataclasses

import numpy as np
import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation.segmenter import Segmenter

LABELS = LabelSet(
    "three",
    (LabelClass("wall", 1, (0, 0, 0), False), LabelClass("cup", 2, (1, 1, 1)), LabelClass("box", 3, (2, 2, 2))),
)
WEIGHT = [0.5, 1.0, 4.0]


def _model(weight):
    torch.manual_seed(0)
    architecture = Architecture(width=4, classes=3, graph_layers=0, voxel_size=0.05)
    return Network(architecture), ModelCard(architecture, LABELS, class_weight=weight)


def test_probabilities_are_what_weighting_made_of_them_undone():
    """A network that is fully trained with weights w gives p · w / Σ p · w; full adjustment gives p again."""
    p = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    weighted = p * WEIGHT / (p * WEIGHT).sum(axis=1, keepdims=True)
    segmenter = Segmenter(*_model(WEIGHT))
    logits = torch.from_numpy(np.log(weighted) + 3.0)
    for share, expected in ((1.0, p), (0.0, weighted)):
        np.testing.assert_allclose(segmenter.probabilities(logits, share), expected, rtol=1e-5)
    half = weighted / np.sqrt(WEIGHT)
    np.testing.assert_allclose(segmenter.probabilities(logits, 0.5), half / half.sum(1, keepdims=True), rtol=1e-5)
    plain = Segmenter(*_model(None))
    np.testing.assert_allclose(plain.probabilities(logits, 1.0), weighted, rtol=1e-5)


def test_it_reaches_the_answer_and_travels_with_the_file(tmp_path):
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, *_model(WEIGHT))
    points = np.random.default_rng(0).uniform(0, 1, (3000, 3)).astype(np.float32)
    seen = [Segmenter.load(str(path), device="cpu", adjust=adjust)(points).semantic for adjust in (0.0, 1.0)]
    assert checkpoint.load(path)[1].class_weight == WEIGHT
    assert (seen[0] == 2).sum() > (seen[1] == 2).sum(), "what weighed most is named less often"


def test_weights_that_do_not_fit_are_refused(tmp_path):
    network, card = _model(WEIGHT)
    for wrong in ([1.0], [1.0, 0.0, 1.0], [1.0, float("inf"), 1.0]):
        checkpoint.save(tmp_path / "m.safetensors", network, dataclasses.replace(card, class_weight=wrong))
        with pytest.raises(InputError, match="class_weight is not one number above 0"):
            checkpoint.load(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="adjust is 3; expected 0 to 2"):
        Segmenter(network, card, adjust=3)
