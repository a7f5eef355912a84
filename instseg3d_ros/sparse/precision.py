"""Backbones in 16 bits: bfloat16 on CPUs that have instructions for it, float16 on CUDA.

    with reduced_precision(choose("auto", device), device):
        y = backbone(x).features

The context is torch's autocast, so `torch.autocast("cpu", torch.bfloat16)` has the same effect. On a CPU normalizations
give bfloat16 to convolutions, which multiply in bfloat16 and sum and return float32; residual sums and all other layers
use float32. In training (`bf16-mixed`), convolutions round their inputs and, in the backward pass, their gradients, and
everything else is float32.
On CUDA features are float16 from the first convolution on; statistics and weights of the normalizations stay float32.
A backbone's last normalization returns float32, so that heads get float32.
"""

from __future__ import annotations

import time
from functools import cache

import torch
from torch import Tensor

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse.native import kernels

CHOICES = ("auto", "fp32", "bf16", "fp16")
WITHOUT_BF16 = "this processor has no instructions for it, or no C++ compiler was found"
WORTH = 1.15  # minimum speed relative to float32 at which "auto" chooses bfloat16


def choose(precision: str, device: torch.device | str = "cpu") -> torch.dtype:
    """The type for a backbone. "auto" is float16 on CUDA; on a CPU it measures the speed of bfloat16 once per process.

    Raises InputError for an unknown name, for "fp16" on a CPU, and for "bf16" on a CPU if the processor or the
    compiled kernels do not support it.
    """
    if precision not in CHOICES:
        raise InputError(f"precision '{precision}' is unknown; one of: {', '.join(CHOICES)}")
    if precision == "fp32":
        return torch.float32
    if torch.device(device).type != "cpu":
        return torch.bfloat16 if precision == "bf16" else torch.float16
    if precision == "fp16":
        raise InputError("precision 'fp16' needs CUDA; use auto, bf16 or fp32 on a CPU")
    if not kernels.has_bf16():
        if precision == "bf16":
            raise InputError(f"precision 'bf16': {WITHOUT_BF16}; use fp32")
        return torch.float32
    return torch.bfloat16 if precision == "bf16" or _gain() >= WORTH else torch.float32


def reduced_precision(dtype: torch.dtype, device: torch.device | str = "cpu") -> torch.autocast:
    """A context in which sparse layers on `device` compute in `dtype`, the result of `choose`."""
    enabled = dtype != torch.float32
    return torch.autocast(torch.device(device).type, dtype if enabled else None, enabled=enabled)


def reduced(features: Tensor) -> bool:
    """Whether layers on a CPU should use bfloat16 for inference with these features."""
    return _bf16_on_cpu(features) and not torch.is_grad_enabled()


def mixed(features: Tensor) -> bool:
    """Whether layers on a CPU should use bfloat16 products for training with these float32 features."""
    return features.dtype == torch.float32 and _bf16_on_cpu(features) and torch.is_grad_enabled()


def _bf16_on_cpu(features: Tensor) -> bool:
    return (
        features.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
        and kernels.has_bf16()
    )


@cache
def _gain() -> float:
    """Speed of a convolution with 64 channels in bfloat16 relative to float32, by the fastest of several runs each."""
    from instseg3d_ros.sparse.engine_native import infer
    from instseg3d_ros.sparse.grid import VoxelGrid
    from instseg3d_ros.sparse.kernel_map import KernelMap

    plane = torch.cartesian_prod(torch.zeros(1).long(), torch.arange(40), torch.arange(40), torch.arange(2))
    kernel_map = KernelMap.submanifold(VoxelGrid.from_coords(plane)[0])
    x, weight = torch.randn(len(plane), 64), torch.randn(64, 3, 3, 3, 64)
    features = {dtype: x.to(dtype) for dtype in (torch.float32, torch.bfloat16)}
    packed: dict[torch.dtype, dict] = {dtype: {} for dtype in features}
    best = dict.fromkeys(features, float("inf"))
    for _ in range(6):  # the first run also packs the weights
        for dtype in features:
            start = time.perf_counter()
            infer(features[dtype], weight, kernel_map, packed[dtype])
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best[torch.float32] / best[torch.bfloat16]
