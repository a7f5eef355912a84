"""Average precision of instances by ScanNet's protocol.

A prediction is a mask with a class and a score; masks may overlap. The truth is an id for each point, label × 1000 +
instance. `overlaps` computes a scene's table of intersections; `match` matches a table at each of ten IoU thresholds;
`average_precision` pools the matches into precision–recall curves. Thresholds are twentieths and all comparisons use
integers, so an IoU of exactly 0.55 is never above 0.55.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.evaluation.outcome import NAN, Curve, Scores

THRESHOLDS = (10, 11, 12, 13, 14, 15, 16, 17, 18, 5)  # twentieths: IoU 0.50, 0.55 … 0.90 make AP; the last is 0.25
MIN_REGION = 100  # points; smaller true regions are ignored, smaller predictions dropped
FACTOR = 1000  # id of a true point = label id × FACTOR + instance


@dataclass(frozen=True)
class Prediction:
    """A predicted instance. mask: indices of points (K,), or (N,) bool; label: label id, 0 for none."""

    mask: np.ndarray
    label: int
    score: float


@dataclass(frozen=True)
class Overlaps:
    """Intersections of a scene's G true regions, in ascending order of id, with its P predictions, in given order."""

    intersection: np.ndarray  # (G,P) int64 points
    true_class: np.ndarray  # (G,) class index
    true_size: np.ndarray  # (G,) points
    ignored: np.ndarray  # (G,) bool: too small
    class_: np.ndarray  # (P,) class index; -1 if the label is not evaluated, so that only class-agnostic scores use it
    size: np.ndarray  # (P,) points
    score: np.ndarray  # (P,) float64
    void: np.ndarray  # (P,) points of the prediction whose true label is not evaluated

    def agnostic(self) -> Overlaps:
        """The same table with all masks in class 0."""
        true_class, class_ = np.zeros_like(self.true_class), np.zeros_like(self.class_)
        return Overlaps(
            self.intersection, true_class, self.true_size, self.ignored, class_, self.size, self.score, self.void
        )


@dataclass(frozen=True)
class Matches:
    """Matches of one scene at one threshold: E counted predictions, and the missed objects of each class."""

    class_: np.ndarray  # (E,)
    score: np.ndarray  # (E,)
    true: np.ndarray  # (E,) bool
    missed: np.ndarray  # (C,) objects without a match


def overlaps(
    truth: np.ndarray, predictions: Sequence[Prediction], label_ids: Sequence[int], min_region: int = MIN_REGION
) -> Overlaps:
    """Table of a scene. truth (N,) ids; `label_ids` are the evaluated labels, in the order of their class indices.

    As in ScanNet's script, points with the id label × 1000 (instance 0) form an object.
    """
    ids, region, sizes = _regions(np.asarray(truth, np.int64))
    class_of = _class_of(ids // FACTOR, label_ids)
    evaluated = class_of >= 0
    column = np.where(evaluated, np.cumsum(evaluated) - 1, evaluated.sum())[region]  # last column: void

    rows, label, size, score = [], [], [], []
    for prediction in predictions:
        row = np.bincount(column[prediction.mask], minlength=evaluated.sum() + 1)
        count = int(row.sum())
        if count >= min_region and count:
            rows.append(row)
            label.append(prediction.label)
            size.append(count)
            score.append(prediction.score)
    table = np.array(rows, np.int64).reshape(len(rows), evaluated.sum() + 1)
    return Overlaps(
        intersection=table[:, :-1].T,
        true_class=class_of[evaluated],
        true_size=sizes[evaluated].astype(np.int64),
        ignored=sizes[evaluated] < min_region,
        class_=_class_of(np.array(label, np.int64), label_ids),
        size=np.array(size, np.int64),
        score=np.array(score, np.float64),
        void=table[:, -1],
    )


def _regions(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ascending ids, index of each point's id (N,), points per id: `np.unique`, by counting if the ids are small."""
    low = int(truth.min(initial=0))
    span = int(truth.max(initial=0)) - low + 1
    if span > 1_000_000:
        ids, region, sizes = np.unique(truth, return_inverse=True, return_counts=True)
        return ids, region.reshape(-1), sizes
    counts = np.bincount(truth - low, minlength=span)
    present = np.flatnonzero(counts)
    number = np.zeros(span, np.int64)
    number[present] = np.arange(len(present))
    return present + low, number[truth - low], counts[present]


def _class_of(labels: np.ndarray, label_ids: Sequence[int]) -> np.ndarray:
    """Index of each label in `label_ids`; -1 for other labels."""
    if not len(label_ids):
        return np.full(len(labels), -1, np.int64)
    order = np.argsort(label_ids)
    known = np.asarray(label_ids, np.int64)[order]
    at = np.clip(np.searchsorted(known, labels), 0, len(known) - 1)
    return np.where(known[at] == labels, order[at], -1)


def match(scene: Overlaps, twentieths: int, num_classes: int) -> Matches:
    """Decide which predictions of a scene are true positives at IoU `twentieths`/20.

    Objects, in ascending order of id, are matched to predictions in file order. The first prediction above the
    threshold is assigned to the object and cannot match another. Each further prediction above the threshold adds a
    false positive with the lower of the two scores, gives the object the higher score, and can still match other
    objects. A prediction that matches no object of its class is a false positive, unless the share of its points
    that are void or ignored is above the threshold.
    """
    same = scene.true_class[:, None] == scene.class_[None, :]
    union = scene.true_size[:, None] + scene.size[None, :] - scene.intersection
    above = same & (20 * scene.intersection > twentieths * union)

    used = np.zeros(len(scene.size), bool)
    best: dict[int, float] = {}  # object -> score of its match
    classes, scores = [], []  # of the false positives
    for g, p in zip(*(axis.tolist() for axis in np.nonzero(above & ~scene.ignored[:, None]))):
        if used[p]:
            continue
        score = float(scene.score[p])
        if g not in best:
            used[p] = True
            best[g] = score
        else:
            classes.append(scene.true_class[g])
            scores.append(min(best[g], score))
            best[g] = max(best[g], score)

    excused = scene.void + (scene.intersection * (same & scene.ignored[:, None])).sum(axis=0)
    false = ~above.any(axis=0) & (20 * excused <= twentieths * scene.size)
    matched = np.fromiter(best, np.int64, len(best))
    objects = np.bincount(scene.true_class[~scene.ignored], minlength=num_classes)
    return Matches(
        class_=np.concatenate([scene.true_class[matched], np.array(classes, np.int64), scene.class_[false]]),
        score=np.concatenate([np.array(list(best.values())), np.array(scores), scene.score[false]]),
        true=np.arange(len(best) + len(scores) + false.sum()) < len(best),
        missed=objects - np.bincount(scene.true_class[matched], minlength=num_classes),
    )


def precision_recall(score: np.ndarray, true: np.ndarray, missed: int) -> Curve:
    """Curve with a point at each unique score, ascending, and a final point at recall 0, precision 1; no envelope."""
    order = np.argsort(score, kind="stable")
    thresholds, first = np.unique(score[order], return_index=True)
    true_below = np.concatenate([[0], np.cumsum(true[order])])[first]  # true positives below each threshold
    hits = true.sum() - true_below
    counted = len(score) - first
    return Curve(
        precision=np.append(hits / counted, 1.0),
        recall=np.append(hits / max(true.sum() + missed, 1), 0.0),
        score=np.append(thresholds, np.inf),
    )


def area(curve: Curve) -> float:
    """Σ of precision times step, where the steps are the recall, with repeated ends, convolved with [−0.5, 0, 0.5]."""
    recall = np.concatenate([curve.recall[:1], curve.recall, [0.0]])
    return float(np.dot(curve.precision, np.convolve(recall, [-0.5, 0, 0.5], "valid")))


def average_precision(
    scenes: Sequence[Overlaps], num_classes: int, thresholds: Sequence[int] = THRESHOLDS
) -> tuple[np.ndarray, dict[int, Curve]]:
    """AP of each class at each threshold, (C,T), and the curves at IoU 0.5 of the classes for which they are defined.

    The AP is NaN for a class without objects, and 0 for a class with objects but without counted predictions.
    """
    objects = np.zeros(num_classes, np.int64)
    for scene in scenes:
        objects += np.bincount(scene.true_class[~scene.ignored], minlength=num_classes)
    result = np.where(objects[:, None] > 0, 0.0, NAN) * np.ones(len(thresholds))
    curves = {}
    for column, twentieths in enumerate(thresholds):
        matches = pool([match(scene, twentieths, num_classes) for scene in scenes], num_classes)
        order = np.argsort(matches.class_, kind="stable")
        bounds = np.searchsorted(matches.class_[order], np.arange(num_classes + 1))
        for index in np.flatnonzero(objects):
            part = order[bounds[index] : bounds[index + 1]]
            if len(part):
                curve = precision_recall(matches.score[part], matches.true[part], int(matches.missed[index]))
                result[index, column] = area(curve)
                if twentieths == 10:
                    curves[int(index)] = curve
    return result, curves


def pool(parts: Sequence[Matches], num_classes: int) -> Matches:
    """Concatenate the matches of all scenes."""
    empty = Matches(
        np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool), np.zeros(num_classes, np.int64)
    )  # np.concatenate needs at least one array
    parts = [empty, *parts]
    return Matches(
        np.concatenate([part.class_ for part in parts]).astype(np.int64),
        np.concatenate([part.score for part in parts]).astype(np.float64),
        np.concatenate([part.true for part in parts]).astype(bool),
        np.sum([part.missed for part in parts], axis=0),
    )


def summarize(table: np.ndarray) -> tuple[Scores, list[Scores]]:
    """Mean and per-class scores of a (C,10) table of `average_precision`; the mean leaves out NaN."""
    rows = [Scores(float(row[:-1].mean()), float(row[0]), float(row[-1])) for row in table]
    defined = [row for row in rows if row.ap == row.ap]
    if not defined:
        return Scores(), rows
    mean = np.mean([[row.ap, row.ap50, row.ap25] for row in defined], axis=0)
    return Scores(*map(float, mean)), rows
