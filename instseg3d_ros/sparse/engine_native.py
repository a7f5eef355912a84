"""Sparse convolution by the compiled kernels of `native/convolution.cpp`: CPU, float32 and float64."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from instseg3d_ros.sparse.kernel_map import KernelMap
from instseg3d_ros.sparse.native import kernels


class Convolution(torch.autograd.Function):
    """`engine_torch.Convolution` by compiled kernels. The gradient of the input is the transposed convolution."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
        features, weight = features.contiguous(), weight.contiguous()
        ctx.save_for_backward(features, weight)
        ctx.kernel_map = kernel_map
        return convolve(features, pack(weight), len(weight), kernel_map)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        gradient, kernel_map = gradient.contiguous(), ctx.kernel_map
        need_x, need_w = ctx.needs_input_grad[:2]
        d_features = d_weight = None
        if need_x:
            back = kernel_map.transposed
            packed = pack(weight, transposed=True, mirror=back is kernel_map)
            d_features = convolve(gradient, packed, weight.shape[-1], back)
        if need_w:
            d_weight = weight_gradient(features, gradient, weight, kernel_map)
        return d_features, d_weight, None


class MixedConvolution(torch.autograd.Function):
    """`Convolution` with bfloat16 products and float32 sums, in the forward and backward pass.

    features and weight are float32, C_in is even. If C_out is odd, the gradient of the features uses float32.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
        features, weight = features.bfloat16().contiguous(), weight.contiguous()
        ctx.save_for_backward(features, weight)
        ctx.kernel_map = kernel_map
        return convolve(features, pack_bf16(weight), len(weight), kernel_map)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        kernel_map, back = ctx.kernel_map, ctx.kernel_map.transposed
        gradient, rounded = gradient.contiguous(), gradient.bfloat16().contiguous()
        need_x, need_w = ctx.needs_input_grad[:2]
        d_features = d_weight = None
        if need_x:
            mirror = back is kernel_map
            if len(weight) % 2:
                rows, packed = gradient, pack(weight, transposed=True, mirror=mirror)
            else:
                turned = weight.flip(1, 2, 3) if mirror else weight
                rows, packed = rounded, pack_bf16(turned.transpose(0, 4).contiguous())
            d_features = convolve(rows, packed, weight.shape[-1], back)
        if need_w:
            d_weight = weight_gradient(features, rounded, weight, kernel_map)
        return d_features, d_weight, None


def infer(features: Tensor, weight: Tensor, kernel_map: KernelMap, packed: dict) -> Tensor:
    """The forward pass for inference; `packed` caches the packed weights until the weights change.

    Features in bfloat16 are multiplied without conversion and summed in float32, which is the type of the output.
    """
    key = (weight.data_ptr(), None if weight.is_inference() else weight._version, weight.dtype, features.dtype)
    if packed.get("key") != key:
        half = features.dtype == torch.bfloat16
        # The cache references the source, so that its address cannot be reused for other weights.
        layout = pack_bf16(weight.contiguous()) if half else pack(weight.contiguous())
        packed.update(key=key, weight=layout, source=weight.detach())
    return convolve(features.contiguous(), packed["weight"], len(weight), kernel_map)


def pack(weight: Tensor, transposed: bool = False, mirror: bool = False) -> Tensor:
    """Rearrange weights (C_out, k, k, k, C_in) to the order in which the kernel reads them; see `convolution.cpp`."""
    c_out, c_in, suffix = len(weight), weight.shape[-1], kernels.SUFFIX[weight.dtype]
    offsets = weight.shape[1] ** 3
    columns, rows = (c_in, c_out) if transposed else (c_out, c_in)
    packed = weight.new_empty(_padded(columns, suffix) * offsets * rows)
    if transposed:
        _call(f"pack_transposed_{suffix}", weight, c_out, offsets, c_in, mirror, packed)
    else:
        _call(f"pack_{suffix}", weight, c_out, offsets, c_in, packed)
    return packed


def pack_bf16(weight: Tensor) -> Tensor:
    """Pack float32 weights with an even number of input channels in bfloat16; see `pack`."""
    c_out, c_in, offsets = len(weight), weight.shape[-1], weight.shape[1] ** 3
    packed = weight.new_empty(_padded(c_out, "f32") * offsets * c_in, dtype=torch.bfloat16)
    _call("pack_bf16", weight, c_out, offsets, c_in, packed)
    return packed


def convolve(features: Tensor, packed: Tensor, c_out: int, kernel_map: KernelMap) -> Tensor:
    """Convolve features (V_in, C_in) with packed weights -> (V_out, C_out)."""
    half = features.dtype == torch.bfloat16
    y = features.new_empty((kernel_map.sizes[1], c_out), dtype=torch.float32 if half else features.dtype)
    suffix = "bf16" if half else kernels.SUFFIX[features.dtype]
    _call(f"convolve_{suffix}", *_pairs(kernel_map), features, packed, features.shape[1], y, c_out)
    return y


def weight_gradient(features: Tensor, gradient: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
    """Σ over pairs of x[in] ⊗ dy[out], for each offset, in the layout of `weight`.

    features and gradient may both be bfloat16 where the weights are float32.
    """
    c_out = len(weight)
    padded = _padded(c_out, kernels.SUFFIX[weight.dtype])
    suffix = "bf16" if features.dtype == torch.bfloat16 else kernels.SUFFIX[weight.dtype]
    if padded != c_out:
        gradient = torch.nn.functional.pad(gradient, (0, padded - c_out))
    d_weight = torch.empty_like(weight)
    arguments = features, features.shape[1], gradient, padded, c_out, d_weight
    kernels.call("weight_gradient", f"weight_gradient_{suffix}", *_pairs(kernel_map), *arguments)
    return d_weight


def _pairs(kernel_map: KernelMap) -> tuple[kernels.Argument, ...]:
    identity = -1 if kernel_map.identity is None else kernel_map.identity
    return kernel_map.sizes[1], kernel_map.offsets, identity, kernel_map.kind == "up", *kernel_map.tiles


def _call(name: str, *arguments: kernels.Argument) -> None:
    kernels.call("convolution", name, *arguments)


def _padded(channels: int, suffix: str) -> int:
    """Number of channels, rounded up to a multiple of the vector width."""
    lanes = kernels.call("convolution", f"lanes_{suffix}")
    return -(-channels // lanes) * lanes
