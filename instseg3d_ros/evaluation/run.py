"""Runs methods on scenes, or reads predictions of other methods from files, and computes their scores."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.data.scene import Scene, read_labels
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation import benchmark_layout as layout
from instseg3d_ros.evaluation import overlap, tabletop
from instseg3d_ros.evaluation.accumulate import Accumulator, predictions_of, translate
from instseg3d_ros.evaluation.baselines import Baseline
from instseg3d_ros.evaluation.distance import ByDistance
from instseg3d_ros.evaluation.instance_ap import MIN_REGION
from instseg3d_ros.evaluation.outcome import Example, Outcome
from instseg3d_ros.labels import IGNORE, LABEL_SETS, SCANNET20, LabelSet
from instseg3d_ros.segmentation.result import Result


@dataclass(frozen=True)
class Method:
    """A method of segmentation: `call(points, colors) -> Result`, and the names of its classes.

    sees: `call` also takes `viewpoint`, the position of the camera.
    """

    name: str
    call: Callable[..., Result]
    names: tuple[str, ...]
    class_aware: bool = True
    sees: bool = False

    def answer(self, scene: Scene) -> Result:
        """Segment a scene."""
        if self.sees and "camera" in scene.extras:
            return self.call(scene.points, scene.colors, viewpoint=scene.extras["camera"][:3, 3])
        return self.call(scene.points, scene.colors)


def baseline(name: str) -> Method:
    """A classical method by name; it predicts no classes."""
    method = Baseline(name)
    return Method(name, method, method.names, class_aware=False, sees=True)


def network(model: str, device: str = "auto", calibrated: bool = True, **options: Any) -> Method:
    """A model by its name in models/ or its path; `options` go to `Segmenter.load`. calibrated=False: raw scores."""
    from instseg3d_ros import Segmenter

    segmenter = Segmenter.load(model, device=device, **options)
    if not calibrated:
        segmenter.card.calibration = None
    return Method(Path(model).stem, segmenter, segmenter.labels.names)


def without_color(method: Method) -> Method:
    """The method applied to clouds without their colours."""

    def call(points: np.ndarray, colors: np.ndarray | None, **more: np.ndarray) -> Result:
        return method.call(points, None, **more)

    return replace(method, name=f"{method.name}, no colour", call=call)


def pick(count: int, wanted: int) -> set[int]:
    """`wanted` indices spread evenly over 0…count−1; these scenes become examples in the figures."""
    return set(np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist())


def evaluate_scenes(
    method: Method,
    files: Sequence[Path],
    labels: LabelSet,
    dataset: str,
    split: str,
    min_region: int = MIN_REGION,
    export: Path | None = None,
    examples: int = 0,
    progress: Callable[[Iterable], Iterable] = iter,
    by_score: bool = False,
) -> Outcome:
    """Score a method on scenes; with `export`, also write truth and predictions in ScanNet's layout to this folder.

    With `by_score` the outcome also contains the overlap F of the objects above each score of `overlap.STEPS`.
    """
    total = Accumulator(labels, min_region, method.class_aware)
    ranges = ByDistance(labels, min_region)
    drawn, chosen = [], pick(len(files), examples)
    steps: list[np.ndarray] = []
    for index, path in enumerate(progress(files)):
        scene = Scene.read(path)
        if not len(scene):
            raise InputError(f"{path}: has no points; remove it from the split")
        result = method.answer(scene)
        truth = layout.truth_ids(scene.semantic, scene.instance, labels)
        predictions = predictions_of(result, labels)
        semantic = translate(result.semantic, method.names, labels)
        figures = overlap.of_scene(scene, predictions, min_region)
        answer = semantic if method.class_aware else None
        total.add(scene.name, truth, predictions, answer, result.timings, figures, scene.semantic)
        if "camera" in scene.extras and method.class_aware:
            away = np.linalg.norm(scene.points - scene.extras["camera"][:3, 3], axis=1)
            ranges.add(away, total.tables[-1], truth, scene.semantic, semantic, predictions)
        if by_score:
            steps.append(overlap.f_by_score(scene, predictions, min_region))
        if export is not None:
            ids = np.array([*layout.labels_ids(labels), 0])
            layout.write_ids(export / layout.GROUND_TRUTH / f"{scene.name}.txt", truth)
            layout.write_ids(export / layout.TRUE_SEMANTIC / f"{scene.name}.txt", ids[scene.semantic])
            if method.class_aware:
                layout.write_ids(export / layout.SEMANTIC / f"{scene.name}.txt", ids[semantic])
            layout.write_predictions(export, scene.name, len(scene), predictions)
        if index in chosen:
            drawn.append(_example(path, scene, semantic, result))
    outcome = total.outcome(method.name, dataset, split)
    outcome.by_distance = ranges.scores()
    outcome.examples = drawn
    outcome.f_by_score = np.mean(steps, axis=0) if steps else None
    return outcome


def evaluate_tabletop(
    method: Method,
    files: Sequence[Path],
    dataset: str,
    min_region: int = MIN_REGION,
    examples: int = 0,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Outcome:
    """Class-agnostic scores on frames of a depth camera; only points of labelled objects count."""
    total = Accumulator(tabletop.OBJECTS, min_region, class_aware=False)
    drawn, chosen = [], pick(len(files), examples)
    for index, path in enumerate(progress(files)):
        scene = tabletop.read_frame(path)
        result = method.answer(scene)
        masks = predictions_of(result, tabletop.OBJECTS)
        truth, predictions = tabletop.on_objects(scene, masks)
        total.add(scene.name, truth, predictions, None, result.timings, overlap.of_scene(scene, masks, min_region))
        if index in chosen:
            semantic = translate(result.semantic, method.names, tabletop.OBJECTS)
            drawn.append(_example(path, scene, semantic, result))
    outcome = total.outcome(method.name, dataset, "")
    outcome.by_objects = tabletop.by_objects(outcome, total.tables)
    outcome.examples = drawn
    return outcome


def _example(path: Path, scene: Scene, semantic: np.ndarray, result: Result) -> Example:
    return Example(
        path, scene.points, scene.colors, scene.semantic, scene.instance, semantic, result.instance, scene.extras
    )


def evaluate_folders(
    predictions: Path,
    ground_truth: Path,
    labels: LabelSet | None = None,
    min_region: int = MIN_REGION,
    limit: int | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Outcome:
    """Score a folder in ScanNet's layout against `<scene>.txt` truth, or against the npz scenes of a prepared split.

    A scene without a prediction file counts as a scene without predictions.
    """
    scenes = sorted(ground_truth.glob("*.npz")) if not any(ground_truth.glob("*.txt")) else []
    names = [path.stem for path in scenes] or layout.scene_names(ground_truth)
    if labels is None:
        labels = read_labels(ground_truth.parent) if scenes else SCANNET20
    if not predictions.is_dir():
        raise InputError(f"{predictions}: no such folder; expected <scene>.txt files in it")
    predicted = layout.scene_names(predictions)
    unknown = sorted(set(predicted) - set(names))
    if unknown:
        more = f" ({len(unknown)} such files)" if len(unknown) > 1 else ""
        raise InputError(
            f"{predictions}/{unknown[0]}.txt: no ground truth in {ground_truth}{more}; add the ground truth or "
            "remove this file"
        )
    missing = sorted(set(names) - set(predicted))
    if missing:
        which = f"{len(missing)} of {len(names)} scenes have no prediction file ({missing[0]} …)"
        warnings.warn(f"{which}; they are scored as scenes without predictions", stacklevel=2)

    index_of = {label: index for index, label in enumerate(layout.labels_ids(labels))}
    total = Accumulator(labels, min_region)
    for name in progress(names[:limit]):
        truth, true_semantic = _truth(ground_truth, name, labels, bool(scenes))
        if true_semantic is None:
            true_semantic = _classes(ground_truth.with_name(layout.TRUE_SEMANTIC) / f"{name}.txt", index_of, len(truth))
        masks = layout.read_predictions(predictions, name, len(truth)) if name not in missing else []
        semantic = _classes(predictions / layout.SEMANTIC / f"{name}.txt", index_of, len(truth))
        total.add(name, truth, masks, semantic, true_semantic=true_semantic)
    return total.outcome(predictions.resolve().name, ground_truth.resolve().name, "")


def _classes(path: Path, index_of: dict[int, int], points: int) -> np.ndarray | None:
    """Class index (N,) from a file with a label id per point; None if the file does not exist."""
    if not path.is_file():
        return None
    ids, inverse = np.unique(layout.read_ids(path), return_inverse=True)
    if inverse.size != points:
        raise InputError(f"{path}: {inverse.size} lines for {points} points; write one per point")
    return np.array([index_of.get(int(i), IGNORE) for i in ids], np.int64)[inverse.reshape(-1)]


def _truth(folder: Path, name: str, labels: LabelSet, prepared: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Ids (N,) as in ScanNet's layout and, for scenes of a prepared data set, the class index (N,)."""
    if not prepared:
        return layout.read_ids(folder / f"{name}.txt"), None
    scene = Scene.read(folder / f"{name}.npz")
    return layout.truth_ids(scene.semantic, scene.instance, labels), scene.semantic


def find_labels(name: str) -> LabelSet:
    """A label set by its name or from the path of a labels.yaml. Raises InputError if it is not found."""
    if name in LABEL_SETS:
        return LABEL_SETS[name]
    if Path(name).is_file():
        return LabelSet.read(Path(name))
    raise InputError(f"unknown label set '{name}'; one of: {', '.join(LABEL_SETS)}, or a labels.yaml")
