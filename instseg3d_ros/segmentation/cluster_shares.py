"""Number of points of each part in each cluster, as a sparse table.

A dense table of parts × clusters would need too much memory: if the points of a cloud are far apart, each voxel is a
part and a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.proposals import Proposals


@dataclass(frozen=True)
class ClusterShares:
    """Number of points of each of K parts in each cluster, for M pairs (part, cluster) with common points.

    begin (K + 1,): the pairs of part k are begin[k] to begin[k + 1] − 1; cluster (M,): cluster of each pair, ascending
    within a part; points (M,) float64: number of points of each pair.
    """

    begin: np.ndarray
    cluster: np.ndarray
    points: np.ndarray

    @staticmethod
    def count(part: np.ndarray, cluster: np.ndarray, points: np.ndarray, num: int) -> ClusterShares:
        """Sum entries with a part (M,) in 0 … num − 1, a cluster (M,) and a number of points (M,)."""
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
        """(K,): for each part the pair with the most points; of equal pairs the one with the lowest cluster."""
        if len(self.begin) == 1:
            return np.zeros(0, np.int64)
        most = np.maximum.reduceat(self.points, self.begin[:-1])
        pairs = np.flatnonzero(self.points == np.repeat(most, np.diff(self.begin)))
        return pairs[np.searchsorted(pairs, self.begin[:-1])]

    def home(self) -> np.ndarray:
        """(K,): the cluster that holds most points of each part."""
        return self.cluster[self._largest()]

    def home_points(self, proposals: Proposals) -> np.ndarray:
        """(N,): number of points in the cluster that holds most points of each proposal.

        The points are summed over all proposals in this cluster: a part counts once for each proposal that contains it.
        """
        times = proposals.memberships()[self._part]
        total = np.bincount(self.cluster, self.points * times)
        return total[self._homes(proposals)]

    def _homes(self, proposals: Proposals) -> np.ndarray:
        """(N,): the cluster that holds most points of each proposal."""
        largest = self._largest()
        best = list(zip(self.points[largest].tolist(), (-self.cluster[largest]).tolist()))
        content: dict[int, dict[int, float]] = {}  # points by cluster, for proposals whose union has not been visited

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
