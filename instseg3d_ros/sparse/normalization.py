"""Batch normalization and ReLU in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn

from instseg3d_ros.sparse import precision
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.tensor import SparseTensor

if TYPE_CHECKING:
    from typing_extensions import Self


class BatchNormReLU(nn.BatchNorm1d):
    """y = max(0, (x − mean) / sqrt(var + eps) · weight + bias) per channel, over all voxels of the batch.

    Parameters, buffers and running statistics are those of `BatchNorm1d`. While training, a batch with a single voxel
    has no variance: it is normalized by the running statistics and does not change them. With torch.distributed the
    statistics are those of all processes (torch's SyncBatchNorm works only on CUDA), unless `synchronize` is off.
    """

    weight: nn.Parameter
    bias: nn.Parameter
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float
    synchronize = True

    def __init__(self, channels: int, eps: float = 1e-4, momentum: float = 0.01):
        super().__init__(channels, eps=eps, momentum=momentum)
        # Scale and shift for inference, and the parameters and statistics from which they were computed.
        self._table: tuple[tuple[Tensor, Tensor] | None, list | None, list | None] = None, None, None

    def train(self, mode: bool = True) -> Self:
        self._table = None, None, None
        return super().train(mode)

    def forward(self, x: SparseTensor) -> SparseTensor:  # type: ignore[override]
        features = x.features
        if self.training and self.synchronize and distributed.is_initialized() and distributed.get_world_size() > 1:
            return x.replace(torch.relu_(self._synchronized(features)))
        of_batch = self.training and len(features) > 1
        if of_batch:
            self.num_batches_tracked.add_(1)
        if kernels.serves("normalization", features) and features.dtype == self.weight.dtype:
            return x.replace(self._native(features, of_batch))
        y = torch.batch_norm(
            features,
            self.weight,
            self.bias,
            self.running_mean,
            self.running_var,
            of_batch,
            self.momentum,
            self.eps,
            torch.backends.cudnn.enabled,
        )
        return x.replace(torch.relu_(y))

    def _synchronized(self, features: Tensor) -> Tensor:
        from torch.distributed.nn.functional import all_reduce  # differentiable: gradients are summed as well

        self.num_batches_tracked.add_(1)
        count = features.new_tensor([len(features)])
        distributed.all_reduce(count)
        mean = all_reduce(features.sum(dim=0)) / count
        centered = features - mean
        variance = all_reduce(centered.square().sum(dim=0)) / count
        with torch.no_grad():
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        return centered * (torch.rsqrt(variance + self.eps) * self.weight) + self.bias

    def _native(self, features: Tensor, of_batch: bool) -> Tensor:
        if of_batch:
            self._table = None, None, None  # the kernel changes the statistics without torch's knowledge
            state = (self.running_mean, self.running_var, self.momentum, self.eps)
            return _OfBatch.apply(features, self.weight, self.bias, *state)
        if torch.is_grad_enabled():
            inverse_std = (self.running_var + self.eps).rsqrt()
            return _OfRunning.apply(features, self.weight, self.bias, self.running_mean, inverse_std)
        features, (scale, shift) = features.contiguous(), self._scale_and_shift()
        if precision.reduced(features) and features.dtype == torch.float32:
            y = torch.empty_like(features, dtype=torch.bfloat16)
            kernels.call("normalization", "apply_bf16", *features.shape, features, scale, shift, y)
        else:
            y = torch.empty_like(features)
            _call("apply", features, features, scale, shift, y)
        return y

    def _scale_and_shift(self) -> tuple[Tensor, Tensor]:
        scale_and_shift, key, _ = self._table
        sources = self.weight, self.bias, self.running_mean, self.running_var
        now = [(t.data_ptr(), None if t.is_inference() else t._version) for t in sources]
        if scale_and_shift is None or key != now:
            scale = self.weight * (self.running_var + self.eps).rsqrt()
            scale_and_shift = scale, self.bias - self.running_mean * scale
            # The sources are referenced, so that their addresses cannot be reused.
            self._table = scale_and_shift, now, [t.detach() for t in sources]
        return scale_and_shift


def _backward(ctx: Any, gradient: Tensor, of_batch: bool) -> tuple[Tensor | None, Tensor, Tensor]:
    features, table = ctx.saved_tensors
    d_features = torch.empty_like(features) if ctx.needs_input_grad[0] else None
    d_weight, d_bias = table.new_empty(2, features.shape[1])
    outputs = d_features, d_weight, d_bias
    _call("backward", features, features, gradient.contiguous(), table, of_batch, *outputs)
    return outputs


class _OfBatch(torch.autograd.Function):
    """Normalization by the statistics of the batch; updates the running statistics in place."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor,
        momentum: float, eps: float,
    ) -> Tensor:  # fmt: skip
        features = features.contiguous()
        table, y = features.new_empty(4, features.shape[1]), torch.empty_like(features)
        _call("forward", features, features, weight, bias, running_mean, running_var, momentum, eps, table, y)
        ctx.save_for_backward(features, table)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return *_backward(ctx, gradient, True), None, None, None, None


class _OfRunning(torch.autograd.Function):
    """Normalization by given statistics, which are constants in the gradient."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, inverse_std: Tensor) -> Tensor:
        features = features.contiguous()
        scale = weight * inverse_std
        table, y = torch.stack((mean, inverse_std, scale, bias - mean * scale)), torch.empty_like(features)
        _call("apply", features, features, table[2], table[3], y)
        ctx.save_for_backward(features, table)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return *_backward(ctx, gradient, False), None, None


def _call(name: str, features: Tensor, *arguments: kernels.Argument) -> None:
    kernels.call("normalization", f"{name}_{kernels.SUFFIX[features.dtype]}", *features.shape, *arguments)
