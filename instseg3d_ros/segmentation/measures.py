"""Measures of proposals: points, class probabilities, box, and a score by formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.result import Box
from instseg3d_ros.sparse.native import kernels

SMALL = 100  # points at which the size alone halves the score


@dataclass(frozen=True)
class Measures:
    """Measures of G proposals.

    points (G,): number of points; probability (G, C): mean class probabilities over the points; boxes (G);
    tightness (G,): mean of exp(−s²) over the points, where s is the distance of an embedding from the proposal's mean;
    cluster_share (G,): share of the proposal in the cluster that holds most of its points.
    """

    points: np.ndarray
    probability: np.ndarray
    tightness: np.ndarray
    cluster_share: np.ndarray
    boxes: list[Box]

    def best(self, things: np.ndarray) -> np.ndarray:
        """(G,): the most probable of the classes `things` (T,)."""
        return things[self.probability[:, things].argmax(axis=1)]

    def formula_score(self, things: np.ndarray) -> np.ndarray:
        """(G,): p · √(tightness · cluster_share) · n / (n + `SMALL`).

        p is the probability of the most probable of `things` (T,), n the number of points. The score is near 1 for a
        large, tight, connected cluster with a certain class, and near 0 for a small piece of a cluster.
        """
        winner = self.best(things)
        sure = self.probability[np.arange(len(winner)), winner]
        return sure * np.sqrt(self.tightness * self.cluster_share) * self.points / (self.points + SMALL)


def moments(positions: np.ndarray, part: np.ndarray, num: int, features: np.ndarray | None = None) -> np.ndarray:
    """Moments (num, 13 + F) float64 of each part: number of voxels, sums of positions, of products of coordinates, and
    of features.

    positions (V, 3); part (V,) in 0 … num − 1, or −1; features (V, F). The moments of a union are the sums of the
    moments of its parts.
    """
    if not kernels.available("votes"):
        return moments_numpy(positions, part, num, features)
    width = 0 if features is None else features.shape[1]
    table = np.zeros((num, 13 + width))
    positions, part = np.ascontiguousarray(positions, np.float32), np.ascontiguousarray(part, np.int64)
    features = None if features is None else np.ascontiguousarray(features, np.float32)
    kernels.call("votes", "moments", positions, features, width, part, len(part), table)
    return table


def moments_numpy(positions: np.ndarray, part: np.ndarray, num: int, features: np.ndarray | None = None) -> np.ndarray:
    """`moments` without a compiler."""
    inside = np.flatnonzero(part >= 0)
    order, begin = group(part[inside], num)
    rows = inside[order]
    x = positions[rows].astype(np.float64)
    columns = [np.ones((len(x), 1)), x, (x[:, :, None] * x[:, None, :]).reshape(-1, 9)]
    columns += [] if features is None else [features[rows].astype(np.float64)]
    table = np.concatenate(columns, axis=1)
    return np.add.reduceat(table, begin[:-1], axis=0) if num else np.zeros((0, table.shape[1]))
