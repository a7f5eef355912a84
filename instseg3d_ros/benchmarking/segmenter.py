"""Measures the stages of the segmenter, its memory, and the node around it if ROS is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.race import Row, Times, race
from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.precision import reduced_precision

GROUP = "segmenter"
REST, MEMORY, SAME = 0.8, 1.5, 99.5
STAGES = ("voxelize", "backbone", "heads", "graph", "cluster", "instances", "total")


def model_file(model: str, folder: Path) -> tuple[Path, str]:
    """File and name of the model, or of an untrained model in `folder` if `unet` is not installed."""
    from instseg3d_ros.labels import SYNTHETIC
    from instseg3d_ros.network import checkpoint
    from instseg3d_ros.network.architecture import Architecture
    from instseg3d_ros.network.model import Network

    try:
        return checkpoint.find(model), model
    except InputError:
        if model != "unet":
            raise
        torch.manual_seed(0)
        architecture = Architecture(classes=len(SYNTHETIC))
        checkpoint.save(
            folder / "untrained.safetensors", Network(architecture), checkpoint.ModelCard(architecture, SYNTHETIC)
        )
        return folder / "untrained.safetensors", "untrained"


NodeRows = Callable[[str, Frame, int, Path, str], Iterator[Row]]


def rows(frame: Frame, rounds: int, model: str, node_rows: NodeRows | None = None) -> Iterator[Row]:
    """The stages, memory and agreement of the segmenter.

    node_rows: a function (group, frame, rounds, model file, its name) that gives the rows of the node.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, name = model_file(model, Path(folder))
        yield from _stages(frame, rounds, path, name)
        if node_rows is not None:
            yield from node_rows(GROUP, frame, rounds, path, name)
        yield _memory(frame, path, name, Path(folder))
        if kernels.has_bf16():
            yield _agreement(frame, path, name)


def _stages(frame: Frame, rounds: int, path: Path, name: str) -> Iterator[Row]:
    from instseg3d_ros import Segmenter

    segmenter = Segmenter.load(str(path), device="cpu", precision="fp32")
    found: list[dict[str, float]] = []
    contestants: dict[str, Callable[[], object]] = {
        "fp32": lambda: found.append(segmenter(frame.points, frame.colors).timings)
    }
    if kernels.has_bf16():
        half = Segmenter.load(str(path), device="cpu", precision="bf16")
        contestants["bf16"] = lambda: half(frame.points, frame.colors)
    raced = race(contestants, rounds)
    found = found[1:]  # without the first run, which warmed up
    times = {stage: Times(tuple(one[stage] for one in found)) for stage in STAGES}
    for stage in STAGES:
        yield Row(GROUP, f"{name}: {stage}", len(frame.points), times[stage])
    rest = Times(tuple(one["total"] - one["backbone"] for one in found))
    yield Row(
        GROUP, f"{name}: all but the backbone", len(frame.points), rest, "its backbone", times["backbone"],
        times["backbone"].ratio_of(rest), REST, at_most=True, unit="× as long",
    )  # fmt: skip
    if "bf16" in raced:
        yield Row(
            GROUP, f"{name}: total in bf16", len(frame.points), raced["bf16"], "in fp32", raced["fp32"],
            raced["bf16"].ratio_of(raced["fp32"]),
        )  # fmt: skip


def _memory(frame: Frame, path: Path, name: str, folder: Path) -> Row:
    """The increase of resident memory while a frame is segmented, in a separate process."""
    np.savez(folder / "frame.npz", points=frame.points, colors=frame.colors)
    code = f"import {__name__} as s; s.measure_memory({str(path)!r}, {str(folder / 'frame.npz')!r})"
    package = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    per_voxel = (found["peak"] - found["before"]) / found["voxels"] / 1000
    return Row(
        GROUP, f"peak memory with {name}", found["voxels"], None, "resident before", None,
        per_voxel, MEMORY, at_most=True, unit="kB per voxel",
    )  # fmt: skip


@torch.inference_mode()
def _agreement(frame: Frame, path: Path, name: str) -> Row:
    """Share of the voxels that have the same class in bfloat16 and in float32."""
    from instseg3d_ros.network import checkpoint
    from instseg3d_ros.network.inputs import NetworkInput

    network, card = checkpoint.load(path)
    points, colors = frame.tensors()
    inputs = NetworkInput.of_points(points, colors, card.architecture.voxel_size, card.architecture.inputs)
    classes = []
    for dtype in (torch.float32, torch.bfloat16):
        with reduced_precision(dtype):
            y = network.backbone(inputs.x).features
        classes.append(network.semantic_head(y).argmax(1))
    same = 100 * float((classes[0] == classes[1]).float().mean())
    return Row(
        GROUP, f"{name}: labels in bf16", len(inputs.voxels.grid), None, "in fp32", None, same, SAME, unit="% the same"
    )


def measure_memory(model: str, frame: str) -> None:
    """Print, as JSON, resident bytes before a frame (npz) is segmented, the peak, and the number of voxels."""
    from instseg3d_ros import Segmenter

    with np.load(frame) as arrays:
        points, colors = arrays["points"], arrays["colors"]
    segmenter = Segmenter.load(model, device="cpu", precision="fp32")
    segmenter.warm_up()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _status("VmRSS")
    segmenter(points, colors)
    peak = _status("VmHWM")
    voxels = len(voxelize(torch.from_numpy(points), None, segmenter.voxel_size).grid)
    print(json.dumps({"before": before, "peak": peak, "voxels": voxels}))


def _status(name: str) -> int:
    """Bytes that /proc/self/status has under this name."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
