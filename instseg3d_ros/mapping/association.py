"""Matches the instances of a view, its pieces, with fragments, and derives evidence about pairs of fragments.

A piece contains a fragment if it covers most of the visible cells of the fragment. A piece lies in a fragment if most
of the piece is inside the fragment. Two pieces that lie in the same fragment cut it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.evidence import rename_votes
from instseg3d_ros.mapping.fragments import Fragments

FEWEST = 12  # smallest number of cells of a piece that becomes a fragment
SEAM = 8  # smallest number of cells of an overlap; fewer cells overlap where objects touch
MINOR = 0.12  # smallest size of an overlap, as a fraction of the smaller of piece and fragment
COVERED = 0.5  # fraction of the visible part of a fragment that a piece must cover to contain it
WITHIN = 0.5  # fraction of the known part of a piece that must be in a fragment for the piece to lie in it
CUT = 0.2  # fraction of the visible part of a fragment that each of two pieces must cover to cut it
WHOLE = 0.5  # evidence for one object from each view that showed a fragment before it was cut
JOIN = 1.0  # evidence from a piece that contains two fragments, relative to that from two pieces which separate them
LEAST = 0.3  # evidence from a piece with a score of 0, relative to a piece with a score of 1
NEAR = 0.1  # metres between the boxes of pieces that count as separate objects


@dataclass
class Match:
    """Fragments for each of P pieces.

    members: the fragments that the piece contains · main: the fragment of its other cells, 0 for none · cuts: pairs
    (fragment, piece) where the piece cuts the fragment; the largest piece in a fragment is not listed
    """

    members: list[list[int]]
    main: list[int]
    cuts: list[tuple[int, int]] = field(default_factory=list)

    def fragments(self) -> set[int]:
        """All fragments that the view shows."""
        return {number for row in self.members for number in row} | set(self.main) - {0}


def match(piece: np.ndarray, fragment: np.ndarray, count: int, fragments: Fragments) -> Match:
    """Match `count` pieces with the fragments in their cells.

    piece (K,): row of the piece of each cell, −1 for none; fragment (K,): the leading fragment of the cell in the map,
    0 for none, −1 if the map lacks the cell.
    """
    sizes = np.bincount(piece[piece >= 0], minlength=count)
    in_map = np.bincount(piece[(piece >= 0) & (fragment >= 0)], minlength=count)
    known = fragment > 0
    numbers, column = np.unique(fragment[known], return_inverse=True)
    table = np.zeros((count + 1, len(numbers)), np.int64)  # number of common cells; the last row: cells of no piece
    np.add.at(table, (piece[known], column), 1)
    seen, table = table.sum(axis=0), table[:count]
    whole = np.array([fragments.table[int(number)].cells for number in numbers], np.int64)
    firm = table >= np.maximum(SEAM, MINOR * np.minimum(sizes[:, None], whole))
    contains = firm & (table >= COVERED * seen)
    lies_in = firm & (table >= WITHIN * in_map[:, None])
    found = Match([numbers[row].tolist() for row in contains], [0] * count)
    parts: dict[int, list[int]] = {}
    for row in range(count):
        choice = np.flatnonzero(contains[row] if contains[row].any() else lies_in[row])
        if len(choice):
            best = int(choice[table[row, choice].argmax()])
            found.main[row] = int(numbers[best])
            if table[row, best] >= max(FEWEST, CUT * seen[best]):
                parts.setdefault(best, []).append(row)
    for best, rows in parts.items():
        rows.sort(key=lambda row: -table[row, best])
        found.cuts += [(int(numbers[best]), row) for row in rows[1:]]
    return found


def cut(
    found: Match, piece: np.ndarray, lead: np.ndarray, rows: np.ndarray, cells: Cells, fragments: Fragments
) -> None:
    """Make the pieces in `found.cuts` fragments. Each earlier view is evidence that the parts are one object."""
    for number, row in found.cuts:
        whole = fragments.table[number]
        part = fragments.create()
        chosen = (piece == row) & (lead == number)
        rename_votes(cells, rows[chosen], number, part)
        fragments.table[part].object, fragments.table[part].views = whole.object, whole.views
        for other in list(fragments.beside[number]):
            fragments.let(part, other, fragments.between(number, other))
        fragments.let(number, part, WHOLE * whole.views)
        found.main[row], found.members[row] = part, [part]


def begin(found: Match, piece: np.ndarray, fragments: Fragments) -> None:
    """Pieces without a fragment, and with enough cells, become fragments."""
    sizes = np.bincount(piece[piece >= 0], minlength=len(found.main))
    for row, number in enumerate(found.main):
        if not number and sizes[row] >= FEWEST:
            found.main[row] = fragments.create()


def learn(found: Match, near: np.ndarray, scores: np.ndarray, fragments: Fragments) -> set[int]:
    """Add the view's evidence about pairs of fragments, weighted by the scores (P,) of the pieces.

    Fragments in the same piece are evidence for one object; fragments in different pieces that are `near` (P, P) each
    other are evidence for two. Returns the fragments that the view shows.
    """
    stands_for = [set(row) or ({main} - {0}) for row, main in zip(found.members, found.main)]
    for row, numbers in enumerate(stands_for):
        for one, other in combinations(sorted(numbers), 2):
            fragments.say(one, other, JOIN * weight(scores[row]))
        for beside in np.flatnonzero(near[row, :row]):
            amount = -weight(min(scores[row], scores[beside]))
            for one in numbers - stands_for[beside]:
                for other in stands_for[beside] - numbers:
                    fragments.say(one, other, amount)
    return found.fragments()


def weight(score: float) -> float:
    """Weight of the evidence from a piece with this score; 1 for a score of 1."""
    return LEAST + (1 - LEAST) * float(score)


def targets(found: Match, piece: np.ndarray, lead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The fragment (K,) that gets the view's vote in each cell, 0 for none, and (K,) whether there is one.

    It is the leading fragment of the cell if the cell's piece contains this fragment, otherwise the main fragment of
    the piece.
    """
    main = np.append(found.main, 0).astype(np.int64)
    pairs = [(row, number) for row, numbers in enumerate(found.members) for number in numbers]
    width = int(lead.max(initial=0)) + 1
    stays = np.zeros(len(main) * width, bool)
    stays[[row * width + number for row, number in pairs if number < width]] = True
    target = np.where(stays[piece % len(main) * width + lead], lead, main[piece])
    return target, target > 0


def neighbours(piece: np.ndarray, position: np.ndarray, count: int) -> np.ndarray:
    """(P, P) bool: whether the axis-parallel boxes of two pieces are at most NEAR metres apart."""
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    inside = np.flatnonzero(piece >= 0)
    inside = inside[np.argsort(piece[inside], kind="stable")]
    rows, begin = np.unique(piece[inside], return_index=True)
    if len(rows):
        ordered = position[inside]
        low[rows], high[rows] = np.minimum.reduceat(ordered, begin), np.maximum.reduceat(ordered, begin)
    apart: np.ndarray = (low[:, None] > high[None] + NEAR) | (low[None] > high[:, None] + NEAR)
    return np.logical_not(apart.any(axis=2))
