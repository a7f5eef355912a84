"""Objects are groups of fragments, which are sets of cells that no view has divided.

Each pair of fragments holds evidence: positive if views put both into the same object, negative if views separate them.
The pair with the strongest evidence is contracted first, and the evidence of contracted pairs is added, until no pair
is positive (greedy additive edge contraction: Keuper et al. 2015). Objects merge and split as the evidence changes.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST = 6.0  # largest evidence about a pair, so that few later views can reverse it
GONE = 0.7  # fraction of a fragment that must be empty for the whole fragment to be removed
STRANGE = 0.3  # evidence against a pair from each view of both before the first view that puts them together


@dataclass
class Fragment:
    """`cells`: number of cells in which it leads; `views`: number of views that show it; `object`: id of its object;
    `emptied`: number of its cells that were emptied since the last view that shows it."""

    cells: int = 0
    views: int = 0
    object: int = 0
    emptied: int = 0


@dataclass
class Known:
    """The record of an object: stamps of its first and last view in seconds, and the number of views.

    `agreement` is a sum over `judged` views (`agreement.py`), from which the object's score is computed.
    """

    first: float
    last: float
    views: int = 0
    agreement: float = 0.0
    judged: int = 0


@dataclass
class Fragments:
    """All fragments by number, the evidence about pairs of them, and the records of their objects."""

    table: dict[int, Fragment] = field(default_factory=dict)
    evidence: dict[tuple[int, int], float] = field(default_factory=dict)
    beside: dict[int, set[int]] = field(default_factory=dict)  # partners in `evidence`
    objects: dict[int, Known] = field(default_factory=dict)
    next_fragment: int = 1
    next_object: int = 1

    def create(self) -> int:
        """Create a fragment. `regroup` assigns it to an object."""
        number, self.next_fragment = self.next_fragment, self.next_fragment + 1
        self.table[number] = Fragment()
        self.beside[number] = set()
        return number

    def say(self, one: int, other: int, amount: float) -> None:
        """Add evidence that two fragments are parts of the same object.

        The first evidence about a pair starts below zero, because no earlier view put the two together.
        """
        if other not in self.beside[one]:
            views = min(self.table[one].views, self.table[other].views)
            self.let(one, other, -min(MOST / 2, STRANGE * views))
        self.let(one, other, self.between(one, other) + amount)

    def let(self, one: int, other: int, amount: float) -> None:
        """Set the evidence about a pair to `amount`, within the bounds."""
        self.evidence[min(one, other), max(one, other)] = max(-MOST, min(MOST, amount))
        self.beside[one].add(other)
        self.beside[other].add(one)

    def between(self, one: int, other: int) -> float:
        """Evidence about a pair, 0 without any."""
        return self.evidence.get((min(one, other), max(one, other)), 0.0)

    def gone(self, emptied: dict[int, int]) -> list[int]:
        """Add the number of cells of each fragment that a view emptied; return the fragments to remove.

        If most of a fragment is empty, the whole fragment has moved: rays do not reach the cells at the floor and those
        that are hidden.
        """
        emptied.pop(0, None)
        for number, cells in emptied.items():
            self.table[number].emptied += cells
        return [n for n in emptied if self.table[n].emptied * (1 - GONE) > self.table[n].cells * GONE]

    def drop(self, numbers: Iterable[int]) -> list[int]:
        """Remove fragments; return the fragments with evidence about pairs with them, whose groups may change."""
        touched = set()
        for number in numbers:
            for other in self.beside.pop(number):
                del self.evidence[min(number, other), max(number, other)]
                self.beside[other].discard(number)
                touched.add(other)
            del self.table[number]
        return [number for number in touched if number in self.table]

    def count(self, min_cells: int, min_views: int) -> int:
        """Number of objects with at least `min_cells` cells and `min_views` views."""
        cells: Counter[int] = Counter()
        for fragment in self.table.values():
            cells[fragment.object] += fragment.cells
        return sum(cells[number] >= min_cells and one.views >= min_views for number, one in self.objects.items())

    def regroup(self, touched: Iterable[int], stamp: float) -> None:
        """Recompute the groups of the fragments connected with `touched`, and assign ids to their objects."""
        touched = [number for number in touched if number in self.table]
        todo = self._reach(touched)
        old = {self.table[number].object for number in todo} - {0}
        groups = self._contract(sorted(todo))
        self._name(groups, old, stamp)

    def _reach(self, start: list[int]) -> set[int]:
        """Fragments connected with `start` by positive evidence or by a common object."""
        members: dict[int, list[int]] = {}
        for number, fragment in self.table.items():
            if fragment.object:
                members.setdefault(fragment.object, []).append(number)
        seen, stack = set(start), list(start)
        while stack:
            number = stack.pop()
            near = [other for other in self.beside[number] if self.between(number, other) > 0]
            for other in near + members.get(self.table[number].object, []):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return seen

    def _contract(self, numbers: list[int]) -> list[list[int]]:
        groups = {number: [number] for number in numbers}
        weight: dict[int, dict[int, float]] = {number: {} for number in numbers}  # evidence between groups
        for number in numbers:
            for other in self.beside[number]:
                if other in groups:
                    weight[number][other] = self.between(number, other)
        heap = [(-w, a, b) for a in numbers for b, w in weight[a].items() if a < b and w > 0]
        heapq.heapify(heap)
        while heap:
            negative, a, b = heapq.heappop(heap)
            if a not in groups or b not in groups or weight[a].get(b) != -negative:
                continue  # outdated entry
            groups[a] += groups.pop(b)
            for other, w in weight.pop(b).items():
                del weight[other][b]
                if other == a:
                    continue
                total = weight[a].get(other, 0.0) + w
                weight[a][other] = weight[other][a] = total
                if total > 0:
                    heapq.heappush(heap, (-total, min(a, other), max(a, other)))
        return list(groups.values())

    def _name(self, groups: list[list[int]], old: set[int], stamp: float) -> None:
        """An id stays with the group that has most cells of its object; groups without an id get a new id."""
        claims = []
        for index, group in enumerate(groups):
            shares: dict[int, int] = {}
            for number in group:
                fragment = self.table[number]
                if fragment.object:
                    shares[fragment.object] = shares.get(fragment.object, 0) + fragment.cells
            claims += [(-cells, number, index) for number, cells in shares.items()]
        names: dict[int, int] = {}
        renewed: dict[int, Known] = {}
        told = set()
        for _, number, index in sorted(claims):
            if index not in names and number not in told:
                names[index] = number
                told.add(number)
        for index, group in enumerate(groups):
            before = [self.objects[o] for o in {self.table[n].object for n in group} if o in self.objects]
            if index not in names:
                names[index], self.next_object = self.next_object, self.next_object + 1
            views = max([one.views for one in before] + [self.table[number].views - 1 for number in group])
            first = min((one.first for one in before), default=stamp)
            last = max((one.last for one in before), default=stamp)
            agreement, judged = sum(one.agreement for one in before), sum(one.judged for one in before)
            renewed[names[index]] = Known(first, last, views, agreement, judged)
            for number in group:
                self.table[number].object = names[index]
        for number in old - set(names.values()):
            self.objects.pop(number, None)
        self.objects.update(renewed)
