"""Joins parts of an object that are separated by an occluder nearer to the camera.

Splitting a cluster at its gaps separates similar objects, but also the two halves of a sofa behind a pillar. The view
distinguishes these cases: between two objects the camera sees something farther away, between two halves the pillar.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from instseg3d_ros.segmentation.grouping import group

SIMILAR = 0.35  # greatest distance between the parts' mean embeddings; half of the loss's pull margin α = 0.7
MIN_VOXELS = 20  # smaller parts are not joined
MAX_PARTS = 6  # the largest parts of a cluster are compared
SAMPLES = np.linspace(0.15, 0.85, 8, dtype=np.float32)[:, None]  # places on the way between the two parts
COVERED = 0.8  # smallest share of the samples that must be hidden
RADIUS = 1.0  # voxels; a voxel nearer than this to a line of sight hides what is behind it
MARGIN = 3.0  # voxels by which an occluder must be nearer to the camera than the hidden place
THINNED = 200  # voxels of a part that are used for its size and for the shortest way
IN_FRONT = 0.98  # smallest share of voxels with x > 0 in a cloud that was seen from the origin
WINDOW = 4 * RADIUS  # voxels around the way; wide enough for lines of sight 75° off the camera's axis


def join_occluded(part: np.ndarray, cluster: np.ndarray, mean: np.ndarray, coords: np.ndarray) -> np.ndarray:
    """(K,): new number of each part: its old number, or that of the largest part with which it is joined.

    part (V,) number of each voxel's part, −1 for none; cluster (K,) and mean (K, D): each part's cluster and mean
    embedding; coords (V, 3) coordinates of all voxels, also those in no part; the camera is at 0 and looks along +x.
    Two parts of a cluster are joined if all three conditions hold:

    - their mean embeddings differ by at most `SIMILAR`;
    - the line between their nearest voxels is not longer than the larger part;
    - nearer voxels of other clusters hide at least a share `COVERED` of the `SAMPLES` on this line from the camera.

    In a cloud that was not seen from the origin (a scan of several views), no parts are joined.
    """
    target = np.arange(len(cluster))
    pairs = list(_alike(part, cluster, mean))
    if not pairs or (coords[:, 0] >= 0).mean() < IN_FRONT:
        return target
    view, order, begin = None, *group(part + 1, len(cluster) + 1)
    sample = {}
    for one in {part for pair in pairs for part in pair}:
        rows = order[begin[one + 1] : begin[one + 2]]
        sample[one] = coords[rows[:: len(rows) // THINNED + 1]].astype(np.float32) + 0.5
    sizes = np.diff(begin[1:])
    for a, b in pairs:  # largest parts first, so that a chain of parts gets the number of the largest
        if target[a] == target[b] or (way := _way_between(sample[a], sample[b])) is None:
            continue
        if view is None:
            view = _View(coords, np.append(cluster, -1)[part])
        if view.hides(way, cluster[a]).mean() >= COVERED:
            keep, drop = sorted((target[a], target[b]), key=lambda one: (-sizes[one], one))
            target[target == drop] = keep
    return target


def _alike(part: np.ndarray, cluster: np.ndarray, mean: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of parts of the same cluster that are large enough and have similar embeddings; large parts first."""
    sizes = np.bincount(part[part >= 0], minlength=len(cluster))
    order = np.lexsort((np.arange(len(sizes)), -sizes))
    order = order[sizes[order] >= MIN_VOXELS]
    shared = np.flatnonzero(np.bincount(cluster[order] - cluster.min(initial=0)) > 1) + cluster.min(initial=0)
    for one in shared:
        for a, b in combinations(order[cluster[order] == one][:MAX_PARTS].tolist(), 2):
            if np.linalg.norm(mean[a] - mean[b]) <= SIMILAR:
                yield a, b


class _View:
    """Positions, clusters and image coordinates of all voxels in front of the camera at 0."""

    def __init__(self, coords: np.ndarray, cluster: np.ndarray):
        ahead = np.flatnonzero(coords[:, 0] >= 0)
        self.places, self.cluster = coords[ahead].astype(np.float32) + 0.5, cluster[ahead]
        self.x = np.ascontiguousarray(self.places[:, 0])
        self.u, self.v = self.places[:, 1] / self.x, self.places[:, 2] / self.x

    def hides(self, spots: np.ndarray, own: int) -> np.ndarray:
        """(S,) bool: whether each of the spots (S, 3) is hidden by a voxel that is not in cluster `own`."""
        spots = spots.astype(np.float32)
        depth = np.linalg.norm(spots, axis=1)
        sight = spots / depth[:, None]
        # Only voxels in a window of the image are compared, because most voxels lie outside of it.
        shown = spots[:, 1:] / spots[:, :1].clip(min=0.5)
        low, high = shown.min(axis=0), shown.max(axis=0)
        window = WINDOW / self.x
        near = np.flatnonzero(
            (self.u > low[0] - window) & (self.u < high[0] + window)
            & (self.v > low[1] - window) & (self.v < high[1] + window)
            & (self.cluster != own)
        )  # fmt: skip
        places = self.places[near]
        along = places @ sight.T  # (n, S)
        aside = np.einsum("ni,ni->n", places, places)[:, None] - along**2
        return ((aside <= RADIUS**2) & (along < depth - MARGIN) & (along > 0)).any(axis=0)


def _way_between(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Positions (S, 3) of `SAMPLES` on the line between the nearest voxels of a (A, 3), b (B, 3); None if too long."""
    reach = max(np.linalg.norm(np.ptp(one, axis=0)) for one in (a, b))
    between_boxes = np.maximum(a.min(axis=0) - b.max(axis=0), b.min(axis=0) - a.max(axis=0)).clip(min=0)
    if np.linalg.norm(between_boxes) > reach:
        return None
    apart = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    i, j = np.unravel_index(apart.argmin(), apart.shape)
    return None if np.linalg.norm(a[i] - b[j]) > reach else a[i] + SAMPLES * (b[j] - a[i])
