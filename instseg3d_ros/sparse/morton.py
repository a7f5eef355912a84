"""Z-order: the bits of x, y and z interleaved, so that voxels that are close in space are close in memory."""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK_BITS = 8  # a block spans 2^8 voxels per axis; three interleaved axes stay well inside 32 bits


def interleave(xyz: Tensor) -> Tensor:
    """(..., 3) integers in [0, 2^8) -> (...) int64 with the bits x7 y7 z7 … x0 y0 z0."""
    xyz = xyz.to(torch.int64)
    for shift, mask in ((8, 0x00F00F), (4, 0x0C30C3), (2, 0x249249)):
        xyz = (xyz | (xyz << shift)) & mask
    return (xyz[..., 0] << 2) | (xyz[..., 1] << 1) | xyz[..., 2]


def deinterleave(code: Tensor) -> Tensor:
    """(...) int64 from `interleave` -> (..., 3) int64."""
    xyz = torch.stack((code >> 2, code >> 1, code), -1) & 0x249249
    for shift, mask in ((2, 0x0C30C3), (4, 0x00F00F), (8, 0x0000FF)):
        xyz = (xyz | (xyz >> shift)) & mask
    return xyz
