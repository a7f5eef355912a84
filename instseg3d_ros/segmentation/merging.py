"""Merges touching parts that are similar.

Mean shift does not take positions into account. A bandwidth that keeps a long table whole puts two boxes side by side
into one cluster; a smaller bandwidth that separates the boxes splits the table. Therefore mean shift makes small
clusters, and touching parts are merged afterwards: the most similar pair first, each time with the mean of the merged
part.
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
    """(K,): number, from 0, of the merged part to which each of K parts belongs after all `merging_steps`."""
    steps, _ = merging_steps(votes, voxels, pairs, limit)
    return np.unique(after(steps, len(votes.points)), return_inverse=True)[1]


def after(steps: np.ndarray, num: int) -> np.ndarray:
    """(num,): part to which each of `num` parts belongs after these steps (M, 2) of `merging_steps`."""
    target = np.arange(num)
    for kept, gone in steps[::-1]:
        target[gone] = target[kept]  # in reverse order, so that the target of the first part is already final
    return target


def merging_steps(votes: Votes, voxels: np.ndarray, pairs: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The steps in which K parts are merged: pairs of parts (M, 2), and the difference (M,) of each pair.

    voxels (K,): number of voxels of each part; pairs (P, 2): parts that touch, in any order, possibly repeated.
    The difference of two parts a, b is

        |e_a − e_b| + CLASS_WEIGHT · ½ Σ_c |p_a(c) − p_b(c)| − ALLOWANCE · ln(max(n_a, n_b) / TYPICAL)

    where e is the mean embedding and p the mean class probabilities over the points, and n the number of voxels. Each
    step merges the two touching parts with the smallest difference; the merged part has the means over the points of
    both. The steps end when all differences of touching parts exceed `limit`. In each step the second part is merged
    into the first, which keeps its number.
    """
    points, sizes = votes.points.copy(), voxels.astype(np.float64)
    sums, shares = (np.array(values, np.float64, order="C") for values in (votes.sums, votes.votes))
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    keys = np.unique((low * len(points) + high)[low < high])  # of one number, many times as fast as of rows
    pairs = np.stack(np.divmod(keys, max(len(points), 1)), axis=1).astype(np.int64)
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
    """`merging_steps` without a compiler. Overwrites the first four arguments.

    points (K,), sizes (K,) in voxels, sums (K, D), shares (K, C); pairs (P, 2): sorted pairs a < b without repetition.
    """
    num = len(points)
    version, steps, made = [0] * num, [], []
    touching: list[set[int]] = [set() for _ in range(num)]

    def differences(a: np.ndarray | int, b: np.ndarray | int) -> np.ndarray:
        """The differences between parts a and b; one of the two may be a single part."""
        apart = np.linalg.norm(sums[a] / points[a, None] - sums[b] / points[b, None], axis=-1)
        shared = np.abs(shares[a] / points[a, None] - shares[b] / points[b, None]).sum(axis=-1)
        return apart + CLASS_WEIGHT / 2 * shared - ALLOWANCE * np.log(np.maximum(sizes[a], sizes[b]) / TYPICAL)

    # An entry whose part has grown stays in the queue; the part's version shows that the entry is outdated.
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
