"""Segments clouds of any size in overlapping square tiles, one by one, and joins the instances of the tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.result import Instance, Result
from instseg3d_ros.segmentation.tile_join import TileJoin

MOST_TILES = 1 << 30  # along an axis; points farther away are outliers
CHUNK = 1 << 20  # points


def segment_tiled(
    segmenter: Callable[[np.ndarray, np.ndarray | None], Result],
    points: np.ndarray,
    colors: np.ndarray | None = None,
    tile: float = 6.0,
    overlap: float = 1.5,
    max_points: int = 2_000_000,
    min_points: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Segment points (N, 3) metres, z up, and colors (N, 3) uint8 or None; memory does not grow with the extent.

    The plane is divided into squares of `tile` metres. `segmenter(points, colors)` is called with the points of each
    square and of a margin of overlap / 2 around it; the middle of the square is moved to x = y = 0 (by whole voxels if
    the segmenter has a `voxel_size`). Squares with more than `max_points` points are quartered, as long as a quarter is
    wider than the overlap. A point gets the answer of its square. `TileJoin` joins instances of two squares that are
    the same object. Instances with fewer than `min_points` points (default: the segmenter's limit) are dropped.

    Memory: input, result, 20 bytes per point (36 while they are sorted), and what the segmenter needs for a square.
    `progress(done, N)` is called after each square. Ids count from 1 in descending order of score. Points that are not
    finite get class −1.
    """
    if not 0 < overlap <= tile:
        raise InputError(f"tile is {tile} m and overlap {overlap} m; expected 0 < overlap ≤ tile")
    if max_points < 1:
        raise InputError(f"max_points is {max_points}; expected at least 1")
    start = perf_counter()
    if min_points is None:
        min_points = getattr(getattr(segmenter, "options", None), "min_points", 1)
    join = TileJoin(len(points))
    timings: dict[str, float] = {}
    done = 0
    for square in _squares(points, tile, overlap / 2, max_points):
        shift = _shift(square, getattr(segmenter, "voxel_size", None))
        local = (points[square.rows] - shift).astype(np.float32)
        result = segmenter(local, None if colors is None else colors[square.rows])
        moved = [_moved(one, shift) for one in result.instances]
        join.add(square.rows, square.own, replace(result, instances=moved))
        for stage, milliseconds in result.timings.items():
            timings[stage] = timings.get(stage, 0.0) + milliseconds
        done += int(square.own.sum())
        if progress is not None:
            progress(done, len(points))
    result = join.result(points, min_points)
    result.timings = {**timings, "total": 1000 * (perf_counter() - start)}
    return result


@dataclass
class _Square:
    """A square (core) with its margin.

    low (2,) and side: lower corner and side length of the core; rows (n,): points in core and margin; own (n,) bool:
    points in the core.
    """

    low: np.ndarray
    side: float
    rows: np.ndarray
    own: np.ndarray


def _squares(points: np.ndarray, tile: float, margin: float, max_points: int) -> Iterator[_Square]:
    """Squares that cover all finite points; each point is in exactly one core."""
    origin, cell = _cells(points, tile)
    keys, order, begin = _group_by_cell(cell)
    place = {tuple(key): i for i, key in enumerate(keys.tolist())}
    for x, y in sorted(place):
        around = [place[i, j] for i in (x - 1, x, x + 1) for j in (y - 1, y, y + 1) if (i, j) in place]
        rows = np.sort(np.concatenate([order[begin[k] : begin[k + 1]] for k in around])).astype(np.int64)
        square = _Square(origin + np.array([x, y]) * tile, tile, rows, (cell[rows] == (x, y)).all(axis=1))
        yield from _quartered(points, square, margin, max_points)


def _quartered(points: np.ndarray, square: _Square, margin: float, max_points: int) -> Iterator[_Square]:
    flat = points[square.rows, :2]
    near = ((flat >= square.low - margin) & (flat < square.low + square.side + margin)).all(axis=1) | square.own
    square = replace(square, rows=square.rows[near], own=square.own[near])
    half = square.side / 2
    if len(square.rows) <= max_points or half <= 2 * margin:
        if square.own.any():
            yield square
        return
    upper = flat[near] >= square.low + half  # (n, 2): which half, along x and y
    for quarter in ((False, False), (False, True), (True, False), (True, True)):
        own = square.own & (upper == quarter).all(axis=1)
        yield from _quartered(
            points, _Square(square.low + np.array(quarter) * half, half, square.rows, own), margin, max_points
        )


def _cells(points: np.ndarray, tile: float) -> tuple[np.ndarray, np.ndarray]:
    """Corner (2,) float64 of the grid of squares, and the square (N, 2) int32 of each point (−1: not finite)."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for part in _chunks(points):
        low = np.minimum(low, part.min(axis=0, initial=np.inf))
        high = np.maximum(high, part.max(axis=0, initial=-np.inf))
    if (high - low).max() / tile >= MOST_TILES:
        raise InputError(
            f"the points span {(high - low).max():.3g} m, more than 2^30 tiles of {tile} m; remove outliers"
        )
    cell = np.full((len(points), 2), -1, np.int32)
    for first in range(0, len(points), CHUNK):
        part = points[first : first + CHUNK]
        good = np.isfinite(part).all(axis=1)
        cell[first : first + CHUNK][good] = (part[good, :2].astype(np.float64) - low) // tile
    return low, cell


def _chunks(points: np.ndarray) -> Iterator[np.ndarray]:
    """x and y of the finite points, (n, 2) float64 at a time."""
    for first in range(0, len(points), CHUNK):
        part = points[first : first + CHUNK]
        yield part[np.isfinite(part).all(axis=1), :2].astype(np.float64)


def _group_by_cell(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Occupied cells (K, 2); order (M,) int32 of the points in cells, cell by cell; begin (K + 1,)."""
    key = cell[:, 0].astype(np.int64) << 32 | cell[:, 1]
    order = np.argsort(key, kind="stable").astype(np.int32 if len(key) < 1 << 31 else np.int64)
    key = key[order]
    start = int(np.searchsorted(key, 0))  # points in no cell come first
    first = np.zeros(0, np.int64)
    if start < len(key):
        first = np.concatenate(([start], start + 1 + np.flatnonzero(np.diff(key[start:]))))
    return cell[order[first]], order, np.append(first, len(key))


def _shift(square: _Square, voxel: float | None) -> np.ndarray:
    """(3,) metres from the square's middle to x = y = 0; whole voxels, so that the grid cuts objects the same way."""
    shift = np.append(square.low + square.side / 2, 0.0)
    return np.round(shift / voxel) * voxel if voxel else shift


def _moved(one: Instance, shift: np.ndarray) -> Instance:
    return replace(one, box=replace(one.box, center=one.box.center + shift))
