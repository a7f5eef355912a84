"""How well views agree with an object of the map, from which its score is computed.

In each view, the agreement of an object is the largest product of an instance's score with the IoU between the instance
and the visible cells of the object. The object's score is the power mean of its agreements with exponent POWER. It lies
between the mean and the maximum: the views that show an object best count most, because the others see only parts of it
or see it from afar.
"""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping.fragments import Fragments

POWER = 4
SEEN = 20  # number of visible cells of an object from which a view is judged


def add_agreement(
    piece: np.ndarray, lead: np.ndarray, cells: np.ndarray, scores: np.ndarray, fragments: Fragments
) -> None:
    """Add a view to the records of the objects it shows.

    The view is a table with R rows: piece (R,), the row of an instance in `scores` (P,) or −1 for none; lead (R,),
    the fragment that leads there, 0 for none; cells (R,), the number of visible cells with both.
    """
    owner = np.array([fragments.table[number].object if number else 0 for number in lead.tolist()], np.int64)
    numbers, column = np.unique(owner, return_inverse=True)
    table = np.zeros((len(scores) + 1, len(numbers)), np.int64)  # the last row: no instance
    np.add.at(table, (piece, column), cells)
    visible, size = table.sum(axis=0), table.sum(axis=1)
    union = size[:, None] + visible[None] - table
    agreement = (table[:-1] / union[:-1] * scores[:, None]).max(axis=0, initial=0)
    for number, seen, value in zip(numbers.tolist(), visible.tolist(), agreement.tolist()):
        if number and seen >= SEEN:
            known = fragments.objects[number]
            known.agreement += value**POWER
            known.judged += 1


def score(agreement: float, judged: int) -> float:
    """Score of an object with the sum `agreement` over `judged` views; 0 if no view was judged."""
    return (agreement / judged) ** (1 / POWER) if judged else 0.0
