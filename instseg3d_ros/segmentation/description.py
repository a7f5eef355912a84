"""What the object head sees of an object: what its voxels say, how large it is, where it stands."""

from __future__ import annotations

import numpy as np
import torch

from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.result import Box

RARE = 1e-3  # added to probabilities before their logarithm


def moments(positions: np.ndarray, part: np.ndarray, num: int, features: np.ndarray | None = None) -> np.ndarray:
    """positions (V, 3), part (V,) in 0 … num − 1 or −1, features (V, F) → (num, 13 + F) float64, of each part: its
    number of voxels, the sums of their positions, of the products of their coordinates, and of their features.

    Those of a whole are the sums of its parts'.
    """
    inside = np.flatnonzero(part >= 0)
    order, begin = group(part[inside], num)
    rows = inside[order]
    x = positions[rows].astype(np.float64)
    columns = [np.ones((len(x), 1)), x, (x[:, :, None] * x[:, None, :]).reshape(-1, 9)]
    columns += [] if features is None else [features[rows].astype(np.float64)]
    table = np.concatenate(columns, axis=1)
    return np.add.reduceat(table, begin[:-1], axis=0) if num else np.zeros((0, table.shape[1]))


def describe(
    points: np.ndarray,
    moment: np.ndarray,
    probability: np.ndarray,
    around: np.ndarray,
    measures: np.ndarray,
    boxes: list[Box],
    floor: float,
) -> np.ndarray:
    """(K, 2 C + `MEASURES` + F) float32 for K objects.

    points (K,) how many; moment (K, 13 + F) as `moments` gives them; probability (K, C) its mean class probabilities,
    around (K, C) those of what it touches; measures (K, 10) its score by formula, tightness and share of its cluster
    (`find_instances`), how it was put together (`Proposals.measures`), and how it touches others (`surroundings`);
    boxes its upright boxes; floor the height of the floor. The columns:

        measures · log probabilities · those around · shorter, longer side and height of the box · bottom, mean and top
        of its points above the floor · distance from the origin · log points · log voxels · log points per voxel ·
        standard deviations of its voxels along their principal axes, ascending · means of the backbone's features

    Lengths are in metres.
    """
    voxels = moment[:, :1]
    mean = moment[:, 1:4] / voxels
    spread = (moment[:, 4:13] / voxels).reshape(-1, 3, 3) - mean[:, :, None] * mean[:, None, :]
    axes = np.sqrt(np.linalg.eigvalsh(spread).clip(min=0))
    middle, size = (np.array([getattr(box, name) for box in boxes]).reshape(-1, 3) for name in ("center", "size"))
    heights = np.column_stack((middle[:, 2] - size[:, 2] / 2, mean[:, 2], middle[:, 2] + size[:, 2] / 2))
    count = points[:, None]
    columns = (
        measures, np.log(probability + RARE), np.log(around + RARE), np.sort(size[:, :2], axis=1), size[:, 2:],
        heights - floor, np.linalg.norm(mean, axis=1)[:, None],
        np.log(count), np.log(voxels), np.log(count / voxels), axes, moment[:, 13:] / voxels,
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
