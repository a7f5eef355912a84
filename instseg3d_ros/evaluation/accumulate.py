"""Accumulates the scores of scenes into an `Outcome`, for `evaluate` and for validation during training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instseg3d_ros.evaluation import instance_ap
from instseg3d_ros.evaluation.benchmark_layout import labels_ids, truth_ids
from instseg3d_ros.evaluation.calibration import reliability
from instseg3d_ros.evaluation.instance_ap import MIN_REGION, Overlaps, Prediction
from instseg3d_ros.evaluation.outcome import NAN, Outcome, OverlapScores, SceneOutcome
from instseg3d_ros.evaluation.overlap import mean
from instseg3d_ros.evaluation.semantic_iou import class_iou, confusion_matrix, mean_iou
from instseg3d_ros.labels import IGNORE, LabelSet
from instseg3d_ros.segmentation.result import Result


def predictions_of(result: Result, labels: LabelSet) -> list[Prediction]:
    """Masks of a result in the order of its instances; a class that `labels` lacks becomes label 0."""
    order = np.argsort(result.instance, kind="stable")
    ids = result.instance[order]
    id_of = {entry.name: entry.id for entry in labels.classes}
    predictions = []
    for instance in result.instances:
        first, last = np.searchsorted(ids, [instance.id, instance.id + 1])
        predictions.append(Prediction(order[first:last], id_of.get(instance.label, 0), float(instance.score)))
    return predictions


def translate(semantic: np.ndarray, names: Sequence[str], labels: LabelSet) -> np.ndarray:
    """Convert class indices of a model with classes `names` to indices of `labels`; -1 for classes not in `labels`."""
    known = {name: index for index, name in enumerate(labels.names)}
    return np.array([*(known.get(name, IGNORE) for name in names), IGNORE], np.int16)[semantic]


class Accumulator:
    """Collects scenes of one method.

    total = Accumulator(labels)
    total.add(name, truth_ids(scene.semantic, scene.instance, labels), predictions, scene.semantic, semantic)
    outcome = total.outcome("unet", "rooms", "val")
    """

    def __init__(self, labels: LabelSet, min_region: int = MIN_REGION, class_aware: bool = True):
        self.labels = labels
        self.min_region = min_region
        self.class_aware = class_aware
        ids = labels_ids(labels)
        self.things = [entry for entry in labels.classes if entry.thing]
        self.thing_ids = [entry.id for entry in self.things]
        self._index_of = {label: index for index, label in enumerate(ids)}
        self.tables: list[Overlaps] = []
        self.scenes: list[SceneOutcome] = []
        self.confusion = np.zeros((len(labels), len(labels) + 1), np.int64)
        self.semantics = 0  # scenes with a semantic prediction

    def add_result(
        self, name: str, semantic: np.ndarray, instance: np.ndarray, result: Result, names: Sequence[str]
    ) -> None:
        """Add the result of a scene; semantic and instance (N,) are the truth, `names` the classes of the method."""
        self.add(
            name,
            truth_ids(semantic, instance, self.labels),
            predictions_of(result, self.labels),
            translate(result.semantic, names, self.labels) if self.class_aware else None,
            result.timings,
            true_semantic=semantic,
        )

    def add(
        self,
        name: str,
        truth: np.ndarray,
        predictions: Sequence[Prediction],
        semantic: np.ndarray | None = None,
        timings: dict[str, float] | None = None,
        overlap: OverlapScores | None = None,
        true_semantic: np.ndarray | None = None,
    ) -> None:
        """Add a scene. truth (N,): ids (label × 1000 + instance); semantic (N,): predicted class index, or None.

        true_semantic (N,): class index, -1 unlabelled; None: the classes are derived from the ids.
        """
        table = instance_ap.overlaps(truth, predictions, self.thing_ids, self.min_region)
        iou = NAN
        if semantic is not None:
            classes = self._classes(truth) if true_semantic is None else np.asarray(true_semantic, np.int64)
            confusion = confusion_matrix(classes, semantic, len(self.labels))
            self.confusion += confusion
            self.semantics += 1
            iou = mean_iou(confusion)
        alone, _ = instance_ap.average_precision([table.agnostic()], 1)
        self.tables.append(table)
        self.scenes.append(
            SceneOutcome(
                name,
                points=len(truth),
                objects=int((~table.ignored).sum()),
                predictions=len(table.size),
                scores=instance_ap.summarize(alone)[0],
                iou=iou,
                milliseconds=(timings or {}).get("total", NAN),
                timings=dict(timings or {}),
                overlap=overlap or OverlapScores(),
            )
        )

    def _classes(self, truth: np.ndarray) -> np.ndarray:
        """Class index (N,) of ground-truth ids (N,); -1 where the label is not in the label set."""
        labels, inverse = np.unique(np.asarray(truth, np.int64) // instance_ap.FACTOR, return_inverse=True)
        known = np.array([self._index_of.get(int(label), IGNORE) for label in labels], np.int64)
        return known[inverse.reshape(-1)]

    def outcome(self, method: str, dataset: str, split: str) -> Outcome:
        """Scores of all scenes added so far."""
        outcome = Outcome(method, dataset, split, self.labels, scenes=list(self.scenes), class_aware=self.class_aware)
        masks = [table.agnostic() for table in self.tables]
        table, curves = instance_ap.average_precision(masks, 1)
        outcome.agnostic = instance_ap.summarize(table)[0]
        outcome.overlap = mean([scene.overlap for scene in self.scenes])
        outcome.curves = dict(zip([""], curves.values()))
        if self.class_aware:
            count = len(self.things)
            table, curves = instance_ap.average_precision(self.tables, count)
            outcome.mean, rows = instance_ap.summarize(table)
            outcome.classes = {entry.name: row for entry, row in zip(self.things, rows)}
            outcome.curves |= {self.things[index].name: curve for index, curve in curves.items()}
        if self.semantics:
            outcome.confusion = self.confusion.copy()
            outcome.iou = mean_iou(self.confusion)
            outcome.class_iou = dict(zip(self.labels.names, map(float, class_iou(self.confusion))))
        judged, classes = (self.tables, len(self.things)) if self.class_aware else (masks, 1)
        matches = instance_ap.pool([instance_ap.match(table, 10, classes) for table in judged], classes)
        counted = matches.class_ >= 0
        outcome.judged = matches.score[counted], matches.true[counted]
        outcome.reliability = reliability(*outcome.judged)
        return outcome
