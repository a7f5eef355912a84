"""Selects the engine of a convolution: spconv if the grid requests it, compiled kernels on CPUs, else plain torch."""

from __future__ import annotations

import torch
from torch import Tensor

from instseg3d_ros.sparse import engine_native, engine_spconv, engine_torch, precision
from instseg3d_ros.sparse.kernel_map import KernelMap
from instseg3d_ros.sparse.native.kernels import available, serves


def convolve(features: Tensor, weight: Tensor, kernel_map: KernelMap, packed: dict) -> Tensor:
    """features (V_in, C_in), weight (C_out, k, k, k, C_in) -> (V_out, C_out); differentiable in both.

    packed: a cache with the lifetime of the weight, for values that inference would otherwise compute at each call.
    """
    kind = features.device.type
    if precision.reduced(features):
        if features.dtype == torch.bfloat16 and weight.dtype == torch.float32 and features.shape[1] % 2 == 0:
            return engine_native.infer(features, weight, kernel_map, packed)
        features = features.to(weight.dtype)  # the first convolution, whose input does not come from a normalization
    elif precision.mixed(features) and weight.dtype == torch.float32:
        if features.shape[1] % 2 == 0:
            return engine_native.MixedConvolution.apply(features, weight, kernel_map)
    elif torch.is_autocast_enabled(kind):
        features, weight = features.to(torch.get_autocast_dtype(kind)), weight.to(torch.get_autocast_dtype(kind))
    elif weight.dtype != features.dtype:
        raise ValueError(f"features are {features.dtype}, weights {weight.dtype}")
    if kernel_map.grid.engine == "spconv":
        return engine_spconv.convolve(features, weight, kernel_map)
    if serves("convolution", features) and available("kernel_map"):
        if not torch.is_grad_enabled():
            return engine_native.infer(features, weight, kernel_map, packed)
        if available("weight_gradient"):
            return engine_native.Convolution.apply(features, weight, kernel_map)
    way = engine_torch.Convolution if kind == "cpu" else engine_torch.GatherConvolution
    return way.apply(features, weight, kernel_map)
