"""Calibration: scores are fitted to their rate of correct objects and stored with the weights."""

import numpy as np
import pytest
import torch

from instseg3d_ros.commands.evaluate import parse
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation import calibrate
from instseg3d_ros.evaluation.calibration import reliability
from instseg3d_ros.evaluation.outcome import Outcome
from instseg3d_ros.evaluation.overlap import STEPS
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation import judging


def overconfident(seed, count=3000):
    """Scores whose true share of right answers is their square."""
    rng = np.random.default_rng(seed)
    score = rng.random(count)
    return score, rng.random(count) < score**2


def test_the_map_rises_and_mends_scores_it_has_not_seen():
    fitted = calibrate.table(*overconfident(0))
    assert np.all(np.diff(fitted["raw"]) > 0) and np.all(np.diff(fitted["calibrated"]) > 0)
    score, true = overconfident(1)
    assert reliability(score, true).error > 0.12
    assert reliability(judging.calibrate(score, fitted), true).error < 0.03


def test_a_handful_of_right_answers_is_no_certainty():
    rng = np.random.default_rng(0)
    score = np.concatenate((rng.uniform(0, 0.8, 400), [0.97, 0.98, 0.99]))
    true = np.concatenate((rng.random(400) < 0.5, [True] * 3))
    assert calibrate.table(score, true)["calibrated"][-1] < 0.8


def test_too_few_objects_are_refused():
    with pytest.raises(InputError, match="99 scored objects; at least 100"):
        calibrate.table(*overconfident(0, 99))


def test_the_table_travels_with_otherwise_equal_weights(tmp_path):
    architecture = Architecture(classes=len(SYNTHETIC), width=4)
    network = Network(architecture)
    card = checkpoint.ModelCard(architecture, SYNTHETIC, segmentation={"bandwidth": 1.2})
    checkpoint.save(tmp_path / "raw.safetensors", network, card)
    outcome = Outcome("raw", "rooms", "val", SYNTHETIC, judged=overconfident(0))
    calibrate.write(str(tmp_path / "raw.safetensors"), outcome, tmp_path / "new.safetensors")
    loaded, card = checkpoint.load(tmp_path / "new.safetensors")
    assert card.calibration == calibrate.table(*overconfident(0))
    assert card.segmentation == {"bandwidth": 1.2}
    state = loaded.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_the_score_of_the_greatest_overlap_is_stored(tmp_path):
    architecture = Architecture(classes=len(SYNTHETIC), width=4)
    checkpoint.save(tmp_path / "raw.safetensors", Network(architecture), checkpoint.ModelCard(architecture, SYNTHETIC))
    f = np.exp(-((STEPS - 0.6) ** 2))
    outcome = Outcome("raw", "rooms", "val", SYNTHETIC, judged=overconfident(0), f_by_score=f)
    calibrate.write(str(tmp_path / "raw.safetensors"), outcome, tmp_path / "new.safetensors")
    card = checkpoint.load(tmp_path / "new.safetensors")[1]
    assert card.segmentation["min_score"] == pytest.approx(0.36, abs=0.06)  # what a raw score of 0.6 is worth


@pytest.mark.parametrize("arguments", [["x", "--model", "none"], ["--tabletop", "x"]])
def test_what_cannot_be_calibrated(arguments):
    with pytest.raises(InputError, match="--calibrate needs a DATASET and a model"):
        parse([*arguments, "--calibrate", "out.safetensors"])


def test_only_our_own_format_is_written():
    with pytest.raises(InputError, match=r"name a \.safetensors file"):
        parse(["x", "--calibrate", "out.pt"])
