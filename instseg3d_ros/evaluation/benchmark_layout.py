"""Reads and writes predictions and ground truth in the file layout of the ScanNet benchmark.

DIR/<scene>.txt                     one line per instance: relative/mask/path label_id confidence
DIR/predicted_masks/<scene>_000.txt one integer per vertex, non-zero inside the mask
DIR/semantic/<scene>.txt            one label id per vertex, 0 none     (an extension; optional when reading)
DIR/ground_truth/<scene>.txt        one label × 1000 + instance per vertex, 0 unlabelled or of no known object
DIR/ground_truth_semantic/<scene>.txt  one label id per vertex, 0 unlabelled   (an extension; optional when reading)
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.instance_ap import FACTOR, Prediction
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.replacing import replacing

MASKS, SEMANTIC, GROUND_TRUTH, TRUE_SEMANTIC = "predicted_masks", "semantic", "ground_truth", "ground_truth_semantic"


def read_ids(path: Path) -> np.ndarray:
    """Read a file with one integer per line: (N,) int64. Raises InputError if it cannot be read."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a file with one integer per line") from None
    content = np.frombuffer(raw, np.uint8)
    digits = content[::2]
    # Masks are almost always "0\n1\n…", which is read as two bytes per point instead of parsing text.
    if len(content) % 2 == 0 and (content[1::2] == 10).all() and ((digits >= 48) & (digits <= 57)).all():
        return digits.astype(np.int64) - 48
    try:
        return np.array(raw.split()).astype(np.int64) if raw.strip() else np.zeros(0, np.int64)
    except ValueError as error:
        raise InputError(f"{path}: {error}; expected one integer per line") from None


def write_ids(path: Path, ids: np.ndarray) -> None:
    """Write integers (N,), one per line; bool and values below 10 take two bytes per point."""
    ids = np.asarray(ids)
    if ids.size and ids.min() >= 0 and ids.max() <= 9:
        raw = np.full((len(ids), 2), 10, np.uint8)
        raw[:, 0] = ids.astype(np.uint8) + 48
        write(path, raw.tobytes())
    else:
        write(path, "".join(f"{value}\n" for value in ids.tolist()).encode())


def write(path: Path, content: bytes) -> None:
    """Write a file atomically (`replacing`)."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        beside.write_bytes(content)


def scene_names(folder: Path) -> list[str]:
    """Names of the scenes in a folder, from its `<scene>.txt`. Raises InputError if there are none."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; expected <scene>.txt files in it")
    # the official script writes its result into the folder of the predictions
    names = sorted(p.stem for p in Path(folder).glob("*.txt") if p.name != "semantic_instance_evaluation.txt")
    names = [name for name in names if not name.startswith(".")]
    if not names:
        raise InputError(f"{folder}: holds no <scene>.txt; expected one per scene")
    return names


def read_predictions(folder: Path, scene: str, points: int) -> list[Prediction]:
    """Predictions of a scene in file order. A mask listed twice has its first position and its last label and score."""
    path = Path(folder) / f"{scene}.txt"
    root = os.path.abspath(folder)
    listed: dict[str, tuple[int, float]] = {}
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}; expected lines of mask, label id, confidence") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parts = line.split()
        where = f"{path}:{number}"
        if len(parts) != 3:
            raise InputError(f"{where}: {len(parts)} fields; expected relative/mask/path label_id confidence")
        mask = os.path.abspath(os.path.join(root, parts[0]))
        if os.path.isabs(parts[0]) or os.path.commonpath([mask, root]) != root:
            raise InputError(f"{where}: mask {parts[0]} is outside {folder}; give a path relative to it")
        try:
            label, score = int(float(parts[1])), float(parts[2])
        except (ValueError, OverflowError):
            raise InputError(f"{where}: label '{parts[1]}', confidence '{parts[2]}'; expected two numbers") from None
        if math.isnan(score):
            raise InputError(f"{where}: confidence is NaN; write a number")
        if mask in listed:
            warnings.warn(f"{where}: mask {parts[0]} is listed twice; the last line is used", stacklevel=2)
        listed[mask] = (label, score)
    predictions = []
    for mask, (label, score) in listed.items():
        ids = read_ids(Path(mask))
        if len(ids) != points:
            raise InputError(f"{mask}: {len(ids)} lines for {points} points of {scene}; write one per point")
        predictions.append(Prediction(np.flatnonzero(ids), label, score))
    return predictions


def write_predictions(folder: Path, scene: str, points: int, predictions: Sequence[Prediction]) -> None:
    """Write a scene. The list of instances is written last, so a scene with a list is complete."""
    lines = []
    for number, prediction in enumerate(predictions):
        mask = np.zeros(points, np.uint8)
        mask[prediction.mask] = 1
        relative = f"{MASKS}/{scene}_{number:03d}.txt"
        write_ids(Path(folder) / relative, mask)
        lines.append(f"{relative} {prediction.label} {prediction.score!r}\n")
    write(Path(folder) / f"{scene}.txt", "".join(lines).encode())


def truth_ids(semantic: np.ndarray, instance: np.ndarray, labels: LabelSet) -> np.ndarray:
    """Ground-truth ids (N,) int64 from class indices and instances, each (N,).

    Unlabelled points get the id 0, and so do points of a thing class without an instance, since their object is
    unknown. Instance numbers with up to three digits stay the same; otherwise instances are numbered 1, 2 … in their
    order within each class.
    """
    semantic, instance = np.asarray(semantic, np.int64), np.maximum(np.asarray(instance, np.int64), 0)
    label = np.array([*labels_ids(labels), 0])[semantic]  # index -1 selects the last entry, 0
    thing = np.array([*labels.things, False])[semantic]
    labelled = (label > 0) & ~(thing & (instance == 0))
    if instance.max(initial=0) >= FACTOR:
        pairs, inverse = np.unique(np.stack([label, instance], 1), axis=0, return_inverse=True)
        first = np.searchsorted(pairs[:, 0], pairs[:, 0])  # index of the first instance of each label
        has_none = pairs[first, 1] == 0
        rank = np.where(pairs[:, 1] == 0, 0, np.arange(len(pairs)) - first + np.where(has_none, 0, 1))
        if (rank[pairs[:, 0] > 0] >= FACTOR).any():
            raise InputError(
                f"{rank.max()} instances of one class in a scene; ScanNet's ids allow at most {FACTOR - 1}"
            )
        instance = rank[inverse.reshape(-1)]
    return np.where(labelled, label * FACTOR + instance, 0)


def labels_ids(labels: LabelSet) -> list[int]:
    """The label id of each class. Raises InputError if ids repeat or are not positive (0 means unlabelled)."""
    ids = [entry.id for entry in labels.classes]
    if len(set(ids)) < len(ids) or min(ids, default=1) < 1:
        raise InputError(f"label set {labels.name}: ids {ids}; they must be positive and differ (labels.yaml)")
    return ids
