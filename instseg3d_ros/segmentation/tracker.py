"""Stable ids: the objects of each frame are matched with the objects of earlier frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.result import Result

MAX_POINTS = 1500  # approximate number of points of an object that are used; enough for the overlap of 5 cm cells
CLOUD = 100_000  # approximate number of points of a cloud that are used
OTHER_CLASS = 0.3  # cost of a changed class; the class of an object may change from frame to frame
NEWCOMER = 0.3  # cost of a track seen once, less with each sighting: fragments must not replace whole objects
MEMORY = 3  # sightings whose cells form a track, so that an object that is split in a frame stays whole in the track
MIN_OVERLAP = 0.2  # smaller overlaps are ignored, because touching objects share cells at their border
ABSORBED = 0.8  # share of a piece's cells in an object from which the piece counts as part of the object
MIN_RATIO = 0.3  # smallest ratio of the sizes in cells of objects that are matched without overlap


@dataclass
class Track:
    """An object of earlier frames. cells (K,) int64: sorted keys of the cells it filled; center (3,) metres."""

    id: int
    label: str
    cells: np.ndarray
    center: np.ndarray
    seen: float
    sightings: int = 1
    recent: tuple[np.ndarray, ...] = ()  # the cells of the last `MEMORY` sightings

    def follow(self, track: Track) -> None:
        """Become the next sighting of `track`."""
        self.id, self.sightings = track.id, track.sightings + 1
        self.recent = (self.cells, *track.recent[: MEMORY - 1])
        self.cells = np.unique(np.concatenate(self.recent))


class Tracker:
    """Gives objects the ids that they had in earlier frames, in a fixed frame of reference.

    Objects are matched with tracks by the overlap of the cells they fill (IoU and share of the smaller one). The
    remaining objects are matched by the distance of the centres, at most `max_distance` metres. Both matchings are
    assignments of least total cost (Hungarian algorithm), where a changed class and a track with few sightings add to
    the cost. A track that is not seen is kept for `max_age` seconds; no other object gets its id. A stamp that goes
    back resets the tracker.
    """

    def __init__(self, max_age: float = 2.0, max_distance: float = 0.3, cell: float = 0.05):
        self.max_age, self.max_distance, self.cell = max_age, max_distance, cell
        self._next = 1
        self.reset()

    def reset(self) -> None:
        """Forget all objects. Ids continue, so that no new object gets an old id."""
        self._tracks: list[Track] = []
        self._stamp = -np.inf

    def update(self, result: Result, points: np.ndarray, stamp_s: float) -> Result:
        """The result with stable ids. points (N, 3) metres in the fixed frame, NaN allowed."""
        if stamp_s < self._stamp:
            self.reset()
        self._stamp = stamp_s
        self._tracks = [track for track in self._tracks if stamp_s - track.seen <= self.max_age]
        found = self._describe(result, points, stamp_s)
        for track, mine in self._match(found):
            found[mine].follow(track)
        matched = {one.id for one in found}
        for one in found:
            if one.id == 0:
                one.id, self._next = self._next, self._next + 1
        lost = [track for track in self._tracks if track.id not in matched]
        self._tracks = found + [track for track in lost if not _splinter(track, found)]
        table = np.zeros(max((one.id for one in result.instances), default=0) + 1, np.int32)
        table[[one.id for one in result.instances]] = [one.id for one in found]
        instances = [replace(one, id=track.id) for one, track in zip(result.instances, found)]
        return replace(result, instance=table[result.instance], instances=instances)

    def _describe(self, result: Result, points: np.ndarray, stamp_s: float) -> list[Track]:
        """A track without id (0) for each instance, in their order."""
        count = max((one.id for one in result.instances), default=0) + 1
        every = len(points) // CLOUD + 1
        points, instance = points[::every], result.instance[::every]
        rows = np.flatnonzero(instance)
        part = instance[rows]
        thin = np.bincount(part, minlength=count) // MAX_POINTS + 1  # every how many-th point of an object
        if (thin > 1).any():
            kept = np.arange(len(rows), dtype=np.int32) % thin.astype(np.int32)[part] == 0
            rows, part = rows[kept], part[kept]
        order, begin = group(part, count)
        places = points[rows[order]].astype(np.float64)
        with np.errstate(invalid="ignore"):
            cells = np.floor(places / self.cell).astype(np.int64) & 0x1FFFFF
        keys = cells[:, 0] << 42 | cells[:, 1] << 21 | cells[:, 2]
        finite = np.isfinite(places).all(axis=1)
        tracks = []
        for one in result.instances:
            mine = slice(begin[one.id], begin[one.id + 1])
            known = finite[mine]
            filled = np.unique(keys[mine][known])
            center = places[mine][known].mean(axis=0) if known.any() else np.full(3, np.inf)
            tracks.append(Track(0, one.label, filled, center, stamp_s, recent=(filled,)))
        return tracks

    def _match(self, found: list[Track]) -> list[tuple[Track, int]]:
        """Pairs (track, index into `found`): first by overlap; the remaining tracks and objects by distance.

        Only pairs that overlap or are near each other are compared, so that memory grows with the objects.
        """
        if not found or not self._tracks:
            return []
        tracks = self._tracks
        sizes, others = (np.array([max(1, len(t.cells)) for t in some]) for some in (tracks, found))
        newcomer = NEWCOMER / np.array([track.sightings for track in tracks])

        def burden(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
            changed = np.array([tracks[r].label != found[c].label for r, c in zip(rows, columns)], bool)
            return OTHER_CLASS * changed + newcomer[rows]

        rows, columns, shared = _intersections(tracks, found)
        smaller, larger = np.minimum(sizes[rows], others[columns]), np.maximum(sizes[rows], others[columns])
        # Mean of the IoU and of the share of the smaller one, 0 to 1.
        overlap = (shared / (smaller + larger - shared) + shared / smaller) / 2
        cost = np.where(overlap >= MIN_OVERLAP, 1 - overlap + burden(rows, columns), np.inf)
        pairs = _assign(rows, columns, cost, limit=1 + OTHER_CLASS)
        matched, taken = ({pair[side] for pair in pairs} for side in (0, 1))
        left = [row for row in range(len(tracks)) if row not in matched and np.isfinite(tracks[row].center).all()]
        free = [
            column for column in range(len(found)) if column not in taken and np.isfinite(found[column].center).all()
        ]
        rows, columns, distance = _near(
            [tracks[k].center for k in left], [found[k].center for k in free], self.max_distance
        )
        rows, columns = np.array(left, np.int64)[rows], np.array(free, np.int64)[columns]
        alike = np.minimum(sizes[rows], others[columns]) >= MIN_RATIO * np.maximum(sizes[rows], others[columns])
        cost = np.where(alike, distance / self.max_distance + burden(rows, columns), np.inf)
        pairs += _assign(rows, columns, cost, limit=1 + OTHER_CLASS + NEWCOMER)
        return [(tracks[row], column) for row, column in pairs]


def _assign(rows: np.ndarray, columns: np.ndarray, cost: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of least total cost among those given (P,), where leaving a row unmatched costs `limit`.

    Groups of pairs without common rows and columns are assigned separately.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    good = cost < limit
    rows, columns, cost = rows[good], columns[good], cost[good]
    if not len(rows):
        return []
    width = int(rows.max()) + 1
    size = width + int(columns.max()) + 1
    part = connected_components(coo_matrix((np.ones(len(rows)), (rows, width + columns)), (size, size)), False)[1][rows]
    pairs = []
    order, begin = group(part, int(part.max()) + 1)
    for some in (order[first:last] for first, last in pairwise(begin) if last > first):
        (r, at), (c, place) = (np.unique(side[some], return_inverse=True) for side in (rows, columns))
        table = np.full((len(r), len(c)), limit)
        table[at, place] = cost[some]
        pairs += [(int(r[i]), int(c[j])) for i, j in zip(*linear_sum_assignment(table)) if table[i, j] < limit]
    return sorted(pairs)


def _near(left: list[np.ndarray], right: list[np.ndarray], reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of positions (3,) within `reach` of each other: index in left, index in right, distance."""
    from scipy.spatial import cKDTree

    if not left or not right:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    pairs = cKDTree(left).sparse_distance_matrix(cKDTree(right), reach, output_type="ndarray")
    return pairs["i"], pairs["j"], pairs["v"]


def _splinter(track: Track, found: list[Track]) -> bool:
    """Whether an unmatched track is a piece of an object that has been tracked for longer."""
    return track.sightings <= MEMORY and any(
        one.sightings > track.sightings and np.isin(track.cells, one.cells).mean() >= ABSORBED for one in found
    )


def _intersections(left: list[Track], right: list[Track]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of tracks that have cells in common: index in left, index in right, number of these cells."""
    from scipy.sparse import csr_matrix

    tracks = [*left, *right]
    sizes = [len(track.cells) for track in tracks]
    cells, column = np.unique(np.concatenate([track.cells for track in tracks]), return_inverse=True)
    begin = np.concatenate(([0], np.cumsum(sizes)))
    filled = csr_matrix((np.ones(len(column), np.int64), column, begin), (len(tracks), len(cells)))
    shared = (filled[: len(left)] @ filled[len(left) :].T).tocoo()
    return shared.row, shared.col, shared.data
