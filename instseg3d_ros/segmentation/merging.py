"""Merge parts that touch while they are alike.

Mean shift does not see positions. With a bandwidth that keeps a long table whole, two boxes side by side are one
cluster; with a smaller one that separates the boxes, the table is split. So the clusters are small, and touching parts
are merged again: the most similar pair first, each time with the mean of all that was merged before.
"""

from __future__ import annotations

import heapq

import numpy as np

from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse.native import kernels

CLASS_WEIGHT = 0.75  # of the difference of the classes, 0 to 1, beside the distance of the embeddings
ALLOWANCE = (
    0.1  # for each time that the larger part is e-fold `TYPICAL`: embeddings vary more within a bed than in a box
)
TYPICAL = 400  # voxels


def merge_alike(votes: Votes, voxels: np.ndarray, pairs: np.ndarray, limit: float) -> np.ndarray:
    """(K,) the number, from 0, of the merged part that each of K parts belongs to after all `merging_steps`."""
    steps, _ = merging_steps(votes, voxels, pairs, limit)
    return np.unique(after(steps, len(votes.points)), return_inverse=True)[1]


def after(steps: np.ndarray, num: int) -> np.ndarray:
    """(num,) the part that each of `num` parts belongs to after these steps (M, 2) of `merging_steps`."""
    target = np.arange(num)
    for kept, gone in steps[::-1]:
        target[gone] = target[kept]  # the last first: by then it is known what became of the part that was kept
    return target


def merging_steps(votes: Votes, voxels: np.ndarray, pairs: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The steps in which K parts are merged: pairs of parts (M, 2), and the difference (M,) of each pair.

    voxels (K,): how many each part has; pairs (P, 2): parts that touch, each pair once or several times, in any order.
    Of two parts a, b the difference is

        |e_a − e_b| + CLASS_WEIGHT · ½ Σ_c |p_a(c) − p_b(c)| − ALLOWANCE · ln(max(n_a, n_b) / TYPICAL)

    with e the mean embedding and p the mean class probabilities over the points, n the number of voxels. The two
    touching parts that differ least become one, whose means are those over the points of both, until all that touch
    differ by more than `limit`. In each step the second part becomes part of the first, which keeps its number.
    """
    points, sizes = votes.points.copy(), voxels.astype(np.float64)
    sums, shares = (np.array(values, np.float64, order="C") for values in (votes.sums, votes.votes))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0).astype(np.int64)
    if not kernels.available("merging"):
        return merge_numpy(points, sizes, sums, shares, pairs, limit)
    steps, differences = np.empty((len(points), 2), np.int64), np.empty(len(points))
    widths = len(points), sums.shape[1], shares.shape[1]
    settings = float(limit), CLASS_WEIGHT, ALLOWANCE, float(TYPICAL)
    inputs = (points, sizes, sums, shares, *widths, pairs, len(pairs), *settings)
    made = kernels.call("merging", "merge_alike", *inputs, steps, differences)
    return steps[:made], differences[:made]


def merge_numpy(
    points: np.ndarray, sizes: np.ndarray, sums: np.ndarray, shares: np.ndarray, pairs: np.ndarray, limit: float
) -> tuple[np.ndarray, np.ndarray]:
    """`merging_steps` where no compiler is. The first four are used up.

    points (K,), sizes (K,) in voxels, sums (K, D), shares (K, C); pairs (P, 2) of parts a < b, each once, in order.
    """
    num = len(points)
    version, steps, made = [0] * num, [], []
    touching: list[set[int]] = [set() for _ in range(num)]

    def differences(a, b) -> np.ndarray:
        """The differences between parts a and b; one of the two may be a single part."""
        apart = np.linalg.norm(sums[a] / points[a, None] - sums[b] / points[b, None], axis=-1)
        shared = np.abs(shares[a] / points[a, None] - shares[b] / points[b, None]).sum(axis=-1)
        return apart + CLASS_WEIGHT / 2 * shared - ALLOWANCE * np.log(np.maximum(sizes[a], sizes[b]) / TYPICAL)

    # An entry stays in the queue when one of its parts grows; the version of the part tells that it is out of date.
    queue: list[tuple[float, int, int, int, int]] = []
    for (a, b), difference in zip(pairs.tolist(), differences(*pairs.T).tolist()):
        touching[a].add(b)
        touching[b].add(a)
        if difference <= limit:
            queue.append((difference, a, b, 0, 0))
    heapq.heapify(queue)
    while queue:
        difference, a, b, version_a, version_b = heapq.heappop(queue)
        if (version[a], version[b]) != (version_a, version_b):
            continue
        steps.append((a, b))
        made.append(difference)
        for values in (points, sizes, sums, shares):
            values[a] += values[b]
        version[a], version[b] = version[a] + 1, -1
        for other in touching[b]:
            touching[other].discard(b)
        touching[a] = (touching[a] | touching[b]) - {a, b}
        for other in touching[a]:
            touching[other].add(a)
        others = np.fromiter(touching[a], np.int64)
        for other, difference in zip(others.tolist(), differences(np.array([a]), others).tolist()):
            if difference <= limit:
                low, high = min(a, other), max(a, other)
                heapq.heappush(queue, (difference, low, high, version[low], version[high]))
    return np.array(steps, np.int64).reshape(-1, 2), np.array(made, np.float64)
