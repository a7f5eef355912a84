"""Which way is up, from the cloud alone: `level: auto` for cameras whose pitch nobody has told us."""

from __future__ import annotations

import numpy as np

CELL = 0.03  # metres; normals are estimated on points thinned to this spacing
MAX_POINTS = 2500
NEIGHBORS = 12
AGREE = np.deg2rad(8)  # how far a normal may lie from up (a floor) or from the horizontal (a wall) and still support it
PITCH = np.deg2rad((-20.0, 70.0))  # looking up … looking down
ROLL = np.deg2rad(20.0)
WALL_WEIGHT = 0.35  # walls support an up direction less than floors do: any direction along an edge has some
MIN_SUPPORT = 0.12  # share of normals below which the cloud says nothing about up


def up_direction(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Unit vector (3,) that points up in a cloud (N, 3) in body axes (x forward, y left, z up as the sensor sees it).

    Normals of horizontal surfaces vote for the directions they stand for, normals of vertical ones for the directions
    they are perpendicular to. Only directions that a camera with little roll, pitched between 20° up and 70° down, can
    have are considered; that tells a floor from a wall ahead. Returns +z where the cloud does not say.
    """
    normals = _normals(points, seed)
    if len(normals) < 50:
        return np.array([0.0, 0.0, 1.0])
    candidates = _candidates()
    alignment = np.abs(normals @ candidates.T)  # (N, K)
    floor = (alignment > np.cos(AGREE)).mean(axis=0)
    wall = (alignment < np.sin(AGREE)).mean(axis=0)
    # A wall's normals leave a circle of directions; only together with some floor do they decide.
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


def levelling_rotation(points: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that turns the cloud's up direction to +z by the shortest way; identity where unknown."""
    up = up_direction(points)
    axis = np.cross(up, (0.0, 0.0, 1.0))
    cosine = up[2]
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + cosine)


def _normals(points: np.ndarray, seed: int) -> np.ndarray:
    """Unit normals (M, 3) of the thinned cloud, those of clearly planar neighbourhoods only."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    if len(points) > 8 * MAX_POINTS:
        points = points[rng.integers(0, len(points), 8 * MAX_POINTS)]
    cells = np.floor(points / CELL).astype(np.int64)
    cells -= cells.min(axis=0, initial=0)
    key = (cells[:, 0] << 42) + (cells[:, 1] << 21) + cells[:, 2]
    _, owner, counts = np.unique(key, return_inverse=True, return_counts=True)
    thin = np.stack([np.bincount(owner, points[:, axis]) for axis in range(3)], axis=1) / counts[:, None]
    if len(thin) > MAX_POINTS:
        thin = thin[rng.choice(len(thin), MAX_POINTS, replace=False)]
    if len(thin) < NEIGHBORS + 1:
        return np.empty((0, 3))
    _, neighbors = cKDTree(thin).query(thin, k=NEIGHBORS)
    local = thin[neighbors] - thin[neighbors].mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", local, local))
    planar = values[:, 0] < 0.05 * values[:, 1]
    return vectors[planar, :, 0]


def _candidates(step: float = np.deg2rad(3)) -> np.ndarray:
    """Up directions (K, 3) as a camera of admissible pitch and roll sees them, about 3° apart."""
    pitch = np.arange(PITCH[0], PITCH[1] + step, step)
    roll = np.arange(-ROLL, ROLL + step, step)
    pitch, roll = (grid.ravel() for grid in np.meshgrid(pitch, roll))
    return np.stack((-np.sin(pitch) * np.cos(roll), np.sin(roll), np.cos(pitch) * np.cos(roll)), axis=1)
