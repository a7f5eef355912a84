"""What the object head sees of an object: what its voxels say, how large it is, where it stands."""

from __future__ import annotations

import numpy as np
import torch

from instseg3d_ros.network.object_head import MEASURES, ObjectHead
from instseg3d_ros.segmentation.result import Box

RARE = 1e-3  # added to probabilities before their logarithm


def describe(
    positions: np.ndarray,
    counts: np.ndarray,
    order: np.ndarray,
    begin: np.ndarray,
    probability: np.ndarray,
    measures: np.ndarray,
    boxes: list[Box],
    floor: float,
) -> np.ndarray:
    """(K, C + `MEASURES`) float32 for K objects.

    positions (V, 3) and counts (V,) points of all voxels; object k has the voxels order[begin[k] : begin[k + 1]];
    probability (K, C) its mean class probabilities; measures (K, 6) its score by formula, tightness and share of its
    cluster (`find_instances`), and how it was put together (`Proposals.measures`); boxes its upright boxes; floor the
    height of the floor. The columns:

        measures · log probabilities · shorter, longer side and height of the box · bottom, mean and top of its points
        above the floor · distance from the origin · log points · log voxels · log points per voxel · standard
        deviations of its voxels along their principal axes, ascending

    Lengths are in metres.
    """
    num = len(boxes)
    if not num:
        return np.zeros((0, probability.shape[1] + MEASURES), np.float32)
    sums = np.add.reduceat(np.column_stack((counts[order], positions[order])).astype(np.float64), begin[:-1], axis=0)
    voxels = np.diff(begin).astype(np.float64)[:, None]
    mean, points = sums[:, 1:] / voxels, sums[:, :1]
    away = positions[order] - np.repeat(mean, np.diff(begin), axis=0)
    spread = np.add.reduceat((away[:, :, None] * away[:, None, :]).reshape(-1, 9), begin[:-1], axis=0) / voxels
    axes = np.sqrt(np.linalg.eigvalsh(spread.reshape(-1, 3, 3)).clip(min=0))
    middle, size = (np.array([getattr(box, name) for box in boxes]) for name in ("center", "size"))
    heights = np.column_stack((middle[:, 2] - size[:, 2] / 2, mean[:, 2], middle[:, 2] + size[:, 2] / 2))
    columns = (
        measures, np.log(probability + RARE), np.sort(size[:, :2], axis=1), size[:, 2:],
        heights - floor, np.linalg.norm(mean, axis=1)[:, None],
        np.log(points), np.log(voxels), np.log(points / voxels), axes,
    )  # fmt: skip
    return np.concatenate(columns, axis=1).astype(np.float32)


@torch.inference_mode()
def judge(head: ObjectHead, descriptions: np.ndarray, things: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptions (K, F), `things` (T,) class indices → class (K,) among them, score (K,) in 0 to 1, quality (K,).

    The quality q is the IoU that the head expects with an object; the score is q · ∛p, p the probability of the class.
    """
    scores, overlap = head(torch.from_numpy(descriptions).to(head.mean))
    probability = scores[:, torch.from_numpy(things).to(scores.device)].softmax(dim=1)
    sure, winner = probability.max(dim=1)
    quality = overlap.sigmoid()
    score = (quality * sure ** (1 / 3)).cpu().numpy().astype(np.float64)
    return things[winner.cpu().numpy()], score, quality.cpu().numpy().astype(np.float64)
