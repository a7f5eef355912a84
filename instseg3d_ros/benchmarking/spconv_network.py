"""The same backbones made of the modules of spconv, with the same weights, for comparison."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

from instseg3d_ros.network import backbone
from instseg3d_ros.sparse import BatchNormReLU, SubmanifoldConv3d

if TYPE_CHECKING:
    from spconv.pytorch import SparseConvTensor


def forward(
    network: backbone.Backbone,
    coords: torch.Tensor,
    features: torch.Tensor,
    scenes: int = 1,
    dtype: torch.dtype = torch.float32,
) -> Callable[[], torch.Tensor]:
    """A function that runs a forward pass, with its kernel maps: () -> (V, m) features of `dtype`.

    coords (V, 4) int32 [scene, x, y, z] on the device of the features; the order of the rows is kept.
    """
    import spconv.pytorch as spconv

    coords, shape = fitted(coords)
    network = copy.deepcopy(network)
    if dtype == torch.float16:
        features = _pad_input(network, features)
    peer, features = _Peer(network).to(features.device, dtype), features.to(dtype)

    @torch.inference_mode()
    def run() -> torch.Tensor:
        return peer(spconv.SparseConvTensor(features, coords, shape, scenes)).features

    return run


def fitted(coords: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
    """Coordinates that begin near zero, and the spatial shape.

    Both are multiples of 64, so that six halvings give the same cells as ours. At an odd shape, spconv would drop the
    last voxels.
    """
    coords = coords.clone()
    coords[:, 1:] -= coords[:, 1:].amin(0) // 64 * 64
    return coords, [(int(size) // 64 + 1) * 64 for size in coords[:, 1:].amax(0)]


def _pad_input(network: backbone.Backbone, features: torch.Tensor) -> torch.Tensor:
    """The features, and the stem for them, with zeros up to a multiple of 8 channels, which float16 needs."""
    missing = -features.shape[1] % 8
    stem = SubmanifoldConv3d(features.shape[1] + missing, network.stem.c_out)
    stem.weight = nn.Parameter(nn.functional.pad(network.stem.weight.detach(), (0, missing)))
    network.stem = stem
    return nn.functional.pad(features, (0, missing))


class _Peer(nn.Module):
    def __init__(self, network: backbone.Backbone):
        super().__init__()
        self.stem = _convolution(network.stem, "level0")
        self.levels = _Level(network.levels, 0)
        assert isinstance(network.norm, BatchNormReLU)
        self.norm = _norm(network.norm)

    def forward(self, x: SparseConvTensor) -> SparseConvTensor:
        return _normalize(self.norm, self.levels(self.stem(x)))


class _Level(nn.Module):
    def __init__(self, level: backbone.Level, depth: int):
        super().__init__()
        self.encode = nn.Sequential(*(_block(block, depth) for block in level.encode))
        self.below = None
        if level.below is not None:
            self.down_norm, self.up_norm = _norm(level.down_norm), _norm(level.up_norm)
            self.down = _convolution(level.down, f"down{depth}")
            self.below = _Level(level.below, depth + 1)
            self.up = _convolution(level.up, f"down{depth}")
            self.decode = nn.Sequential(*(_block(block, depth) for block in level.decode))

    def forward(self, x: SparseConvTensor) -> SparseConvTensor:
        x = self.encode(x)
        if self.below is None:
            return x
        rise = self.up(_normalize(self.up_norm, self.below(self.down(_normalize(self.down_norm, x)))))
        return self.decode(x.replace_feature(torch.cat((x.features, rise.features), dim=1)))


class _VGG(nn.Module):
    def __init__(self, block: backbone.VGGBlock, depth: int):
        super().__init__()
        self.norm, self.conv = _norm(block.norm), _convolution(block.conv, f"level{depth}")

    def forward(self, x: SparseConvTensor) -> SparseConvTensor:
        return self.conv(_normalize(self.norm, x))


class _Residual(nn.Module):
    def __init__(self, block: backbone.ResidualBlock, depth: int):
        super().__init__()
        self.skip, self.first, self.second = block.skip, _VGG(block.first, depth), _VGG(block.second, depth)

    def forward(self, x: SparseConvTensor) -> SparseConvTensor:
        y = self.second(self.first(x))
        return y.replace_feature(y.features + self.skip(x.features))


def _block(block: nn.Module, depth: int) -> nn.Module:
    if isinstance(block, backbone.VGGBlock):
        return _VGG(block, depth)
    assert isinstance(block, backbone.ResidualBlock)
    return _Residual(block, depth)


def _norm(ours: BatchNormReLU) -> nn.Module:
    norm = nn.BatchNorm1d(ours.num_features, eps=ours.eps, momentum=ours.momentum)
    norm.load_state_dict(ours.state_dict())
    return nn.Sequential(norm, nn.ReLU(inplace=True)).eval()


def _normalize(norm: nn.Module, x: SparseConvTensor) -> SparseConvTensor:
    return x.replace_feature(norm(x.features))


def _convolution(ours: nn.Module, key: str) -> nn.Module:
    import spconv.pytorch as spconv

    if isinstance(ours, SubmanifoldConv3d):
        peer = spconv.SubMConv3d(ours.c_in, ours.c_out, 3, bias=False, indice_key=key)
    elif type(ours).__name__ == "DownConv3d":
        peer = spconv.SparseConv3d(ours.c_in, ours.c_out, 2, stride=2, bias=False, indice_key=key)
    else:
        peer = spconv.SparseInverseConv3d(ours.c_in, ours.c_out, 2, bias=False, indice_key=key)
    peer.load_state_dict({"weight": ours.weight})
    return peer
