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

    Per voxel: semantic (V,) int16 and confidence (V,) float32, the most probable class and its probability.
    Per part, in float64: points (K,); votes (K, C), sums of probability × points; sums (K, D) of embedding × points.
    """

    semantic: np.ndarray
    confidence: np.ndarray
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
            semantic, confidence, points, votes, sums = _count_torch(probability, embedding, part, weight, num)
            return Votes(semantic, confidence, points, votes, sums, embedding, weight)
        (n, classes), dim = probability.shape, embedding.shape[1]
        semantic, confidence = np.empty(n, np.int16), np.empty(n, np.float32)
        points, votes, sums = np.zeros(num), np.zeros((num, classes)), np.zeros((num, dim))
        inputs = (probability, classes, embedding, dim, part, weight, n)
        kernels.call("votes", "votes", *inputs, semantic, confidence, points, votes, sums)
        return Votes(semantic, confidence, points, votes, sums, embedding, weight)

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
        return Votes(self.semantic, self.confidence, points, votes, sums, self._embedding, self._weight)

    def tightness(self, rows: np.ndarray, begin: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """(G,): mean of exp(−s²) over the points of each group of voxels.

        s is the distance of a voxel's embedding from the mean (G, D) of its group; group g has the voxels
        rows[begin[g] : begin[g + 1]], at least one.
        """
        own = np.repeat(np.arange(len(mean)), np.diff(begin))
        mean, weight = np.ascontiguousarray(mean), self._weight[rows]
        embedding = self._embedding[torch.from_numpy(rows).to(self._embedding.device)]
        tight = np.zeros(len(mean))
        if not kernels.available("votes", embedding.device):
            place, heavy = (
                torch.from_numpy(values).to(embedding.device) for values in (own, weight.astype(np.float64))
            )
            square = (embedding - torch.from_numpy(mean).to(embedding)[place]).square_().sum(dim=1)
            tight = _sum(torch.exp(-square)[:, None], place, heavy, len(mean))[:, 0]
        else:
            dim, n = embedding.shape[1], len(rows)
            kernels.call("votes", "tightness", embedding, dim, own, weight, n, mean, tight)
        return tight / np.bincount(own, weight, minlength=len(mean))


def _count_torch(
    probability: Tensor, embedding: Tensor, part: np.ndarray, weight: np.ndarray, num: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    confidence, semantic = probability.max(dim=1)
    rows, own, heavy = _members(part, weight, probability.device)
    points = _sum(torch.ones_like(heavy)[:, None], own, heavy, num)[:, 0]
    votes, sums = (_sum(values[rows], own, heavy, num) for values in (probability, embedding))
    return semantic.to(torch.int16).cpu().numpy(), confidence.cpu().numpy(), points, votes, sums


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
