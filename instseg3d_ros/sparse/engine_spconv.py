"""Sparse convolution by spconv's kernels with the kernel maps of this package, so that the order of voxels is the same.

On CUDA it uses spconv's implicit GEMMs, in float32 and float16; bfloat16 is multiplied in float16. On a CPU it uses
spconv's gather–GEMM–scatter, without gradients and only for tests, because this is correct only with one OpenMP thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse.kernel_map import KernelMap

CHANNELS = 8  # the number of channels of 16-bit kernels must be a multiple of this


def convolve(features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
    """As `engine.convolve`."""
    try:
        from spconv.pytorch import functional, ops
    except ImportError as error:
        raise InputError(f"engine 'spconv' cannot be used ({error}); install spconv or use engine torch") from None
    if features.device.type == "cpu":
        return _on_cpu(ops, features, weight, kernel_map)
    c_out, dtype = len(weight), features.dtype
    if dtype == torch.bfloat16:  # spconv has no kernels for bfloat16; under autocast it would silently use float16
        features, weight = features.half(), weight.half()
    if features.dtype != torch.float32:
        features, weight = _padded(features, weight)
    forward, backward = _Tables.of(kernel_map), _Tables.of(kernel_map.transposed)
    is_train = torch.is_grad_enabled() and (features.requires_grad or weight.requires_grad)
    submanifold = kernel_map.kind == "submanifold"
    y = functional.implicit_gemm(
        features.contiguous(),
        weight.contiguous(),
        forward.pairs,
        backward.pairs.flip(0) if submanifold and is_train else backward.pairs,
        [forward.mask],
        [] if submanifold else [backward.mask],
        [forward.order],
        [] if submanifold else [backward.order],
        kernel_map.sizes[1],
        [np.array([0xFFFFFFFF], dtype=np.uint32)],
        is_train,
        submanifold,
    )
    return y[:, :c_out].to(dtype)


@dataclass
class _Tables:
    """A kernel map in the layout of spconv's implicit GEMM."""

    pairs: Tensor  # (K, V_out) int32 input row of each offset; -1: none
    mask: Tensor  # (V_out, 1) int32, bit o is set if offset o has a pair; ascending
    order: Tensor  # (V_out,) int32, the output rows in the order of `mask`

    @staticmethod
    def of(kernel_map: KernelMap) -> _Tables:
        if "spconv" not in kernel_map.kept:
            pairs = kernel_map.table.t().contiguous()
            bits = torch.arange(len(pairs), dtype=torch.int32, device=pairs.device)[:, None]
            mask, order = ((pairs >= 0).to(torch.int32) << bits).sum(0, dtype=torch.int32).sort()
            kernel_map.kept["spconv"] = _Tables(pairs, mask[:, None], order.to(torch.int32))
        return kernel_map.kept["spconv"]


def _padded(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Append zeros, so that the numbers of channels are multiples of `CHANNELS`."""
    c_in, c_out = -features.shape[1] % CHANNELS, -len(weight) % CHANNELS
    pad = torch.nn.functional.pad
    return pad(features, (0, c_in)), pad(weight, (0, c_in, 0, 0, 0, 0, 0, 0, 0, c_out))


def _on_cpu(ops: ModuleType, features: Tensor, weight: Tensor, kernel_map: KernelMap) -> Tensor:
    lists = kernel_map.pairs
    counts = torch.tensor([len(rows) for rows, _ in lists], dtype=torch.int32)
    pairs = torch.full((2, len(lists), max(1, int(counts.max()))), -1, dtype=torch.int32)
    for o, (rows_in, rows_out) in enumerate(lists):
        pairs[0, o, : len(rows_in)], pairs[1, o, : len(rows_in)] = rows_in, rows_out
    return ops.indice_conv(features.detach(), weight.detach(), pairs, counts, kernel_map.sizes[1])
