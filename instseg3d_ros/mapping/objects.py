"""Describes the objects of a map from their cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping import agreement
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.fragments import Fragments
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.result import Instance, Result

TEMPER = 0.35  # factor of the log-evidence in probabilities, because the errors of views are correlated


@dataclass(frozen=True)
class MapObject(Instance):
    """An object of a map. `num_points` equals `cells`; stamps in seconds; probabilities (C,) of the classes."""

    cells: int = 0
    views: int = 0
    first_seen: float = 0.0
    last_seen: float = 0.0
    probabilities: np.ndarray = field(default_factory=lambda: np.zeros(0))


@dataclass
class MapResult(Result):
    """A `Result` with one row per cell, and with points (M, 3) float32 and colors (M, 3) uint8."""

    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    colors: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.uint8))


def object_of_cells(cells: Cells, fragments: Fragments) -> np.ndarray:
    """(M,) id of the object of each cell in the order of its keys, 0 for none."""
    fragment = cells["fragment"][cells.rows]
    table = np.zeros(int(fragment.max(initial=0)) + 1, np.int32)
    for number, one in fragments.table.items():
        if number < len(table):
            table[number] = one.object
    return table[fragment]


def describe(
    cells: Cells, fragments: Fragments, labels: LabelSet, min_cells: int, min_views: int
) -> tuple[list[MapObject], np.ndarray]:
    """Objects in ascending order of their ids, and the object (M,) of each cell, 0 for cells of no reported object.

    The class of an object is the thing with the largest mean of the cells' log-evidence. The score measures how well
    the views agree with the object (`agreement.py`).
    """
    rows, ids = cells.rows, object_of_cells(cells, fragments)
    count = np.bincount(ids, minlength=1)
    reported = [
        number for number in np.flatnonzero(count >= min_cells)
        if number and fragments.objects[int(number)].views >= min_views
    ]  # fmt: skip
    column = np.full(len(count), -1)
    column[reported] = np.arange(len(reported))
    place = column[ids]
    inside = np.flatnonzero(place >= 0)
    inside = inside[np.argsort(place[inside], kind="stable")]
    begin = np.searchsorted(place[inside], np.arange(len(reported) + 1))
    things = np.array(labels.things)
    objects: list[MapObject] = []
    if len(reported):
        total = count[reported]
        evidence = np.add.reduceat(cells["evidence"][rows[inside]], begin[:-1], axis=0) / total[:, None]
        probability = softmax(np.where(things, TEMPER * evidence, -np.inf))
        boxes = upright_boxes(cells["position"][rows], inside, begin)
        for k, number in enumerate(reported):
            known, winner = fragments.objects[int(number)], int(probability[k].argmax())
            score = agreement.score(known.agreement, known.judged)
            objects.append(
                MapObject(
                    int(number), labels[winner].name, score, int(total[k]), boxes[k], int(total[k]), known.views,
                    known.first, known.last, probability[k],
                )
            )  # fmt: skip
    return objects, np.where(place >= 0, ids, 0).astype(np.int32)


def summarise(cells: Cells, fragments: Fragments, labels: LabelSet, min_cells: int, min_views: int) -> MapResult:
    """All cells in the order of their keys. Cells of an object have its class and score."""
    objects, ids = describe(cells, fragments, labels, min_cells, min_views)
    rows = cells.rows
    evidence = cells["evidence"][rows]
    semantic = evidence.argmax(axis=1) if len(rows) else np.zeros(0, np.int64)
    confidence = softmax(TEMPER * evidence)[np.arange(len(rows)), semantic]
    inside = np.flatnonzero(ids)
    if len(inside):
        classes, scores = (np.zeros(int(ids.max()) + 1) for _ in range(2))
        for one in objects:
            classes[one.id], scores[one.id] = labels.index(one.label), one.score
        semantic[inside], confidence[inside] = classes[ids[inside]], scores[ids[inside]]
    return MapResult(
        semantic.astype(np.int16), ids, confidence.astype(np.float32), list(objects),
        points=cells["position"][rows], colors=np.rint(cells["color"][rows]).clip(0, 255).astype(np.uint8),
    )  # fmt: skip


def softmax(values: np.ndarray) -> np.ndarray:
    """Softmax of each row of (K, C)."""
    if not values.size:
        return np.zeros(values.shape)
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)
