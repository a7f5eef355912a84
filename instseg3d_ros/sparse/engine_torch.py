"""Sparse convolution by plain torch operations, for any device and type: one variant for CPUs, another for GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from instseg3d_ros.sparse.kernel_map import KernelMap

GATHERED = 1 << 27  # maximum number of values gathered at a time: 512 MB in float32


class Convolution(torch.autograd.Function):
    """For each offset, y[out] += x[in] W over the pairs (in, out) of the offset; see `KernelMap`."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.kernel_map = kernel_map
        kernels = _kernels(weight)
        start = kernel_map.identity
        y = features.new_zeros(kernel_map.sizes[1], len(weight)) if start is None else features @ kernels[start]
        for o, (rows_in, rows_out) in enumerate(kernel_map.pairs):
            if o != start and len(rows_in):
                y.index_add_(0, rows_out, features[rows_in] @ kernels[o])
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        kernels, start = _kernels(weight), ctx.kernel_map.identity
        need_x, need_w = ctx.needs_input_grad[:2]
        d_features = d_kernels = None
        if need_x:
            d_features = torch.zeros_like(features) if start is None else gradient @ kernels[start].t()
        if need_w:
            d_kernels = torch.zeros_like(kernels)
        for o, (rows_in, rows_out) in enumerate(ctx.kernel_map.pairs):
            if not len(rows_in):
                continue
            dense = o == start
            g = gradient if dense else gradient[rows_out]
            if d_features is not None and not dense:
                d_features.index_add_(0, rows_in, g @ kernels[o].t())
            if d_kernels is not None:
                torch.mm((features if dense else features[rows_in]).t(), g, out=d_kernels[o])
        return d_features, None if d_kernels is None else d_kernels.permute(2, 0, 1).reshape(weight.shape), None


class GatherConvolution(torch.autograd.Function):
    """Convolution as a single product: y = G W, where G (V_out, K · C_in) is the gathered input, 0 for missing pairs.

    It needs twice the arithmetic of `Convolution`, but far fewer kernel launches, which dominate the time on GPUs.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.kernel_map = kernel_map
        return _gather_multiply(features, _kernels(weight), kernel_map.table)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        d_features = d_weight = None
        kernels, kernel_map, back = _kernels(weight), ctx.kernel_map, ctx.kernel_map.transposed
        if ctx.needs_input_grad[0]:
            turned = kernels.transpose(1, 2)
            d_features = _gather_multiply(gradient, turned.flip(0) if back is kernel_map else turned, back.table)
        if ctx.needs_input_grad[1]:
            d_kernels = features.new_zeros(())
            for rows, gathered in _gather(features, kernel_map.table):
                d_kernels = d_kernels + gathered.t() @ gradient[rows]
            d_weight = d_kernels.t().reshape(weight.shape)
        return d_features, d_weight, None


def _gather_multiply(features: Tensor, kernels: Tensor, table: Tensor) -> Tensor:
    kernels = kernels.flatten(0, 1)  # (K · C_in, C_out)
    y = features.new_empty(len(table), kernels.shape[1])
    for rows, gathered in _gather(features, table):
        torch.mm(gathered, kernels, out=y[rows])
    return y


def _gather(features: Tensor, table: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield chunks of rows and their gathered input (n, K · C_in)."""
    padded = torch.cat((features, torch.zeros_like(features[:1]) if len(features) else features))
    step = max(1, GATHERED // max(1, table.shape[1] * features.shape[1]))
    for start in range(0, len(table), step):
        rows = slice(start, start + step)
        index = table[rows].flatten()
        index = torch.where(index < 0, len(features), index)
        yield rows, padded.index_select(0, index).view(-1, table.shape[1] * features.shape[1])


def _kernels(weight: Tensor) -> Tensor:
    """Weights (C_out, k, k, k, C_in) -> (k³, C_in, C_out), with the offsets in the order of the kernel maps."""
    return weight.flatten(1, 3).permute(1, 2, 0)
