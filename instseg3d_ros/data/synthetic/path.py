"""The free floor of furnished rooms, and a path through all rooms and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.synthetic.camera import look
from instseg3d_ros.data.synthetic.rooms import Room

GRID = 0.1  # edge length of a square of the ground, metres
WIDTH = 0.25  # half-width of the robot, metres
SMOOTH = 0.4  # metres over which corners of the path are rounded


@dataclass(frozen=True)
class Ground:
    """Squares with edges of GRID metres, from the corner `low` (2,): open (W, D) squares have no furniture, and free
    (W, D) squares have enough space for the robot around them."""

    low: np.ndarray
    open: np.ndarray
    free: np.ndarray

    def place(self, square: np.ndarray) -> np.ndarray:
        """Middles (…, 2) of squares (…, 2), metres."""
        return self.low + (np.asarray(square) + 0.5) * GRID


def ground_of(room: Room, height: float) -> Ground:
    """The ground of a robot with a height of `height` metres, in the rooms and their doorways."""
    from scipy.ndimage import binary_erosion

    low = -np.array(room.size) / 2 - GRID
    counts = np.ceil((np.array(room.size) + 2 * GRID) / GRID).astype(int)
    middles = low + (np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1) + 0.5) * GRID
    open_ = np.zeros(counts, bool)
    for space in room.spaces:
        open_ |= (np.abs(middles - space.center) < space.size / 2).all(axis=-1)
    doorways = np.array([middle for space in room.spaces for middle in space.doorways]).reshape(-1, 2)
    for outline, lowest, highest in room.taken:
        before_doorway = (_away(doorways, outline) < -0.03).any()  # rooms keep this space clear
        if lowest < height and highest > 0.03 and not before_doorway:
            open_ &= _away(middles, outline) > 0
    # The walls between rooms are not open so far. Each doorway opens them to the width of the robot.
    for doorway in doorways:
        open_ |= np.linalg.norm(middles - doorway, axis=-1) < WIDTH + 1.5 * GRID
    reach = int(np.ceil(WIDTH / GRID))
    disc = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= reach
    return Ground(low, open_, binary_erosion(open_, disc))


def _away(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Distance of points (…, 2) from a convex counter-clockwise outline (P, 2), negative inside.

    Outside, near corners, it is less than the true distance.
    """
    edges = np.roll(outline, -1, axis=0) - outline
    normals = np.stack((edges[:, 1], -edges[:, 0]), axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    return (points @ normals.T - np.einsum("pi,pi->p", normals, outline)).max(axis=-1)


def way_through(ground: Ground, room: Room, rng: np.random.Generator) -> np.ndarray:
    """(K, 2) places, about GRID apart, on a path from a room through all rooms that can be reached, and back."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components, dijkstra

    number = np.full(ground.free.shape, -1)
    squares = np.argwhere(ground.free)
    number[tuple(squares.T)] = np.arange(len(squares))
    pairs, lengths = [], []
    for step in ((1, 0), (0, 1), (1, 1), (1, -1)):
        other = squares + step
        inside = np.all((other >= 0) & (other < ground.free.shape), axis=1)
        target = np.where(inside, number[tuple(np.where(inside[:, None], other, 0).T)], -1)
        pairs.append(np.stack((np.flatnonzero(target >= 0), target[target >= 0])))
        lengths.append(np.full(pairs[-1].shape[1], np.hypot(*step)))
    joined, length = np.concatenate(pairs, axis=1), np.concatenate(lengths)
    graph = coo_matrix((length, joined), shape=(len(squares),) * 2).tocsr()
    component = connected_components(graph, directed=False)[1]
    largest = np.bincount(component).argmax()
    stops = _stops(ground.place(squares), component == largest, room, rng)
    distance, before = dijkstra(graph, directed=False, indices=stops, return_predecessors=True)
    here, left, way = 0, set(range(1, len(stops))), [stops[0]]
    while left:
        there = min(left, key=lambda stop: distance[here, stops[stop]])
        leg = [stops[there]]
        while leg[-1] != stops[here]:
            leg.append(before[here, leg[-1]])
        way += leg[-2::-1]
        left.discard(there)
        here = there
    out = ground.place(squares[way])
    return np.concatenate((out, out[-2::-1]))


def _stops(places: np.ndarray, reachable: np.ndarray, room: Room, rng: np.random.Generator) -> list[int]:
    """Two distant squares of each room, among the squares that can be reached."""
    stops: list[int] = []
    for space in room.spaces:
        inside = np.flatnonzero(reachable & (np.abs(places - space.center) < space.size / 2).all(axis=1))
        if len(inside):
            one = inside[int(rng.integers(len(inside)))]
            other = inside[np.linalg.norm(places[inside] - places[one], axis=1).argmax()]
            one = inside[np.linalg.norm(places[inside] - places[other], axis=1).argmax()]
            stops += [int(one), int(other)]
    return stops


def poses_along(way: np.ndarray, frames: int, height: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Camera poses (4, 4) at equal distances along a path (K, 2); the camera looks ahead and turns left and right."""
    from scipy.ndimage import gaussian_filter1d

    way = gaussian_filter1d(way, SMOOTH / GRID, axis=0, mode="nearest")
    along = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))))
    at = np.linspace(0, along[-1] * (1 - 1e-6), frames)
    place = np.stack([np.interp(at, along, way[:, axis]) for axis in (0, 1)], axis=1)
    ahead = np.stack([np.interp(np.minimum(at + 0.5, along[-1]), along, way[:, axis]) for axis in (0, 1)], axis=1)
    behind = np.stack([np.interp(np.maximum(at - 0.1, 0), along, way[:, axis]) for axis in (0, 1)], axis=1)
    heading = np.unwrap(np.arctan2(*(ahead - behind).T[::-1]))
    phase = rng.uniform(0, 2 * np.pi)
    yaw = heading + 0.6 * np.sin(2 * np.pi * at / 2.5 + phase)
    pitch = np.deg2rad(14) + np.deg2rad(7) * np.sin(2 * np.pi * at / 4.1 + phase)
    return [look((*place[k], height), float(yaw[k]), float(pitch[k])) for k in range(frames)]
