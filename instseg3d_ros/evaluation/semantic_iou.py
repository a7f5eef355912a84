"""Intersection over union of classes, computed from a confusion matrix."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.evaluation.outcome import NAN


def confusion_matrix(true: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Points by true class (rows) and predicted class, (C, C+1); the last column is "none predicted" (-1).

    true and predicted (N,) class indices; points without a true class (-1) are left out.
    """
    true, predicted = np.asarray(true, np.int64), np.asarray(predicted, np.int64)
    labelled = (true >= 0) & (true < num_classes)
    guess = predicted[labelled]
    guess = np.where((guess >= 0) & (guess < num_classes), guess, num_classes)
    cells = np.bincount(true[labelled] * (num_classes + 1) + guess, minlength=num_classes * (num_classes + 1))
    return cells.reshape(num_classes, num_classes + 1)


def class_iou(confusion: np.ndarray) -> np.ndarray:
    """IoU of each class, (C,): TP / (TP + FP + FN); NaN for classes that are neither true nor predicted anywhere."""
    square = confusion[:, :-1]
    hit = np.diagonal(square).astype(float)
    union = confusion.sum(axis=1) + square.sum(axis=0) - hit
    return np.divide(hit, union, out=np.full(len(hit), NAN), where=union > 0)


def mean_iou(confusion: np.ndarray) -> float:
    """Mean of the defined class IoUs; NaN if all are undefined."""
    values = class_iou(confusion)
    return float(np.nanmean(values)) if np.isfinite(values).any() else NAN
