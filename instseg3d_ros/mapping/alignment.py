"""Aligns a view with the map by a few point-to-plane steps, within a bound (Chen and Medioni 1992)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.mapping.cells import Cells, pack
from instseg3d_ros.mapping.pose import from_twist, size_of
from instseg3d_ros.sparse.native import kernels

STEPS = 6  # maximum number of steps
FEWEST = 40  # smallest number of planes of the view that must meet the map
MOST = 400  # largest number of planes that are used
STIFF = 0.01  # weight of the given pose, per plane; it decides in directions that the planes leave open
AROUND = 12  # cells along its normal within which a plane looks for the map
ASIDE = 2.0  # cells between the normal and the lines beside it
DONE = 5e-4  # metres and radians; a smaller step ends the alignment


@dataclass(frozen=True)
class Alignment:
    """`transform` (4, 4) moves the given pose onto the map. `fit`: the fraction of the planes that meet the map which
    lie on the map after the alignment; None if too few planes meet it."""

    transform: np.ndarray
    fit: float | None


def align(
    center: np.ndarray, normal: np.ndarray, cells: Cells, origin: np.ndarray, size: float, distance: float, angle: float
) -> Alignment:
    """Align planes of a view, center (S, 3) and unit normal (S, 3), with cells whose edges are `size` metres.

    `origin` (3,) is the position of the sensor. A transform beyond `distance` metres or `angle` degrees is discarded:
    the result is then the identity, with the fit at the given pose.
    """
    identity = np.eye(4)
    if len(center) > MOST:
        chosen = np.linspace(0, len(center) - 1, MOST).astype(int)
        center, normal = center[chosen], normal[chosen]
    start = center - origin
    error = -meet(center, normal, cells, size, AROUND)
    before = _fit(error, size)
    if before is None:
        return Alignment(identity, None)
    transform, moved, turned = identity, start, normal
    for step in range(STEPS):
        reach = max((distance + 2 * size) * 0.6**step, 2.5 * size)
        found = np.flatnonzero(np.abs(error) < reach)
        if len(found) < FEWEST:
            break
        n, p, e = turned[found], moved[found], error[found]
        weight = 1 / (1 + (e / max(reach / 2, size)) ** 2) ** 2  # Geman and McClure
        rows = np.hstack((np.cross(p, n), n))  # (S, 6): derivative of the error with respect to rotation and shift
        scale = np.array([2.0] * 3 + [1.0] * 3)  # a rotation by 1 rad counts as much as a shift of 2 m
        normal_matrix = (rows * weight[:, None]).T @ rows + np.diag(STIFF * weight.sum() * scale**2)
        pull = _vector(transform) * scale**2
        twist = -np.linalg.solve(normal_matrix, (rows * weight[:, None]).T @ e + STIFF * weight.sum() * pull)
        transform = from_twist(twist) @ transform
        moved = start @ transform[:3, :3].T + transform[:3, 3]
        turned = normal @ transform[:3, :3].T
        error = -meet(moved + origin, turned, cells, size, int(np.ceil(reach / size)))
        if np.abs(twist).max() < DONE:
            break
    after = _fit(-meet(moved + origin, turned, cells, size, AROUND), size)
    shift, turn = size_of(transform)
    if after is None or shift > distance or turn > angle or after < before:
        return Alignment(identity, before)
    about = np.eye(4)
    about[:3, :3] = transform[:3, :3]
    about[:3, 3] = origin + transform[:3, 3] - transform[:3, :3] @ origin
    return Alignment(about, after)


def meet(center: np.ndarray, normal: np.ndarray, cells: Cells, size: float, reach: int) -> np.ndarray:
    """(S,) distance from `center` along `normal` to the surface of the map, NaN if there is none within `reach` cells.

    Steps of one cell along the normal, ahead and behind in turn, look for the nearest cell; if they meet none, so do
    steps along four parallel lines ASIDE, because the map of a distant surface has holes. The cell gives a first
    distance. The result is the mean over this cell and those of the 26 around it whose distance differs by less than
    one cell.
    """
    distance = np.full(len(center), np.nan)
    if kernels.available("cells"):
        surface = np.ascontiguousarray(center), np.ascontiguousarray(normal), reach, size
        kernels.call("cells", "meet", len(center), *surface, *cells.index, cells["position"], distance)
        return distance
    order = np.array([0] + [sign * step for step in range(1, reach + 1) for sign in (1, -1)])
    first = np.cross(normal, np.eye(3)[np.abs(normal).argmin(axis=1)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normal, first)
    lines = ASIDE * np.stack((0 * first, first, -first, second, -second), axis=1)  # (S, 5, 3)
    steps = lines[:, :, None] + order[:, None] * normal[:, None, None]  # (S, 5, 2 reach + 1, 3) in cells
    at = np.floor((center[:, None] + size * steps.reshape(len(center), -1, 3)) / size).astype(np.int64)
    rows = cells.find(pack(at.reshape(-1, 3))).reshape(at.shape[:2])
    planes = np.flatnonzero((rows >= 0).any(axis=1))
    choice = (rows[planes] >= 0).argmax(axis=1)

    def along(rows: np.ndarray) -> np.ndarray:
        gap = np.einsum("sd,scd->sc", normal[planes], cells["position"][rows] - center[planes, None])
        return np.where(rows >= 0, gap, np.inf)

    met = along(rows[planes, choice][:, None])
    around = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(1, 27, 3)
    nearby = at[planes, choice][:, None] + around
    gaps = along(cells.find(pack(nearby.reshape(-1, 3))).reshape(-1, 27))
    same = np.abs(gaps - met) < size
    distance[planes] = np.where(same, gaps, 0).sum(axis=1) / same.sum(axis=1)
    return distance


def _vector(transform: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return np.concatenate((Rotation.from_matrix(transform[:3, :3]).as_rotvec(), transform[:3, 3]))


def _fit(error: np.ndarray, size: float) -> float | None:
    """Of the planes that meet the map, the fraction that lies within a cell of it; None if too few meet it."""
    error = error[np.isfinite(error)]
    return float((np.abs(error) < size).mean()) if len(error) >= FEWEST else None
