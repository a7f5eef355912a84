"""Labelled frames of a depth camera that looks at a table, for class-agnostic scores without ignored points.

A frame is an npz with depth (H,W) float32 metres along the optical axis, 0 no return; color (H,W,3) uint8; label (H,W)
uint8, 0 none, 1…k objects, 255 table; K (3,3). The pose is unknown: a method gets the cloud in the camera's body axes
(x forward, y left, z up), which are not level.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.instance_ap import FACTOR, Prediction, average_precision, summarize
from instseg3d_ros.evaluation.outcome import Outcome
from instseg3d_ros.labels import IGNORE, LabelClass, LabelSet

TABLE = 255
OBJECTS = LabelSet("tabletop", (LabelClass("object", 1, (255, 215, 0)), LabelClass("table", 2, (174, 199, 232), False)))


def frame_files(folder: Path) -> list[Path]:
    """Frames of a folder in the order of their names. Raises InputError if there are none."""
    files = sorted(Path(folder).glob("*.npz"))
    if not files:
        raise InputError(f"{folder}: no frames; expected *.npz with depth, color, label and K")
    return files


def read_frame(path: Path) -> Scene:
    """Read a frame as a scene with the label set `OBJECTS`; points in body axes; unlabelled points have class -1."""
    try:
        with np.load(path, allow_pickle=False) as content:
            depth, color, label, K = (content[key] for key in ("depth", "color", "label", "K"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: {error}; expected an npz with depth, color, label and K") from None
    row, column = np.nonzero(depth > 0)
    forward = depth[row, column].astype(np.float64)
    left = -(column - K[0, 2]) / K[0, 0] * forward
    up = -(row - K[1, 2]) / K[1, 1] * forward
    label = label[row, column].astype(np.int32)
    is_object = (label > 0) & (label < TABLE)
    return Scene(
        np.stack([forward, left, up], axis=1).astype(np.float32),
        color[row, column],
        np.where(is_object, 0, np.where(label == TABLE, 1, IGNORE)).astype(np.int16),
        np.where(is_object, label, 0).astype(np.int32),
        Path(path).stem,
        {"pixel": (row * depth.shape[1] + column).astype(np.int32), "shape": np.array(depth.shape)},
    )


def on_objects(scene: Scene, predictions: list[Prediction]) -> tuple[np.ndarray, list[Prediction]]:
    """True ids (M,) of the M points of objects, and the predictions restricted to these points."""
    on_object = scene.instance > 0
    row = np.cumsum(on_object) - 1
    cut = [Prediction(row[p.mask[on_object[p.mask]]], p.label, p.score) for p in predictions]
    return FACTOR * OBJECTS[0].id + scene.instance[on_object].astype(np.int64), cut


def by_objects(outcome: Outcome, tables: list) -> dict[int, float]:
    """Number of objects in view → class-agnostic AP50 of the frames with this number."""
    counts = sorted({scene.objects for scene in outcome.scenes})
    chosen = {c: [t.agnostic() for s, t in zip(outcome.scenes, tables) if s.objects == c] for c in counts}
    return {count: summarize(average_precision(part, 1)[0])[0].ap50 for count, part in chosen.items()}
