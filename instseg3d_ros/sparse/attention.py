"""Attention over the k nearest neighbours of each voxel (Equations 7 to 9 of the paper), in one pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from instseg3d_ros.sparse.native import kernels

MOST = 64  # maximum number of feature and of hidden channels in `native/attention.cpp`


def attend(x: Tensor, center: Tensor, neighbor: Tensor, score: Tensor, neighbors: Tensor) -> Tensor:
    """y_i = Σ_j softmax_j(score · relu(center_i + neighbor_j)) x_j over the k neighbours j of i.

    x (V, F), center (R, H), neighbor (V, H), score (H,), neighbors (R, k) int64 -> (R, F); differentiable in all four.
    The score has no bias, because softmax is invariant to it.
    """
    same = x.dtype == center.dtype == neighbor.dtype == score.dtype
    if same and len(center) == len(x) and max(x.shape[1], center.shape[1]) <= MOST and kernels.serves("attention", x):
        return _Attention.apply(x, center, neighbor, score, neighbors)
    hidden = torch.relu(center.unsqueeze(1) + neighbor[neighbors])  # (V, k, H)
    weight = (hidden @ score).softmax(dim=1)  # (V, k)
    return (weight.unsqueeze(2) * x[neighbors]).sum(dim=1)


def attend_and_update(
    x: Tensor, center: Tensor, bias: Tensor, neighbor: Tensor, score: Tensor, update: Tensor, neighbors: Tensor
) -> Tensor | None:
    """[x, attend(x, x centerᵀ + bias, x neighborᵀ, score)] updateᵀ in one pass: x (V, F), neighbors (R, k) -> (R, F).

    Row i belongs to the point neighbors[i, 0]. center and neighbor (H, F), bias and score (H,), update (F, 2 F).
    Only for inference on a CPU; otherwise returns None.
    """
    tensors = center, bias, neighbor, score, update
    if torch.is_grad_enabled() or any(t.dtype != x.dtype for t in tensors) or not kernels.serves("attention", x):
        return None
    if max(center.shape) > MOST:
        return None
    x, y = x.contiguous(), x.new_empty((len(neighbors), x.shape[1]))
    matrices = (t.t().contiguous() for t in tensors)
    sizes = *neighbors.shape, x.shape[1], len(center)
    held = neighbors.contiguous(), x, *matrices, y
    kernels.call("attention", f"layer_{kernels.SUFFIX[x.dtype]}", *sizes, *held)
    return y


class _Attention(torch.autograd.Function):
    """Attention with the compiled kernels of `native/attention.cpp`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, center: Tensor, neighbor: Tensor, score: Tensor, neighbors: Tensor) -> Tensor:
        tensors = [t.contiguous() for t in (neighbors, x, center, neighbor, score)]
        weight, y = x.new_empty(neighbors.shape), x.new_empty(x.shape)
        _call("attend", *tensors, weight, y)
        ctx.save_for_backward(*tensors, weight)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        *tensors, weight = ctx.saved_tensors
        gradients = [torch.empty_like(t) for t in tensors[1:]]
        _call("attend_back", *tensors, weight, gradient.contiguous(), *gradients)
        return *gradients, None


def _call(name: str, neighbors: Tensor, x: Tensor, center: Tensor, *others: Tensor) -> None:
    sizes = *neighbors.shape, x.shape[1], center.shape[1]
    kernels.call("attention", f"{name}_{kernels.SUFFIX[x.dtype]}", *sizes, neighbors, x, center, *others)
