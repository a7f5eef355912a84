"""A view moved onto the map: a few point-to-plane steps within a bound (Chen and Medioni 1992)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.mapping.pose import from_twist, size_of

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

STEPS = 6
FEWEST = 40  # planes of the view that must find the map
MOST = 1500  # planes that take part
TARGETS = 40_000  # cells of the map that take part
STIFF = 0.01  # weight of the identity against the planes, per plane: directions that no plane holds stay as told
AROUND = 12  # cells within which the map must be known for a plane to contradict it
DONE = 2e-4  # metres and radians below which a step ends it


@dataclass(frozen=True)
class Alignment:
    """`transform` (4, 4) to apply to the pose as given; `fit`: share of the view's planes, where the map is known, that
    lie on it afterwards, None where too few are known to say."""

    transform: np.ndarray
    fit: float | None


def align(
    center: np.ndarray, normal: np.ndarray, target: np.ndarray, origin: np.ndarray, cell: float,
    distance: float, angle: float,
) -> Alignment:  # fmt: skip
    """center (S, 3) and unit normal (S, 3) of a view's planes, target (T, 3) points of the map around it.

    The turn is about `origin`, where the sensor is. A result beyond `distance` metres or `angle` degrees is no result:
    the transform is then the identity, and the fit that of the pose as given.
    """
    from scipy.spatial import cKDTree

    identity = np.eye(4)
    if len(center) < FEWEST or len(target) < FEWEST:
        return Alignment(identity, None)
    if len(center) > MOST:
        chosen = np.linspace(0, len(center) - 1, MOST).astype(int)
        center, normal = center[chosen], normal[chosen]
    if len(target) > TARGETS:
        target = target[:: len(target) // TARGETS + 1]
    tree = cKDTree(target, balanced_tree=False, compact_nodes=False)
    reach = distance + 2 * cell
    transform = identity
    start = center - origin
    for step in range(STEPS):
        moved = start @ transform[:3, :3].T + transform[:3, 3]
        turned = normal @ transform[:3, :3].T
        gap, index = tree.query(moved + origin, distance_upper_bound=max(reach * 0.6**step, 2.5 * cell))
        found = np.flatnonzero(np.isfinite(gap))
        if len(found) < FEWEST:
            break
        n, p = turned[found], moved[found]
        error = np.einsum("ij,ij->i", n, p + origin - target[index[found]])
        weight = (1 / (1 + (error / cell) ** 2)) ** 2  # Geman and McClure
        rows = np.hstack((np.cross(p, n), n))  # (S, 6): how a turn and a shift change the error
        scale = np.array([2.0] * 3 + [1.0] * 3)  # metres at which a turn moves as much as a shift
        normal_matrix = (rows * weight[:, None]).T @ rows + np.diag(STIFF * weight.sum() * scale**2)
        pull = _vector(transform) * scale**2
        twist = -np.linalg.solve(normal_matrix, (rows * weight[:, None]).T @ error + STIFF * weight.sum() * pull)
        transform = from_twist(twist) @ transform
        if np.abs(twist).max() < DONE:
            break
    before, after = (_fit(tree, start, normal, each, origin, cell) for each in (identity, transform))
    shift, turn = size_of(transform)
    if before is None or after is None or shift > distance or turn > angle or after < before:
        return Alignment(identity, before)
    about = np.eye(4)
    about[:3, :3] = transform[:3, :3]
    about[:3, 3] = origin + transform[:3, 3] - transform[:3, :3] @ origin
    return Alignment(about, after)


def _vector(transform: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return np.concatenate((Rotation.from_matrix(transform[:3, :3]).as_rotvec(), transform[:3, 3]))


def _fit(
    tree: cKDTree, start: np.ndarray, normal: np.ndarray, transform: np.ndarray, origin: np.ndarray, cell: float
) -> float | None:
    """Share of the planes with the map within AROUND cells that have it within one; None where too few have."""
    moved = start @ transform[:3, :3].T + transform[:3, 3] + origin
    gap, index = tree.query(moved, distance_upper_bound=AROUND * cell)
    found = np.isfinite(gap)
    if found.sum() < FEWEST:
        return None
    offset = moved[found] - tree.data[index[found]]
    error = np.abs(np.einsum("ij,ij->i", normal[found] @ transform[:3, :3].T, offset))
    return float((error < cell).mean())
