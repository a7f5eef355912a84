"""Calibration of instance scores: reliability bins, expected calibration error, temperature and isotonic regression.

`score` (E,) in 0..1 and `true` (E,) bool come from `instance_ap.match` at IoU 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.evaluation.outcome import NAN, Reliability

BINS = 10
_EDGE = 1e-6  # scores are clipped to _EDGE … 1 − _EDGE, so that their logits are finite


def reliability(score: np.ndarray, true: np.ndarray, bins: int = BINS) -> Reliability:
    """Equal-width bins, and expected calibration error Σ (n_b / n) |accuracy_b − confidence_b| (Guo et al. 2017)."""
    score, true = np.clip(np.asarray(score, float), 0, 1), np.asarray(true, float)
    edges = np.linspace(0, 1, bins + 1)
    index = np.minimum((score * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.bincount(index, values, minlength=bins)
        return np.divide(total, count, out=np.full(bins, NAN), where=count > 0)

    confidence, accuracy = mean(score), mean(true)
    gaps = np.nan_to_num(np.abs(accuracy - confidence))
    error = float((count * gaps).sum() / count.sum()) if len(score) else NAN
    return Reliability(edges, count, confidence, accuracy, error, fit_temperature(score, true))


def fit_temperature(score: np.ndarray, true: np.ndarray) -> float:
    """The temperature in 0.05…20 that minimizes the cross entropy; NaN if all predictions are right or all wrong.

    The calibrated score is sigmoid(logit(score) / temperature). Cross entropy is convex in 1/temperature, so the root
    of its derivative gives the temperature.
    """
    from scipy.optimize import brentq  # imported here because SciPy is slow to import

    true = np.asarray(true, bool)
    if true.all() or not true.any():
        return NAN
    logit = _logit(score)

    def slope(inverse: float) -> float:
        return float(np.mean((1 / (1 + np.exp(-logit * inverse)) - true) * logit))

    low, high = 1 / 20, 20.0
    if slope(low) >= 0 or slope(high) <= 0:  # the minimum is at an end of the range
        return 1 / low if slope(low) >= 0 else 1 / high
    return 1 / brentq(slope, low, high)


@dataclass(frozen=True)
class Isotonic:
    """A continuous increasing map of scores: linear between the knots x, y (K,), constant outside."""

    x: np.ndarray
    y: np.ndarray

    def __call__(self, score: np.ndarray) -> np.ndarray:
        return np.interp(score, self.x, self.y)


def fit_isotonic(score: np.ndarray, true: np.ndarray) -> Isotonic:
    """Isotonic least-squares fit (Ayer et al. 1955) of `true` (E,) to scores (E,); equal scores are pooled first."""
    from scipy.optimize import isotonic_regression  # imported here because SciPy is slow to import

    x, inverse = np.unique(np.asarray(score, float), return_inverse=True)
    weight = np.bincount(inverse).astype(float)
    mean = np.bincount(inverse, np.asarray(true, float)) / weight
    return Isotonic(x, isotonic_regression(mean, weights=weight).x)


def _logit(score: np.ndarray) -> np.ndarray:
    score = np.clip(np.asarray(score, float), _EDGE, 1 - _EDGE)
    return np.log(score / (1 - score))
