"""Mean shift with plain torch operations: the twin of native/mean_shift.cpp, for CUDA and without a compiler."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LEAF = 64  # points that share a box
CELLS_PER_BIN = 8
MAX_ITERATIONS = 300
STOP = 1e-3  # bandwidths; a seed that moves by less has reached its mode
SLACK = 1e-12  # relative distance from the sphere below which a box counts as cut, because of rounding
FAR = 1e200  # coordinate of points that fill up the last leaf; its square overflows, so that it is in no ball
CHUNK = 1 << 22  # elements of a temporary tensor; limits memory to some 100 MB


def mean_shift_torch(embeddings: Tensor, bandwidth: float, meet: float = 0.0) -> tuple[Tensor, Tensor]:
    """`mean_shift` for M ≥ 1 finite embeddings (M, D) on any device.

    If `meet` is above 0, seeds that enter the same cell of this width, in bandwidths, are merged.
    """
    leaves = Leaves(embeddings.double(), bandwidth)
    bins, first = _bins(embeddings, bandwidth)
    points = embeddings.double()[first]
    modes, counts = _climb(leaves, points if len(bins) == len(embeddings) else bins, bandwidth, meet)
    if not len(modes):
        modes, counts = _climb(leaves, points, bandwidth, meet)
    centers = torch.from_numpy(_suppress(modes.cpu().numpy(), counts.cpu().numpy(), bandwidth)).to(embeddings.device)
    return _nearest(embeddings.double(), centers), centers.to(embeddings.dtype)


class Leaves:
    """Points (M, D) float64 in groups of 64 along a space-filling curve, with box, sum and count of each group."""

    def __init__(self, points: Tensor, bandwidth: float):
        m, dim = points.shape
        ordered = points[_curve(points, bandwidth).argsort(stable=True)]
        missing = -m % LEAF
        filled = torch.cat((ordered, points.new_full((missing, dim), FAR)))
        self.points = filled.view(-1, LEAF, dim)  # (L, 64, D)
        self.low = self.points.amin(1)
        filled[m:] = -FAR
        self.high = self.points.amax(1)
        filled[m:] = 0
        self.sum_count = torch.full((len(self.points), dim + 1), float(LEAF), dtype=points.dtype, device=points.device)
        self.sum_count[:, :dim] = self.points.sum(1)
        self.sum_count[-1, dim] = LEAF - missing
        filled[m:] = FAR
        self.with_one = torch.cat((self.points, torch.ones_like(self.points[..., :1])), 2)  # (L, 64, D + 1)

    def ball(self, centers: Tensor, square: float) -> Tensor:
        """Sum of the points within a ball around each center, and in the last column their number: (S, D + 1)."""
        rows = max(1, CHUNK // len(self.points))
        return torch.cat([self._ball(part, square) for part in centers.split(rows)])

    def _ball(self, centers: Tensor, square: float) -> Tensor:
        nearest = farthest = centers.new_zeros(())  # (S, L) squared distances to the boxes' near and far corners
        for d in range(centers.shape[1]):
            below = self.low[:, d] - centers[:, d, None]
            above = centers[:, d, None] - self.high[:, d]
            nearest = nearest + torch.maximum(below, above).clamp_(min=0).square_()
            farthest = farthest + torch.minimum(below, above).square_()
        inside = farthest < square * (1 - SLACK)
        total = inside.to(centers.dtype) @ self.sum_count
        cut = (~inside & (nearest <= square * (1 + SLACK))).nonzero()  # (P, 2) center, leaf; by center
        sums = [
            self._cut(centers[part[:, 0]], part[:, 1], square)
            for part in cut.split(max(1, CHUNK // (LEAF * self.points.shape[2])))
        ]
        if len(cut):  # segment sums, because index_add on CUDA adds in a random order
            lengths = torch.bincount(cut[:, 0], minlength=len(centers))
            total += torch.segment_reduce(torch.cat(sums), "sum", lengths=lengths, axis=0, initial=0)
        return total

    def _cut(self, centers: Tensor, leaf: Tensor, square: float) -> Tensor:
        points = self.points[leaf]  # (P, 64, D)
        within = (points - centers[:, None]).square_().sum(2) <= square
        return (within[:, None].to(points.dtype) @ self.with_one[leaf]).squeeze(1)  # (P, D + 1)


def _curve(points: Tensor, bandwidth: float) -> Tensor:
    """Z-order keys (M,) int64 of cells an eighth of a bin wide, or wider if the keys would not fit."""
    used = min(points.shape[1], 62)
    bits = min(16, 62 // used)
    low, high = points.amin(0), points.amax(0)
    origin = ((low / bandwidth).round() - 0.5) * bandwidth
    cell = (high - origin).amax() / (2**bits - 1)
    cell = cell.clamp(min=bandwidth / CELLS_PER_BIN)
    cells = ((points - origin)[:, :used] / cell).to(torch.int64)
    key = torch.zeros_like(cells[:, 0])
    for bit in range(bits):
        for d in range(used):
            key |= ((cells[:, d] >> bit) & 1) << (bit * used + d)
    return key


def _bins(embeddings: Tensor, bandwidth: float) -> tuple[Tensor, Tensor]:
    """Centres (S, D) float64 of the occupied bins, and the first point (S,) in each."""
    # Computed in the precision of the input as in NumPy, so that a coordinate on the edge of two bins gets the same
    # bin. The divisor is a tensor because CUDA divides by a number with a rounded reciprocal; adding 0 turns −0 into 0.
    size = torch.tensor(bandwidth, dtype=embeddings.dtype, device=embeddings.device)
    bins, inverse = torch.unique((embeddings / size).round() + 0, dim=0, return_inverse=True)
    rows = torch.arange(len(inverse), device=inverse.device)
    first = torch.full((len(bins),), len(rows), device=rows.device).scatter_reduce_(0, inverse, rows, "amin")
    return (bins.float() * bandwidth).double(), first


def _climb(leaves: Leaves, seeds: Tensor, bandwidth: float, meet: float) -> tuple[Tensor, Tensor]:
    """Final positions of the seeds and the number of points around each, without positions that have no points."""
    paths = _Paths(len(seeds), meet * bandwidth)
    at = seeds.clone()
    counts = torch.zeros(len(at), dtype=torch.int64, device=at.device)
    active = torch.arange(len(at), device=at.device)
    for _ in range(MAX_ITERATIONS + 1):
        total = leaves.ball(at[active], bandwidth**2)
        counts[active] = total[:, -1].to(torch.int64)
        occupied = total[:, -1] > 0
        active, total = active[occupied], total[occupied]
        mean = total[:, :-1] / total[:, -1:]
        shift = (mean - at[active]).square().sum(1).sqrt()
        at[active] = mean
        active = active[shift > STOP * bandwidth]
        if meet:
            ended = paths.ended(at[active], active)
            counts[active[ended]] = 0
            active = active[~ended]
        if not len(active):
            break
    return at[counts > 0], counts[counts > 0]


class _Paths:
    """For each cell the first seed that entered it, and for each seed that came later the seed it is merged with."""

    def __init__(self, seeds: int, width: float):
        self._first: dict[tuple[int, ...], int] = {}
        self._follows, self._width = list(range(seeds)), width

    def ended(self, at: Tensor, seeds: Tensor) -> Tensor:
        """(A,) bool: whether the seeds (A,), now at (A, D), enter a cell in which another seed has been."""
        cells = torch.floor(at / self._width).to(torch.int64).tolist()
        ended = []
        for cell, seed in zip(map(tuple, cells), seeds.tolist()):
            leader = self._first.setdefault(cell, seed)
            while self._follows[leader] != leader:
                leader = self._follows[leader]
            self._follows[seed] = leader
            ended.append(leader != seed)
        return torch.tensor(ended, dtype=torch.bool, device=at.device)


def _suppress(modes: np.ndarray, counts: np.ndarray, bandwidth: float) -> np.ndarray:
    """Modes in descending order of count, then coordinates; modes within a bandwidth of a better mode are removed."""
    rank = np.lexsort((*modes.T[::-1], counts))[::-1]
    modes = modes[rank]
    kept = []
    while len(modes):
        kept.append(modes[0])
        modes = modes[((modes - modes[0]) ** 2).sum(1) > bandwidth**2]
    return np.array(kept)


def _nearest(points: Tensor, centers: Tensor) -> Tensor:
    """(M,) int64 row of the center nearest to each point."""
    labels = []
    for part in points.split(max(1, CHUNK // len(centers))):
        square = points.new_zeros(())
        for d in range(points.shape[1]):
            square = square + (part[:, d, None] - centers[:, d]).square_()
        labels.append(square.argmin(1))
    return torch.cat(labels)
