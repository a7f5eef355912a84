"""Classical methods of segmentation with the segmenter's interface: `method(points, colors) -> Result`.

All three reduce the cloud to voxels and remove large planes by RANSAC. They split the remaining voxels into objects:

    euclidean       at gaps, by density clustering (Open3D's DBSCAN)
    region_growing  at gaps and edges: neighbours are joined if their normals are similar
    convexity       at gaps and concave edges: neighbours are joined across convex edges, such as those of a box, and
                    split at concave edges, where two objects touch (after Stein et al., CVPR 2014)

The methods predict objects without classes. Lengths scale with the point spacing of the cloud; the factors were chosen
by eye on Kinect frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.result import Box, Instance, Result

OBJECT = "object"
FINEST = 0.005  # metres; finer voxels are of no use, because of a depth camera's noise at arm's length
MIN_VOXELS = 15  # smaller segments are discarded as noise
HALF_SCORE = 500  # voxels of an instance with score 0.5; the score rises with the number of voxels


@dataclass(frozen=True)
class ThinnedCloud:
    """Centroids (V,3) of the finite points, each point's voxel (F,), and the edge length in metres."""

    centers: np.ndarray
    of_point: np.ndarray
    size: float
    viewpoint: np.ndarray | None = None  # (3,) position of the camera; None if unknown


def thin(points: np.ndarray, coarseness: float = 1.0) -> ThinnedCloud:
    """Reduce finite points (F,3) to voxels. Their edge length is `FINEST` or, for sparser clouds, the point spacing
    times `coarseness`."""
    from scipy.spatial import cKDTree

    def centroids(size: float) -> tuple[np.ndarray, np.ndarray]:
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
    """A point and the unit normal of the plane with most points (V,3) within `tolerance` metres: RANSAC, 400 triples.

    Three noisy points define a plane poorly, so the plane is refitted to all its inliers by their principal axes.
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
    """(V,) bool: voxels that are on no large plane.

    The largest plane is assumed to be a table or a floor. Further planes are removed if they are wide and no voxels
    lie behind them.
    """
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
    """Cluster number of each voxel, (V,); 0 means no cluster."""
    import open3d

    labels = np.zeros(len(voxels.centers), np.int64)
    keep = off_planes(voxels)
    if keep.any():
        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(voxels.centers[keep]))
        labels[keep] = np.asarray(cloud.cluster_dbscan(4 * voxels.size, 10)) + 1
    return labels


def region_growing(voxels: ThinnedCloud, degrees: float = 20.0) -> np.ndarray:
    """Cluster number of each voxel, (V,); neighbours are joined if their normals differ by less than `degrees`."""

    def join(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
        together = (edges.normal_a * edges.normal_b).sum(1) > np.cos(np.deg2rad(degrees))
        return together, np.ones(edges.count, bool)

    return _grow(voxels, join)


def convexity(voxels: ThinnedCloud, concave: float = 0.15, share: float = 0.15) -> np.ndarray:
    """Cluster number of each voxel, (V,). An edge between neighbours is concave if its sine is above `concave`.

    A voxel is in a seam if more than the fraction `share` of its edges are concave. Seams separate the other voxels;
    afterwards each voxel of a seam is assigned to the nearest segment.
    """

    def join(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
        step = edges.b - edges.a
        step /= np.linalg.norm(step, axis=1, keepdims=True) + 1e-12
        hollow = ((edges.normal_a - edges.normal_b) * step).sum(1) > concave
        around = np.maximum(np.bincount(edges.first, minlength=edges.count), 1)
        return ~hollow, np.bincount(edges.first, hollow, minlength=edges.count) / around < share

    return _grow(voxels, join)


@dataclass(frozen=True)
class Edges:
    """E pairs of neighbouring voxels out of `count`: indices, positions and normals of both voxels."""

    first: np.ndarray
    second: np.ndarray
    a: np.ndarray
    b: np.ndarray
    normal_a: np.ndarray
    normal_b: np.ndarray
    count: int


def _grow(voxels: ThinnedCloud, join: Callable[[Edges], tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Connected segments. `join` returns which edges join (E,) and which voxels may start a segment (count,)."""
    import open3d
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    labels = np.zeros(len(voxels.centers), np.int64)
    off_plane = np.flatnonzero(off_planes(voxels))
    if len(off_plane) < MIN_VOXELS:
        return labels
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(voxels.centers))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(3.5 * voxels.size, 30))
    cloud.orient_normals_towards_camera_location(_viewpoint(voxels))
    at, normal = voxels.centers[off_plane], np.asarray(cloud.normals)[off_plane]

    neighbors = 12
    # a wider gap between surfaces is a depth discontinuity, across which voxels are never joined
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
    labels[off_plane] = answer
    return labels


def _viewpoint(voxels: ThinnedCloud) -> np.ndarray:
    """Point towards which normals are oriented: the camera, the origin if all points lie ahead, or the centre."""
    if voxels.viewpoint is not None:
        return voxels.viewpoint
    if np.percentile(voxels.centers[:, 0], 1) > 0:
        return np.zeros(3)
    return np.percentile(voxels.centers, 50, axis=0)


# Normals need several points per voxel; gaps are detected better at the full density.
COARSENESS = {"euclidean": 1.0, "region_growing": 2.0, "convexity": 2.0}
METHODS = {"euclidean": euclidean, "region_growing": region_growing, "convexity": convexity}


class Baseline:
    """A classical method with the interface of a segmenter; its only class is `object`."""

    class_aware = False
    names = (OBJECT,)

    def __init__(self, name: str):
        if name not in METHODS:
            raise InputError(f"unknown method '{name}'; one of: {', '.join(METHODS)}")
        self.name = name
        import open3d  # noqa: F401  (takes seconds, which should not count as time of the first cloud)

    def __call__(
        self, points: np.ndarray, colors: np.ndarray | None = None, viewpoint: np.ndarray | None = None
    ) -> Result:
        """Segment points (N,3) metres. Colours are ignored. Points that are not finite get no object.

        viewpoint (3,): position of the camera, if known. It orients the normals, on which convexity depends.
        """
        start = time.perf_counter()
        points = np.asarray(points)
        finite = np.isfinite(points).all(axis=1)
        instance = np.zeros(len(points), np.int32)
        instances: list[Instance] = []
        if finite.sum() >= MIN_VOXELS:
            voxels = replace(thin(points[finite].astype(np.float64), COARSENESS[self.name]), viewpoint=viewpoint)
            labels = METHODS[self.name](voxels)
            volume = np.bincount(labels)  # in voxels, since objects near the camera have more points
            volume[0] = 0
            rank = np.zeros(len(volume), np.int32)
            order = [label for label in np.argsort(-volume, kind="stable") if volume[label] >= MIN_VOXELS]
            rank[order] = np.arange(1, len(order) + 1)
            instance[finite] = rank[labels][voxels.of_point]
            for number, label in enumerate(order, 1):
                members = np.flatnonzero(instance == number)
                score = float(volume[label] / (volume[label] + HALF_SCORE))
                instances.append(Instance(number, OBJECT, score, len(members), _box(points[members])))
        confidence = np.zeros(len(points), np.float32)
        for entry in instances:
            confidence[instance == entry.id] = entry.score
        semantic = np.where(instance > 0, 0, -1).astype(np.int16)
        total = (time.perf_counter() - start) * 1000
        return Result(semantic, instance, confidence, instances, {"total": total})


def _box(points: np.ndarray) -> Box:
    low, high = points.min(axis=0), points.max(axis=0)
    return Box((low + high) / 2, high - low, np.eye(3))
