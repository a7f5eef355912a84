"""Which fragments the pieces of a view are, and what the view says about pairs of fragments."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.evidence import rename_votes
from instseg3d_ros.mapping.fragments import Fragments

FEWEST = 12  # cells of a piece that may become a fragment
SEAM = 8  # cells of an overlap that means more than that things touch
MINOR = 0.12  # share of the smaller of piece and fragment that an overlap needs
COVERED = 0.5  # share of the seen part of a fragment that a piece must have to contain it
WITHIN = 0.5  # share of the known part of a piece that must lie in a fragment for the piece to be part of it
CUT = 0.2  # share of the seen part of a fragment that two pieces must each have to cut it
WHOLE = 0.5  # evidence for one object by each view that saw a fragment before another cuts it
JOIN = 2.0  # evidence for one object by a view that saw two fragments as one, against 1 by a view that cut them
LEAST = 0.3  # evidence by a piece that scores nothing
NEAR = 0.1  # metres between the boxes of pieces that are told apart


@dataclass
class Match:
    """For each of P pieces: `members`, the fragments that it contains; `main`, the one that its other cells belong to,
    0 for none. `cuts`: pairs (fragment, piece) of pieces that each are a part of one fragment; its largest part is not
    among them."""

    members: list[list[int]]
    main: list[int]
    cuts: list[tuple[int, int]] = field(default_factory=list)

    def fragments(self) -> set[int]:
        """All that the view saw."""
        return {number for row in self.members for number in row} | set(self.main) - {0}


def match(piece: np.ndarray, fragment: np.ndarray, count: int, fragments: Fragments) -> Match:
    """piece (K,) row of each cell's piece, −1 for none; fragment (K,) that leads in the map there, 0 for none and −1
    where the map has no such cell; `count` pieces."""
    sizes = np.bincount(piece[piece >= 0], minlength=count)
    in_map = np.bincount(piece[(piece >= 0) & (fragment >= 0)], minlength=count)
    known = fragment > 0
    numbers, column = np.unique(fragment[known], return_inverse=True)
    table = np.zeros((count + 1, len(numbers)), np.int64)  # cells in common; the last row: of no piece
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
    """Make the pieces in `found.cuts` fragments. What speaks for one object is that no view has cut it before."""
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
    """Pieces of enough cells that are nothing known become fragments."""
    sizes = np.bincount(piece[piece >= 0], minlength=len(found.main))
    for row, number in enumerate(found.main):
        if not number and sizes[row] >= FEWEST:
            found.main[row] = fragments.create()


def learn(found: Match, near: np.ndarray, scores: np.ndarray, fragments: Fragments) -> set[int]:
    """Say which fragments the view saw as one, and which of pieces that are `near` (P, P) each other it saw apart, as
    much as the scores (P,) of the pieces are worth; the fragments that this was about."""
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
    """What a piece of this score is worth as evidence; 1 for a sure one."""
    return LEAST + (1 - LEAST) * float(score)


def targets(found: Match, piece: np.ndarray, lead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K,) fragment that the view votes for in each cell, 0 for none: what leads there if the cell's piece contains it,
    else the piece's main fragment; and (K,) whether that is one."""
    main = np.append(found.main, 0).astype(np.int64)
    pairs = [(row, number) for row, numbers in enumerate(found.members) for number in numbers]
    width = int(lead.max(initial=0)) + 1
    stays = np.zeros(len(main) * width, bool)
    stays[[row * width + number for row, number in pairs if number < width]] = True
    target = np.where(stays[piece % len(main) * width + lead], lead, main[piece])
    return target, target > 0


def neighbours(piece: np.ndarray, position: np.ndarray, count: int) -> np.ndarray:
    """(P, P) bool: pieces whose axis-parallel boxes come within NEAR metres of each other."""
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    inside = np.flatnonzero(piece >= 0)
    inside = inside[np.argsort(piece[inside], kind="stable")]
    rows, begin = np.unique(piece[inside], return_index=True)
    if len(rows):
        ordered = position[inside]
        low[rows], high[rows] = np.minimum.reduceat(ordered, begin), np.maximum.reduceat(ordered, begin)
    apart: np.ndarray = (low[:, None] > high[None] + NEAR) | (low[None] > high[:, None] + NEAR)
    return np.logical_not(apart.any(axis=2))
