"""Sums over the voxels of each part: class votes, embeddings, and the spread of the embeddings around their mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from instseg3d_ros.sparse.native import kernels


@dataclass
class Votes:
    """Votes of V voxels in K parts.

    In float64: points (K,); votes (K, C), sums of probability × points; sums (K, D) of embedding × points.
    """

    points: np.ndarray
    votes: np.ndarray
    sums: np.ndarray
    _embedding: Tensor = field(repr=False)
    _weight: np.ndarray = field(repr=False)

    @staticmethod
    def count(probability: Tensor, embedding: Tensor, part: np.ndarray, weight: np.ndarray) -> Votes:
        """From probability (V, C) and embedding (V, D), part (V,) with −1 for none, and weight (V,): points."""
        part, weight = (np.ascontiguousarray(value, dtype=np.int64) for value in (part, weight))
        probability, embedding = probability.float().contiguous(), embedding.float().contiguous()
        num = int(part.max(initial=-1)) + 1
        if not kernels.available("votes", probability.device):
            return Votes(*_count_torch(probability, embedding, part, weight, num), embedding, weight)
        (n, classes), dim = probability.shape, embedding.shape[1]
        points, votes, sums = np.zeros(num), np.zeros((num, classes)), np.zeros((num, dim))
        inputs = (probability, classes, embedding, dim, part, weight, n)
        kernels.call("votes", "votes", *inputs, points, votes, sums)
        return Votes(points, votes, sums, embedding, weight)

    @property
    def mean(self) -> np.ndarray:
        """(K, D) mean embedding of each part."""
        return self.sums / self.points[:, None]

    def merged(self, target: np.ndarray) -> Votes:
        """The votes after part k has become part target[k], for target (K,) in 0 … K' − 1."""
        num = int(target.max(initial=-1)) + 1
        points, votes, sums = (np.zeros((num, *v.shape[1:])) for v in (self.points, self.votes, self.sums))
        for merged, own in ((points, self.points), (votes, self.votes), (sums, self.sums)):
            np.add.at(merged, target, own)
        return Votes(points, votes, sums, self._embedding, self._weight)

    def tightness(self, rows: np.ndarray, begin: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """(G,): mean of exp(−s²) over the points of each group of voxels.

        s is the distance of a voxel's embedding from the mean (G, D) of its group; group g has the voxels
        rows[begin[g] : begin[g + 1]], at least one.
        """
        embedding, mean = self._embedding, np.ascontiguousarray(mean, np.float64)
        if kernels.available("votes", embedding.device):
            rows, begin = (np.ascontiguousarray(value, dtype=np.int64) for value in (rows, begin))
            tight = np.empty(len(mean))
            inputs = embedding, embedding.shape[1], self._weight, rows, begin, len(mean), mean
            kernels.call("votes", "tightness", *inputs, tight)
            return tight
        own, weight = np.repeat(np.arange(len(mean)), np.diff(begin)), self._weight[rows]
        chosen = embedding[torch.from_numpy(rows).to(embedding.device)]
        place, heavy = (torch.from_numpy(values).to(embedding.device) for values in (own, weight.astype(np.float64)))
        square = (chosen - torch.from_numpy(mean).to(embedding)[place]).square_().sum(dim=1)
        tight = _sum(torch.exp(-square)[:, None], place, heavy, len(mean))[:, 0]
        return tight / np.bincount(own, weight, minlength=len(mean))


def most_probable(probability: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """probability (V, C) on any device → the most probable class (V,) int16, and its probability (V,) float32."""
    probability = probability.float().contiguous()
    if not kernels.available("votes", probability.device):
        best = probability.max(dim=1)
        return best.indices.to(torch.int16).cpu().numpy(), best.values.cpu().numpy()
    n, classes = probability.shape
    semantic, confidence = np.empty(n, np.int16), np.empty(n, np.float32)
    kernels.call("votes", "most_probable", probability, classes, n, semantic, confidence)
    return semantic, confidence


def _count_torch(
    probability: Tensor, embedding: Tensor, part: np.ndarray, weight: np.ndarray, num: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, own, heavy = _members(part, weight, probability.device)
    points = _sum(torch.ones_like(heavy)[:, None], own, heavy, num)[:, 0]
    votes, sums = (_sum(values[rows], own, heavy, num) for values in (probability, embedding))
    return points, votes, sums


def _members(part: np.ndarray, weight: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (M,) of voxels in parts, ordered by part; their parts (M,); their weights (M,) float64."""
    rows = np.flatnonzero(part >= 0)
    rows = rows[np.argsort(part[rows], kind="stable")]
    own, heavy = part[rows], weight[rows].astype(np.float64)
    return torch.from_numpy(rows).to(device), torch.from_numpy(own).to(device), torch.from_numpy(heavy).to(device)


def _sum(values: Tensor, own: Tensor, weight: Tensor, num: int) -> np.ndarray:
    """Weighted sums (num, F) of values (M, F), which are ordered by part. Segment sums have a fixed order on CUDA."""
    if not num:
        return np.zeros((0, values.shape[1]))
    lengths = torch.bincount(own, minlength=num)
    return torch.segment_reduce(values.double() * weight[:, None], "sum", lengths=lengths, axis=0).cpu().numpy()
