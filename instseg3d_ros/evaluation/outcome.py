"""What one evaluation found: filled by `commands/evaluate.py`, printed by `tables`, drawn by `figures` and `report`.

NaN stands for "undefined" throughout (a class without ground truth); `to_json` turns it into null.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from instseg3d_ros.labels import LabelSet

NAN = float("nan")


@dataclass(frozen=True)
class Scores:
    """Average precision over IoU 0.50…0.90, at 0.50 and at 0.25; 0..1, NaN where undefined."""

    ap: float = NAN
    ap50: float = NAN
    ap25: float = NAN

    def to_json(self) -> dict[str, float | None]:
        """`ap`, `ap50`, `ap25`; null where undefined."""
        return {"ap": number(self.ap), "ap50": number(self.ap50), "ap25": number(self.ap25)}


@dataclass(frozen=True)
class OverlapScores:
    """Overlap and boundary figures of masks (`evaluation.overlap`), 0..1; NaN where undefined.

    `well` is the share of true objects that are segmented with an F of 0.75 or more.
    """

    precision: float = NAN
    recall: float = NAN
    f: float = NAN
    boundary_precision: float = NAN
    boundary_recall: float = NAN
    boundary_f: float = NAN
    well: float = NAN

    def to_json(self) -> dict[str, float | None]:
        """By name; null where undefined."""
        return {name: number(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class RangeScores:
    """Scores of the points and objects in one range of distances: by class, class-agnostic, mean IoU, and points."""

    named: Scores
    masks: Scores
    iou: float
    points: int

    def to_json(self) -> dict:
        """`ap50`, `masks_ap50`, `iou`, `points`; null where undefined."""
        return {
            "ap50": number(self.named.ap50), "masks_ap50": number(self.masks.ap50), "iou": number(self.iou),
            "points": self.points,
        }  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Precision–recall points at one IoU threshold, one per unique score, scores ascending (recall descending).

    The protocol's artificial last point (recall 0, precision 1) is included, with score +inf. All arrays (K,).
    """

    precision: np.ndarray
    recall: np.ndarray
    score: np.ndarray


@dataclass(frozen=True)
class Reliability:
    """Instance scores against how often they are right (a match at IoU 0.5). Bins are equally wide over 0..1.

    edges (B+1,), count (B,), confidence (B,) mean score in the bin, accuracy (B,) share of matches; NaN in empty bins.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float  # expected calibration error, 0..1
    temperature: float = NAN  # best temperature for the logits; above 1 if scores are overconfident


@dataclass(frozen=True)
class SceneOutcome:
    """A scene's class-agnostic scores, mean IoU of its classes, numbers of true and predicted objects, and times."""

    name: str
    points: int
    objects: int
    predictions: int
    scores: Scores
    iou: float = NAN
    milliseconds: float = NAN
    timings: dict[str, float] = field(default_factory=dict)  # stage -> milliseconds, as in Result
    overlap: OverlapScores = field(default_factory=OverlapScores)


@dataclass(frozen=True)
class Example:
    """A scene for the figures: inputs, truth and prediction per point. `path` is the scene's file."""

    path: Path
    points: np.ndarray  # (N,3) float32 metres
    colors: np.ndarray | None  # (N,3) uint8
    true_semantic: np.ndarray  # (N,) int16 class index, -1 unlabelled
    true_instance: np.ndarray  # (N,) int32, 0 none
    semantic: np.ndarray  # (N,) int16
    instance: np.ndarray  # (N,) int32
    extras: dict = field(default_factory=dict)  # camera, pixel and shape, if the scene has them


@dataclass
class Outcome:
    """The results of one method on one split."""

    method: str  # "unet", "euclidean", a folder of predictions, …
    dataset: str
    split: str
    labels: LabelSet
    mean: Scores = field(default_factory=Scores)  # class-aware
    classes: dict[str, Scores] = field(default_factory=dict)  # thing classes in label order
    agnostic: Scores = field(default_factory=Scores)  # masks alone
    overlap: OverlapScores = field(default_factory=OverlapScores)  # masks alone, mean over the scenes
    iou: float = NAN  # mean over classes that occur
    class_iou: dict[str, float] = field(default_factory=dict)  # every class, stuff too
    curves: dict[str, Curve] = field(default_factory=dict)  # class -> curve at IoU 0.5; "" is class-agnostic
    confusion: np.ndarray | None = None  # (C, C+1) points: true class by predicted class, last column: none predicted
    reliability: Reliability | None = None
    judged: tuple[np.ndarray, np.ndarray] | None = None  # (E,) scores, (E,) bool correct; the data of `reliability`
    scenes: list[SceneOutcome] = field(default_factory=list)
    f_by_score: np.ndarray | None = None  # overlap F above each of `overlap.STEPS`, where it was asked for
    examples: list[Example] = field(default_factory=list)
    by_objects: dict[int, float] = field(
        default_factory=dict
    )  # number of objects in view -> class-agnostic AP50 of these scenes
    by_distance: dict[str, RangeScores] = field(default_factory=dict)  # range of distances -> scores, nearest first
    class_aware: bool = True  # False for methods that name no classes: then `mean`, `classes`, `iou` are undefined

    @property
    def milliseconds(self) -> float:
        """Mean time per scene."""
        return float(np.mean([s.milliseconds for s in self.scenes])) if self.scenes else NAN

    def to_json(self, class_agnostic: bool = False) -> dict:
        """`{"ap", "ap50", "ap25", "classes", "iou", …}`; with `class_agnostic` the first three are class-agnostic."""
        head = self.agnostic if class_agnostic else self.mean
        classes = {} if class_agnostic else {name: scores.to_json() for name, scores in self.classes.items()}
        content = {
            **head.to_json(),
            "classes": classes,
            "iou": number(self.iou),
            "class_iou": {name: number(value) for name, value in self.class_iou.items()},
            "class_agnostic": self.agnostic.to_json(),
            "overlap": self.overlap.to_json(),
            "method": self.method,
            "dataset": self.dataset,
            "split": self.split,
            "scenes": len(self.scenes),
            "milliseconds": number(self.milliseconds),
        }
        if self.reliability is not None:
            content["calibration_error"] = number(self.reliability.error)
            content["temperature"] = number(self.reliability.temperature)
        if self.by_objects:
            content["ap50_by_objects"] = {str(count): number(value) for count, value in self.by_objects.items()}
        if self.by_distance:
            content["by_distance"] = {name: scores.to_json() for name, scores in self.by_distance.items()}
        return content


def number(value: float) -> float | None:
    """A float for JSON: None if it is not finite."""
    return float(value) if math.isfinite(value) else None
