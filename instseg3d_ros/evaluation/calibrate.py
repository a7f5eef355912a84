"""Scores that mean what they say: a rising map fitted to an evaluation, stored with the weights."""

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

FEWEST = 100  # scored objects; fewer do not tell how often a score is right
TOGETHER = 20  # neighbouring scores that are taken together: three that happen to be right do not make a certainty


def table(score: np.ndarray, true: np.ndarray) -> dict[str, list[float]]:
    """score (E,), true (E,) → {"raw": rising, "calibrated": rising}, as `segmentation.judging.calibrate` reads it.

    The isotonic fit is a staircase. Only the middle of each step is kept, so that between two steps equal answers for
    different scores, which would lose their order, are rare.
    """
    if len(score) < FEWEST:
        raise InputError(f"{len(score)} scored objects; at least {FEWEST} are needed to calibrate: take more scenes")
    order = np.argsort(score, kind="stable")
    some = np.array_split(order, len(score) // TOGETHER)
    together = np.empty(len(score))
    for one in some:
        together[one] = np.mean(score[one])
    fit = fit_isotonic(together, true)
    level, step = np.unique(fit.y, return_inverse=True)
    raw = np.bincount(step, fit.x) / np.bincount(step)
    return {"raw": [round(float(x), 4) for x in raw], "calibrated": [round(float(y), 4) for y in level]}


def write(model: str, outcome: Outcome, path: Path) -> None:
    """Save `model` at `path` with its scores mapped to how often they were right in `outcome` (at IoU 0.5).

    Where the outcome tells overlap F by score, the score at which it is greatest becomes the model's `min_score`.
    """
    assert outcome.judged is not None
    network, card = checkpoint.load(checkpoint.find(model))
    calibration = table(*outcome.judged)
    segmentation = dict(card.segmentation)
    if outcome.f_by_score is not None:
        segmentation["min_score"] = round(float(calibrate(STEPS[[outcome.f_by_score.argmax()]], calibration)[0]), 3)
    checkpoint.save(path, network, dataclasses.replace(card, calibration=calibration, segmentation=segmentation))
