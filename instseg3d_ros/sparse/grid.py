"""Occupied voxels of one or several scenes, with their coarser levels and neighbours."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from instseg3d_ros.sparse import neighbors
from instseg3d_ros.sparse.morton import BLOCK_BITS, deinterleave, interleave
from instseg3d_ros.sparse.native.kernels import available, call

LIMIT = 1 << 30  # |voxel coordinate|; offsets and extents then fit 32 bits
CENTER = 13  # row of the offset (0, 0, 0) among the 27


class VoxelGrid:
    """The sites of a sparse tensor. Coarser levels and tables are computed on first use and cached.

    Order of the voxels: by scene, by block of 2^8 voxels per axis (x, then y, then z), and in Z-order within the block.
    A voxel's `code` has the rank of the block in its upper and the interleaved coordinates in its lower bits. The codes
    of a coarser level are `code >> 3`, and the voxels of a cell are consecutive on all levels up to the block, so that
    no hash table is needed.

    coords: (V, 4) int32 rows [scene, x, y, z], unique, in that order
    codes: (V,) int64, ascending
    blocks: (B, 4) int32 rows [scene, x, y, z] of the blocks, in lexicographic order
    bits: Z-order bits per axis in `codes`; 8 on the finest level, one less after each `down()`
    engine: "torch" or "spconv"; the engine of convolutions on this grid and on its coarser levels
    """

    def __init__(self, codes: Tensor, blocks: Tensor, bits: int, num_scenes: int, engine: str = "torch"):
        self.codes, self.blocks, self.bits, self.num_scenes, self.engine = codes, blocks, bits, num_scenes, engine
        self._down: tuple[VoxelGrid, Tensor, Tensor] | None = None
        self.maps: dict = {}  # kernel maps by kind, see KernelMap

    @staticmethod
    def from_coords(coords: Tensor, num_scenes: int | None = None, engine: str = "torch") -> tuple[VoxelGrid, Tensor]:
        """(N, 4) integer rows [scene, x, y, z], in any order, possibly repeated -> (grid, inverse (N,) int64).

        Raises InputError if coordinates or the extent of the scenes are too large for a grid.
        """
        block_key, blocks = _block_keys(coords)
        unique_blocks, rank = torch.unique(block_key, return_inverse=True)
        codes = (rank << 3 * BLOCK_BITS) | interleave(coords[:, 1:] & ((1 << BLOCK_BITS) - 1))
        codes, inverse = torch.unique(codes, return_inverse=True)
        rows = torch.empty_like(unique_blocks).scatter_(0, rank, torch.arange(len(rank), device=rank.device))
        if num_scenes is None:
            num_scenes = int(coords[:, 0].max()) + 1 if len(coords) else 0
        return VoxelGrid(codes, blocks[rows].to(torch.int32), BLOCK_BITS, num_scenes, engine), inverse

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"VoxelGrid({len(self)} voxels, {self.num_scenes} scenes, {self.device}, engine={self.engine})"

    @property
    def device(self) -> torch.device:
        return self.codes.device

    @cached_property
    def coords(self) -> Tensor:
        """(V, 4) int32 rows [scene, x, y, z]."""
        if available("kernel_map", self.device):
            coords = torch.empty((len(self), 4), dtype=torch.int32)
            call("kernel_map", "coords", len(self), self.codes, self.bits, self.blocks, coords)
            return coords
        coords = self.blocks[self.codes >> 3 * self.bits]
        coords[:, 1:] <<= self.bits
        coords[:, 1:] += deinterleave(self.codes & ((1 << 3 * self.bits) - 1)).to(torch.int32)
        return coords

    @cached_property
    def batch(self) -> Tensor:
        """(V,) int64: the scene of each voxel, ascending."""
        return self.blocks[:, 0].to(torch.int64)[self.codes >> 3 * self.bits]

    def down(self) -> tuple[VoxelGrid, Tensor, Tensor]:
        """The grid at half the resolution: (coarse, parent (V,) int64, slot (V,) int64).

        parent: row of the coarse voxel at floor(coords / 2); slot: 4 (x & 1) + 2 (y & 1) + (z & 1).
        """
        if self._down is None:
            self._down = self._build_down()
        return self._down

    def _build_down(self) -> tuple[VoxelGrid, Tensor, Tensor]:
        if self.bits == 0:  # each block is a single voxel: new blocks of 2^8 voxels per axis are formed
            coords = self.coords.clone()
            slot = interleave(coords[:, 1:] & 1)
            coords[:, 1:] >>= 1
            coarse, parent = VoxelGrid.from_coords(coords, self.num_scenes, self.engine)
            return coarse, parent, slot
        if available("kernel_map", self.device):
            codes, parent, slot = (torch.empty_like(self.codes) for _ in range(3))
            codes = codes[: call("kernel_map", "halve", len(self), self.codes, codes, parent, slot)].clone()
        else:
            codes, parent = torch.unique_consecutive(self.codes >> 3, return_inverse=True)
            slot = self.codes & 7
        return VoxelGrid(codes, self.blocks, self.bits - 1, self.num_scenes, self.engine), parent, slot

    @cached_property
    def children(self) -> Tensor:
        """(V of `down()`, 8) int32: row of the fine voxel in each slot of a coarse voxel; -1: none."""
        coarse, parent, slot = self.down()
        if available("kernel_map", self.device):
            children = torch.empty((len(coarse), 8), dtype=torch.int32)
            call("kernel_map", "children", len(self), len(coarse), parent, slot, children)
            return children
        children = torch.full((len(coarse), 8), -1, dtype=torch.int32, device=self.device)
        children.view(-1)[parent * 8 + slot] = torch.arange(len(self), dtype=torch.int32, device=self.device)
        return children

    @cached_property
    def neighbors(self) -> Tensor:
        """(V, 27) int32: row of the voxel at coords + (i, j, k) − 1 in column 9 i + 3 j + k; -1: none."""
        if self.bits == 0:
            return neighbors.of_blocks(self.blocks)
        coarse, parent, slot = self.down()
        return neighbors.from_coarse(coarse.neighbors, self.children, parent, slot)

    def forget_neighbors(self) -> None:
        """Free the table of `neighbors`; it is computed again on the next use."""
        self.__dict__.pop("neighbors", None)

    def subset(self, rows: Tensor) -> VoxelGrid:
        """A grid of some of the voxels: rows (R,) int64, ascending, without repetition."""
        codes = self.codes[rows]
        shift = 3 * self.bits
        used, block = torch.unique_consecutive(codes >> shift, return_inverse=True)  # every block has a voxel
        codes = (block << shift) | (codes & ((1 << shift) - 1))
        return VoxelGrid(codes, self.blocks[used], self.bits, self.num_scenes, self.engine)

    def to(self, device: torch.device | str) -> VoxelGrid:
        """The same voxels on another device; levels and tables are computed again on this device."""
        if torch.device(device) == self.device:
            return self
        return VoxelGrid(self.codes.to(device), self.blocks.to(device), self.bits, self.num_scenes, self.engine)


def _block_keys(coords: Tensor) -> tuple[Tensor, Tensor]:
    """Keys (N,) int64 in the order of [scene, x, y, z] of the voxels' blocks, and the blocks (N, 4) int64."""
    blocks = coords.to(torch.int64)
    blocks = torch.cat((blocks[:, :1], blocks[:, 1:] >> BLOCK_BITS), 1)
    return neighbors.pack(blocks)[0], blocks
