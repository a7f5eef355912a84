"""Scores by distance from the camera: a sensor's noise grows with it, and a training set may end before a room does.

Points count where they lie. An object counts where the median of its points lies, a prediction where the median of its
own does; objects elsewhere are ignored, as the protocol ignores small ones, so that who finds them is not punished.
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
    """Collects scenes of one method: `add` for each, then `scores`."""

    labels: LabelSet
    min_region: int

    def __post_init__(self):
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
        """distance (N,) metres of the points; `table` of the scene and what it was made of (`overlaps`): truth (N,) ids
        and predictions; true and predicted class index (N,)."""
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
        """By the name of the range, as "under 2 m"; empty where no scene was added."""
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
    """Number of the range in which the median of each mask's points lies, (M,)."""
    middle = np.array([np.median(distance[mask]) for mask in masks])
    return np.searchsorted(EDGES, middle, side="right") - 1


def _within(table: Overlaps, true: np.ndarray, found: np.ndarray) -> Overlaps:
    """The table with all but the objects `true` (G,) ignored, and of the predictions those of `found` (P,) and those
    that cover one of these objects by more than half."""
    union = table.true_size[:, None] + table.size[None, :] - table.intersection
    cover = (2 * table.intersection > union) & true[:, None]
    kept = found | cover.any(axis=0)
    return replace(
        table, intersection=table.intersection[:, kept], ignored=table.ignored | ~true, class_=table.class_[kept],
        size=table.size[kept], score=table.score[kept], void=table.void[kept],
    )  # fmt: skip
