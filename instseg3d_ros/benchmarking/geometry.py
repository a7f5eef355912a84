"""Measures voxels, kernel maps and nearest neighbours beside other libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import numpy as np

from instseg3d_ros.benchmarking.backbones import fresh
from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.peer import Spconv
from instseg3d_ros.benchmarking.race import Row, against, race
from instseg3d_ros.network.backbone import LEVELS, unet
from instseg3d_ros.sparse import k_nearest_neighbors, voxelize
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.kernel_map import KernelMap
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.neighbors import offsets
from instseg3d_ros.sparse.voxelize import Voxels

GROUP = "geometry"
VOXELS = 75_000  # number of voxels at which the mark for neighbours is set
NEAREST = 4.0


def rows(frame: Frame, rounds: int) -> Iterator[Row]:
    yield from _voxelize(frame, rounds)
    yield from _maps(frame, rounds)
    yield from _nearest(frame, rounds)


def maps_of(grid: VoxelGrid, levels: int = LEVELS) -> None:
    """Compute all kernel maps of a backbone."""
    for level in range(levels):
        maps = [KernelMap.submanifold(grid)]
        if level < levels - 1:
            maps += KernelMap.down(grid), KernelMap.up(grid)
        for one in maps:
            _ = one.tiles if kernels.available("kernel_map", grid.device) else one.pairs
        if level < levels - 1:
            grid = grid.down()[0]


def _voxelize(frame: Frame, rounds: int) -> Iterator[Row]:
    points, colors = frame.tensors()
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: voxelize(points, colors, 0.02),
        "NumPy unique": lambda: _numpy_voxelize(frame.points, frame.colors, 0.02),
    }
    if importlib.util.find_spec("open3d"):
        import open3d

        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(frame.points.astype(np.float64)))
        cloud.colors = open3d.utility.Vector3dVector(frame.colors / 255.0)
        contestants["Open3D"] = lambda: cloud.voxel_down_sample(0.02)
    times = race(contestants, rounds)
    for peer in list(contestants)[1:]:
        yield against(GROUP, "voxelize 2 cm", len(points), times, "ours", peer)


def _numpy_voxelize(points: np.ndarray, colors: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Voxelize with NumPy: unique rows, then sums by index."""
    cells = np.floor(points / size).astype(np.int64)
    cells -= cells.min(0)
    extent = cells.max(0) + 1
    key = (cells[:, 0] * extent[1] + cells[:, 1]) * extent[2] + cells[:, 2]
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    sums = [np.bincount(inverse, column) / counts for column in (*points.T, *colors.T)]
    return np.stack(sums, 1), inverse


def _maps(frame: Frame, rounds: int) -> Iterator[Row]:
    points, colors = frame.tensors()
    voxels = voxelize(points, colors, 0.02)
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: maps_of(fresh(voxels.grid)),
        "27 searches": lambda: _searched(voxels.grid.coords.numpy()),
    }
    if importlib.util.find_spec("spconv") is None:
        times = race(contestants, rounds)
    else:
        with Spconv() as spconv:
            spconv.prepare("unet", unet(3).eval(), voxels.grid.coords, voxels.features)
            times = race({**contestants, "spconv": spconv.maps}, rounds)
        yield against(GROUP, "kernel maps, 7 levels", len(voxels.grid), times, "ours", "spconv")
    yield against(GROUP, "kernel maps, 7 levels", len(voxels.grid), times, "ours", "27 searches")


def _searched(coords: np.ndarray) -> list:
    """Neighbours at the finest level: for each offset a search in sorted keys."""
    xyz = coords[:, 1:].astype(np.int64)
    xyz = xyz - xyz.min(0) + 1
    extent = xyz.max(0) + 2
    key = np.sort((xyz[:, 0] * extent[1] + xyz[:, 1]) * extent[2] + xyz[:, 2])
    found = []
    for dx, dy, dz in offsets().tolist():
        wanted = key + (dx * extent[1] + dy) * extent[2] + dz
        at = np.searchsorted(key, wanted).clip(max=len(key) - 1)
        found.append(np.where(key[at] == wanted, at, -1))
    return found


def _nearest(frame: Frame, rounds: int) -> Iterator[Row]:
    from scipy.spatial import cKDTree

    voxels, size = voxels_near(frame, VOXELS)
    xyz = voxels.positions.numpy()
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: k_nearest_neighbors(voxels.positions, fresh(voxels.grid), size, 8),
        "cKDTree, 2 workers": lambda: cKDTree(xyz).query(xyz, 8, workers=2),
    }
    if importlib.util.find_spec("open3d"):
        import open3d

        cloud = open3d.core.Tensor(xyz)

        def open3d_search() -> None:
            search = open3d.core.nns.NearestNeighborSearch(cloud)
            search.knn_index()
            search.knn_search(cloud, 8)

        contestants["Open3D"] = open3d_search
    times = race(contestants, rounds)
    for peer in list(contestants)[1:]:
        mark = NEAREST if peer.startswith("cKDTree") else None
        yield against(GROUP, "8 nearest neighbours", len(voxels.grid), times, "ours", peer, mark)


def voxels_near(frame: Frame, count: int) -> tuple[Voxels, float]:
    """Voxels of a size, in metres, that gives about `count` voxels, or a voxel per point if there are fewer points."""
    points, colors = frame.tensors()
    low, high = 0.001, 0.5
    for _ in range(12):
        size = (low * high) ** 0.5
        voxels = voxelize(points, colors, size)
        low, high = (size, high) if len(voxels.grid) > count else (low, size)
    return voxels, size
