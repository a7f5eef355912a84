"""Measures both backbones beside spconv, a training step beside a forward pass, and bf16 beside fp32."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import numpy as np
import torch

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.peer import Spconv
from instseg3d_ros.benchmarking.race import Row, against, race
from instseg3d_ros.network.backbone import BACKBONES
from instseg3d_ros.sparse import SparseTensor, VoxelGrid, voxelize
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.precision import reduced_precision
from instseg3d_ros.sparse.voxelize import Voxels

GROUP = "backbone"
MARKS = {"unet": 2.5, "resnet": 2.2}  # at 2 cm: all threads beside the single thread of spconv
ONE_THREAD, STEP, HALF = 1.2, 3.5, 1.3
AGREEMENT = 1e-4  # largest difference from the features of spconv, as a share of the largest feature


def rows(frame: Frame, rounds: int, sizes: tuple[float, ...], threads: int) -> Iterator[Row]:
    points, colors = frame.tensors()
    for size in sizes:
        voxels = voxelize(points, colors / 127.5 - 1, size)
        for kind in BACKBONES:
            yield from _forward(kind, voxels, size, rounds, threads)
            if size == 0.02:
                yield _step(kind, voxels, max(3, rounds // 2))


def fresh(grid: VoxelGrid) -> VoxelGrid:
    """A grid of the same voxels, without the levels and tables that have been computed."""
    return VoxelGrid(grid.codes, grid.blocks, grid.bits, grid.num_scenes, grid.engine)


def forward(
    network: torch.nn.Module, voxels: Voxels, threads: int, dtype: torch.dtype = torch.float32
) -> Callable[[], torch.Tensor]:
    """A function that runs a forward pass, with its kernel maps, on `threads` threads, and returns the features.

    As in the segmenter, only kernels use several threads.
    """

    features = voxels.features
    assert features is not None, "the colours of the points"

    @torch.inference_mode()
    def output() -> torch.Tensor:
        torch.set_num_threads(threads)
        with kernels.torch_on_one_thread(), reduced_precision(dtype):
            return network(SparseTensor(features, fresh(voxels.grid))).features

    return output


def _forward(kind: str, voxels: Voxels, size: float, rounds: int, threads: int) -> Iterator[Row]:
    torch.manual_seed(0)
    network = BACKBONES[kind](3).eval()
    what, count, marks = f"{kind} {100 * size:g} cm", len(voxels.grid), size == 0.02
    contestants = {"all": forward(network, voxels, threads), "one": forward(network, voxels, 1)}
    if importlib.util.find_spec("spconv") is None:
        times = race(contestants, rounds)
        yield Row(GROUP, what, count, times["all"], "spconv is not installed")
    else:
        with Spconv() as spconv:
            expected = spconv.prepare(kind, network, voxels.grid.coords, voxels.features)
            error = np.abs(contestants["all"]().numpy() - expected).max() / np.abs(expected).max()
            if not error < AGREEMENT:
                raise RuntimeError(f"{what}: differs from spconv by {error:.1e} of its largest value")
            times = race({**contestants, "spconv": spconv.run}, rounds)
        mark = MARKS[kind] if marks else None
        yield against(GROUP, f"{what}, {threads} threads", count, times, "all", "spconv", mark)
        yield against(GROUP, f"{what}, 1 thread", count, times, "one", "spconv", ONE_THREAD if marks else None)
    torch.set_num_threads(threads)
    if marks and kernels.has_bf16():
        half = forward(network, voxels, threads, torch.bfloat16)
        times = race({"bf16": half, "in fp32": contestants["all"]}, rounds)
        yield against(GROUP, f"{what}, bf16", count, times, "bf16", "in fp32", HALF if kind == "resnet" else None)


def _step(kind: str, voxels: Voxels, rounds: int) -> Row:
    """Forward pass, backward pass and Adam on one frame, beside the forward pass alone; both with kernel maps."""
    torch.manual_seed(0)
    network = BACKBONES[kind](3)
    optimizer = torch.optim.Adam(network.parameters())
    features = voxels.features
    assert features is not None, "the colours of the points"

    def step() -> None:
        network.train()
        optimizer.zero_grad()
        network(SparseTensor(features, fresh(voxels.grid))).features.square().mean().backward()
        optimizer.step()

    def infer() -> None:
        network.eval()
        alone()

    alone = forward(network, voxels, torch.get_num_threads())
    times = race({"step": step, "forward": infer}, rounds)
    ratio = times["forward"].ratio_of(times["step"])
    return Row(
        GROUP, f"{kind} training step", len(voxels.grid), times["step"], "forward pass", times["forward"],
        ratio, STEP, at_most=True, unit="× as long",
    )  # fmt: skip
