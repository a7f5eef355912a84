"""Accumulates evidence in cells: log-evidence of classes, votes for fragments, log-odds of being occupied."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.sparse.native import kernels

SURE = 0.95  # largest confidence that counts, because the errors of views of the same place are correlated
MOST_EVIDENCE = 40.0  # largest log-evidence of a class, so that later views can still change the class
MOST_VOTES = 20.0  # largest vote for a fragment, for the same reason
MOST_WEIGHT = 20.0  # largest weight of earlier views in the means of position and colour
HIT, MISS = 1.0, -1.0  # log-odds from a view that sees a cell, and from a ray that passes through it
MOST_OCCUPIED = 4.0  # largest log-odds: after this number of misses a cell is removed


def class_evidence(confidence: np.ndarray, classes: int) -> np.ndarray:
    """log(p / q), where p is the confidence in a class and q = (1 − p) / (classes − 1) that in each other class."""
    p = np.clip(confidence, 1 / classes, SURE)
    return np.log(p * (classes - 1) / (1 - p))


def add_classes(cells: Cells, rows: np.ndarray, label: np.ndarray, amount: np.ndarray) -> None:
    """Add `amount` (K,) to the evidence for class `label` (K,); a row that exceeds MOST_EVIDENCE is scaled down."""
    if kernels.available("evidence"):
        amount, evidence = np.ascontiguousarray(amount, np.float64), cells["evidence"]
        inputs = len(rows), rows, np.ascontiguousarray(label, np.int64), amount, MOST_EVIDENCE, evidence.shape[1]
        kernels.call("evidence", "add_classes", *inputs, evidence)
        return
    evidence = cells["evidence"][rows]
    evidence[np.arange(len(rows)), label] += amount
    largest = evidence.max(axis=1, initial=0)
    evidence *= np.minimum(1, MOST_EVIDENCE / np.maximum(largest, 1e-9))[:, None]
    cells["evidence"][rows] = evidence


def add_votes(cells: Cells, rows: np.ndarray, fragment: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Add `amount` (K,) to the vote for `fragment` (K,), 0 for none; return the fragment that then leads in each cell.

    A cell has SLOTS slots. A new fragment that finds no empty slot is compared with the weakest: the smaller vote is
    subtracted from the larger, which keeps the slot (Misra and Gries 1982). Fragments with many votes win in the end.
    """
    if kernels.available("evidence"):
        lead = np.empty(len(rows), np.int64)
        fragment, amount = np.ascontiguousarray(fragment, np.int64), np.ascontiguousarray(amount, np.float64)
        columns = cells["ids"], cells["votes"], cells["fragment"], lead
        kernels.call("evidence", "add_votes", len(rows), rows, fragment, amount, MOST_VOTES, *columns)
        return lead
    ids, votes = cells["ids"][rows], cells["votes"][rows]
    every = np.arange(len(rows))
    same = (ids == fragment[:, None]) & (votes > 0)
    known = same.any(axis=1)
    slot = np.where(known, same.argmax(axis=1), votes.argmin(axis=1))
    left = np.where(known, votes[every, slot] + amount, amount - votes[every, slot])
    takes = known | (left > 0)
    ids[every[takes], slot[takes]] = fragment[takes]
    votes[every, slot] = np.minimum(np.abs(left), MOST_VOTES)
    lead = np.where(votes == votes.max(axis=1, keepdims=True), ids, np.iinfo(np.int32).max).min(axis=1)
    cells["ids"][rows], cells["votes"][rows], cells["fragment"][rows] = ids, votes, lead
    return lead


def rename_votes(cells: Cells, rows: np.ndarray, old: int, new: int) -> None:
    """Transfer the votes for `old` in these cells to `new`, a fragment without votes."""
    ids = cells["ids"][rows]
    ids[(ids == old) & (cells["votes"][rows] > 0)] = new
    cells["ids"][rows] = ids
    lead = cells["fragment"][rows]
    cells["fragment"][rows] = np.where(lead == old, new, lead)


def withdraw_votes(cells: Cells, rows: np.ndarray, fragments: np.ndarray) -> np.ndarray:
    """Remove the votes for fragments that no longer exist; return the fragment that then leads in each cell."""
    ids, votes = cells["ids"][rows], cells["votes"][rows]
    gone = np.isin(ids, fragments)
    ids[gone], votes[gone] = 0, 0
    lead = np.where(votes == votes.max(axis=1, keepdims=True), ids, np.iinfo(np.int32).max).min(axis=1)
    cells["ids"][rows], cells["votes"][rows], cells["fragment"][rows] = ids, votes, lead
    return lead


def add_places(
    cells: Cells, rows: np.ndarray, position: np.ndarray, color: np.ndarray | None, weight: np.ndarray,
    times: float = 1.0,
) -> None:  # fmt: skip
    """Update the weighted means of positions (K, 3) and colours (K, 3), and add `times` hits to each cell."""
    position = np.ascontiguousarray(position, np.float32)
    color = None if color is None else np.ascontiguousarray(color, np.float32)
    if kernels.available("evidence"):
        columns = [cells[name] for name in ("position", "color", "weight", "occupied")]
        inputs = len(rows), rows, position, color, np.ascontiguousarray(weight, np.float64)
        kernels.call("evidence", "add_places", *inputs, MOST_WEIGHT, HIT * times, MOST_OCCUPIED, *columns)
        return
    before = np.minimum(cells["weight"][rows], MOST_WEIGHT)
    share = (weight / (before + weight)).astype(np.float32)[:, None]
    cells["position"][rows] += share * (position - cells["position"][rows])
    if color is not None:
        cells["color"][rows] += share * (color - cells["color"][rows])
    cells["weight"][rows] = before + weight
    cells["occupied"][rows] = np.minimum(np.maximum(cells["occupied"][rows], 0) + HIT * times, MOST_OCCUPIED)


def add_misses(cells: Cells, rows: np.ndarray, times: float = 1.0) -> np.ndarray:
    """Add `times` misses to cells that rays passed through; return the rows of cells that are then empty."""
    occupied = cells["occupied"][rows] + MISS * times
    cells["occupied"][rows] = occupied
    return rows[occupied <= 0]
