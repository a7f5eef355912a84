"""Splits clusters of voxels into connected fragments, because two objects far apart may have the same embedding."""

from __future__ import annotations

import numpy as np
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.neighbors import pitched

LARGEST_GAP = 1 << 20
PAIRS = 1 << 22  # pairs of voxels that are compared at a time
SPARSE = 3.0  # points per voxel; below, neighbouring pixels may be more than one voxel apart


def split_connected(labels: np.ndarray, coords: np.ndarray, gap: int = 3) -> np.ndarray:
    """Number the connected parts of each label: labels (V,) integers, coords (V, 3) voxels → (V,) int64 from 0.

    Two voxels with the same label are connected if no coordinate differs by more than `gap` (Chebyshev distance), or if
    a chain of such pairs connects them. Parts are numbered in the order of their first voxels. With gap 0 nothing is
    split: each label is a part.
    """
    labels = np.ascontiguousarray(labels, dtype=np.int64)
    coords = np.asarray(coords)
    if coords.shape != (len(labels), 3) or coords.dtype.kind not in "iu":
        raise InputError(f"voxels have shape {coords.shape} and type {coords.dtype}; expected ({len(labels)}, 3) int")
    if not 0 <= gap <= LARGEST_GAP:
        raise InputError(f"gap is {gap} voxels; expected 0 (no splits) to {LARGEST_GAP}")
    if not len(labels):
        return labels
    if gap == 0:
        return _by_appearance(np.unique(labels, return_inverse=True)[1])
    if kernels.available("connected"):
        coords = np.ascontiguousarray(coords, dtype=np.int32)
        parts = np.empty(len(labels), np.int64)
        if kernels.call("connected", "connected", labels, coords, len(labels), gap, parts) >= 0:
            return parts
    return connected_numpy(labels, coords, gap)


def split_voxels(labels: np.ndarray, grid: VoxelGrid, gap: int = 3) -> np.ndarray:
    """`split_connected` for all voxels of a grid of one scene: labels (V,), −1 for none → (V,) int64, −1 for none.

    With a gap of 1 the neighbour tables of the grid are used.
    """
    labels = np.ascontiguousarray(labels, dtype=np.int64)
    if gap != 1 or not len(labels) or not kernels.available("connected", grid.device):
        rows = np.flatnonzero(labels >= 0)
        parts = np.full(len(labels), -1)
        parts[rows] = split_connected(labels[rows], grid.coords[:, 1:].cpu().numpy()[rows], gap)
        return parts
    parts = np.empty(len(labels), np.int64)
    coarse, parent, slot = grid.down()
    table = pitched(coarse.neighbors)
    kernels.call("connected", "connected_on_grid", labels, len(labels), parent, slot, len(table), table, parts)
    return parts


def split_by_density(labels: np.ndarray, grid: VoxelGrid, counts: np.ndarray, gap: int = 3) -> np.ndarray:
    """`split_voxels`, with a gap that is larger by one where points are sparse; counts (V,): points in each voxel.

    Far from the camera and on surfaces at a grazing angle, neighbouring pixels may be more than a voxel apart. Parts
    with fewer than `SPARSE` points per voxel are therefore joined again if a gap of one voxel more connects them.
    """
    if gap == 1 and len(labels) and kernels.available("connected", grid.device):
        labels, counts = (np.ascontiguousarray(values, dtype=np.int64) for values in (labels, counts))
        coarse, parent, slot = grid.down()
        table, part = pitched(coarse.neighbors), np.empty(len(labels), np.int64)
        inputs = labels, counts, len(labels), SPARSE, parent, slot, len(table), table
        kernels.call("connected", "split_by_density", *inputs, part)
        return part
    part = split_voxels(labels, grid, gap)
    rows = np.flatnonzero(part >= 0)
    if not gap or not len(rows):
        return part
    mine = part[rows]
    size = np.bincount(mine)
    sparse = rows[(np.bincount(mine, counts[rows]) < SPARSE * size)[mine]]
    again = split_connected(labels[sparse], grid.coords[torch.from_numpy(sparse), 1:].cpu().numpy(), gap + 1)
    part[sparse] = len(size) + again
    used = np.zeros(len(size) + len(again), np.int64)
    used[part[rows]] = 1
    part[rows] = (used.cumsum() - 1)[part[rows]]
    return part


def connected_numpy(labels: np.ndarray, coords: np.ndarray, gap: int) -> np.ndarray:
    """`split_connected` without a compiler: the same blocks of gap + 1 voxels, connected as a sparse graph."""
    coords = coords.astype(np.int64)
    block, local = coords // (gap + 1), coords % (gap + 1)
    key, strides = _block_keys(labels, block)
    keys, owner, sizes = np.unique(key, return_inverse=True, return_counts=True)
    order = np.argsort(owner, kind="stable")
    begin = np.cumsum(sizes) - sizes
    local = local[order]
    low, high = np.minimum.reduceat(local, begin), np.maximum.reduceat(local, begin)
    sure, unsure = [], []
    for offset in _half_neighborhood():
        at = np.searchsorted(keys, keys + offset @ strides).clip(max=len(keys) - 1)
        a = np.flatnonzero(keys[at] == keys + offset @ strides)
        b = at[a]
        reach = np.where(offset > 0, high[a] - low[b], np.where(offset < 0, high[b] - low[a], 1)).min(axis=1) > 0
        edges = np.stack((a[reach], b[reach]))
        if np.count_nonzero(offset) == 1:
            sure.append(edges)  # blocks that differ along one axis: their extreme voxels decide
        else:
            unsure.append((offset, edges))
    part = _components(np.concatenate(sure, axis=1), len(keys))
    for offset, edges in unsure:
        edges = edges[:, part[edges[0]] != part[edges[1]]]
        sure.append(edges[:, _any_pair_touches(local, begin[edges], sizes[edges], offset)])
    return _by_appearance(_components(np.concatenate(sure, axis=1), len(keys))[owner])


def _any_pair_touches(local: np.ndarray, begin: np.ndarray, sizes: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """(E,) bool: whether any voxels of two blocks touch; a block has `sizes` (2, E) rows of `local` from `begin` on."""
    touches = np.zeros(begin.shape[1], bool)
    pairs = sizes[0] * sizes[1]
    few = np.flatnonzero(pairs <= PAIRS)
    for edge in np.array_split(few, max(1, int(pairs[few].sum()) // PAIRS)):
        which = np.repeat(edge, pairs[edge])
        step = np.arange(len(which)) - np.repeat(np.cumsum(pairs[edge]) - pairs[edge], pairs[edge])
        p = local[begin[0, which] + step // sizes[1, which]]
        q = local[begin[1, which] + step % sizes[1, which]]
        touches[which[_near(p, q, offset)]] = True
    for wide in np.flatnonzero(pairs > PAIRS):  # blocks of many voxels, where the gap is wide
        p, q = (local[first : first + size] for first, size in zip(begin[:, wide], sizes[:, wide]))
        rows = np.array_split(p, int(pairs[wide]) // PAIRS + 1)
        touches[wide] = any(_near(some[:, None], q[None], offset).any() for some in rows)
    return touches


def _near(p: np.ndarray, q: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Whether voxels at p and q (…, 3) within their blocks are within the gap, where the blocks differ by `offset`."""
    return np.where(offset > 0, p - q, np.where(offset < 0, q - p, 1)).min(axis=-1) > 0


def _block_keys(labels: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A key (V,) int64 for each pair of label and block, and the key's steps along x, y, z."""
    label = np.unique(labels, return_inverse=True)[1]
    block = block - block.min(axis=0) + 1
    width, depth, height = (int(v) for v in block.max(axis=0) + 2)
    if (int(label.max()) + 1) * width * depth * height < 1 << 62:
        strides = np.array([depth * height, height, 1])
        return label * (width * depth * height) + block @ strides, strides
    # The extent is too large to number all blocks: only occupied planes of blocks are numbered, with gaps between them.
    block = np.stack([_ranks_with_holes(block[:, d]) for d in range(3)], axis=1)
    return _block_keys(labels, block)


def _ranks_with_holes(values: np.ndarray) -> np.ndarray:
    """Ranks of the values (V,): consecutive values get consecutive ranks; other ranks differ by two."""
    unique, inverse = np.unique(values, return_inverse=True)
    return np.cumsum(np.diff(unique, prepend=unique[0]).clip(max=2))[inverse]


def _components(edges: np.ndarray, count: int) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(edges.shape[1], bool), tuple(edges)), (count, count))
    return connected_components(graph, directed=False)[1]


def _by_appearance(parts: np.ndarray) -> np.ndarray:
    """The same partition (V,), numbered in the order in which parts first appear."""
    _, first, inverse = np.unique(parts, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _half_neighborhood() -> np.ndarray:
    """(13, 3): offsets of the 26 neighbours, a single one of each opposite pair."""
    steps = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)])
    return steps[14:]
