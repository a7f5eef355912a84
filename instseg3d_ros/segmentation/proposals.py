"""What may be one object: parts, what becomes of them when they are put together, and the choice among all of these.

How unlike the parts of one object may be is another number for a bed than for a box. So beyond what is surely one, each
step of merging stays a proposal, and an object head that has seen the outcome says how well each one covers an object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.merging import after, merging_steps
from instseg3d_ros.segmentation.votes import Votes

WORTH = 0.5  # expected IoU from which on a proposal is worth taking: that of an object found


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


def propose(
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
    own = list(range(num))  # the proposal that each part stands for by now
    leaves: list[list[int]] = [[part] for part in range(num)]
    halves = np.zeros((len(steps), 2), np.int64)
    difference, beyond = np.full(count, float(low)), np.full(count, float(high))
    for number, ((kept, gone), apart) in enumerate(zip(steps.tolist(), differences.tolist()), num):
        one, other = halves[number - num] = own[kept], own[gone]
        leaves.append(leaves[one] + leaves[other])
        difference[number] = beyond[one] = beyond[other] = apart
        own[kept] = number
    roots = np.setdiff1d(np.arange(count), halves)
    sequence = np.array([part for root in roots for part in leaves[root]], np.int64)
    place = np.empty(num, np.int64)
    place[sequence] = np.arange(num)
    # The leaves of a half lie side by side within those of the whole, so the first place and their number tell all.
    first = np.array([place[own_leaves[0]] for own_leaves in leaves], np.int64)
    return Proposals(halves, sequence, first, first + np.array([*map(len, leaves)], np.int64), difference, beyond)
