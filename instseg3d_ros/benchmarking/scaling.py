"""Time against size, from ten thousand to two million points, and the exponent of its growth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from instseg3d_ros.benchmarking.backbones import forward, fresh
from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.geometry import maps_of
from instseg3d_ros.benchmarking.race import Row, race
from instseg3d_ros.network.backbone import unet
from instseg3d_ros.sparse import k_nearest_neighbors, voxelize

if TYPE_CHECKING:
    from tqdm import tqdm

GROUP = "scaling"
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000)
FITTED_FROM = 100_000  # voxels
MARK = 1.1
VOXEL = 0.01  # metres; so fine that two million points give a million voxels


@dataclass(frozen=True)
class Curve:
    """Milliseconds of a stage at increasing numbers of voxels."""

    stage: str
    voxels: tuple[int, ...]
    milliseconds: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Slope of log time over log voxels, from `FITTED_FROM` voxels on."""
        x, y = np.log(self.voxels), np.log(self.milliseconds)
        large = np.array(self.voxels) >= FITTED_FROM
        if large.sum() < 2:
            large[-2:] = True
        return float(np.polyfit(x[large], y[large], 1)[0])


def curves(frame: Frame, rounds: int, threads: int, progress: tqdm | None = None) -> list[Curve]:
    torch.manual_seed(0)
    network = unet(3).eval()
    counts: list[int] = []
    taken: dict[str, list[float]] = {}
    for size in SIZES:
        points, colors = frame.of_size(size).tensors()
        voxels = voxelize(points, colors / 127.5 - 1, VOXEL)
        counts.append(len(voxels.grid))
        contestants: dict[str, Callable[[], object]] = {
            "voxelize": partial(voxelize, points, colors, VOXEL),
            "kernel maps": partial(lambda grid: maps_of(fresh(grid)), voxels.grid),
            "8 nearest neighbours": partial(
                lambda v: k_nearest_neighbors(v.positions, fresh(v.grid), VOXEL, 8), voxels
            ),
            "U-Net with its maps": forward(network, voxels, threads),
        }
        for stage, times in race(contestants, min(rounds, 5)).items():
            taken.setdefault(stage, []).append(times.median)
        if progress is not None:
            progress.update()
    return [Curve(stage, tuple(counts), tuple(values)) for stage, values in taken.items()]


def rows(found: list[Curve]) -> Iterator[Row]:
    for curve in found:
        what = f"{curve.stage}, growth up to {curve.voxels[-1]:,} voxels"
        yield Row(GROUP, what, curve.voxels[-1], None, "", None, curve.exponent, MARK, at_most=True, unit="exponent")
