"""The true object of each cell, voted by the points of a drive, and a map's result for these cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.labels import IGNORE
from instseg3d_ros.mapping.cells import pack
from instseg3d_ros.segmentation.result import Result


@dataclass
class TruthCells:
    """Votes of the true points in each cell, and the mean position of the points."""

    cell: float
    votes: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, points: np.ndarray, ids: np.ndarray) -> None:
        """Add points (N, 3) in the map's frame; ids (N,) as from `truth_ids`."""
        keys = pack(np.floor(points / self.cell))
        order = np.lexsort((ids, keys))
        keys, ids, points = keys[order], ids[order], points[order]
        new = np.flatnonzero(np.append(True, (np.diff(keys) != 0) | (np.diff(ids) != 0)))
        counts = np.diff(np.append(new, len(keys)))
        self.votes.append((keys[new], ids[new], counts, np.add.reduceat(points, new, axis=0)))
        if len(self.votes) > 24:
            self.votes = [self._together()]

    def _together(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        keys, ids, counts, sums = (np.concatenate(part) for part in zip(*self.votes))
        order = np.lexsort((ids, keys))
        keys, ids = keys[order], ids[order]
        new = np.flatnonzero(np.append(True, (np.diff(keys) != 0) | (np.diff(ids) != 0)))
        return keys[new], ids[new], np.add.reduceat(counts[order], new), np.add.reduceat(sums[order], new, axis=0)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Position (K, 3) and id (K,) of each cell; the id is that of most points."""
        keys, ids, counts, sums = self._together()
        cells, inverse = np.unique(keys, return_inverse=True)
        order = np.lexsort((ids, -counts, inverse))
        first = order[np.searchsorted(inverse[order], np.arange(len(cells)))]
        total = np.bincount(inverse, counts)[:, None]
        place = np.stack([np.bincount(inverse, column) for column in sums.T], axis=1) / total
        return place, ids[first]


def on_cells(place: np.ndarray, points: np.ndarray, result: Result, reach: float) -> Result:
    """Transfer the result of a map's cells at `points` (M, 3) to the truth's cells at `place` (K, 3).

    Each cell of the truth gets the result of the nearest cell of the map within `reach` metres, or else no label.
    """
    from scipy.spatial import cKDTree

    semantic, instance = np.full(len(place), IGNORE, np.int16), np.zeros(len(place), np.int32)
    if len(points):
        gap, nearest = cKDTree(points).query(place, distance_upper_bound=reach)
        near = np.isfinite(gap)
        semantic[near], instance[near] = result.semantic[nearest[near]], result.instance[nearest[near]]
    return Result(semantic, instance, np.ones(len(place), np.float32), result.instances)
