"""Check 2, first half: compares convolutions and backbones on the card with float64 or float32 on the CPU."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.gpu_check import networks
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.gpu_check.finding import Finding
from instseg3d_ros.network.backbone import BACKBONES, Backbone
from instseg3d_ros.network.model import Network
from instseg3d_ros.sparse import DownConv3d, SparseTensor, SubmanifoldConv3d, UpConv3d, VoxelGrid, voxelize

CHECK = "right: layers"
FP32, FP16 = 1e-4, 1e-2  # largest error of a convolution, as a share of the largest value
DEEP, GRADIENTS = 1e-3, 1e-2  # largest error of a whole backbone in fp32, and of its gradients
SAME = 99.5  # percentage of voxels that must have the same class in 16 and in 32 bits
ROUNDED = {torch.float16: 0.03, torch.bfloat16: 0.15}  # largest error of an untrained backbone's features in 16 bits
LAYERS = (
    ("submanifold 6 → 16", SubmanifoldConv3d, 6, 16),
    ("submanifold 32 → 48", SubmanifoldConv3d, 32, 48),
    ("down 16 → 32", DownConv3d, 16, 32),
    ("up 32 → 16", UpConv3d, 32, 16),
)  # fmt: skip
Layer = SubmanifoldConv3d | DownConv3d | UpConv3d
HALVES = {"fp16": torch.float16, "bf16": torch.bfloat16}


def findings(card: Card, frame: Frame) -> Iterator[Finding]:
    """Check voxels, convolutions with their gradients, and backbones in 32 and 16 bits, with each engine."""
    yield _voxels(card, frame)
    for engine in card.engines:
        for name, layer, c_in, c_out in LAYERS:
            for label, dtype, limit in (("fp32", torch.float32, FP32), ("fp16", torch.float16, FP16)):
                error = convolution_error(card, frame, engine, layer(c_in, c_out), dtype)
                yield Finding(CHECK, f"{engine}: {name}, {label}, with gradients", error, "of the largest", limit)
    for kind in BACKBONES:
        network, _, trained = networks.load(kind, frame, card.sizes.width)
        for engine in card.engines:
            yield from _backbone(card, frame, engine, kind, network, trained)


def relative(found: Tensor, expected: Tensor) -> float:
    """Largest difference as a share of the largest expected value; NaN stays NaN."""
    expected = expected.double()
    return float((found.cpu().double() - expected).abs().max() / expected.abs().max())


def _voxels(card: Card, frame: Frame) -> Finding:
    points, colors = frame.tensors()
    expected = voxelize(points, colors, 0.02)
    with card.computing():
        found = voxelize(points.to(card.device), colors.to(card.device), 0.02)
        coords = found.grid.coords.cpu()
    same = len(coords) == len(expected.grid) and torch.equal(coords, expected.grid.coords)
    same = same and torch.equal(found.voxel_of_point.cpu(), expected.voxel_of_point)
    error = relative(found.positions, expected.positions) if same else float("nan")
    return Finding(CHECK, f"voxels of {len(points):,} points: the same cells, means", error, "of the largest", 1e-6)


def convolution_error(card: Card, frame: Frame, engine: str, layer: Layer, dtype: torch.dtype) -> float:
    """Largest `relative` error of the output and of the gradients of input and weights, to float64 on the CPU."""
    points, _ = frame.tensors()
    grid = voxelize(points, None, 0.02).grid
    source = grid.down()[0] if isinstance(layer, UpConv3d) else grid
    torch.manual_seed(0)
    with torch.no_grad():
        layer.weight.copy_(torch.randn_like(layer.weight).to(dtype))
    x = torch.randn(len(source), layer.c_in).to(dtype)
    expected = _pass(copy.deepcopy(layer).double(), grid, x.double())
    with card.computing():
        there = VoxelGrid(grid.codes.to(card.device), grid.blocks.to(card.device), grid.bits, 1, engine)
        with card.autocast(dtype):
            found = _pass(layer.to(card.device), there, x.to(card.device))
    return max(relative(a, b) for a, b in zip(found, expected))


def _pass(layer: Layer, grid: VoxelGrid, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Output, gradient of the input, gradient of the weights, for a fixed gradient of the output."""
    layer.zero_grad()
    x = x.detach().requires_grad_()
    tensor = SparseTensor(x, grid.down()[0] if isinstance(layer, UpConv3d) else grid)
    y = (layer(tensor, grid) if isinstance(layer, UpConv3d) else layer(tensor)).features
    weights = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).view(y.shape).to(y)
    (y * weights).sum().backward()
    assert x.grad is not None and layer.weight.grad is not None
    return y.detach(), x.grad, layer.weight.grad


def _backbone(card: Card, frame: Frame, engine: str, kind: str, network: Network, trained: bool) -> Iterator[Finding]:
    """Check features and gradients in fp32, and in 16 bits the classes of trained or features of untrained weights."""
    here = networks.inputs(frame, network.architecture)
    with torch.inference_mode():
        expected = network.backbone(here).features
        classes = network.semantic_head(expected).argmax(1)
    gradients = train_pass(network.backbone, here)
    there = copy.deepcopy(network).to(card.device)
    with card.computing():
        x = networks.inputs(frame, network.architecture, card.device, engine)
        with torch.inference_mode():
            found = there.backbone(x).features
        yield Finding(CHECK, f"{engine}: {kind}, fp32", relative(found, expected), "of the largest", DEEP)
        error = distance(train_pass(there.backbone, x), gradients)
        yield Finding(CHECK, f"{engine}: {kind}, gradient of the weights", error, "of the norm", GRADIENTS)
        for name, dtype in HALVES.items():
            with torch.inference_mode():
                with card.autocast(dtype):
                    y = there.backbone(x).features
                same = 100 * float((there.semantic_head(y).argmax(1).cpu() == classes).double().mean())
            if trained:
                yield Finding(CHECK, f"{engine}: {kind}, {name}, voxels of the same class", same, "%", SAME, True)
            else:
                error = distance(y, expected)
                yield Finding(CHECK, f"{engine}: {kind} untrained, {name}", error, "of the norm", ROUNDED[dtype])


def train_pass(backbone: Backbone, x: SparseTensor) -> Tensor:
    """Gradients of all weights of a copy in training mode, concatenated, for the loss mean(y²)."""
    backbone = copy.deepcopy(backbone).train()
    backbone(x).features.square().mean().backward()
    return torch.cat([parameter.grad.flatten() for parameter in backbone.parameters() if parameter.grad is not None])


def distance(found: Tensor, expected: Tensor) -> float:
    """Norm of the difference as a share of the expected norm."""
    return float((found.cpu().double() - expected.double()).norm() / expected.double().norm())
