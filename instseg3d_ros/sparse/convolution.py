"""Sparse convolutions (Graham et al., "3D Semantic Segmentation with Submanifold Sparse Convolutional Networks").

They compute cross-correlations without bias. Weights are (C_out, k, k, k, C_in), which is also the layout of spconv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from instseg3d_ros.sparse.engine import convolve
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.kernel_map import KernelMap
from instseg3d_ros.sparse.tensor import SparseTensor

if TYPE_CHECKING:
    from typing_extensions import Self


class _Convolution(nn.Module):
    kernel: int

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.c_in, self.c_out = c_in, c_out
        self.weight = nn.Parameter(torch.empty(c_out, *[self.kernel] * 3, c_in))
        self.packed: dict = {}  # cache of the weights in the layout of the compiled kernels, for inference
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialize weights by He et al.; the fan-in assumes that all sites of the kernel are occupied."""
        nn.init.normal_(self.weight, std=(2.0 / (self.c_in * self.kernel**3)) ** 0.5)

    def train(self, mode: bool = True) -> Self:
        self.packed.clear()
        return super().train(mode)

    def extra_repr(self) -> str:
        return f"{self.c_in}, {self.c_out}"

    def _convolve(self, features: Tensor, kernel_map: KernelMap) -> Tensor:
        return convolve(features, self.weight, kernel_map, self.packed)


class SubmanifoldConv3d(_Convolution):
    """3^3 convolution whose output sites are its input sites: y[p] = Σ_o W[o] x[p + o − 1] over occupied p + o − 1."""

    kernel = 3

    def forward(self, x: SparseTensor) -> SparseTensor:
        return x.replace(self._convolve(x.features, KernelMap.submanifold(x.grid)))


class DownConv3d(_Convolution):
    """2^3 convolution with stride 2: y[q] = Σ_s W[s] x[2q + s]; output sites are floor(coords / 2), `x.grid.down()`."""

    kernel = 2

    def forward(self, x: SparseTensor) -> SparseTensor:
        return SparseTensor(self._convolve(x.features, KernelMap.down(x.grid)), x.grid.down()[0])


class UpConv3d(_Convolution):
    """Inverse of `DownConv3d`: y[p] = W[p mod 2] x[floor(p / 2)] on the sites of the finer grid."""

    kernel = 2

    def forward(self, x: SparseTensor, fine_grid: VoxelGrid) -> SparseTensor:
        if fine_grid.down()[0] is not x.grid:
            raise ValueError("UpConv3d: x does not lie on fine_grid.down()")
        return SparseTensor(self._convolve(x.features, KernelMap.up(fine_grid)), fine_grid)
