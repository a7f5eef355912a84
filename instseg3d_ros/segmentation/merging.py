"""Parts that touch are one object while they are alike.

Mean shift knows no space: with a bandwidth that keeps a long table whole, two boxes side by side are one cluster, and
with one that parts the boxes, the table falls to pieces. So it clusters finely, and what touches is put together again,
the most alike first, each time with the mean of what has been put together so far.
"""

from __future__ import annotations

import heapq
from pathlib import Path

import numpy as np

from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.native.build import load, plain

SOURCE = Path(__file__).with_name("native") / "merging.cpp"

CLASS_WEIGHT = 0.75  # of the difference of the classes, 0 to 1, beside the distance of the embeddings
ALLOWANCE = (
    0.1  # for each time that the larger part is e-fold `TYPICAL`: embeddings vary more within a bed than in a box
)
TYPICAL = 400  # voxels


def merge_alike(votes: Votes, voxels: np.ndarray, pairs: np.ndarray, limit: float) -> np.ndarray:
    """(K,) for each of K parts the number, from 0 on, of the object that it belongs to.

    voxels (K,): how many each part has; pairs (P, 2): parts that touch, each pair once or several times, in any order.
    Of two parts a, b the difference is

        |e_a − e_b| + CLASS_WEIGHT · ½ Σ_c |p_a(c) − p_b(c)| − ALLOWANCE · ln(max(n_a, n_b) / TYPICAL)

    with e the mean embedding and p the mean class probabilities over the points, n the number of voxels. The two
    touching parts that differ least become one, whose means are those over the points of both, until all that touch
    differ by more than `limit`.
    """
    points, sizes = votes.points.copy(), voxels.astype(np.float64)
    sums, shares = (np.array(values, np.float64, order="C") for values in (votes.sums, votes.votes))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0).astype(np.int64)
    library = load("merging", SOURCE)
    if library is None:
        target = merge_numpy(points, sizes, sums, shares, pairs, limit)
    else:
        target = np.empty(len(points), np.int64)
        widths = len(points), sums.shape[1], shares.shape[1]
        settings = float(limit), CLASS_WEIGHT, ALLOWANCE, float(TYPICAL)
        library.merge_alike(*map(plain, (points, sizes, sums, shares, *widths, pairs, len(pairs), *settings, target)))
    return np.unique(target, return_inverse=True)[1]


def merge_numpy(
    points: np.ndarray, sizes: np.ndarray, sums: np.ndarray, shares: np.ndarray, pairs: np.ndarray, limit: float
) -> np.ndarray:
    """`merge_alike` where no compiler is: (K,) the part that each part became. The first four are used up.

    points (K,), sizes (K,) in voxels, sums (K, D), shares (K, C); pairs (P, 2) of parts a < b, each once, in order.
    """
    num = len(points)
    target, version = np.arange(num), [0] * num
    touching: list[set[int]] = [set() for _ in range(num)]

    def differences(a, b) -> np.ndarray:
        """Between parts a and b, of which one may be a single part."""
        apart = np.linalg.norm(sums[a] / points[a, None] - sums[b] / points[b, None], axis=-1)
        shared = np.abs(shares[a] / points[a, None] - shares[b] / points[b, None]).sum(axis=-1)
        return apart + CLASS_WEIGHT / 2 * shared - ALLOWANCE * np.log(np.maximum(sizes[a], sizes[b]) / TYPICAL)

    # Entries stay in the queue when one of their parts has grown; its version tells that they are out of date.
    queue: list[tuple[float, int, int, int, int]] = []
    for (a, b), difference in zip(pairs.tolist(), differences(*pairs.T).tolist()):
        touching[a].add(b)
        touching[b].add(a)
        if difference <= limit:
            queue.append((difference, a, b, 0, 0))
    heapq.heapify(queue)
    while queue:
        _, a, b, version_a, version_b = heapq.heappop(queue)
        if (version[a], version[b]) != (version_a, version_b):
            continue
        for values in (points, sizes, sums, shares):
            values[a] += values[b]
        target[b], version[a], version[b] = a, version[a] + 1, -1
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
    while (further := target[target]).tolist() != target.tolist():
        target = further
    return target


def touching_parts(part: np.ndarray, grid: VoxelGrid) -> np.ndarray:
    """(P, 2) pairs a < b of parts with voxels in the same or in neighbouring cells of two voxels' width.

    part (V,) number of each voxel's part, −1 for none, for the voxels of a grid.
    """
    rows, num = np.flatnonzero(part >= 0), int(part.max(initial=-1)) + 1
    coarse, parent, _ = grid.down()
    table = coarse.neighbors.cpu().numpy()
    # Each part in each of its cells once, ordered by cell.
    inside = np.unique(parent.cpu().numpy()[rows].astype(np.int64) * num + part[rows])
    cell, own = np.divmod(inside, max(num, 1))
    begin = np.searchsorted(cell, np.arange(len(table) + 1))
    beside = table[cell]
    one, offset = np.nonzero(beside >= 0)
    beside = beside[one, offset]
    many = begin[beside + 1] - begin[beside]
    first = np.repeat(begin[beside] - (np.cumsum(many) - many), many)
    a, b = own[np.repeat(one, many)], own[first + np.arange(len(first))]
    return np.stack(np.divmod(np.unique((a * num + b)[a < b]), max(num, 1)), axis=1)
