"""The classical methods people use today, behind the segmenter's interface: `method(points, colors) -> Result`.

All three thin the cloud to voxels and take out the large planes by RANSAC. What is left falls apart into objects by

    euclidean       gaps: density clustering (Open3D's DBSCAN)
    region_growing  gaps and folds: neighbours join while their normals agree
    convexity       gaps and hollows: neighbours join across convex folds, as the faces of one box meet, and part at
                    concave ones, where two things touch (after Stein et al., CVPR 2014)

They know objects, not classes. Lengths follow the cloud's own spacing and were chosen by eye on Kinect frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.result import Box, Instance, Result

OBJECT = "object"
FINEST = 0.005  # metres: a depth camera's noise at arm's length makes finer voxels pointless
MIN_VOXELS = 15  # smaller pieces are noise
HALF_SCORE = 500  # voxels of an instance with score 0.5: bigger pieces are surer


@dataclass(frozen=True)
class ThinnedCloud:
    """Centroids (V,3) of the finite points, each point's voxel (F,), and the edge length in metres."""

    centers: np.ndarray
    of_point: np.ndarray
    size: float
    viewpoint: np.ndarray | None = None  # where the camera stood, None where nobody knows


def thin(points: np.ndarray, coarseness: float = 1.0) -> ThinnedCloud:
    """Voxels as large as the points (F,3) lie apart, all finite; times `coarseness` where that is beyond `FINEST`."""
    from scipy.spatial import cKDTree

    def centroids(size):
        cell = np.floor((points - points.min(axis=0)) / size).astype(np.int64)
        extent = cell.max(axis=0) + 1
        key = (cell[:, 0] * extent[1] + cell[:, 1]) * extent[2] + cell[:, 2]
        _, of_point, count = np.unique(key, return_inverse=True, return_counts=True)
        of_point = of_point.reshape(-1)
        return np.stack([np.bincount(of_point, points[:, axis]) / count for axis in range(3)], 1), of_point

    centers, of_point = centroids(FINEST)
    probe = centers[:: max(1, len(centers) // 2000)]
    spacing = np.median(cKDTree(centers).query(probe, k=min(2, len(centers)))[0].reshape(len(probe), -1)[:, -1])
    size = max(FINEST, float(spacing))
    if spacing > 1.5 * FINEST:
        size = float(spacing) * coarseness
        centers, of_point = centroids(size)
    return ThinnedCloud(centers, of_point, size)


def largest_plane(points: np.ndarray, tolerance: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A point and the unit normal of the plane that most points (V,3) lie within `tolerance` of: RANSAC, 400 triples.

    Three noisy points make a poor plane, so the answer is the principal axes of all the points on the best one.
    """
    probe = points[random.permutation(len(points))[:4000]]
    a, b, c = np.moveaxis(points[random.integers(len(points), size=(400, 3))], 1, 0)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal /= np.maximum(length, 1e-12)
    near = np.abs(probe @ normal.T - (a * normal).sum(axis=1)) < tolerance
    on = probe[near[:, np.argmax(near.sum(axis=0) * (length[:, 0] > 1e-12))]]
    middle = on.mean(axis=0)
    return middle, np.linalg.svd(on - middle, full_matrices=False)[2][-1]


def off_planes(voxels: ThinnedCloud, seed: int = 0) -> np.ndarray:
    """(V,) bool: voxels on no large plane. The largest is a table or floor; others are wide, with nothing behind."""
    random = np.random.default_rng(seed)
    tolerance = min(2 * voxels.size, 0.03)
    keep = np.ones(len(voxels.centers), bool)
    for attempt in range(7):
        if keep.sum() < 100:
            break
        middle, normal = largest_plane(voxels.centers[keep], tolerance, random)
        height = (voxels.centers - middle) @ normal
        on = keep & (np.abs(height) < tolerance)
        behind = min((height < -tolerance).mean(), (height > tolerance).mean())
        if on.mean() < (0.05 if attempt else 0.1):
            break
        wide = np.linalg.norm(np.ptp(np.percentile(voxels.centers[on], [5, 95], axis=0), axis=0)) > 1.5
        if attempt and (behind > 0.03 or not wide):
            break
        keep &= ~on
    return keep


def euclidean(voxels: ThinnedCloud) -> np.ndarray:
    """Cluster number of each voxel, (V,); 0 none."""
    import open3d

    labels = np.zeros(len(voxels.centers), np.int64)
    keep = off_planes(voxels)
    if keep.any():
        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(voxels.centers[keep]))
        labels[keep] = np.asarray(cloud.cluster_dbscan(4 * voxels.size, 10)) + 1
    return labels


def region_growing(voxels: ThinnedCloud, degrees: float = 20.0) -> np.ndarray:
    """Cluster number of each voxel, (V,): neighbours join while their normals differ by less than `degrees`."""

    def join(edges: Edges):
        together = (edges.normal_a * edges.normal_b).sum(1) > np.cos(np.deg2rad(degrees))
        return together, np.ones(edges.count, bool)

    return _grow(voxels, join)


def convexity(voxels: ThinnedCloud, concave: float = 0.15, share: float = 0.15) -> np.ndarray:
    """Cluster number of each voxel, (V,): a fold counts as concave from sin ≈ `concave` up.

    Voxels with more than `share` of their folds concave lie in a seam; they part the rest and join the nearest piece.
    """

    def join(edges: Edges):
        step = edges.b - edges.a
        step /= np.linalg.norm(step, axis=1, keepdims=True) + 1e-12
        hollow = ((edges.normal_a - edges.normal_b) * step).sum(1) > concave
        around = np.maximum(np.bincount(edges.first, minlength=edges.count), 1)
        return ~hollow, np.bincount(edges.first, hollow, minlength=edges.count) / around < share

    return _grow(voxels, join)


@dataclass(frozen=True)
class Edges:
    """E pairs of neighbouring voxels among `count`: numbers, positions and normals of both ends."""

    first: np.ndarray
    second: np.ndarray
    a: np.ndarray
    b: np.ndarray
    normal_a: np.ndarray
    normal_b: np.ndarray
    count: int


def _grow(voxels: ThinnedCloud, join: Callable[[Edges], tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Connected pieces. `join` answers which edges hold (E,) and which voxels may carry a piece (count,)."""
    import open3d
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    labels = np.zeros(len(voxels.centers), np.int64)
    kept = np.flatnonzero(off_planes(voxels))
    if len(kept) < MIN_VOXELS:
        return labels
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(voxels.centers))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(3.5 * voxels.size, 30))
    cloud.orient_normals_towards_camera_location(_viewpoint(voxels))
    at, normal = voxels.centers[kept], np.asarray(cloud.normals)[kept]

    neighbors = 12
    # a wider gap than this between surfaces is a depth step: nothing joins across it
    _, second = cKDTree(at).query(at, k=neighbors + 1, distance_upper_bound=2.2 * voxels.size)
    first, second = np.repeat(np.arange(len(at)), neighbors), second[:, 1:].reshape(-1)
    near = second < len(at)
    first, second = first[near], second[near]
    held, core = join(Edges(first, second, at[first], at[second], normal[first], normal[second], len(at)))
    held &= core[first] & core[second]
    graph = coo_matrix((np.ones(held.sum(), bool), (first[held], second[held])), shape=(len(at), len(at)))
    _, piece = connected_components(graph, directed=False)

    solid = core & (np.bincount(piece)[piece] >= MIN_VOXELS)
    answer = np.where(solid, piece + 1, 0)
    if solid.any() and not solid.all():
        distance, nearest = cKDTree(at[solid]).query(at[~solid], distance_upper_bound=4 * voxels.size)
        reached = np.isfinite(distance)
        answer[np.flatnonzero(~solid)[reached]] = answer[solid][nearest[reached]]
    labels[kept] = answer
    return labels


def _viewpoint(voxels: ThinnedCloud) -> np.ndarray:
    """Towards what normals point: the camera, the origin if all of the cloud lies ahead of it, else the middle."""
    if voxels.viewpoint is not None:
        return voxels.viewpoint
    if np.percentile(voxels.centers[:, 0], 1) > 0:
        return np.zeros(3)
    return np.percentile(voxels.centers, 50, axis=0)


# Normals need several points a voxel; gaps are better told at the full density.
COARSENESS = {"euclidean": 1.0, "region_growing": 2.0, "convexity": 2.0}
METHODS = {"euclidean": euclidean, "region_growing": region_growing, "convexity": convexity}


class Baseline:
    """A classical method as a segmenter; its only class is `object`."""

    class_aware = False
    names = (OBJECT,)

    def __init__(self, name: str):
        if name not in METHODS:
            raise InputError(f"no method '{name}'; one of: {', '.join(METHODS)}")
        self.name = name
        import open3d  # noqa: F401  (takes seconds: not in the time of the first cloud)

    def __call__(
        self, points: np.ndarray, colors: np.ndarray | None = None, viewpoint: np.ndarray | None = None
    ) -> Result:
        """points (N,3) metres; colours are not looked at. Points that are not finite belong to nothing.

        viewpoint (3,): where the camera stood, if known; folds can be told from hollows better with it.
        """
        start = time.perf_counter()
        points = np.asarray(points)
        finite = np.isfinite(points).all(axis=1)
        instance = np.zeros(len(points), np.int32)
        instances: list[Instance] = []
        if finite.sum() >= MIN_VOXELS:
            voxels = replace(thin(points[finite].astype(np.float64), COARSENESS[self.name]), viewpoint=viewpoint)
            labels = METHODS[self.name](voxels)
            volume = np.bincount(labels)  # in voxels: does not favour what is near the camera
            volume[0] = 0
            rank = np.zeros(len(volume), np.int32)
            order = [label for label in np.argsort(-volume, kind="stable") if volume[label] >= MIN_VOXELS]
            rank[order] = np.arange(1, len(order) + 1)
            instance[finite] = rank[labels][voxels.of_point]
            for number, label in enumerate(order, 1):
                mine = np.flatnonzero(instance == number)
                score = float(volume[label] / (volume[label] + HALF_SCORE))
                instances.append(Instance(number, OBJECT, score, len(mine), _box(points[mine])))
        confidence = np.zeros(len(points), np.float32)
        for entry in instances:
            confidence[instance == entry.id] = entry.score
        semantic = np.where(instance > 0, 0, -1).astype(np.int16)
        total = (time.perf_counter() - start) * 1000
        return Result(semantic, instance, confidence, instances, {"total": total})


def _box(points: np.ndarray) -> Box:
    low, high = points.min(axis=0), points.max(axis=0)
    return Box((low + high) / 2, high - low, np.eye(3))
