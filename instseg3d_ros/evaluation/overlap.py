"""Overlap and boundary scores of masks, as in papers on unseen objects (Xie et al. 2021, arXiv 2007.08073).

Predicted and true objects of a frame are assigned to each other so that the sum of their F is maximal. The
intersections of assigned pairs are summed and divided by the number of points of all predicted objects (precision)
and of all true objects (recall); F is the harmonic mean. Boundary scores are computed in the same way from the pixels
on the boundary of each mask, with a tolerance of a few pixels. Scores are computed per frame and averaged over the
frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.evaluation.instance_ap import Prediction
from instseg3d_ros.evaluation.outcome import NAN, OverlapScores
from instseg3d_ros.labels import IGNORE

WELL = 0.75  # minimum F of a well segmented object
STEPS = np.linspace(0, 0.95, 20)  # thresholds of the score, among which the threshold with the greatest F is chosen
SLACK = 0.003  # tolerance of boundaries, as a fraction of the image's diagonal
IGNORED = -1  # true id of a point that is ignored


@dataclass(frozen=True)
class Image:
    """Pixels of an organised cloud's points: pixel (N,) index in row-major order, height and width of the image."""

    pixel: np.ndarray
    shape: tuple[int, int]


def score(truth: np.ndarray, masks: Sequence[np.ndarray], image: Image | None = None) -> OverlapScores:
    """Scores of a frame.

    truth (N,): id of each point's object, 0 for none, `IGNORED` for points that no score counts; masks: for each
    predicted object the indices of its points (K,), or (N,) bool. Boundary scores need the `image`. Precision is 1 for
    frames without predictions, and recall is 1 for frames without true objects.
    """
    ids, number = np.unique(np.maximum(truth, 0), return_inverse=True)
    number = number.reshape(-1) - (ids[0] == 0) if len(ids) else number  # −1 for no object
    count = len(ids) - int(len(ids) > 0 and ids[0] == 0)
    taking_part = truth != IGNORED
    predicted = [rows[taking_part[rows]] for rows in (_rows(mask) for mask in masks)]
    predicted = [rows for rows in predicted if len(rows)]
    shared = np.array([np.bincount(number[rows] + 1, minlength=count + 1)[1:] for rows in predicted], np.int64)
    shared = shared.reshape(len(predicted), count)
    size = np.array([len(rows) for rows in predicted], np.int64)
    true_size = np.bincount(number[taking_part] + 1, minlength=count + 1)[1:]
    f = 2 * shared / np.maximum(size[:, None] + true_size[None, :], 1)
    left, right = _assign(f)
    precision, recall = (
        _share(shared[left, right].sum(), size.sum()),
        _share(shared[left, right].sum(), true_size.sum()),
    )
    well = float((f[left, right] >= WELL).sum() / count) if count else NAN
    rims = (NAN, NAN, NAN)
    if image is not None:
        true_rows = [np.flatnonzero(number == k) for k in range(count)]
        rims = _boundary(predicted, true_rows, list(zip(left.tolist(), right.tolist())), image)
    return OverlapScores(precision, recall, harmonic(precision, recall), *rims, well)


def of_scene(scene: Scene, predictions: Sequence[Prediction], min_region: int = 0) -> OverlapScores:
    """Class-agnostic scores of a scene's objects.

    Points without a label are ignored, and so are true objects of fewer than `min_region` points, such as the small
    visible parts of occluded objects. Boundary scores are computed if the scene has pixels.
    """
    image = None
    if {"pixel", "shape"} <= scene.extras.keys():
        height, width = scene.extras["shape"]
        image = Image(scene.extras["pixel"], (int(height), int(width)))
    return score(_truth(scene, min_region), [p.mask for p in predictions], image)


def f_by_score(scene: Scene, predictions: Sequence[Prediction], min_region: int = 0) -> np.ndarray:
    """Overlap F of a scene when only objects with a score of `STEPS` and more are reported: (20,)."""
    truth = _truth(scene, min_region)
    return np.array([score(truth, [p.mask for p in predictions if p.score >= step]).f for step in STEPS])


def _truth(scene: Scene, min_region: int) -> np.ndarray:
    """(N,) number of each point's object, 0 for none, `IGNORED` for what takes no part (`of_scene`)."""
    number, size = np.unique(scene.instance, return_inverse=True, return_counts=True)[1:]
    left_out = (scene.semantic == IGNORE) | ((scene.instance > 0) & (size < min_region)[number.reshape(-1)])
    return np.where(left_out, IGNORED, scene.instance)


def harmonic(precision: float, recall: float) -> float:
    """F of a precision and a recall; 0 if both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def mean(frames: Sequence[OverlapScores]) -> OverlapScores:
    """The mean of each score over the frames in which it is defined."""
    if not frames:
        return OverlapScores()
    table = np.array([list(vars(frame).values()) for frame in frames], float)
    known = np.isfinite(table)
    sums, counts = np.where(known, table, 0).sum(axis=0), known.sum(axis=0)
    return OverlapScores(*(float(s / c) if c else NAN for s, c in zip(sums, counts)))


def _rows(mask: np.ndarray) -> np.ndarray:
    return np.flatnonzero(mask) if mask.dtype == bool else mask


def _assign(f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (row, column) with the maximal sum of f, without pairs whose f is 0."""
    from scipy.optimize import linear_sum_assignment

    left, right = linear_sum_assignment(f, maximize=True)
    touching = f[left, right] > 0
    return left[touching], right[touching]


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 1.0


def _boundary(
    predicted: list[np.ndarray], true: list[np.ndarray], pairs: list[tuple[int, int]], image: Image
) -> tuple[float, float, float]:
    """Precision, recall and F of the boundaries, for the pairs that were assigned by overlap."""
    reach = int(np.ceil(SLACK * np.hypot(*image.shape)))
    rims = [_rim(rows, image) for rows in predicted]
    true_rims = [_rim(rows, image) for rows in true]
    near_predicted = near_true = 0
    for p, g in pairs:
        near_predicted += int((rims[p] & _grown(true_rims[g], reach)).sum())
        near_true += int((true_rims[g] & _grown(rims[p], reach)).sum())
    precision = _share(near_predicted, sum(int(rim.sum()) for rim in rims))
    recall = _share(near_true, sum(int(rim.sum()) for rim in true_rims))
    return precision, recall, harmonic(precision, recall)


def _rim(rows: np.ndarray, image: Image) -> np.ndarray:
    """(H,W) bool: pixels of a mask with a left, right, upper or lower neighbour in the image outside the mask."""
    mask = np.zeros(image.shape, bool)
    mask.reshape(-1)[image.pixel[rows]] = True
    inside = mask.copy()
    inside[1:] &= mask[:-1]
    inside[:-1] &= mask[1:]
    inside[:, 1:] &= mask[:, :-1]
    inside[:, :-1] &= mask[:, 1:]
    return mask & ~inside


def _grown(mask: np.ndarray, reach: int) -> np.ndarray:
    """Dilate a mask by `reach` pixels."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(~mask) <= reach if mask.any() else mask
