"""Groups points into voxels: occupied cells with the mean of their points, and the voxel of each point."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse.grid import LIMIT, VoxelGrid
from instseg3d_ros.sparse.morton import BLOCK_BITS
from instseg3d_ros.sparse.native import kernels

ENGINES = ("torch", "spconv")


@dataclass(frozen=True)
class Voxels:
    """V voxels made of N points, in the order of `grid`."""

    grid: VoxelGrid
    positions: Tensor  # (V, 3) mean of the points, metres
    features: Tensor | None  # (V, F) mean of the points' features
    voxel_of_point: Tensor  # (N,) int64, row of the voxel of each point
    counts: Tensor  # (V,) int64 points in each voxel
    voxel_size: float  # metres


def voxelize(
    points: Tensor,
    features: Tensor | None,
    voxel_size: float,
    batch: Tensor | None = None,
    engine: str = "torch",
) -> Voxels:
    """Group points by the voxel floor(point / voxel_size) they lie in.

    points: (N, 3) floating-point finite metres, any extent and sign; features: (N, F) or None, of any type, whose means
    have the type of the points; batch: (N,) int64 scene of each point, or None for a single scene; engine: "torch", or
    "spconv" for convolutions by that library.
    Raises InputError for points that are not finite or lie beyond 2^30 voxels from the origin.
    """
    if engine not in ENGINES:
        raise InputError(f"engine '{engine}' is unknown; one of: {', '.join(ENGINES)}")
    if not voxel_size > 0:
        raise InputError(f"voxel size is {voxel_size} m; expected a length above 0")
    num_scenes = 1 if batch is None else (int(batch.max()) + 1 if len(batch) else 0)
    if kernels.serves("voxelize", points) and (features is None or features.dtype in (points.dtype, torch.uint8)):
        voxels = _native(points, features, voxel_size, batch, num_scenes, engine)
        if voxels is not None:
            return voxels
    # In float64, and divided by a tensor, because CUDA divides by a number with a rounded reciprocal.
    cells = torch.floor(points.double() / torch.tensor(voxel_size, dtype=torch.float64, device=points.device))
    _check_extent(cells, voxel_size)
    coords = torch.empty((len(points), 4), dtype=torch.int64, device=points.device)
    coords[:, 0] = 0 if batch is None else batch
    coords[:, 1:] = cells
    grid, inverse = VoxelGrid.from_coords(coords, num_scenes, engine)
    counts = torch.bincount(inverse, minlength=len(grid))
    positions = _mean(points, inverse, counts)
    means = None if features is None else _mean(features, inverse, counts).to(points.dtype)
    return Voxels(grid, positions.to(points.dtype), means, inverse, counts, voxel_size)


def _native(
    points: Tensor,
    features: Tensor | None,
    voxel_size: float,
    batch: Tensor | None,
    num_scenes: int,
    engine: str,
) -> Voxels | None:
    """`voxelize` with the compiled kernel of `native/voxelize.cpp`; None if points are out of range."""
    count, width = len(points), 0 if features is None else features.shape[1]
    points = points.contiguous()
    features = None if features is None else features.contiguous()
    batch = None if batch is None else batch.to(torch.int64).contiguous()
    codes, counts, inverse = (torch.empty(count, dtype=torch.int64) for _ in range(3))
    blocks, number_of_blocks = torch.empty((count, 4), dtype=torch.int32), torch.zeros(1, dtype=torch.int64)
    positions, means = points.new_empty(count, 3), points.new_empty(count, width)
    inputs = count, points, features, width, batch, float(voxel_size)
    outputs = codes, blocks, number_of_blocks, positions, means, inverse, counts
    kind = kernels.SUFFIX[points.dtype] + ("_u8" if features is not None and features.dtype == torch.uint8 else "")
    num_voxels = kernels.call("voxelize", f"voxelize_{kind}", *inputs, *outputs)
    if num_voxels < 0:
        return None
    blocks = blocks[: int(number_of_blocks)].clone()
    codes, positions, means, counts = (part[:num_voxels].clone() for part in (codes, positions, means, counts))
    grid = VoxelGrid(codes, blocks, BLOCK_BITS, num_scenes, engine)
    return Voxels(grid, positions, None if features is None else means, inverse, counts, voxel_size)


def _mean(values: Tensor, inverse: Tensor, counts: Tensor) -> Tensor:
    # Summed in float64, so that the random order of additions on CUDA does not change the result.
    total = torch.zeros((len(counts), values.shape[1]), dtype=torch.float64, device=values.device)
    total.index_add_(0, inverse, values.double())
    return total / counts[:, None]


def _check_extent(cells: Tensor, voxel_size: float) -> None:
    if len(cells) and not bool(cells.abs().amax() < LIMIT):
        worst = cells.abs().amax(1)
        if not bool(worst.isfinite().all()):
            raise InputError(f"{int((~worst.isfinite()).sum())} points are not finite; remove them before voxelizing")
        raise InputError(
            f"a point lies {float(worst.max()) * voxel_size:.3g} m away, beyond 2^30 voxels of {voxel_size} m;"
            " remove it or use larger voxels"
        )
