"""Stable ids: the objects of each frame are matched with those of the frames before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.segmentation.result import Result

MAX_POINTS = 60_000  # points beyond are thinned: overlap of 5 cm cells does not need them
OTHER_CLASS = 0.3  # cost of a changed class: the vote flickers more than objects do
IMPOSSIBLE = 1e6


@dataclass
class Track:
    """What is remembered of an object. cells (K,) int64 sorted keys of the cells it fills, center (3,) metres."""

    id: int
    label: str
    cells: np.ndarray
    center: np.ndarray
    seen: float


class Tracker:
    """Gives objects the id they had, in a frame that stays put while the camera moves.

    An object is matched with a track by the overlap of the cells they fill (IoU and share of the smaller one) or, where
    nothing overlaps, by the distance of their centres; the assignment of least total cost is Hungarian. A track that
    is not seen waits `max_age` seconds; its id is given to nothing else. A stamp that goes back starts anew.
    """

    def __init__(self, max_age: float = 2.0, max_distance: float = 0.3, cell: float = 0.05):
        self.max_age, self.max_distance, self.cell = max_age, max_distance, cell
        self._next = 1
        self.reset()

    def reset(self) -> None:
        """Forget all objects. Ids go on counting, so that old ones do not come back as something else."""
        self._tracks: list[Track] = []
        self._stamp = -np.inf

    def update(self, result: Result, points: np.ndarray, stamp_s: float) -> Result:
        """The same result with stable ids. points (N, 3) metres in the fixed frame, NaN allowed."""
        if stamp_s < self._stamp:
            self.reset()
        self._stamp = stamp_s
        self._tracks = [track for track in self._tracks if stamp_s - track.seen <= self.max_age]
        found = self._describe(result, points, stamp_s)
        for track, mine in self._match(found):
            found[mine].id = track.id
        matched = {one.id for one in found}
        for one in found:
            if one.id == 0:
                one.id, self._next = self._next, self._next + 1
        self._tracks = found + [track for track in self._tracks if track.id not in matched]
        table = np.zeros(max((one.id for one in result.instances), default=0) + 1, np.int32)
        table[[one.id for one in result.instances]] = [one.id for one in found]
        instances = [replace(one, id=track.id) for one, track in zip(result.instances, found)]
        return replace(result, instance=table[result.instance], instances=instances)

    def _describe(self, result: Result, points: np.ndarray, stamp_s: float) -> list[Track]:
        """A nameless track (id 0) for each instance, in their order."""
        rows = np.flatnonzero(result.instance)
        rows = rows[:: len(rows) // MAX_POINTS + 1]
        rows = rows[np.isfinite(points[rows]).all(axis=1)]
        owner = result.instance[rows]
        cells = np.floor(points[rows] / self.cell).astype(np.int64) & 0x1FFFFF
        keys = cells[:, 0] << 42 | cells[:, 1] << 21 | cells[:, 2]
        order = np.lexsort((keys, owner))
        owner, keys, places = owner[order], keys[order], points[rows[order]]
        tracks = []
        for one in result.instances:
            first, last = np.searchsorted(owner, (one.id, one.id + 1))
            center = places[first:last].mean(axis=0) if last > first else np.full(3, np.inf)
            tracks.append(Track(0, one.label, np.unique(keys[first:last]), center, stamp_s))
        return tracks

    def _match(self, found: list[Track]) -> list[tuple[Track, int]]:
        """Pairs (track, index into `found`) of least total cost."""
        from scipy.optimize import linear_sum_assignment

        if not found or not self._tracks:
            return []
        cost = self._costs(found)
        rows, columns = linear_sum_assignment(cost)
        return [(self._tracks[r], int(c)) for r, c in zip(rows, columns) if cost[r, c] < IMPOSSIBLE]

    def _costs(self, found: list[Track]) -> np.ndarray:
        """(tracks, found): 0 for the same cells and class, 1 … 2 for near without overlap, `IMPOSSIBLE` beyond."""
        shared = _intersections(self._tracks, found)
        sizes, others = (np.array([max(1, len(t.cells)) for t in some]) for some in (self._tracks, found))
        union = sizes[:, None] + others - shared
        overlap = (shared / union + shared / np.minimum(sizes[:, None], others)) / 2
        with np.errstate(invalid="ignore"):
            apart = np.stack([t.center for t in self._tracks])[:, None] - np.stack([t.center for t in found])
            distance = np.nan_to_num(np.linalg.norm(apart, axis=2), nan=np.inf) / self.max_distance
        changed = np.array([[t.label != f.label for f in found] for t in self._tracks])
        cost = np.where(shared > 0, 1 - overlap, np.where(distance <= 1, 1 + distance, IMPOSSIBLE))
        return np.where(cost < IMPOSSIBLE, cost + OTHER_CLASS * changed, cost)


def _intersections(left: list[Track], right: list[Track]) -> np.ndarray:
    """(L, R) numbers of cells in common."""
    from scipy.sparse import csr_matrix

    tracks = [*left, *right]
    sizes = [len(track.cells) for track in tracks]
    _, column = np.unique(np.concatenate([track.cells for track in tracks]), return_inverse=True)
    row = np.repeat(np.arange(len(tracks)), sizes)
    table = csr_matrix((np.ones(len(row), np.int64), (row, column)), (len(tracks), max(column, default=0) + 1))
    return (table[: len(left)] @ table[len(left) :].T).toarray()


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
