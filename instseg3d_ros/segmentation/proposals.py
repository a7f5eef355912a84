"""Proposals: parts and unions of parts that may be an object, and the choice among them.

How much the parts of an object differ depends on the object: the parts of a bed differ more than those of a box.
Therefore parts are merged only as far as is certain. Each further step of merging gives an additional proposal, and the
object head predicts how well each proposal covers an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.merging import after, merging_steps
from instseg3d_ros.segmentation.votes import Votes

WORTH = 0.5  # expected IoU above which a proposal adds to the sum that `choose` maximizes
BATCH = 4  # members of proposals in memory at a time, as a multiple of the number of voxels or parts


@dataclass(frozen=True)
class Proposals:
    """N proposals of K parts: first the parts, then the union of two earlier proposals for each step of merging.

    halves (N − K, 2): the two proposals of each union. sequence (K,): all parts, in an order in which proposal n has
    the parts sequence[first[n] : last[n]]. difference (N,): the difference between the two halves of a union, or the
    lower end of the merge range for a part. beyond (N,): the difference at which the proposal was merged into a union,
    or the upper end of the merge range if it was not merged.
    """

    halves: np.ndarray
    sequence: np.ndarray
    first: np.ndarray
    last: np.ndarray
    difference: np.ndarray
    beyond: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    @staticmethod
    def of_parts(num: int) -> Proposals:
        """Proposals without unions: each of `num` parts is a proposal."""
        return _tree(num, np.zeros((0, 2), np.int64), np.zeros(0), 0.0, 0.0)

    @property
    def measures(self) -> np.ndarray:
        """(N, 3) difference, beyond, and the logarithm of the number of parts."""
        return np.column_stack((self.difference, self.beyond, np.log(self.last - self.first)))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the parts of each proposal: values (K, …) → (N, …)."""
        total = np.concatenate((values, np.zeros((len(self.halves), *values.shape[1:]), values.dtype)))
        for number, (one, other) in enumerate(self.halves, len(values)):
            total[number] = total[one] + total[other]
        return total

    def of_halves(self, values: np.ndarray) -> np.ndarray:
        """The values of both halves of each proposal: values (N, …) → (2, N, …), 0 for a part."""
        halves = np.zeros((2, *values.shape), values.dtype)
        halves[:, len(self.sequence) :] = values[self.halves.T]
        return halves

    def members(self, part: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The members of the proposals `which` (G,), for entries (voxels, points) with a part (M,), −1 for none.

        Returns order (L,) and begin (G + 1,): the members of the g-th proposal are order[begin[g] : begin[g + 1]]. An
        entry may be a member of several proposals.
        """
        place = np.empty(len(self.sequence), np.int64)
        place[self.sequence] = np.arange(len(place))
        inside = np.flatnonzero(part >= 0)
        order, begin = group(place[part[inside]], len(place))
        order = inside[order]
        spans = [order[a:b] for a, b in zip(begin[self.first[which]], begin[self.last[which]])]
        ends = np.cumsum([0, *map(len, spans)])
        return np.concatenate(spans) if spans else order[:0], ends

    def batches(self, part: np.ndarray, which: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """`members` for a few proposals at a time: (indices into `which`, order, begin) of each batch.

        A chain of n unions has about n / 2 times as many members as there are parts. Batches keep memory linear.
        """
        sizes = self.sums(np.bincount(part[part >= 0], minlength=len(self.sequence)))[which]
        batch = np.cumsum(sizes) // max(1, BATCH * len(part))
        for some in np.split(np.arange(len(which)), np.flatnonzero(np.diff(batch)) + 1):
            yield some, *self.members(part, which[some])

    def memberships(self) -> np.ndarray:
        """(K,): number of proposals that contain each part: the part itself and its unions."""
        times, parts = np.ones(len(self), np.int64), len(self.sequence)
        for number in range(len(self) - 1, parts - 1, -1):
            times[self.halves[number - parts]] += times[number]
        return times[:parts]

    def choose(self, quality: np.ndarray) -> np.ndarray:
        """The best proposals such that each part is in exactly one; quality (N,): expected IoU with an object.

        They maximize the sum of max(quality − `WORTH`, 0); of equal choices the larger proposals are taken.
        """
        worth = (quality - WORTH).clip(min=0)
        best, parts = worth.tolist(), len(self.sequence)
        whole = [True] * len(worth)
        for number, (one, other) in enumerate(self.halves.tolist(), parts):
            apart = best[one] + best[other]
            if apart > best[number]:
                whole[number], best[number] = False, apart
        wanted = np.ones(len(worth), bool)
        wanted[self.halves] = False  # halves are reached from their unions
        for number in range(len(worth) - 1, -1, -1):
            if wanted[number] and not whole[number]:
                wanted[number] = False
                wanted[self.halves[number - parts]] = True
        return np.flatnonzero(wanted)


def merge_proposals(
    votes: Votes, voxels: np.ndarray, pairs: np.ndarray, low: float, high: float, min_points: int = 0
) -> tuple[np.ndarray, Proposals]:
    """The proposals that arise when K parts, merged up to a difference of `low`, are merged up to `high`.

    voxels (K,) and pairs (P, 2): as for `merge_alike`. Parts with fewer than `min_points` points are merged at once and
    give no proposal. Returns the new number (K,) of each part, from 0, and the proposals of the renumbered parts.
    """
    steps, differences = merging_steps(votes, voxels, pairs, high)
    points, speck = votes.points.copy(), np.zeros(len(steps), bool)
    for number, (kept, gone) in enumerate(steps):
        speck[number] = min(points[kept], points[gone]) < min_points
        points[kept] += points[gone]
    left, target = np.unique(after(steps[speck], len(points)), return_inverse=True)
    return target, _tree(len(left), target[steps[~speck]], differences[~speck], low, high)


def _tree(num: int, steps: np.ndarray, differences: np.ndarray, low: float, high: float) -> Proposals:
    count = num + len(steps)
    current = list(range(num))  # the largest proposal so far that contains each part
    halves = np.zeros((len(steps), 2), np.int64)
    difference, beyond = np.full(count, float(low)), np.full(count, float(high))
    size = np.ones(count, np.int64)  # parts of each proposal
    for number, ((kept, gone), apart) in enumerate(zip(steps.tolist(), differences.tolist()), num):
        one, other = halves[number - num] = current[kept], current[gone]
        size[number] = size[one] + size[other]
        difference[number] = beyond[one] = beyond[other] = apart
        current[kept] = number
    # The parts of a proposal are consecutive in the sequence: the parts of one half, then the parts of the other.
    roots = np.setdiff1d(np.arange(count), halves)
    first = np.zeros(count, np.int64)
    first[roots] = np.cumsum(size[roots]) - size[roots]
    for number in range(count - 1, num - 1, -1):
        one, other = halves[number - num]
        first[one], first[other] = first[number], first[number] + size[one]
    sequence = np.empty(num, np.int64)
    sequence[first[:num]] = np.arange(num)
    return Proposals(halves, sequence, first, first + size, difference, beyond)
