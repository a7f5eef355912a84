"""Exact k nearest neighbours by a search in the voxel grid, with a tree as fallback."""

from __future__ import annotations

import torch
from torch import Tensor

from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.neighbors import pitched

LEVELS = 3  # levels of the search by cells, up to 27 cells of 2^3 voxels per axis; a tree searches the rest
WORK = 300  # maximum number of distances per voxel for the search by cells; beyond it a tree is faster
ENTRIES = 1 << 23  # maximum number of candidates processed at a time


def k_nearest_neighbors(
    positions: Tensor, grid: VoxelGrid, voxel_size: float, k: int, rows: Tensor | None = None
) -> Tensor:
    """The k nearest of the same scene: positions (V, 3), each inside its voxel -> rows (V, k) int64, nearest first.

    The first neighbour of a point is the point itself. In a scene with fewer than k points, the missing neighbours are
    the point itself. With unique `rows` (R,) int64, only the neighbours of these points are computed: (R, k).
    """
    if positions.dtype == torch.float32 and kernels.available("nearest", positions.device):
        return _native(positions.detach().contiguous(), grid, voxel_size, k, rows)
    rows = torch.arange(len(grid), device=grid.device) if rows is None else rows
    if positions.device.type == "cpu":
        return _by_tree(positions, grid, k, rows)
    return by_cells(positions, grid, voxel_size, k, rows)


def _native(positions: Tensor, grid: VoxelGrid, voxel_size: float, k: int, rows: Tensor | None) -> Tensor:
    """`by_cells` with compiled kernels, at all levels at which it is faster than a tree."""
    # place: row of a point's result; -1 if the point is finished or was not requested.
    if rows is None:
        rows, place = torch.arange(len(grid)), torch.arange(len(grid), dtype=torch.int32)
    else:
        place = torch.full((len(grid),), -1, dtype=torch.int32)
        place[rows] = torch.arange(len(rows), dtype=torch.int32)
    found = torch.empty((len(rows), k), dtype=torch.int64)
    level, first, left = grid, None, len(rows)
    for depth in range(1, grid.bits + 1):  # at these levels the rows of a cell are consecutive
        if not left:
            return found
        coarse, parent, _ = level.down()
        finer, first = first, torch.empty(len(coarse) + 1, dtype=torch.int64)
        kernels.call("nearest", "first_rows", len(level), parent, finer, len(coarse), first)
        cells = len(coarse), pitched(coarse.neighbors), first
        if depth > 1 and kernels.call("nearest", "nearest_work", *cells, place) > WORK * len(rows):
            break
        left = kernels.call("nearest", "nearest", *cells, positions, voxel_size * 2.0**depth, k, place, found)
        level = coarse
    if left:
        rest = torch.nonzero(place >= 0).squeeze(1)
        found[place[rest].to(torch.int64)] = _by_tree(positions, grid, k, rest)
    return found


def by_cells(positions: Tensor, grid: VoxelGrid, voxel_size: float, k: int, rows: Tensor) -> Tensor:
    """Search by torch operations: the candidates of a voxel are all points in its cell and the 26 cells around it.

    A cell is 2, then 4, then 8 voxels wide. A voxel is searched again with wider cells if its k-th distance is larger
    than the distance to the border of the 27 cells.
    """
    result = rows.new_empty((len(grid), k))
    cell, asked, todo = torch.arange(len(grid), device=grid.device), rows, rows
    level, descendants = grid, None
    for depth in range(1, LEVELS + 1):
        coarse, parent, _ = level.down()
        descendants = _descend(level.children, descendants)  # (cells, 8^depth)
        cell = parent[cell]
        size = voxel_size * 2**depth
        left = []
        for rows in todo.split(max(1, ENTRIES // (27 * 8**depth))):
            nearby = coarse.neighbors[cell[rows]].to(torch.int64)  # (n, 27)
            nearby[nearby < 0] = len(coarse)
            candidates = descendants[nearby].flatten(1).to(torch.int64)  # (n, 27 · 8^depth)
            nearest, far = _closest(positions, rows, candidates, k)
            corner = coarse.coords[cell[rows], 1:].to(positions.dtype) * size
            inside = positions[rows] - corner
            # Every point that is closer than the border of the 27 cells is a candidate.
            safe = torch.minimum(inside, size - inside).amin(1) + size - rounding(positions[rows], size)
            done = far < safe.clamp(min=0) ** 2
            result[rows[done]] = nearest[done]
            left.append(rows[~done])
        todo, level = torch.cat(left) if left else todo, coarse
        if not len(todo):
            return result[asked]
    result[todo] = _by_tree(positions, grid, k, todo)
    return result[asked]


def rounding(positions: Tensor, size: float) -> Tensor:
    """(n,) bound of the rounding error of positions (n, 3) relative to their cells."""
    return size * 1e-3 + positions.abs().amax(1) * (8 * torch.finfo(positions.dtype).eps)


def _descend(children: Tensor, finer: Tensor | None) -> Tensor:
    """Rows of the finest level under each cell, (cells + 1, 8^depth) int32; the last row and empty places are -1."""
    if finer is not None:
        table = children.to(torch.int64)
        table[table < 0] = len(finer) - 1
        children = finer[table].flatten(1)
    return torch.cat((children, torch.full_like(children[:1], -1) if len(children) else children.new_zeros(0)))


def _closest(positions: Tensor, rows: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k closest candidates (n, k), padded by the point itself; the squared distance of the k-th, inf if missing."""
    offset = positions[candidates.clamp(min=0)] - positions[rows, None]
    distance = (offset * offset).sum(-1)
    distance[candidates < 0] = torch.inf
    distance[candidates == rows[:, None]] = -1
    width = min(k, candidates.shape[1])
    distance, order = distance.topk(width, 1, largest=False)
    nearest = torch.where(distance.isinf(), rows[:, None], candidates.gather(1, order))
    return nearest, distance[:, -1] if width == k else torch.full_like(distance[:, -1], torch.inf)


def _by_tree(positions: Tensor, grid: VoxelGrid, k: int, rows: Tensor) -> Tensor:
    """Search the neighbours of `rows` with a SciPy k-d tree for each scene, on the host."""
    from scipy.spatial import cKDTree

    result = rows[:, None].repeat(1, k).cpu()
    starts = torch.searchsorted(grid.batch, torch.arange(grid.num_scenes + 1, device=grid.device)).tolist()
    scene = grid.batch[rows].cpu()
    xyz, rows = positions.detach().cpu().numpy(), rows.cpu()
    for i in scene.unique().tolist():
        start, stop = starts[i], starts[i + 1]
        in_scene = torch.nonzero(scene == i).squeeze(1)
        query = rows[in_scene]
        nearest = cKDTree(xyz[start:stop]).query(xyz[query.numpy()], min(k, stop - start), workers=-1)[1]
        nearest = torch.as_tensor(nearest.reshape(len(query), -1)) + start
        result[in_scene, : nearest.shape[1]] = _self_first(nearest, query)
    return result.to(positions.device)


def unseen(neighbors: Tensor, seen: Tensor) -> Tensor:
    """(M,) int64: the points in `neighbors` (R, k) that are not marked in `seen` (V,) uint8. Marks them in `seen`."""
    if kernels.available("nearest", neighbors.device):
        new = torch.empty(len(seen), dtype=torch.int64)
        return new[: kernels.call("nearest", "unseen", neighbors.numel(), neighbors, seen, new)]
    before = seen.clone()
    seen[neighbors.view(-1)] = 1
    return (seen > before).nonzero().squeeze(1)


def _self_first(nearest: Tensor, query: Tensor) -> Tensor:
    """Move each point's index to the front of its neighbours.

    If the tree did not return the point itself, because other points coincide with it, it replaces the last neighbour.
    """
    where = torch.where(nearest == query[:, None], 0, 1)
    where[torch.nonzero(where.all(1)).squeeze(1), -1] = 0
    nearest = nearest.gather(1, where.argsort(dim=1, stable=True))
    nearest[:, 0] = query
    return nearest
