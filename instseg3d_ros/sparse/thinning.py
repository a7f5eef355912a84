"""Thins the voxels of a cloud to a given number, evenly, so that a frame of many voxels takes no longer than others.

Larger voxels would bound the number too, but everything then looks smaller to the network than in its training, and the
accuracy falls. A thinned frame looks as if the camera had fewer pixels.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from instseg3d_ros.sparse.voxelize import Voxels


def thin(voxels: Voxels, most: int) -> Voxels:
    """At most `most` ≥ 1 of the voxels; all if there are no more.

    They are a weighted random sample without replacement, where a voxel has the weight of its number of points
    (Efraimidis and Spirakis 2006): voxels with few points, which are far from the camera, are left out first. The same
    cloud gives the same sample. The points of a voxel that is left out go to a remaining voxel of the same cell of 2³
    voxels, else of 4³, and so on up to 256³, else to the nearest one; `counts` has only the points that lie in the
    voxel itself. The voxels must be of a single scene.
    """
    count = len(voxels.grid)
    if count <= most:
        return voxels
    random = torch.empty(count).exponential_(generator=torch.Generator().manual_seed(0)).to(voxels.grid.device)
    order = random / voxels.counts
    rows = (order <= order.kthvalue(most).values).nonzero().squeeze(1)[:most]
    return replace(
        voxels,
        grid=voxels.grid.subset(rows),
        positions=voxels.positions[rows],
        features=None if voxels.features is None else voxels.features[rows],
        voxel_of_point=_nearby(voxels, rows)[voxels.voxel_of_point],
        counts=voxels.counts[rows],
    )


def _nearby(voxels: Voxels, rows: Tensor) -> Tensor:
    """(V,) int64: index in `rows` (R,) of a voxel in the smallest cell around each voxel, or of the nearest one."""
    grid, positions = voxels.grid, voxels.positions
    index = torch.arange(len(rows), device=grid.device)
    nearby = index.new_full((len(grid),), -1).index_copy_(0, rows, index)
    cell = torch.arange(len(grid), device=grid.device)
    rest = (nearby < 0).nonzero().squeeze(1)
    for _ in range(grid.bits):
        if not len(rest):
            return nearby
        grid, parent, _ = grid.down()
        cell = parent[cell]
        in_cell = index.new_full((len(grid),), -1).scatter_reduce_(0, cell[rows], index, "amax")
        nearby[rest] = in_cell[cell[rest]]
        rest = rest[nearby[rest] < 0]
    for some in rest.split(256):
        nearby[some] = torch.cdist(positions[some], positions[rows]).argmin(dim=1)
    return nearby
