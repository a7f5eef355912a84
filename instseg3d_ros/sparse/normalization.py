"""Batch normalization and ReLU in one step."""

from __future__ import annotations

import torch
from torch import nn

from instseg3d_ros.sparse.tensor import SparseTensor


class BatchNormReLU(nn.BatchNorm1d):
    """y = max(0, (x − mean) / sqrt(var + eps) · weight + bias) per channel, over all voxels of the batch.

    Parameters, buffers and running statistics are those of `BatchNorm1d`. While training, a batch with a single voxel
    has no variance: it is normalized by the running statistics and leaves them alone.
    """

    def __init__(self, channels: int, eps: float = 1e-4, momentum: float = 0.01):
        super().__init__(channels, eps=eps, momentum=momentum)

    def forward(self, x: SparseTensor) -> SparseTensor:
        features = x.features
        use_batch = self.training and len(features) > 1
        if use_batch:
            self.num_batches_tracked.add_(1)
        y = torch.batch_norm(
            features,
            self.weight,
            self.bias,
            self.running_mean,
            self.running_var,
            use_batch,
            self.momentum,
            self.eps,
            torch.backends.cudnn.enabled,
        )
        return x.replace(torch.relu_(y))
