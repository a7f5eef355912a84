"""Submanifold sparse U-Nets of Graham et al. 2018, as SparseConvNet's ScanNet recipe builds them.

A level consists of `repetitions` blocks, a convolution of stride 2 to the next level, all coarser levels, an inverse
convolution back, a concatenation with the output of the first blocks (skip), and `repetitions` more blocks. A VGG block
is BN-ReLU-SubM. A residual block is BN-ReLU-SubM-BN-ReLU-SubM, with a 1×1 convolution in its skip if the widths differ.
"""

from __future__ import annotations

import torch
from torch import nn

from instseg3d_ros.sparse import BatchNormReLU, DownConv3d, SparseTensor, SubmanifoldConv3d, UpConv3d

LEVELS = 7


class VGGBlock(nn.Module):
    """BN-ReLU-SubM 3³: (V, c_in) → (V, c_out)."""

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.norm = BatchNormReLU(c_in)
        self.conv = SubmanifoldConv3d(c_in, c_out)

    def forward(self, x: SparseTensor) -> SparseTensor:
        return self.conv(self.norm(x))


class ResidualBlock(nn.Module):
    """x ↦ skip(x) + SubM(BN-ReLU(SubM(BN-ReLU(x)))): (V, c_in) → (V, c_out)."""

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.skip = nn.Identity() if c_in == c_out else nn.Linear(c_in, c_out, bias=False)
        self.first = VGGBlock(c_in, c_out)
        self.second = VGGBlock(c_out, c_out)

    def forward(self, x: SparseTensor) -> SparseTensor:
        y = self.second(self.first(x))
        return y.replace(y.features + self.skip(x.features))


class Level(nn.Module):
    """A level of the U-Net together with all coarser levels: (V, widths[0]) → (V, widths[0])."""

    def __init__(self, widths: list[int], repetitions: int, block: type[nn.Module]):
        super().__init__()
        width = widths[0]
        self.encode = nn.Sequential(*(block(width, width) for _ in range(repetitions)))
        self.below = None
        if len(widths) > 1:
            self.down_norm = BatchNormReLU(width)
            self.down = DownConv3d(width, widths[1])
            self.below = Level(widths[1:], repetitions, block)
            self.up_norm = BatchNormReLU(widths[1])
            self.up = UpConv3d(widths[1], width)
            self.decode = nn.Sequential(*(block(width * (2 if i == 0 else 1), width) for i in range(repetitions)))

    def forward(self, x: SparseTensor) -> SparseTensor:
        x = self.encode(x)
        if self.below is None:
            return x
        coarse = self.below(self.down(self.down_norm(x)))
        rise = self.up(self.up_norm(coarse), x.grid)
        return self.decode(x.replace(torch.cat((x.features, rise.features), dim=1)))


class Backbone(nn.Module):
    """Stem, seven levels of widths m, 2m … 7m, and a closing BN-ReLU: (V, c_in) → (V, m)."""

    def __init__(self, c_in: int, width: int, repetitions: int, block: type[nn.Module], closing_norm: bool = True):
        super().__init__()
        self.stem = SubmanifoldConv3d(c_in, width)
        self.levels = Level([width * (i + 1) for i in range(LEVELS)], repetitions, block)
        self.norm = BatchNormReLU(width) if closing_norm else nn.Identity()

    def forward(self, x: SparseTensor) -> SparseTensor:
        x = self.levels(self.stem(x))
        if not isinstance(self.norm, BatchNormReLU):
            return x
        # Heads may need small differences of features: bfloat16 rounds both 5.31 and 5.32 to 5.3125.
        with torch.autocast(x.features.device.type, enabled=False):
            return self.norm(x.replace(x.features.to(self.norm.weight.dtype)))


def unet(c_in: int, width: int = 16, repetitions: int = 1, **options: bool) -> Backbone:
    """The paper's small backbone: m = 16, one repetition, VGG blocks."""
    return Backbone(c_in, width, repetitions, VGGBlock, **options)


def resnet(c_in: int, width: int = 32, repetitions: int = 2, **options: bool) -> Backbone:
    """The paper's large backbone: m = 32, two repetitions, residual blocks."""
    return Backbone(c_in, width, repetitions, ResidualBlock, **options)


BACKBONES = {"unet": unet, "resnet": resnet}
