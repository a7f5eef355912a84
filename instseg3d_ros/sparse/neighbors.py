"""Tables of neighbours: the row of the neighbour of each voxel at each of the 27 offsets of a 3^3 kernel.

The tables are built from coarse to fine: the neighbours of a voxel lie in the neighbours of its parent. Each level
needs one look-up per entry in the table of children; only the coarsest level, which has few blocks, is searched.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse.native.kernels import available, call

PITCH = 28  # entries from row to row of the tables of the compiled kernels
CHUNK = 1 << 17  # rows that are processed at a time; limits temporary memory to some 100 MB


def offsets(device: torch.device | str = "cpu") -> Tensor:
    """(27, 3) int64: the offsets −1, 0, 1 in the order of the weights, x slowest."""
    return torch.cartesian_prod(*[torch.arange(-1, 2, device=device)] * 3)


def from_coarse(coarse: Tensor, children: Tensor, parent: Tensor, slot: Tensor) -> Tensor:
    """Neighbours (V, 27) int32 from those of the parents (P, 27), the children (P, 8), parent (V,) and slot (V,)."""
    device = coarse.device
    if available("kernel_map", device):
        table = torch.empty((len(parent), PITCH), dtype=torch.int32)
        call("kernel_map", "neighbors_from_coarse", len(coarse), pitched(coarse), children, table)
        return table[:, :27]
    via, child = _steps(device)  # (8, 27): the neighbour of the parent, and its child, for each offset
    table = torch.empty((len(parent), 27), dtype=torch.int32, device=device)
    nowhere = torch.full((1, 8), -1, dtype=torch.int32, device=device)
    children = torch.cat((children, nowhere)).view(-1)  # the last row is for missing parents
    for rows in torch.arange(len(parent), device=device).split(CHUNK):
        s = slot[rows]
        cell = coarse[parent[rows]].gather(1, via[s]).to(torch.int64)  # (n, 27)
        cell[cell < 0] = len(coarse)
        table[rows] = children[cell * 8 + child[s]]
    return table


def of_blocks(blocks: Tensor) -> Tensor:
    """Neighbours (B, 27) int32 among the rows [scene, x, y, z] of `blocks`, which are in lexicographic order."""
    if not len(blocks):
        return torch.empty((0, 27), dtype=torch.int32, device=blocks.device)
    keys, (stride_x, stride_y) = pack(blocks)
    steps = offsets(blocks.device)
    steps = steps[:, 0] * stride_x + steps[:, 1] * stride_y + steps[:, 2]
    if available("kernel_map", blocks.device):
        table = torch.empty((len(blocks), PITCH), dtype=torch.int32)
        call("kernel_map", "neighbors_of_blocks", len(blocks), keys, steps, table)
        return table[:, :27]
    table = torch.empty((len(blocks), 27), dtype=torch.int32, device=blocks.device)
    for column in range(27):
        wanted = keys + steps[column]
        row = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
        table[:, column] = torch.where(keys[row] == wanted, row, -1)
    return table


def pitched(table: Tensor) -> Tensor:
    """A table (V, 27) as contiguous (V, PITCH); without a copy if a compiled kernel has made it."""
    if table.stride(0) == PITCH and table.untyped_storage().nbytes() == len(table) * PITCH * 4:
        return table.as_strided((len(table), PITCH), (PITCH, 1))
    return torch.nn.functional.pad(table, (0, PITCH - 27), value=-1)


def pack(blocks: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Rows [scene, x, y, z] -> (keys (B,) int64 in lexicographic order, (key step of x, key step of y)).

    Each axis has a margin of one on both sides, so that a step never leads into another row or scene.
    Raises InputError if the extents do not fit into 62 bits.
    """
    blocks = blocks.to(torch.int64)
    if not len(blocks):
        return blocks[:, 0], (0, 0)
    low, high = blocks.amin(0), blocks.amax(0)
    scenes, width, depth, height = (high - low + 3).tolist()
    if scenes * width * depth * height >= 1 << 62:
        raise InputError(
            f"the points span {width} x {depth} x {height} blocks of 256 voxels in {scenes - 2} scenes, more than 2^62 "
            "blocks can be numbered; remove far outliers or use larger voxels"
        )
    scene, x, y, z = (blocks - low + 1).unbind(1)
    return ((scene * width + x) * depth + y) * height + z, (depth * height, height)


@lru_cache
def _steps(device: torch.device) -> tuple[Tensor, Tensor]:
    slots = torch.cartesian_prod(*[torch.arange(2, device=device)] * 3)  # (8, 3)
    target = slots[:, None] + offsets(device)  # (8, 27, 3) in −1 … 2, in voxels from the parent's corner
    via = (((target >> 1) + 1) * torch.tensor([9, 3, 1], device=device)).sum(-1)
    return via, ((target & 1) * torch.tensor([4, 2, 1], device=device)).sum(-1)
