"""Scores of a tracker: CLEAR MOT, from ids per point and frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def tracking_scores(true: Iterable[np.ndarray], predicted: Iterable[np.ndarray]) -> dict[str, float]:
    """CLEAR MOT scores (Bernardin and Stiefelhagen 2008) from ids per point and frame, each (N,), 0 for none.

    A true and a predicted object match in a frame where their points have an IoU over 0.5, so at most one to one.
    A switch is a true object matched with another id than when it was last matched. mota = 1 − (misses + false
    positives + switches) / true objects.
    """
    counts = dict.fromkeys(("objects", "misses", "false_positives", "switches"), 0)
    last: dict[int, int] = {}
    for truth, guess in zip(true, predicted, strict=True):
        truth, guess = np.asarray(truth, np.int64), np.asarray(guess, np.int64)
        ids, sizes = np.unique(truth[truth > 0], return_counts=True)
        others, other_sizes = np.unique(guess[guess > 0], return_counts=True)
        both = (truth > 0) & (guess > 0)
        pairs, shared = np.unique(np.stack((truth[both], guess[both])), axis=1, return_counts=True)
        t, g = np.searchsorted(ids, pairs[0]), np.searchsorted(others, pairs[1])
        hit = 2 * shared > sizes[t] + other_sizes[g] - shared
        for one, other in pairs[:, hit].T.tolist():
            counts["switches"] += last.get(one, other) != other
            last[one] = other
        counts["objects"] += len(ids)
        counts["misses"] += len(ids) - int(hit.sum())
        counts["false_positives"] += len(others) - int(hit.sum())
    wrong = counts["misses"] + counts["false_positives"] + counts["switches"]
    return {**counts, "mota": 1 - wrong / counts["objects"] if counts["objects"] else float("nan")}
