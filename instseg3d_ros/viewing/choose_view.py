"""Chooses the viewpoint of a picture: the camera of a single view, or a view of a room from above without ceiling."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.viewing.raster import rasterize
from instseg3d_ros.viewing.surface import cell_keys
from instseg3d_ros.viewing.viewpoint import Viewpoint

ROOM_FIELD = 38.0  # degrees of the field of view; a small field keeps walls upright in the picture
ELEVATIONS = (38.0, 52.0)  # degrees above the floor from which a room may be seen
AZIMUTHS = 12
MARGIN = 1.04
MIN_ROOM = 1.8  # metres; of smaller clouds no walls and ceilings are removed
CELL = 0.1  # metres; cell of the grid in which floor, ceiling and walls are searched
WALL = 0.3  # metres; greatest thickness of a near wall, including noise


def choose_view(
    points: np.ndarray,
    normals: np.ndarray,
    shape: tuple[int, int] | None = None,
    instance: np.ndarray | None = None,
    width: int = 900,
) -> tuple[Viewpoint, np.ndarray]:
    """A camera for finite points (N, 3) in body axes with normals (N, 3), and (N,) bool: the points to draw.

    shape: given if the cloud is a single image taken at the origin; otherwise this is decided from the points.
    instance: objects that should be visible; without it all points count equally.
    """
    if shape is not None or seen_from_origin(points):
        return _own_view(points, width), np.ones(len(points), bool)
    keep = _below_ceiling(points)
    sample = np.flatnonzero(keep)[:: max(1, int(keep.sum()) // 30_000)]
    ids = None if instance is None else instance[sample]
    camera = _best_room_view(points[sample], normals[sample], ids, width)
    keep[keep] = ~near_walls(points[keep], normals[keep], camera.toward)
    # The view was chosen for a sample of the points; the picture must contain the whole cloud.
    return _framed_on(camera, points[keep], width), keep


def seen_from_origin(points: np.ndarray) -> bool:
    """Whether the cloud is like an image of a camera at the origin facing +x: narrow, and no point hides another."""
    sample = points[:: max(1, len(points) // 40_000)]
    distance = np.linalg.norm(sample, axis=1)
    if (sample[:, 0] <= 0.05).mean() > 0.01 or len(sample) < 100:
        return False
    azimuth = np.degrees(np.arctan2(sample[:, 1], sample[:, 0]))
    elevation = np.degrees(np.arcsin(np.clip(sample[:, 2] / np.maximum(distance, 1e-6), -1, 1)))
    if np.ptp(np.percentile(azimuth, (1, 99))) > 110 or np.ptp(np.percentile(elevation, (1, 99))) > 100:
        return False
    cell = np.floor(azimuth).astype(int) * 1000 + np.floor(elevation).astype(int)
    _, owner, counts = np.unique(cell, return_inverse=True, return_counts=True)
    mean = np.bincount(owner, distance) / counts
    deviation = np.sqrt(np.maximum(np.bincount(owner, distance**2) / counts - mean**2, 0)) / mean
    full = counts >= 4
    return bool(full.sum() > 20 and np.median(deviation[full]) < 0.03)


def _own_view(points: np.ndarray, width: int) -> Viewpoint:
    """The view from the origin along +x, framed by the points."""
    pose = np.eye(4)
    pose[:3, :3] = np.array(((0.0, -1, 0), (0, 0, -1), (1, 0, 0))).T
    return view_from(points, pose, width)


def view_from(points: np.ndarray, pose: np.ndarray, width: int) -> Viewpoint:
    """The view of a camera with pose (4, 4), points ← optical axes, framed by the finite points (N, 3) before it."""
    rotation = pose[:3, :3].T
    local = (points - pose[:3, 3]) @ rotation.T
    local = local[local[:, 2] > 1e-3]
    return _framed(pose[:3, 3], rotation, local[:, :2] / local[:, 2:], width, (0.55, 1.4))


def _framed(
    position: np.ndarray, rotation: np.ndarray, plane: np.ndarray, width: int, aspects: tuple[float, float]
) -> Viewpoint:
    """A camera whose picture is framed by the positions (N, 2) of the points on the plane at depth 1."""
    low, high = np.percentile(plane, (0.2, 99.8), axis=0) if len(plane) else (np.full(2, -0.5), np.full(2, 0.5))
    extent = np.maximum(high - low, 1e-3) * MARGIN
    aspect = float(np.clip(extent[1] / extent[0], *aspects))  # height over width
    height = round(width * aspect)
    focal = min(width / extent[0], height / extent[1])
    middle = (low + high) / 2
    center = (width / 2 - focal * float(middle[0]), height / 2 - focal * float(middle[1]))
    return Viewpoint(position, rotation, float(focal), center, width, height)


def _below_ceiling(points: np.ndarray) -> np.ndarray:
    """(N,) bool: all points except a ceiling, which is a high layer that covers much of the area of the cloud."""
    low, high = np.percentile(points[:, 2], (0.5, 99.8))
    if high - low < MIN_ROOM:
        return np.ones(len(points), bool)
    cells = np.floor(points[:, :2] / CELL).astype(np.int64)
    cells -= cells.min(axis=0)
    key = cells[:, 0] * (int(cells[:, 1].max()) + 1) + cells[:, 1]
    area = len(np.unique(key))
    for cut in np.arange(high - 0.12, low + MIN_ROOM, -0.06):
        layer = (points[:, 2] > cut) & (points[:, 2] < cut + 0.2)
        if len(np.unique(key[layer])) > 0.3 * area:
            return points[:, 2] < cut - 0.06
    return np.ones(len(points), bool)


def near_walls(points: np.ndarray, normals: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """(N,) bool: upright surfaces at the near edge of the room, which would hide it from a camera outside.

    toward (2,): direction on the floor from the room to the camera, of length one.
    """
    if np.ptp(np.percentile(points[:, 2], (0.5, 99.8))) < MIN_ROOM:
        return np.zeros(len(points), bool)
    along = points[:, :2] @ toward.astype(np.float32)
    across = points[:, :2] @ np.array((-toward[1], toward[0]), np.float32)
    strip = np.floor((across - across.min()) / CELL).astype(np.int64)
    # The nearest points of each strip, without outliers; neighbouring strips are combined, because walls have doors.
    order = np.lexsort((along, strip))
    ends = np.searchsorted(strip[order], np.arange(strip.max() + 1), side="right")
    starts = np.concatenate(([0], ends[:-1]))
    last = np.maximum(ends - 1 - (ends - starts) // 200, starts)
    edge = np.where(ends > starts, along[order][np.minimum(last, len(order) - 1)], -np.inf)
    padded = np.pad(edge, 2, constant_values=-np.inf)
    edge = np.median(np.stack([padded[k : k + len(edge)] for k in range(5)]), axis=0)
    near = along > edge[strip] - WALL
    # The points of a block vote on whether it is vertical, because single normals are too noisy.
    _, block = np.unique(cell_keys(points[near], 2 * CELL), return_inverse=True)
    share = np.bincount(block, np.abs(normals[near, 2]) < 0.6) / np.maximum(np.bincount(block), 1)
    near[near] = share[block] > 0.35
    return near


def _best_room_view(points: np.ndarray, normals: np.ndarray, instance: np.ndarray | None, width: int) -> Viewpoint:
    """The view, from a ring of views from above, in which most of the objects are visible."""
    best, best_score = look_from(points, 0.0, ELEVATIONS[0], width), -1.0
    for elevation in np.radians(ELEVATIONS):
        for azimuth in np.linspace(0, 2 * np.pi, AZIMUTHS, endpoint=False):
            camera = look_from(points, azimuth, elevation, width)
            small = camera.scaled(160 / camera.width)
            shown = np.flatnonzero(~near_walls(points, normals, camera.toward))
            index = rasterize(points[shown], small, 1.0).index
            score = _seen_score(shown[np.unique(index[index >= 0])], instance, len(points))
            if score > best_score:
                best, best_score = camera, score
    return best


def _seen_score(seen: np.ndarray, ids: np.ndarray | None, count: int) -> float:
    """Mean visible share of the objects, plus a small term for the rest of the scene."""
    overall = len(seen) / max(count, 1)
    if ids is None or not (ids > 0).any():
        return overall
    total = np.bincount(np.maximum(ids, 0))
    visible = np.bincount(np.maximum(ids[seen], 0), minlength=len(total))
    present = np.flatnonzero(total[1:] > 3) + 1
    objects = float(np.mean(visible[present] / total[present])) if len(present) else 0.0
    return objects + 0.3 * overall


def look_from(points: np.ndarray, azimuth: float, elevation: float, width: int) -> Viewpoint:
    """Camera outside the cloud that sees all of it, from an azimuth and an elevation in radians."""
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.linalg.norm(points - center, axis=1).max()) or 1.0
    outward = np.array((np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)))
    position = center + outward * radius / np.sin(np.radians(ROOM_FIELD) / 2)
    forward = -outward
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    rotation = np.stack((right, np.cross(forward, right), forward))
    return _framed_on(Viewpoint(position, rotation, 1.0, (0, 0), 1, 1), points, width)


def _framed_on(camera: Viewpoint, points: np.ndarray, width: int) -> Viewpoint:
    local = (points - camera.position) @ camera.rotation.T
    return _framed(camera.position, camera.rotation, local[:, :2] / local[:, 2:], width, (0.62, 1.0))
