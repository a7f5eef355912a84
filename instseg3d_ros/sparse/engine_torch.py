"""Sparse convolution by plain torch operations: per offset gather, multiply, add. Any device and type."""

from __future__ import annotations

import torch
from torch import Tensor

from instseg3d_ros.sparse.kernel_map import KernelMap


class Convolution(torch.autograd.Function):
    """y[out] += x[in] W_oᵀ over all offsets o and the pairs (in, out) that o joins; see `KernelMap`."""

    @staticmethod
    def forward(ctx, features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
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
    def backward(ctx, gradient: Tensor):
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
            if need_x and not dense:
                d_features.index_add_(0, rows_in, g @ kernels[o].t())
            if need_w:
                torch.mm((features if dense else features[rows_in]).t(), g, out=d_kernels[o])
        return d_features, None if d_kernels is None else d_kernels.permute(2, 0, 1).reshape(weight.shape), None


def _kernels(weight: Tensor) -> Tensor:
    """(C_out, k, k, k, C_in) -> (k³, C_in, C_out), the offsets in the order of the kernel maps."""
    return weight.flatten(1, 3).permute(1, 2, 0)
