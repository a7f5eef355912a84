"""From clusters of voxels to objects: cut, vote, score, box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.segmentation.result import Box, Instance
from instseg3d_ros.sparse import Voxels


@dataclass
class Found:
    """Per voxel: class index (V,) int16, instance id (V,) int32, confidence (V,) float32; and the instances."""

    semantic: np.ndarray
    instance: np.ndarray
    confidence: np.ndarray
    instances: list[Instance]


def find_instances(
    probability: torch.Tensor,
    cluster: torch.Tensor,
    embedding: torch.Tensor,
    voxels: Voxels,
    labels: LabelSet,
    gap: int = 3,
    min_points: int = 50,
    min_score: float = 0.0,
    calibration: dict | None = None,
) -> Found:
    """probability (V, C), cluster (V,) with -1 for stuff, embedding (V, D) → `Found`.

    The class is the thing class with the greatest sum of probability × points; the score is the mean probability of
    that class among the things times the mean of exp(−s²), s the distance to the mean embedding: a sure class on a
    tight cluster gives 1.
    """
    probability, cluster, embedding = (value.cpu().numpy() for value in (probability, cluster, embedding))
    coords, positions, counts = (v.cpu().numpy() for v in (voxels.grid.coords, voxels.positions, voxels.counts))
    semantic = probability.argmax(axis=1).astype(np.int16)
    confidence = probability.max(axis=1).astype(np.float32)
    instance = np.zeros(len(semantic), np.int32)
    rows = np.flatnonzero(cluster >= 0)
    if not len(rows):
        return Found(semantic, instance, confidence, [])
    part = split_connected(cluster[rows], coords[rows, 1:], gap)
    num = part.max() + 1
    weight = counts[rows].astype(np.float64)
    points = np.bincount(part, weight, num)
    things = np.flatnonzero(labels.things)
    share = probability[np.ix_(rows, things)].astype(np.float64)
    votes = np.stack([np.bincount(part, weight * share[:, c], num) for c in range(len(things))], axis=1)
    winner = votes.argmax(axis=1)
    sure = votes.max(axis=1) / points
    mean = np.stack([np.bincount(part, weight * embedding[rows, d], num) for d in range(embedding.shape[1])], 1)
    mean /= points[:, None]
    tight = np.bincount(part, weight * np.exp(-((embedding[rows] - mean[part]) ** 2).sum(axis=1)), num) / points
    score = calibrate(sure * tight, calibration)
    kept = np.flatnonzero((points >= min_points) & (score >= min_score))
    kept = kept[np.argsort(-score[kept], kind="stable")]
    number = np.zeros(num, np.int32)
    number[kept] = np.arange(1, len(kept) + 1)
    instance[rows] = number[part]
    inside = number[part] > 0
    semantic[rows[inside]] = things[winner[part[inside]]]
    confidence[rows[inside]] = score[part[inside]]
    order = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[order], np.arange(num + 1))
    found = []
    for one in kept:
        mine = rows[order[bounds[one] : bounds[one + 1]]]
        name = labels[things[winner[one]]].name
        found.append(
            Instance(int(number[one]), name, float(score[one]), int(points[one]), upright_box(positions[mine]))
        )
    return Found(semantic, instance, confidence, found)


def calibrate(score: np.ndarray, table: dict | None) -> np.ndarray:
    """Map raw scores through the model's monotone table {"raw": [...], "calibrated": [...]}; identity without one."""
    return np.interp(score, table["raw"], table["calibrated"]) if table else score


def split_connected(cluster: np.ndarray, coords: np.ndarray, gap: int) -> np.ndarray:
    """Number the connected parts of clusters: (V,) ids, (V, 3) voxel coordinates → (V,) part numbers from 0.

    Voxels are gathered in cells half as wide as `gap`, and touching cells of one cluster belong together: voxels up to
    half a gap apart always stay together, voxels more than a gap apart never do unless others bridge them. gap 0 cuts
    nothing.
    """
    _, cluster = np.unique(cluster, return_inverse=True)
    if gap == 0:
        return cluster
    cells = coords // ((gap + 1) // 2)
    cells = cells - cells.min(axis=0) + 1
    span = cells.max(axis=0) + 2
    key = ((cluster * span[0] + cells[:, 0]) * span[1] + cells[:, 1]) * span[2] + cells[:, 2]
    keys, cell = np.unique(key, return_inverse=True)
    left, right = [], []
    for offset in _half_neighborhood():
        step = (offset[0] * span[1] + offset[1]) * span[2] + offset[2]
        at = np.searchsorted(keys, keys + step)
        at[at == len(keys)] = 0
        hit = np.flatnonzero(keys[at] == keys + step)
        left.append(hit)
        right.append(at[hit])
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    left, right = np.concatenate(left), np.concatenate(right)
    graph = coo_matrix((np.ones(len(left), bool), (left, right)), (len(keys), len(keys)))
    return connected_components(graph, directed=False)[1][cell]


def _half_neighborhood() -> list[tuple[int, int, int]]:
    return [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) > (0, 0, 0)]


def upright_box(points: np.ndarray) -> Box:
    """Smallest upright box around (N, 3) points: the least-area rectangle of their outline seen from above."""
    low, high = points[:, 2].min(), points[:, 2].max()
    outline = _hull(points[:, :2].astype(np.float64))
    edges = np.diff(np.vstack((outline, outline[:1])), axis=0)
    angles = np.unique(np.mod(np.arctan2(edges[:, 1], edges[:, 0]), np.pi / 2))
    cosine, sine = np.cos(angles), np.sin(angles)
    along = outline @ np.stack((cosine, sine))  # (H, A)
    across = outline @ np.stack((-sine, cosine))
    size = np.stack((np.ptp(along, axis=0), np.ptp(across, axis=0)))
    best = int((size[0] * size[1]).argmin())
    c, s = cosine[best], sine[best]
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    middle = [(v[:, best].min() + v[:, best].max()) / 2 for v in (along, across)]
    return Box(rotation @ (*middle, (low + high) / 2), np.array([*size[:, best], high - low]), rotation)


def _hull(points: np.ndarray) -> np.ndarray:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):  # fewer than three points, or all on a line
        order = np.lexsort(points.T)
        return points[order[[0, -1]]]
