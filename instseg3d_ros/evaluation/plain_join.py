"""A simple map of objects: the instances of a frame join the objects that they overlap, and each cell counts votes.

It is the baseline of `ObjectMap`: it does not weight votes, align frames, empty cells, or merge or split objects.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.evidence import add_votes
from instseg3d_ros.mapping.view import look, place
from instseg3d_ros.segmentation.boxes import upright_box
from instseg3d_ros.segmentation.result import Instance, Result

THRESHOLDS = (0.1, 0.25, 0.5)


class PlainJoin:
    """A map in which an instance joins the object with the largest IoU among the cells in view.

    The instance becomes a new object if the IoU is below `threshold`. A cell has the object and the class with most
    votes. An object has the class with most votes of its instances, and their mean score.
    """

    def __init__(self, labels: LabelSet, threshold: float, cell: float = 0.03):
        self.labels, self.threshold, self.cell = labels, threshold, cell
        self.cells = Cells(len(labels))
        self.votes = np.zeros((0, len(labels)))  # votes of each object for each class
        self.scores: list[list[float]] = []

    def observe(self, points: np.ndarray, pose: np.ndarray, result: Result) -> None:
        """Add a frame: points (N, 3) float32 in body axes, pose (4, 4) map ← body axes, and their segmentation."""
        frame = look(points, None, result, self.cell)
        if frame is None:
            return
        view = place(frame, pose, self.cell)
        rows = self.cells.find(view.keys)
        rows[rows < 0] = self.cells.insert(view.keys[rows < 0])
        owner = self._join(view.piece, self.cells["fragment"][rows], len(frame.pieces))
        for piece, number in enumerate(owner[:-1]):
            self.votes[number - 1, frame.class_of[piece]] += 1
            self.scores[number - 1].append(result.instances[piece].score)
        add_votes(self.cells, rows, owner[view.piece], np.ones(len(rows)))
        self.cells["evidence"][rows, view.label] += 1
        self.cells["position"][rows] = view.position

    def _join(self, piece: np.ndarray, lead: np.ndarray, count: int) -> np.ndarray:
        """(count + 1,) number of each instance's object, from 1; the last entry, for cells without instance, is 0."""
        width = len(self.scores) + 1
        both = np.bincount((piece + 1) * width + lead, minlength=(count + 1) * width).reshape(count + 1, width)
        union = both.sum(axis=1)[1:, None] + both.sum(axis=0)[None, 1:] - both[1:, 1:]
        overlap = both[1:, 1:] / np.maximum(union, 1)
        owner = np.zeros(count + 1, np.int64)
        for row in range(count):
            if width > 1 and overlap[row].max() >= self.threshold:
                owner[row] = overlap[row].argmax() + 1
            else:
                self.scores.append([])
                owner[row] = len(self.scores)
        self.votes = np.vstack((self.votes, np.zeros((len(self.scores) - len(self.votes), len(self.labels)))))
        return owner

    def result(self) -> tuple[np.ndarray, Result]:
        """Points (M, 3) of the cells, and their result."""
        rows = self.cells.rows
        points, instance = self.cells["position"][rows], self.cells["fragment"][rows]
        semantic = self.cells["evidence"][rows].argmax(axis=1).astype(np.int16)
        confidence = np.ones(len(rows), np.float32)
        instances = []
        for number in np.unique(instance[instance > 0]).tolist():
            inside = instance == number
            label = int(self.votes[number - 1].argmax())
            semantic[inside] = label
            score = float(np.mean(self.scores[number - 1]))
            box = upright_box(points[inside])
            instances.append(Instance(number, self.labels[label].name, score, int(inside.sum()), box))
        return points, replace(Result(semantic, instance, confidence), instances=instances)
