"""What may be one object: parts, what becomes of them when they are put together, and the choice among all of these.

How unlike the parts of one object may be is another number for a bed than for a box. So beyond what is surely one, each
step of merging stays a proposal, and an object head that has seen the outcome says how well each one covers an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.merging import after, merging_steps
from instseg3d_ros.segmentation.votes import Votes

WORTH = 0.5  # expected IoU above which a proposal is worth choosing; an object counts as found from there on
BATCH = 4  # times the number of voxels (or parts): members of proposals that are held in memory at a time


@dataclass(frozen=True)
class Proposals:
    """N proposals of K parts: the parts themselves, then what each step of merging made of two earlier ones.

    halves (N − K, 2): those two. sequence (K,): all parts, in an order in which proposal n has the parts
    sequence[first[n] : last[n]]. difference (N,): at which its two halves were put together, for a part the limit
    below which all had been already; beyond (N,): at which it became half of another, or the limit above which
    nothing was.
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
        """Nothing but the parts."""
        return _tree(num, np.zeros((0, 2), np.int64), np.zeros(0), 0.0, 0.0)

    @property
    def measures(self) -> np.ndarray:
        """(N, 3) difference, beyond, and the logarithm of the number of parts."""
        return np.column_stack((self.difference, self.beyond, np.log(self.last - self.first)))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """values (K, …) of the parts → (N, …) of the proposals."""
        total = np.concatenate((values, np.zeros((len(self.halves), *values.shape[1:]), values.dtype)))
        for number, (one, other) in enumerate(self.halves, len(values)):
            total[number] = total[one] + total[other]
        return total

    def members(self, part: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """part (M,) of whatever has parts, −1 for none; which (G,) of the proposals → order (L,), begin (G + 1,): what
        belongs to the g-th of them is order[begin[g] : begin[g + 1]]. It may belong to others too."""
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
        """(K,) in how many proposals each part is: the part alone, and the unions that contain it."""
        times, parts = np.ones(len(self), np.int64), len(self.sequence)
        for number in range(len(self) - 1, parts - 1, -1):
            times[self.halves[number - parts]] += times[number]
        return times[:parts]

    def choose(self, quality: np.ndarray) -> np.ndarray:
        """Which proposals, so that each part is in one: quality (N,) is the IoU expected of each with an object.

        Those with the greatest sum of max(quality − `WORTH`, 0); of equals, the larger.
        """
        worth = (quality - WORTH).clip(min=0)
        best, parts = worth.tolist(), len(self.sequence)
        whole = [True] * len(worth)
        for number, (one, other) in enumerate(self.halves.tolist(), parts):
            apart = best[one] + best[other]
            if apart > best[number]:
                whole[number], best[number] = False, apart
        wanted = np.ones(len(worth), bool)
        wanted[self.halves] = False  # what is half of another is reached from there
        for number in range(len(worth) - 1, -1, -1):
            if wanted[number] and not whole[number]:
                wanted[number] = False
                wanted[self.halves[number - parts]] = True
        return np.flatnonzero(wanted)


def merge_proposals(
    votes: Votes, voxels: np.ndarray, pairs: np.ndarray, low: float, high: float, min_points: int = 0
) -> tuple[np.ndarray, Proposals]:
    """What merging K parts on up to a difference of `high` gives, where they have been merged up to `low`; voxels (K,)
    and pairs (P, 2) as for `merge_alike`.

    Specks of fewer than `min_points` points are no choice: they become part of what they are merged with. The first
    answer, (K,), tells the numbers of the parts that are left, from 0 on; the proposals are of those.
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
    current = list(range(num))  # the proposal that holds each part by now
    halves = np.zeros((len(steps), 2), np.int64)
    difference, beyond = np.full(count, float(low)), np.full(count, float(high))
    size = np.ones(count, np.int64)  # parts of each proposal
    for number, ((kept, gone), apart) in enumerate(zip(steps.tolist(), differences.tolist()), num):
        one, other = halves[number - num] = current[kept], current[gone]
        size[number] = size[one] + size[other]
        difference[number] = beyond[one] = beyond[other] = apart
        current[kept] = number
    # The parts of a proposal stand side by side in the sequence: first those of one half, then those of the other.
    roots = np.setdiff1d(np.arange(count), halves)
    first = np.zeros(count, np.int64)
    first[roots] = np.cumsum(size[roots]) - size[roots]
    for number in range(count - 1, num - 1, -1):
        one, other = halves[number - num]
        first[one], first[other] = first[number], first[number] + size[one]
    sequence = np.empty(num, np.int64)
    sequence[first[:num]] = np.arange(num)
    return Proposals(halves, sequence, first, first + size, difference, beyond)
