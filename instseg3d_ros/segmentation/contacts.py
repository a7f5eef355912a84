"""Contacts: which parts touch each other, and which classes of the voxels in no part they touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.neighbors import pitched


@dataclass(frozen=True)
class Contacts:
    """Contacts of K = `num` parts: pairs (P, 2) a < b that touch, and the number of places (P,) where they touch.

    The number K + c stands for all voxels of class c that are in no part. See `touching`.
    """

    num: int
    pairs: np.ndarray
    places: np.ndarray

    @staticmethod
    def find(part: np.ndarray, semantic: np.ndarray, grid: VoxelGrid, sparse: np.ndarray) -> Contacts:
        """part (V,): 0 … K − 1, or −1 for no part; semantic (V,): class of each voxel; sparse (K,) bool."""
        num, classes = len(sparse), int(semantic.max(initial=-1)) + 1
        own = np.where(part < 0, num + semantic.astype(np.int64), part)
        return Contacts(num, *touching(own, grid, np.append(sparse, np.zeros(classes, bool)), below=num))

    @property
    def between_parts(self) -> np.ndarray:
        return self.pairs[self.pairs[:, 1] < self.num]

    def united(self, target: np.ndarray) -> Contacts:
        """The contacts after part k has become part target[k]; a pair may then occur several times."""
        num = int(target.max(initial=-1)) + 1
        rest = np.arange(self.num, self.pairs.max(initial=-1) + 1) - self.num + num
        pairs = np.sort(np.append(target, rest)[self.pairs], axis=1)
        apart = pairs[:, 0] != pairs[:, 1]
        return Contacts(num, pairs[apart], self.places[apart])


def touching(
    part: np.ndarray, grid: VoxelGrid, sparse: np.ndarray | None = None, below: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (P, 2) a < b of parts that touch, and the number of places (P,) where they touch.

    Two parts touch if they have voxels in the same cell or in neighbouring cells; a cell is two voxels wide. A place is
    such a pair of cells.

    part (V,): part of each voxel of the grid, −1 for none. If sparse (K,) bool is given, this rule holds only for pairs
    with a sparse part; other pairs need voxels that are neighbours. If `below` is given, only pairs with a < below are
    returned.
    """
    if not kernels.available("contacts", grid.device):
        return touching_numpy(part, grid, sparse, below)
    num = int(part.max(initial=-1)) + 1
    coarse, parent, slot = grid.down()
    part = np.ascontiguousarray(part, np.int64)
    inputs = part, len(part), parent, slot, len(coarse), pitched(coarse.neighbors), sparse, num
    room = 8 * num
    while True:
        pairs, places = np.empty((room, 2), np.int64), np.empty(room, np.int64)
        found = kernels.call("contacts", "touching", *inputs, num if below is None else below, room, pairs, places)
        if found <= room:
            return pairs[:found], places[:found]
        room = found


def touching_numpy(
    part: np.ndarray, grid: VoxelGrid, sparse: np.ndarray | None = None, below: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """`touching` without a compiler, and for grids on CUDA."""
    rows, num = np.flatnonzero(part >= 0), int(part.max(initial=-1)) + 1
    coarse, parent, slot = grid.down()
    table = coarse.neighbors.cpu().numpy()
    # Each part once for each of its cells, ordered by cell.
    key = parent.cpu().numpy()[rows].astype(np.int64) * num + part[rows]
    order = np.argsort(key, kind="stable")
    start = np.flatnonzero(np.diff(key[order], prepend=-1))
    cell, own = np.divmod(key[order[start]], max(num, 1))
    begin = np.searchsorted(cell, np.arange(len(table) + 1))
    asking = np.flatnonzero(own < (num if below is None else below))
    beside = table[cell[asking]]
    one, offset = np.nonzero(beside >= 0)
    beside, one = beside[one, offset], asking[one]
    many = begin[beside + 1] - begin[beside]
    first = np.repeat(begin[beside] - (np.cumsum(many) - many), many)
    one, offset = np.repeat(one, many), np.repeat(offset, many)
    other = first + np.arange(len(first))
    touch = own[one] < own[other]
    one, other, offset = one[touch], other[touch], offset[touch]
    a, b = own[one], own[other]
    if sparse is not None and len(start):
        filled = np.bitwise_or.reduceat(np.uint8(1) << slot.cpu().numpy()[rows[order]].astype(np.uint8), start)
        touch = ((_REACH[offset, filled[one]] & filled[other]) > 0) | sparse[a] | sparse[b]
        a, b = a[touch], b[touch]
    pairs, places = np.unique(a * num + b, return_counts=True)
    return np.stack(np.divmod(pairs, max(num, 1)), axis=1), places


def _reach() -> np.ndarray:
    """(27, 256) uint8: table [offset, occupied] → the voxels of the cell at this offset that neighbour occupied voxels.

    A cell has 2 × 2 × 2 voxels with the bits 4 x + 2 y + z. Offsets are in the order of `VoxelGrid.neighbors`.
    """
    slots = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), -1).reshape(8, 3)
    offsets = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(27, 1, 1, 3)
    near = (np.abs(2 * offsets + slots - slots[:, None]) <= 1).all(-1)  # (27, from, to)
    filled = np.arange(256)[:, None] >> np.arange(8) & 1  # (256, from)
    return ((filled @ near.astype(int) > 0) << np.arange(8)).sum(-1).astype(np.uint8)


_REACH = _reach()
