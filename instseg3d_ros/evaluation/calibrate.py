"""Calibration of scores: an increasing map that is fitted to an evaluation and stored with the weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.calibration import fit_isotonic
from instseg3d_ros.evaluation.outcome import Outcome
from instseg3d_ros.evaluation.overlap import STEPS
from instseg3d_ros.network import checkpoint
from instseg3d_ros.segmentation.judging import calibrate

FEWEST = 100  # minimum number of scored objects for a calibration
TOGETHER = 20  # consecutive scores that are averaged, so that a few correct predictions do not give a score of 1


def table(score: np.ndarray, true: np.ndarray) -> dict[str, list[float]]:
    """score (E,), true (E,) → {"raw": knots, "calibrated": values}, both increasing, for `judging.calibrate`.

    The isotonic fit is piecewise constant. The table contains only the middle of each step, so that the interpolated
    map rarely gives different scores the same value, which would lose their order.
    """
    if len(score) < FEWEST:
        raise InputError(f"{len(score)} scored objects; at least {FEWEST} are needed for a calibration; add scenes")
    order = np.argsort(score, kind="stable")
    some = np.array_split(order, len(score) // TOGETHER)
    together = np.empty(len(score))
    for group in some:
        together[group] = np.mean(score[group])
    fit = fit_isotonic(together, true)
    value, step = np.unique(fit.y, return_inverse=True)
    raw = np.bincount(step, fit.x) / np.bincount(step)
    return {"raw": [round(float(x), 4) for x in raw], "calibrated": [round(float(y), 4) for y in value]}


def write(model: str, outcome: Outcome, path: Path) -> None:
    """Save `model` at `path` with scores calibrated to the precision (at IoU 0.5) that they had in `outcome`.

    If the outcome contains the overlap F by score, the score with the greatest F becomes the model's `min_score`.
    """
    assert outcome.judged is not None
    network, card = checkpoint.load(checkpoint.find(model))
    calibration = table(*outcome.judged)
    segmentation = dict(card.segmentation)
    if outcome.f_by_score is not None:
        segmentation["min_score"] = round(float(calibrate(STEPS[[outcome.f_by_score.argmax()]], calibration)[0]), 3)
    checkpoint.save(path, network, dataclasses.replace(card, calibration=calibration, segmentation=segmentation))
