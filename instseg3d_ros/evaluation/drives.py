"""Scores maps of whole drives against the truth, and compares them with single frames and with a plain join.

Every frame is segmented once, levelled by its true pose, and added to all maps. The true object of a cell is the
majority of the true points in the cell, placed with the poses that the map received; a drift of those poses therefore
does not count as an error of the map. Only points within RANGE of the sensor vote. An object that was moved counts
only at its last place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from instseg3d_ros.evaluation.accumulate import Accumulator, predictions_of, translate
from instseg3d_ros.evaluation.benchmark_layout import truth_ids
from instseg3d_ros.evaluation.drive_files import POSES, Drive, Step
from instseg3d_ros.evaluation.outcome import NAN, Outcome, Scores, number
from instseg3d_ros.evaluation.plain_join import THRESHOLDS, PlainJoin
from instseg3d_ros.evaluation.truth_cells import TruthCells, on_cells
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping.cells import pack
from instseg3d_ros.mapping.object_map import ObjectMap
from instseg3d_ros.mapping.pose import tilt
from instseg3d_ros.mapping.range_image import RangeImage
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.sparse.rigid import transform_points

CELL = 0.03  # edge length of the truth's cells, metres
REACH = 2.0  # maximum distance, in cells, between a cell of the truth and its cell of the map
RANGE = 5.0  # metres from the sensor within which points vote for the truth
LOOKS = 5  # views through the old place of an object after which it should be empty: 2 s at 2.5 frames per second
PASSED = 0.15  # metres behind a cell at which a ray must end to count as a view through the cell


@dataclass
class MethodScores:
    """Scores of one method with one kind of poses, over all drives.

    named, masks: scores by class and class-agnostic · accuracy: fraction of the cells (of the points, for single
    frames) with the right class · found and true: numbers of predicted and true objects · emptied: fraction of the
    old places of moved objects, after LOOKS views through them, that the map shows as empty; NaN without such places ·
    milliseconds: median time of a frame, for segmentation (single frames) or for the map without segmentation ·
    megabytes: memory of the largest map
    """

    method: str
    poses: str
    named: Scores
    masks: Scores
    accuracy: float
    found: int = 0
    true: int = 0
    emptied: float = NAN
    milliseconds: float = NAN
    megabytes: float = NAN

    def to_json(self) -> dict[str, Any]:
        """Scores by name; undefined scores are null."""
        plain = {name: number(value) if isinstance(value, float) else value for name, value in vars(self).items()}
        return {**plain, "named": self.named.to_json(), "masks": self.masks.to_json()}


class Contestant:
    """A kind of map on one drive, and the truth in the frame of this map."""

    def __init__(self, world: ObjectMap | PlainJoin, spoil: Callable[[np.ndarray], np.ndarray]):
        self.world, self.spoil = world, spoil
        self.truth = TruthCells(CELL)
        self.seconds: list[float] = []

    def observe(self, step: Step, ids: np.ndarray, result: Result) -> None:
        """Add a frame; ids (N,): true ids, −1 for points of objects that will move."""
        pose = self.spoil(step.pose)
        start = perf_counter()
        if isinstance(self.world, ObjectMap):
            pose = self.world.observe(step.points, step.colors, pose, result).pose
        else:
            self.world.observe(step.points, pose, result)
        self.seconds.append(perf_counter() - start)
        lasting = (ids >= 0) & (np.einsum("ni,ni->n", step.points, step.points) <= RANGE**2)
        self.truth.add(step.points[lasting] @ pose[:3, :3].T + pose[:3, 3], ids[lasting])

    def answer(self) -> tuple[np.ndarray, Result]:
        """True id (K,) of each cell, and the map's result for these cells."""
        place, ids = self.truth.result()
        if isinstance(self.world, ObjectMap):
            result: Any = self.world.result()
            points = result.points
        else:
            points, result = self.world.result()
        return ids, on_cells(place, points, result, REACH * CELL)


class OldPlaces:
    """Cells of moved objects at their old places, and the number of views through each cell since the move."""

    def __init__(self) -> None:
        self.places: list[np.ndarray] = []
        self.cells = np.zeros((0, 3), np.int64)
        self.looks = np.zeros(0, np.int64)

    def before(self, step: Step, moved: np.ndarray) -> None:
        """Add a frame before the move."""
        inside = np.isin(step.instance, moved)
        self.places.append(_cells(step, inside))

    def after(self, step: Step) -> None:
        """Add a frame after the move."""
        if not len(self.cells):
            self.cells = np.unique(np.concatenate(self.places), axis=0)
            self.looks = np.zeros(len(self.cells), np.int64)
        body = ((self.cells + 0.5) * CELL - step.pose[:3, 3]) @ step.pose[:3, :3]
        through = RangeImage(step.points).passed_through(body.astype(np.float32), np.full(len(body), PASSED))
        self.looks += through

    def emptied(self, world: ObjectMap) -> tuple[int, int]:
        """The number of cells with at least LOOKS views through them, and how many of these the map has emptied."""
        seen = self.cells[self.looks >= LOOKS] if len(self.cells) else self.cells
        return len(seen), int((world.cells.find(pack(seen)) < 0).sum()) if len(seen) else 0


def _cells(step: Step, chosen: np.ndarray) -> np.ndarray:
    points = step.points[chosen] @ step.pose[:3, :3].T + step.pose[:3, 3]
    return np.unique(np.floor(points / CELL).astype(np.int64), axis=0)


def compete(
    drives: Iterable[Drive], labels: LabelSet, segment: Callable[[Step], Result], names: Sequence[str],
    options: dict[str, Any] | None = None, poses: Sequence[str] = tuple(POSES), min_region: int = 100,
    progress: Callable[[Iterable], Iterable] = iter,
) -> list[MethodScores]:  # fmt: skip
    """Scores of single frames, the plain join and the map, for each kind of poses.

    For the plain join every figure is that of the best of its THRESHOLDS. `segment` returns results with the classes
    `names`; `options` are those of `ObjectMap`.
    """
    alone = Accumulator(labels, min_region)
    methods = [(kind, threshold) for kind in poses for threshold in (*THRESHOLDS, None)]
    totals = {key: Accumulator(labels, min_region) for key in methods}
    seconds: dict[Any, list[float]] = {key: [] for key in methods}
    segmenting: list[float] = []
    megabytes = dict.fromkeys(methods, 0.0)
    emptied = {kind: np.zeros(2, np.int64) for kind in poses}
    for seed, drive in enumerate(drives):
        told = LabelSet("told", labels.classes) if tuple(names) == labels.names else _label_set(names, labels)
        field = {
            (kind, threshold): Contestant(
                ObjectMap(labels=told, **(options or {})) if threshold is None else PlainJoin(told, threshold, CELL),
                POSES[kind](seed),
            )
            for kind, threshold in methods
        }
        places = OldPlaces()
        for index, step in enumerate(progress(drive.steps())):
            start = perf_counter()
            result = segment(step)
            segmenting.append(perf_counter() - start)
            ids = truth_ids(step.semantic, step.instance, labels)
            alone.add(str(index), ids, predictions_of(result, labels), translate(result.semantic, names, labels))
            if len(drive.moved):
                places.before(step, drive.moved) if index < drive.moved_at else places.after(step)
            lasting = ids if index >= drive.moved_at else np.where(np.isin(step.instance, drive.moved), -1, ids)
            for contestant in field.values():
                contestant.observe(step, lasting, result)
        for (kind, threshold), contestant in field.items():
            ids, answer = contestant.answer()
            semantic = translate(answer.semantic, names, labels)
            totals[kind, threshold].add(drive.name, ids, predictions_of(answer, labels), semantic)
            seconds[kind, threshold] += contestant.seconds
            if isinstance(contestant.world, ObjectMap):
                megabytes[kind, threshold] = max(megabytes[kind, threshold], contestant.world.cells.num_bytes / 1e6)
                emptied[kind] += places.emptied(contestant.world)
    rows = [_row("single frames", "", [alone.outcome("", "", "")])]
    rows[0].milliseconds = 1000 * median(segmenting) if segmenting else NAN
    for kind in poses:
        outcomes = [totals[kind, threshold].outcome("", "", "") for threshold in THRESHOLDS]
        rows.append(_row("plain join", kind, outcomes))
        row = _row("map", kind, [totals[kind, None].outcome("", "", "")])
        row.milliseconds = 1000 * median(seconds[kind, None]) if seconds[kind, None] else NAN
        row.megabytes = megabytes[kind, None]
        looked, empty = emptied[kind]
        row.emptied = empty / looked if looked else NAN
        rows.append(row)
    return rows


def segment_levelled(segmenter: Any, step: Step) -> Result:
    """Segment a frame after levelling it by its true pose. The segmenter must have `level="off"`."""
    return segmenter(transform_points(step.points, tilt(step.pose)), step.colors)


def _label_set(names: Sequence[str], labels: LabelSet) -> LabelSet:
    """The label set of a model's classes, with the entries of `labels` for equal names."""
    known = {entry.name: entry for entry in labels.classes}
    return LabelSet("told", tuple(known[name] for name in names))


def _row(method: str, poses: str, outcomes: Sequence[Outcome]) -> MethodScores:
    """Scores with the best value of each figure among the outcomes."""

    def best(get: Callable[[Outcome], float]) -> float:
        return max(map(get, outcomes))

    def right(outcome: Outcome) -> float:
        assert outcome.confusion is not None
        return float(np.trace(outcome.confusion[:, :-1]) / max(outcome.confusion.sum(), 1))

    def scores(which: str) -> Scores:
        return Scores(*(best(attrgetter(f"{which}.{name}")) for name in ("ap", "ap50", "ap25")))

    most = max(outcomes, key=lambda o: o.agnostic.ap50)
    found, true = (sum(getattr(s, name) for s in most.scenes) for name in ("predictions", "objects"))
    return MethodScores(method, poses, scores("mean"), scores("agnostic"), best(right), found, true)


def table(rows: Sequence[MethodScores]) -> str:
    """The scores as a Markdown table."""
    head = "| method | poses | AP50 | AP25 | masks AP50 | AP25 | class right | objects | emptied | ms | MB |"
    lines = [head, "| --- " * 11 + "|"]

    def show(value: float, digits: int = 3) -> str:
        return "" if np.isnan(value) else f"{value:.{digits}f}"

    for row in rows:
        figures = (row.named.ap50, row.named.ap25, row.masks.ap50, row.masks.ap25, row.accuracy)
        columns = [row.method, row.poses, *(show(value) for value in figures), f"{row.found} for {row.true}"]
        columns += [show(row.emptied), show(row.milliseconds, 0), show(row.megabytes, 0)]
        lines.append("| " + " | ".join(columns) + " |")
    return "\n".join(lines)
