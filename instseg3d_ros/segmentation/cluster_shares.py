"""How the points of each part spread over the clusters, in memory that grows with the voxels.

A table of parts × clusters would be quadratic: in a cloud of far-apart points each voxel is a part and a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.proposals import Proposals


@dataclass(frozen=True)
class ClusterShares:
    """Points of K parts in each cluster, for the pairs that have points in common.

    begin (K + 1,): the pairs of part k are begin[k] to begin[k + 1] − 1; cluster (M,) ascending within a part, and
    points (M,) float64 of each pair.
    """

    begin: np.ndarray
    cluster: np.ndarray
    points: np.ndarray

    @staticmethod
    def count(part: np.ndarray, cluster: np.ndarray, points: np.ndarray, num: int) -> ClusterShares:
        """From entries with a part (M,) in 0 … num − 1, a cluster (M,) and a number of points (M,)."""
        from scipy.sparse import coo_matrix  # here for a light import

        shape = num, int(cluster.max(initial=-1)) + 1
        table = coo_matrix((points.astype(np.float64), (part, cluster)), shape).tocsr()
        table.sort_indices()
        return ClusterShares(table.indptr, table.indices, table.data)

    def united(self, target: np.ndarray) -> ClusterShares:
        """The shares after part k has become part target[k]."""
        return ClusterShares.count(target[self._part], self.cluster, self.points, int(target.max(initial=-1)) + 1)

    @property
    def _part(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))

    def _largest(self) -> np.ndarray:
        """(K,) of each part the pair with the most points, of equals that with the lowest cluster."""
        if len(self.begin) == 1:
            return np.zeros(0, np.int64)
        most = np.maximum.reduceat(self.points, self.begin[:-1])
        pairs = np.flatnonzero(self.points == np.repeat(most, np.diff(self.begin)))
        return pairs[np.searchsorted(pairs, self.begin[:-1])]

    def home(self) -> np.ndarray:
        """(K,) the cluster in which most points of each part lie."""
        return self.cluster[self._largest()]

    def home_points(self, proposals: Proposals) -> np.ndarray:
        """(N,) the points of the cluster in which most of a proposal lies, summed over all proposals in that cluster.

        A part counts once for each proposal that it belongs to.
        """
        times = proposals.memberships()[self._part]
        total = np.bincount(self.cluster, self.points * times)
        return total[self._homes(proposals)]

    def _homes(self, proposals: Proposals) -> np.ndarray:
        """(N,) the cluster in which most points of each proposal lie."""
        largest = self._largest()
        best = list(zip(self.points[largest].tolist(), (-self.cluster[largest]).tolist()))
        content: dict[int, dict[int, float]] = {}  # points by cluster, of the proposals whose union is still to come

        def take(number: int) -> dict[int, float]:
            if number in content:
                return content.pop(number)
            pairs = slice(self.begin[number], self.begin[number + 1])
            return dict(zip(self.cluster[pairs].tolist(), self.points[pairs].tolist()))

        for number, (one, other) in enumerate(proposals.halves.tolist(), len(best)):
            large, small = take(one), take(other)
            winner = max(best[one], best[other])
            if len(large) < len(small):
                large, small = small, large
            for cluster, points in small.items():
                large[cluster] = large.get(cluster, 0.0) + points
                winner = max(winner, (large[cluster], -cluster))
            content[number] = large
            best.append(winner)
        return -np.array([cluster for _, cluster in best], np.int64)
