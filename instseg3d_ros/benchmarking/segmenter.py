"""The whole segmenter stage by stage, the node around it, clouds as bytes, and memory."""

from __future__ import annotations

import importlib.util
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
from instseg3d_ros.benchmarking.race import Row, Times, against, race
from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse import SparseTensor, voxelize
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.precision import reduced_precision

GROUP = "segmenter"
REST, NODE, MEMORY, SAME = 0.5, 1.15, 1.5, 99.5
STAGES = ("voxelize", "backbone", "heads", "graph", "cluster", "instances", "total")


def model_file(model: str, folder: Path) -> tuple[Path, str]:
    """The named weights and their name, or untrained ones in `folder` where no model of that name is installed."""
    from instseg3d_ros.labels import SYNTHETIC
    from instseg3d_ros.network import checkpoint
    from instseg3d_ros.network.model import Architecture, Network

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


def rows(frame: Frame, rounds: int, model: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path, name = model_file(model, Path(folder))
        yield from _stages(frame, rounds, path, name)
        if importlib.util.find_spec("sensor_msgs"):
            yield from _messages(frame, rounds)
            yield _node(frame, rounds, path, name)
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
    found = found[1:]  # the first one warmed up
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


def _message(frame: Frame):
    """An unorganised cloud as cameras send it: x y z and a packed float rgb, 16 bytes a point."""
    import array

    from sensor_msgs.msg import PointCloud2, PointField

    table = np.zeros(len(frame.points), [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4")])
    table["x"], table["y"], table["z"] = frame.points.T
    red, green, blue = frame.colors.astype("<u4").T
    table["rgb"] = red << 16 | green << 8 | blue
    message = PointCloud2(height=1, width=len(table), point_step=16, row_step=16 * len(table), is_dense=True)
    message.header.frame_id = "base_link"
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(("x", "y", "z", "rgb"))
    ]
    message.data = array.array("B", table.tobytes())
    return message


def _messages(frame: Frame, rounds: int) -> Iterator[Row]:
    """Bytes to arrays and back, against the ways of sensor_msgs_py: points one by one, and structured arrays."""
    from instseg3d_ros.ros.clouds import colored_cloud, read_cloud

    message = _message(frame)
    cloud = read_cloud(message, 10**9)
    packed = cloud.packed
    assert packed is not None
    times = race(
        {
            "decode": lambda: read_cloud(message, 10**9),
            "points one by one": lambda: _one_by_one(message),
            "structured": lambda: _structured(message),
            "encode": lambda: colored_cloud(cloud, packed),
            "struct.pack": lambda: _packed(frame),
        },
        max(3, rounds // 2),
    )
    yield against(GROUP, "decode a cloud", len(frame.points), times, "decode", "points one by one")
    yield against(GROUP, "decode a cloud", len(frame.points), times, "decode", "structured")
    yield against(GROUP, "encode a cloud", len(frame.points), times, "encode", "struct.pack")


def _one_by_one(message) -> np.ndarray:
    """What `list(read_points(cloud))` does."""
    import struct

    unpack = struct.Struct("<ffff").unpack_from
    return np.array([unpack(message.data, i * message.point_step) for i in range(message.width)])


def _structured(message) -> tuple[np.ndarray, np.ndarray]:
    """What `read_points_numpy(cloud)` does, and the colours out of the packed field."""
    from numpy.lib.recfunctions import structured_to_unstructured

    names = [field.name for field in message.fields]
    assert message.point_step == 16
    table = np.ndarray(message.width, np.dtype([(name, "<f4") for name in names]), message.data)
    xyz = structured_to_unstructured(table[["x", "y", "z"]])
    packed = np.ascontiguousarray(table["rgb"]).view("<u4")
    return xyz, np.stack([packed >> shift & 255 for shift in (16, 8, 0)], 1).astype("u1")


def _packed(frame: Frame) -> bytes:
    import struct

    pack = struct.Struct("<fffI").pack
    return b"".join(
        pack(x, y, z, r << 16 | g << 8 | b)
        for (x, y, z), (r, g, b) in zip(frame.points.tolist(), frame.colors.tolist())
    )


def _node(frame: Frame, rounds: int, path: Path, name: str) -> Row:
    """From the bytes of a cloud to the bytes of all answers, as the node does it, against the segmenter alone."""
    from rclpy.serialization import serialize_message

    from instseg3d_ros.ros.clouds import colored_cloud, segmented_cloud
    from instseg3d_ros.ros.colors import packed_point_colors
    from instseg3d_ros.ros.markers import instance_markers
    from instseg3d_ros.ros.model import Model
    from instseg3d_ros.ros.parameters import Parameters
    from instseg3d_ros.ros.pipeline import Pipeline
    from instseg3d_ros.segmentation.tracker import Tracker

    parameters = Parameters(model=str(path), device="cpu", axes="body")
    model = Model(parameters)
    pipeline = Pipeline(model, Tracker())
    data = serialize_message(_message(frame))

    def node() -> None:
        answer = pipeline.answer(data, parameters)
        cloud, result = answer.cloud, answer.result
        serialize_message(segmented_cloud(cloud, result))
        serialize_message(colored_cloud(cloud, packed_point_colors(result, model.labels, parameters.color_by)))
        serialize_message(instance_markers(cloud.header, result.instances, parameters.marker_lifetime, answer.up))

    times = race({"node": node, "segmenter": lambda: model(frame.points, frame.colors)}, rounds)
    ratio = times["segmenter"].ratio_of(times["node"])
    return Row(
        GROUP, f"node with {name}, bytes to bytes", len(frame.points), times["node"], "segmenter", times["segmenter"],
        ratio, NODE, at_most=True, unit="× as long",
    )  # fmt: skip


def _memory(frame: Frame, path: Path, name: str, folder: Path) -> Row:
    """In a process of its own: the peak while one frame is segmented, over what was resident before."""
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
    """The share of voxels that bfloat16 gives the same class as float32."""
    from instseg3d_ros.network import checkpoint
    from instseg3d_ros.network.model import input_features

    network, card = checkpoint.load(path)
    points, colors = frame.tensors()
    voxels = voxelize(points, colors, card.architecture.voxel_size)
    features = input_features(voxels.positions, voxels.features, voxels.grid.batch, card.architecture.inputs)
    classes = []
    for dtype in (torch.float32, torch.bfloat16):
        with reduced_precision(dtype):
            y = network.backbone(SparseTensor(features, voxels.grid)).features.float()
        classes.append(network.semantic_head(y).argmax(1))
    same = 100 * float((classes[0] == classes[1]).float().mean())
    return Row(GROUP, f"{name}: labels in bf16", len(voxels.grid), None, "in fp32", None, same, SAME, unit="% the same")


def measure_memory(model: str, frame: str) -> None:
    from instseg3d_ros import Segmenter

    with np.load(frame) as arrays:
        points, colors = arrays["points"], arrays["colors"]
    segmenter = Segmenter.load(model, device="cpu", precision="fp32")
    segmenter.warm_up()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _status("VmRSS")
    segmenter(points, colors)
    peak = _status("VmHWM")
    voxels = len(voxelize(torch.from_numpy(points), None, segmenter.voxel_size).grid)
    print(json.dumps({"before": before, "peak": peak, "voxels": voxels}))


def _status(name: str) -> int:
    """Bytes under that name in /proc/self/status."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
