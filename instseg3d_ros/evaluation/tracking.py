"""CLEAR MOT scores of a tracker."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def tracking_scores(true: Iterable[np.ndarray], predicted: Iterable[np.ndarray]) -> dict[str, float]:
    """CLEAR MOT scores (Bernardin and Stiefelhagen 2008) from the ids of the points in each frame, (N,), 0 for none.

    A true and a predicted object match in a frame if their IoU is above 0.5, so each has at most one match. A switch
    is a match of a true object with another predicted id than in its last match. mota = 1 − (misses + false positives
    + switches) / true objects.
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
        for true_id, predicted_id in pairs[:, hit].T.tolist():
            counts["switches"] += last.get(true_id, predicted_id) != predicted_id
            last[true_id] = predicted_id
        counts["objects"] += len(ids)
        counts["misses"] += len(ids) - int(hit.sum())
        counts["false_positives"] += len(others) - int(hit.sum())
    wrong = counts["misses"] + counts["false_positives"] + counts["switches"]
    return {**counts, "mota": 1 - wrong / counts["objects"] if counts["objects"] else float("nan")}
