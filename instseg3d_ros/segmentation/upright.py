"""Estimates the up direction from a cloud (`level: auto`), for cameras of unknown pitch."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.native import kernels

SAMPLE = 10_000  # points that are used
CELL = 0.03  # metres; the sample is thinned to this spacing
MAX_POINTS = 2500  # points of the thinned sample
MAX_NORMALS = 600  # normals that are estimated
NEIGHBORS = 12  # nearest points from which a normal is estimated
PLANAR = 0.05  # largest ratio of the smallest to the second eigenvalue of a planar neighbourhood
AGREE = np.deg2rad(8)  # largest angle between up and a floor's normal, or the horizontal and a wall's normal
PITCH = np.deg2rad((-20.0, 70.0))  # range of the camera's pitch: negative is up, positive is down
ROLL = np.deg2rad(20.0)
WALL_WEIGHT = 0.35  # weight of walls relative to floors: many wrong directions are also parallel to some wall
MIN_SUPPORT = 0.12  # share of supporting normals below which the up direction is unknown


def up_direction(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Unit vector (3,) that points up in a cloud (N, 3) in body axes (x forward, y left, z up as the sensor sees it).

    Normals of horizontal surfaces vote for their direction, normals of vertical surfaces for all directions
    perpendicular to them. Only the up directions of a camera with little roll and a pitch between 20° up and 70° down
    are considered; this distinguishes a floor from a wall in front of the camera. Returns +z if the direction is
    unknown.
    """
    normals = _normals(points, seed)
    if len(normals) < 50:
        return np.array([0.0, 0.0, 1.0])
    candidates = _candidates()
    floor, wall = (count / len(normals) for count in _support(candidates, normals))
    # The normals of a wall allow a circle of directions; they decide only together with a floor.
    score = floor + WALL_WEIGHT * np.minimum(wall, 2 * floor)
    best = int(score.argmax())
    if floor[best] < MIN_SUPPORT:
        return np.array([0.0, 0.0, 1.0])
    up = candidates[best]
    for width in (AGREE, AGREE / 2):  # refine: the mean of the normals that agree
        signed = normals * np.sign(normals @ up)[:, None]
        mean = signed[signed @ up > np.cos(width)].mean(axis=0)
        up = mean / np.linalg.norm(mean)
    return up


def upright_rotation(points: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that turns the cloud's up direction to +z; identity if it is unknown."""
    up = up_direction(points)
    axis = np.cross(up, (0.0, 0.0, 1.0))
    cosine = up[2]
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + cosine)


def _normals(points: np.ndarray, seed: int) -> np.ndarray:
    """Unit normals (M, 3) of the thinned cloud, at points with a planar neighbourhood."""
    rng = np.random.default_rng(seed)
    if len(points) > SAMPLE:
        points = points[rng.integers(0, len(points), SAMPLE)]
    thin = voxelize(torch.from_numpy(points), None, CELL).positions.numpy()
    order = rng.permutation(len(thin))[:MAX_POINTS] if len(thin) > MAX_POINTS else np.arange(len(thin))
    if len(order) < NEIGHBORS + 1:
        return np.empty((0, 3))
    asked = order[rng.permutation(len(order))[:MAX_NORMALS]]
    order.sort()  # voxels that follow each other are near each other
    thin, rows = thin[order], np.searchsorted(order, asked)
    if thin.dtype != np.float32 or not kernels.available("upright"):
        return _normals_scipy(thin, rows)
    normals, planar = np.empty((len(rows), 3)), np.empty(len(rows), bool)
    kernels.call("upright", "normals", thin, len(thin), rows, len(rows), NEIGHBORS, PLANAR, normals, planar)
    return normals[planar]


def _normals_scipy(thin: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Unit normals (M, 3) at the points thin[rows] with a planar neighbourhood, without a compiler."""
    from scipy.spatial import cKDTree

    tree = cKDTree(thin, balanced_tree=False, compact_nodes=False)
    local = thin[tree.query(thin[rows], k=NEIGHBORS)[1]].astype(np.float64)
    local -= local.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(local.transpose(0, 2, 1) @ local)
    planar = values[:, 0] < PLANAR * values[:, 1]
    return vectors[planar, :, 0]


def _support(candidates: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each candidate (K, 3) the number of normals (M, 3) of horizontal and of vertical surfaces, if it is up."""
    along, across = float(np.cos(AGREE)), float(np.sin(AGREE))
    if kernels.available("upright"):
        floor, wall = np.empty(len(candidates), np.int64), np.empty(len(candidates), np.int64)
        directions, normals = candidates.astype(np.float32), np.ascontiguousarray(normals)
        inputs = directions, len(directions), normals, len(normals), along, across
        kernels.call("upright", "support", *inputs, floor, wall)
        return floor, wall
    # A matrix product without BLAS, whose threads would spin for some 20 ms and slow down the network's threads.
    pairs = zip(candidates.T.astype(np.float32), normals.T.astype(np.float32))
    alignment = np.abs(sum(np.multiply.outer(candidate, normal) for candidate, normal in pairs))  # (K, M)
    return (alignment > along).sum(axis=1), (alignment < across).sum(axis=1)


@cache
def _candidates(step: float = np.deg2rad(3)) -> np.ndarray:
    """Up directions (K, 3) in the axes of cameras with admissible pitch and roll, about 3° apart."""
    pitch = np.arange(PITCH[0], PITCH[1] + step, step)
    roll = np.arange(-ROLL, ROLL + step, step)
    pitch, roll = (grid.ravel() for grid in np.meshgrid(pitch, roll))
    return np.stack((-np.sin(pitch) * np.cos(roll), np.sin(roll), np.cos(pitch) * np.cos(roll)), axis=1)
