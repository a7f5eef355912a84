"""Kernel maps: the pairs of input and output rows for each offset of a convolution's kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from instseg3d_ros.sparse import neighbors
from instseg3d_ros.sparse.grid import CENTER, VoxelGrid
from instseg3d_ros.sparse.morton import BLOCK_BITS
from instseg3d_ros.sparse.native.kernels import call

TILE = 256  # as in native/convolution.cpp


@dataclass(frozen=True, eq=False)
class KernelMap:
    """Pairs of input and output rows of a convolution. The grid of a level stores the map of each kind, for all layers.

    kind: "submanifold", "down" or "up"; grid: the finer grid of the convolution
    """

    kind: str
    grid: VoxelGrid
    kept: dict = field(default_factory=dict)  # the map in the layout of an engine, by the engine's name

    @staticmethod
    def submanifold(grid: VoxelGrid) -> KernelMap:
        return KernelMap._of(grid, "submanifold")

    @staticmethod
    def down(grid: VoxelGrid) -> KernelMap:
        return KernelMap._of(grid, "down")

    @staticmethod
    def up(grid: VoxelGrid) -> KernelMap:
        return KernelMap._of(grid, "up")

    @staticmethod
    def _of(grid: VoxelGrid, kind: str) -> KernelMap:
        if kind not in grid.maps:
            grid.maps[kind] = KernelMap(kind, grid)
        return grid.maps[kind]

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of input rows and of output rows."""
        fine = len(self.grid)
        if self.kind == "submanifold":
            return fine, fine
        coarse = len(self.grid.down()[0])
        return (fine, coarse) if self.kind == "down" else (coarse, fine)

    @property
    def identity(self) -> int | None:
        """The offset that pairs every row with itself; None if no offset does."""
        return CENTER if self.kind == "submanifold" else None

    @property
    def offsets(self) -> int:
        return 27 if self.kind == "submanifold" else 8

    @property
    def transposed(self) -> KernelMap:
        """The map from output to input. The transpose of a submanifold map is the same map with reversed offsets."""
        if self.kind == "submanifold":
            return self
        return KernelMap.up(self.grid) if self.kind == "down" else KernelMap.down(self.grid)

    @cached_property
    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """For each offset the input rows (P,) and output rows (P,), int64. No row occurs twice in either."""
        if self.kind == "submanifold":
            columns = self.grid.neighbors.t()  # (27, V)
            occupied = [torch.nonzero(column >= 0).squeeze(1) for column in columns]
            return [(column[rows].to(torch.int64), rows) for column, rows in zip(columns, occupied)]
        _, parent, slot = self.grid.down()
        fine = [torch.nonzero(slot == s).squeeze(1) for s in range(8)]
        pairs = [(rows, parent[rows]) for rows in fine]
        return pairs if self.kind == "down" else [(coarse, rows) for rows, coarse in pairs]

    @cached_property
    def table(self) -> Tensor:
        """(V_out, offsets) int32: input row of each output row and offset; -1: none."""
        if self.kind == "submanifold":
            return self.grid.neighbors
        if self.kind == "down":
            return self.grid.children
        _, parent, slot = self.grid.down()
        table = torch.full((len(self.grid), 8), -1, dtype=torch.int32, device=parent.device)
        return table.scatter_(1, slot[:, None], parent[:, None].to(torch.int32))

    @cached_property
    def tiles(self) -> tuple[Tensor, Tensor, Tensor]:
        """The pairs for the compiled kernels, by tile of 256 output rows and then by offset, without the identity.

        start (tiles · offsets + 1,) int64, input rows (P,) int32, output rows within the tile (P,) uint8.
        """
        rows = self.sizes[1]
        start = torch.empty(-(-rows // TILE) * self.offsets + 1, dtype=torch.int64)
        if self.kind == "submanifold":
            table = neighbors.pitched(self.grid.neighbors)
            count = call("kernel_map", "count_pairs", rows, table, start)
            rows_in, rows_out = torch.empty(count, dtype=torch.int32), torch.empty(count, dtype=torch.uint8)
            call("kernel_map", "fill_pairs", rows, table, start, rows_in, rows_out)
            if (
                self.grid.bits == BLOCK_BITS
            ):  # the largest table; coarser tables are needed by the search for neighbours
                self.grid.forget_neighbors()
            return start, rows_in, rows_out
        count = len(self.grid)
        rows_in, rows_out = torch.empty(count, dtype=torch.int32), torch.empty(count, dtype=torch.uint8)
        if self.kind == "down":
            call("kernel_map", "down_pairs", rows, self.grid.children, start, rows_in, rows_out)
        else:
            _, parent, slot = self.grid.down()
            call("kernel_map", "up_pairs", rows, parent, slot, start, rows_in, rows_out)
        return start, rows_in, rows_out
