"""Scores by distance from the camera. Sensor noise grows with distance, and training scenes may be smaller than rooms.

A point belongs to the range that contains its distance. An object or prediction belongs to the range that contains the
median distance of its points. Objects of other ranges are ignored, as the protocol ignores small objects, so that
predictions of them do not count as false positives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.evaluation.instance_ap import FACTOR, Overlaps, Prediction, average_precision, summarize
from instseg3d_ros.evaluation.outcome import RangeScores
from instseg3d_ros.evaluation.semantic_iou import confusion_matrix, mean_iou
from instseg3d_ros.labels import LabelSet

EDGES = (0.0, 2.0, 4.0, np.inf)  # metres


@dataclass
class ByDistance:
    """Scores of a method by distance. Call `add` for each scene, then `scores`."""

    labels: LabelSet
    min_region: int

    def __post_init__(self) -> None:
        count = len(EDGES) - 1
        self.tables: list[list[Overlaps]] = [[] for _ in range(count)]
        self.confusion = np.zeros((count, len(self.labels), len(self.labels) + 1), np.int64)

    def add(
        self,
        distance: np.ndarray,
        table: Overlaps,
        truth: np.ndarray,
        true_semantic: np.ndarray,
        semantic: np.ndarray,
        predictions: Sequence[Prediction],
    ) -> None:
        """Add a scene.

        distance (N,): metres from the camera to each point; table: overlaps of the scene; truth (N,): ids and
        predictions, from which `overlaps` computed the table; true_semantic and semantic (N,): class indices.
        """
        place = np.searchsorted(EDGES, distance, side="right") - 1
        known = [entry.id for entry in self.labels.classes if entry.thing]
        ids = np.unique(truth)
        ids = ids[np.isin(ids // FACTOR, known)]
        true_at = _places([truth == number for number in ids], distance)
        counted = [p.mask for p in predictions if _size(p.mask) >= max(1, self.min_region)]
        found_at = _places(counted, distance)
        for number in range(len(EDGES) - 1):
            rows = place == number
            self.confusion[number] += confusion_matrix(true_semantic[rows], semantic[rows], len(self.labels))
            self.tables[number].append(_within(table, true_at == number, found_at == number))

    def scores(self) -> dict[str, RangeScores]:
        """Scores by the name of the range, such as "under 2 m"; empty if no scene was added."""
        if not self.tables[0]:
            return {}
        things = sum(self.labels.things)
        result = {}
        for low, high, tables, confusion in zip(EDGES, EDGES[1:], self.tables, self.confusion):
            name = f"under {high:g} m" if not low else f"over {low:g} m" if high == np.inf else f"{low:g} to {high:g} m"
            named = summarize(average_precision(tables, things)[0])[0]
            masks = summarize(average_precision([table.agnostic() for table in tables], 1)[0])[0]
            result[name] = RangeScores(named, masks, mean_iou(confusion), int(confusion.sum()))
        return result


def _size(mask: np.ndarray) -> int:
    return int(mask.sum()) if mask.dtype == bool else len(mask)


def _places(masks: Sequence[np.ndarray], distance: np.ndarray) -> np.ndarray:
    """Index of the range of each mask, by the median distance of its points: (M,)."""
    middle = np.array([np.median(distance[mask]) for mask in masks])
    return np.searchsorted(EDGES, middle, side="right") - 1


def _within(table: Overlaps, true: np.ndarray, predicted: np.ndarray) -> Overlaps:
    """Restrict a table to a range of distances.

    All objects except `true` (G,) bool are ignored. Remaining predictions are those of `predicted` (P,) bool and those
    that have an IoU above 0.5 with an object of the range.
    """
    union = table.true_size[:, None] + table.size[None, :] - table.intersection
    cover = (2 * table.intersection > union) & true[:, None]
    columns = predicted | cover.any(axis=0)
    return replace(
        table, intersection=table.intersection[:, columns], ignored=table.ignored | ~true, class_=table.class_[columns],
        size=table.size[columns], score=table.score[columns], void=table.void[columns],
    )  # fmt: skip
