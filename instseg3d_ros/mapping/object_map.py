"""`ObjectMap` combines the segmentations of many views to a map of objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping import association, evidence, free_space, limits, objects, storage
from instseg3d_ros.mapping.agreement import add_agreement
from instseg3d_ros.mapping.alignment import align
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.drift import Drift
from instseg3d_ros.mapping.fragments import Fragments
from instseg3d_ros.mapping.objects import MapObject, MapResult
from instseg3d_ros.mapping.options import MapOptions
from instseg3d_ros.mapping.pose import check_pose, tilt
from instseg3d_ros.mapping.view import Frame, View, look, place
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.sparse.rigid import transform_points

CONTRADICTS = 0.35  # fit below which a view contradicts the map
LITTLE = 0.15  # weight of a view that contradicts the map
OF_NOTHING = 0.3  # vote for no object from a cell outside all instances, relative to its confidence
LEAST = 0.05  # smallest vote of an instance


@dataclass
class Added:
    """The outcome of adding a view.

    object (P,): object of each instance of the result, in their order · pose (4, 4): the pose after alignment · fit:
    fraction of the view that lies on the map, None if the map has too few cells there · added, emptied, forgotten:
    numbers of cells · timings: milliseconds by stage
    """

    object: np.ndarray
    pose: np.ndarray
    fit: float | None = None
    added: int = 0
    emptied: int = 0
    forgotten: int = 0
    timings: dict[str, float] = field(default_factory=dict)


class ObjectMap:
    """Combines the segmentations of many views to a map of objects.

        world = ObjectMap(Segmenter.load("unet"))
        world.add(points, colors, pose)   # (N, 3) float32 metres in body axes, (N, 3) uint8 or None, (4, 4)
        result = world.result()           # one row per cell
        world.objects                     # id, label, score, box, cells, views, first_seen, last_seen, probabilities

    `pose` transforms the sensor's body axes (x forward, y left, z up, sensor at the origin) to a fixed frame with z up.
    `segmenter` is a callable of (points, colors) with an attribute `labels`. Without one, give `labels` and use
    `observe`. The options are those of `MapOptions`. `refused` counts the views that were not added, by reason;
    `doubted` the views that contradicted the map and got little weight; `forgotten` the cells removed by a limit.
    """

    def __init__(self, segmenter: Any = None, labels: LabelSet | None = None, **options: Any):
        if segmenter is None and labels is None:
            raise InputError("a map needs a segmenter or labels, but got neither; pass one of them")
        self.segmenter = segmenter
        self.labels: LabelSet = labels if labels is not None else segmenter.labels
        self.options = MapOptions(**options)
        self.fragments = Fragments()
        self.refused: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Remove all cells and objects. Later objects get new ids, so that no id is used twice."""
        self.cells = Cells(len(self.labels))
        self.fragments = Fragments(next_object=self.fragments.next_object)
        self.views = 0
        self.doubted = 0
        self.forgotten = 0
        self.drift = Drift()

    def add(self, points: np.ndarray, colors: np.ndarray | None, pose: np.ndarray, stamp: float | None = None) -> Added:
        """Segment a cloud, levelled by its pose, and add it. Raises InputError for a pose that is not valid."""
        if self.segmenter is None:
            raise InputError("this map has no segmenter; pass one with ObjectMap.load(path, segmenter), or use observe")
        pose = self._checked(pose)
        turn = tilt(pose)
        with _level_off(self.segmenter):
            result = self.segmenter(transform_points(points, turn), colors)
        return self.observe(points, colors, pose, result, stamp)

    def observe(
        self, points: np.ndarray, colors: np.ndarray | None, pose: np.ndarray, result: Result,
        stamp: float | None = None,
    ) -> Added:  # fmt: skip
        """Add a segmented cloud. `stamp` in seconds; the default is the number of views added before."""
        pose = self._checked(pose)
        clock = _Clock()
        frame = look(np.asarray(points, np.float32), colors, result, self.options.cell, self.options.max_range)
        clock("look")
        if frame is None:
            self.refused["no point has a label"] += 1
            return Added(np.zeros(len(result.instances), np.int32), pose, timings=clock.stages)
        told = self.correction @ pose
        used, fit = self._aligned(frame, told)
        if fit is not None and fit >= CONTRADICTS:
            self.drift.add(told, used)
        trust = 1.0
        if fit is not None and fit < CONTRADICTS:
            self.doubted += 1
            trust = LITTLE
        clock("align")
        view = place(frame, used, self.options.cell)
        rows = self.cells.find(view.keys)
        clock("place")
        known = rows >= 0
        self.cells.see(rows[known], self.views)
        emptied = self._carve(frame, used, trust)
        clock("carve")
        rows[~known] = self.cells.insert(view.keys[~known])
        self.cells.see(rows[~known], self.views)
        scores = np.array([one.score for one in result.instances])
        stamp = float(self.views if stamp is None else stamp)
        main = self._associate(view, frame, rows, known, scores, trust, stamp)
        clock("associate")
        forgotten = self._limit(used[:3, 3])
        self.views += 1
        self.forgotten += forgotten
        clock("limit")
        table = self.fragments.table
        ids = np.array([table[number].object if number in table else 0 for number in main], np.int32)
        return Added(ids, used, fit, int((~known).sum()), emptied, forgotten, clock.stages)

    @property
    def correction(self) -> np.ndarray:
        """(4, 4) transform that moves given poses onto the map, before each view is aligned."""
        return self.drift.correction

    @property
    def objects(self) -> list[MapObject]:
        """Objects with at least `min_cells` cells and `min_views` views, in ascending order of their ids."""
        return objects.describe(*self._shown())[0]

    @property
    def num_objects(self) -> int:
        """Number of `objects`; faster than `len(world.objects)`."""
        return self.fragments.count(self.options.min_cells, self.options.min_views)

    def result(self) -> MapResult:
        """All cells in the order of their keys, and the objects: a `Result` with one row per cell."""
        return objects.summarise(*self._shown())

    def _shown(self) -> tuple[Cells, Fragments, LabelSet, int, int]:
        return self.cells, self.fragments, self.labels, self.options.min_cells, self.options.min_views

    def save(self, path: str | Path) -> None:
        """Write the map as .npz, under a temporary name first, so that the file is always complete."""
        storage.save(self, Path(path))

    @staticmethod
    def load(path: str | Path, segmenter: Any = None) -> ObjectMap:
        """Load a saved map with its options. Raises InputError if the file is not a map or has other classes."""
        return storage.load(ObjectMap, Path(path), segmenter)

    def _checked(self, pose: np.ndarray) -> np.ndarray:
        try:
            return check_pose(pose, self.options.max_distance)
        except InputError as error:
            self.refused[str(error).partition(";")[0].partition(":")[0]] += 1
            raise

    def _aligned(self, frame: Frame, pose: np.ndarray) -> tuple[np.ndarray, float | None]:
        """The pose after alignment with the map, and the fit."""
        options = self.options
        if not options.align or not len(self.cells):
            return pose, None
        flat = frame.planes.flat
        center = frame.planes.center[flat] @ pose[:3, :3].T + pose[:3, 3]
        normal = frame.planes.normal[flat] @ pose[:3, :3].T
        bounds = options.cell, options.align_distance, options.align_angle
        found = align(center, normal, self.cells, pose[:3, 3], *bounds)
        return found.transform @ pose, found.fit

    def _carve(self, frame: Frame, pose: np.ndarray, trust: float) -> int:
        """Empty the cells that the view looked through. Returns the number of cells emptied."""
        cell = self.options.cell
        empty = free_space.carve(self.cells, pose, frame.range_image, cell, self.views, trust)
        lead, counts = np.unique(self.cells["fragment"][empty], return_counts=True)
        emptied = self._remove(empty)
        gone = self.fragments.gone(dict(zip(lead.tolist(), counts.tolist())))
        return emptied + (self._remove(self._led_by(gone)) if gone else 0)

    def _led_by(self, fragments: list[int]) -> np.ndarray:
        """Rows of the cells in which one of these fragments leads."""
        return np.flatnonzero(np.isin(self.cells["fragment"], fragments))  # free rows hold 0, which is no fragment

    def _remove(self, rows: np.ndarray) -> int:
        if len(rows):
            self._count(*np.unique(self.cells["fragment"][rows], return_counts=True), -1)
            self.cells.remove(rows)
        return len(rows)

    def _count(self, lead: np.ndarray, cells: np.ndarray, sign: int) -> None:
        """Add (sign 1) or subtract (−1) numbers of cells (R,) to those that the fragments `lead` (R,) lead."""
        for number, count in zip(lead.tolist(), cells.tolist()):
            if number:
                self.fragments.table[number].cells += sign * count

    def _associate(
        self, view: View, frame: Frame, rows: np.ndarray, known: np.ndarray, scores: np.ndarray, trust: float,
        stamp: float,
    ) -> list[int]:  # fmt: skip
        """Match the pieces with fragments and add the view's evidence. Returns the main fragment of each piece."""
        cells, fragments = self.cells, self.fragments
        count = len(frame.pieces)
        before = cells["fragment"][rows]
        found = association.match(view.piece, np.where(known, before, -1), count, fragments)
        association.cut(found, view.piece, before, rows, cells, fragments)
        if trust == 1:
            association.begin(found, view.piece, fragments)
        lead = cells["fragment"][rows]
        near = association.neighbours(view.piece, view.position, count)
        changed = association.learn(found, near, trust * scores, fragments)
        target, own = association.targets(found, view.piece, lead)
        weight = trust * view.weight
        amount = np.where(own, np.append(scores, 0)[view.piece], OF_NOTHING * view.confidence)
        after = evidence.add_votes(cells, rows, target, weight * np.maximum(amount, LEAST))
        self._withdraw(rows, after)
        evidence.add_classes(
            cells, rows, view.label, weight * evidence.class_evidence(view.confidence, len(self.labels))
        )
        evidence.add_places(cells, rows, view.position, view.color, weight, trust)
        self._count(*np.unique(before, return_counts=True), -1)
        pairs, shared = np.unique(after * (count + 1) + view.piece + 1, return_counts=True)
        lead_of, piece_of = pairs // (count + 1), pairs % (count + 1) - 1
        self._count(lead_of, shared, 1)
        seen = found.fragments()
        for number in seen:
            fragments.table[number].views += 1
            fragments.table[number].emptied = 0
        self._forget_empty(changed | seen, stamp)
        for number in {fragments.table[number].object for number in seen if number in fragments.table}:
            fragments.objects[number].views += 1
            fragments.objects[number].last = stamp
        if trust == 1:
            add_agreement(piece_of, lead_of, shared, scores, fragments)
        return found.main

    def _withdraw(self, rows: np.ndarray, lead: np.ndarray) -> None:
        """Withdraw votes for dropped fragments that lead in cells (K,) again; equal votes can cause this."""
        while gone := [number for number in np.unique(lead).tolist() if number and number not in self.fragments.table]:
            there = np.flatnonzero(np.isin(lead, gone))
            lead[there] = evidence.withdraw_votes(self.cells, rows[there], np.array(gone))

    def _forget_empty(self, touched: set[int], stamp: float) -> None:
        """Drop fragments without cells, and regroup all fragments that this or the view has changed."""
        empty = [number for number, fragment in self.fragments.table.items() if fragment.cells <= 0]
        touched.update(self.fragments.drop(empty))
        self.fragments.regroup(touched, stamp)

    def _limit(self, place: np.ndarray) -> int:
        """Remove the cells beyond the limits; return their number."""
        often = self.views % 10 == 0  # a robot does not move far in ten views
        cell = self.options.cell
        far = self._remove(limits.too_far(self.cells, cell, place, self.options.radius)) if often else 0
        return far + self._remove(limits.too_many(self.cells, cell, place, self.views, self.options.max_cells))


@contextmanager
def _level_off(segmenter: Any) -> Iterator[None]:
    """Turn off the segmenter's own levelling meanwhile, because the pose already defines the direction up."""
    options = getattr(segmenter, "options", None)
    level = getattr(options, "level", "off")
    if level != "off":
        segmenter.configure(level="off")
    try:
        yield
    finally:
        if level != "off":
            segmenter.configure(level=level)


class _Clock:
    """Measures milliseconds by stage."""

    def __init__(self) -> None:
        self.last = perf_counter()
        self.stages: dict[str, float] = {}

    def __call__(self, stage: str) -> None:
        now = perf_counter()
        self.stages[stage] = 1000 * (now - self.last)
        self.last = now
