"""Kernels compiled for other processors give the same results: recorded calls are run again."""

import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from instseg3d_ros.network.heads import read_heads
from instseg3d_ros.network.inputs import NetworkInput
from instseg3d_ros.network.model import anchor, head
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.connected import split_by_density, split_connected, split_voxels
from instseg3d_ros.segmentation.contacts import touching
from instseg3d_ros.segmentation.mean_shift import mean_shift, mean_shift_scales
from instseg3d_ros.segmentation.measures import moments
from instseg3d_ros.segmentation.upright import up_direction
from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse import (
    BatchNormReLU,
    DownConv3d,
    SparseTensor,
    SubmanifoldConv3d,
    UpConv3d,
    attend_and_update,
    k_nearest_neighbors,
    voxelize,
)
from instseg3d_ros.sparse.native import build, kernels

pytestmark = pytest.mark.skipif(bool(kernels.missing()), reason="no C++ compiler")
ARM = "aarch64-linux-gnu-g++"


def work() -> dict[str, torch.Tensor | np.ndarray]:
    """Something of every kernel of the segmenter and of a training step, on small inputs."""
    generator = torch.Generator().manual_seed(3)
    rng = np.random.default_rng(3)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    points = torch.rand(3000, 3, generator=generator) * torch.tensor([2.0, 2.0, 0.3])
    voxels = voxelize(points, points * 2, 0.1)
    layers = SubmanifoldConv3d(3, 20), BatchNormReLU(20), DownConv3d(20, 37), BatchNormReLU(37), UpConv3d(37, 7)
    with torch.no_grad():
        for layer in layers:
            for parameter in layer.parameters():
                parameter.copy_(normal(*parameter.shape) / 4)
    stem, norm, down, down_norm, up = layers
    x = stem(SparseTensor(voxels.features, voxels.grid))
    y = up(down_norm(down(norm(x))), x.grid).features
    gradients = torch.autograd.grad((y * y.detach()).mean(), [p for layer in layers for p in layer.parameters()])
    near = k_nearest_neighbors(voxels.positions, voxels.grid, 0.1, 8)
    centers = normal(5, 4) * 3
    embedding = centers[torch.arange(len(near)) % 5] + normal(len(near), 4) * 0.2
    with torch.inference_mode():
        sizes = ((8, 4), (8,), (8, 4), (8,), (4, 8))
        refined = attend_and_update(embedding, *(normal(*size) for size in sizes), near)
    heads = torch.nn.Module()
    heads.semantic_head, heads.embedding_head, heads.anchor = head(6, 11), head(6, 4), anchor(4)
    with torch.inference_mode():
        for parameter in heads.parameters():
            parameter.copy_(normal(*parameter.shape) / 2)
        read = read_heads(heads, normal(len(near), 6), NetworkInput(voxels), normal(11), torch.arange(3), 0.4)
    labels = mean_shift(embedding)[0]
    part = split_voxels(labels.numpy(), voxels.grid, 1)
    pairs, places = touching(part, voxels.grid)
    votes = Votes.count(normal(len(near), 11).softmax(1), embedding, part, rng.integers(1, 9, len(near)))
    floor = (points - 1).numpy()
    boxes = upright_boxes(voxels.positions.numpy(), np.arange(len(near)), np.array([0, 40, 41, len(near)]))
    return {
        "positions": voxels.positions, "y": y.detach(), "gradients": torch.cat([g.flatten() for g in gradients]),
        "distances": (voxels.positions[near] - voxels.positions[:, None]).norm(dim=-1), "refined": refined,
        "labels": labels, "scales": torch.stack(mean_shift_scales(embedding, (1.0, 0.5))), "part": part,
        "probability": read[0], "embedded": read[1], "things": read[2],
        "dense": split_by_density(labels.numpy(), voxels.grid, voxels.counts.numpy(), 1),
        "split": split_connected(labels.numpy(), voxels.grid.coords[:, 1:].numpy(), 2), "sums": votes.sums,
        "pairs": pairs, "places": places, "moments": moments(voxels.positions.numpy(), part, len(votes.points)),
        "boxes": np.array([[*box.center, *box.size] for box in boxes]), "up": up_direction(floor),
    }  # fmt: skip


def assert_same(found, expected):
    for name, value in expected.items():
        assert np.allclose(found[name], value, rtol=2e-4, atol=2e-5), name


def test_narrower_vectors(monkeypatch):
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    if "avx2" not in flags or " fma" not in flags:
        pytest.skip("not a processor with AVX2")
    expected, flags_of = work(), build._flags
    monkeypatch.setenv(build.ISA, "x86-64-v3")
    # Less optimized, which is enough here: the vectors are the same.
    monkeypatch.setattr(build, "_flags", lambda isa: [(*flags, "-O1") for flags in flags_of(isa)])
    assert kernels.missing() == {}
    assert_same(work(), expected)


def arm_layout(matrices: np.ndarray) -> np.ndarray:
    """Weights (outputs, offsets, inputs) as `pack` in convolution.cpp lays them out for NEON: blocks of at most three
    vectors of four outputs, each (offsets, inputs, width of the block)."""
    vectors = -(-len(matrices) // 4)
    wide = np.zeros((4 * vectors, *matrices.shape[1:]), np.float32)
    wide[: len(matrices)] = matrices
    blocks = -(-vectors // 3)
    edges = [4 * (vectors * block // blocks) for block in range(blocks + 1)]
    return np.concatenate([wide[first:last].transpose(1, 2, 0).ravel() for first, last in pairwise(edges)])


def record(monkeypatch) -> list[tuple[str, list, int, list[np.ndarray]]]:
    """Records each call of a kernel: name, arguments, result, and buffers afterwards.

    Packed weights, whose layout depends on the width of the vectors, are replaced by their layout for ARM.
    """
    calls, layouts = [], {}  # layouts: address of packed weights → (their tensor, the same for ARM)

    def for_arm(name: str, arguments: list) -> tuple[list, list]:
        """The arguments before and after the call, where they differ in layout."""
        if name.startswith("pack"):
            weight, c_out, offsets, c_in, *mirror, packed = arguments
            matrices = weight.detach().numpy().reshape(c_out, offsets, c_in)
            if mirror:
                matrices = matrices[:, :: -1 if mirror[0] else 1].transpose(2, 1, 0)
            layouts[packed.data_ptr()] = packed, arm_layout(matrices)
            layout = layouts[packed.data_ptr()][1]
            return [*arguments[:-1], np.zeros_like(layout)], [*arguments[:-1], layout]
        if name.startswith("convolve"):
            *pairs, packed, c_in, y, c_out = arguments
            arguments = [*pairs, layouts[packed.data_ptr()][1], c_in, y, c_out]
        return arguments, arguments

    def call(source, name, *arguments):
        kernel = kernels._kernel(source, name, build.OWN)
        if name.startswith("lanes"):
            return kernel(*arguments)
        given, expected = for_arm(name, list(arguments))
        before, values = [], iter(given)
        for parameter in kernel.parameters:
            value = torch.get_num_threads() if parameter == "threads" else next(values)
            if parameter.endswith("*"):
                before.append(None if value is None else np.asarray(value).tobytes())
            else:
                before.append(struct.pack("<d" if parameter == "float64" else "<q", value))
        pointers = [parameter.endswith("*") for parameter in kernel.parameters]
        result = kernel(*arguments)
        after = [np.array(value) for value in expected if isinstance(value, (torch.Tensor, np.ndarray))]
        calls.append((name, list(zip(pointers, before)), result, after))
        return result

    monkeypatch.setattr(kernels, "call", call)
    for module in ("grid", "neighbors", "kernel_map"):
        monkeypatch.setattr(f"instseg3d_ros.sparse.{module}.call", call)
    work()
    return calls


def write(path: Path, calls) -> None:
    with path.open("wb") as file:
        for name, arguments, _, _ in calls:
            file.write(struct.pack("<q", len(name)) + name.encode() + struct.pack("<q", len(arguments)))
            for pointer, content in arguments:
                if not pointer:
                    file.write(struct.pack("<q", 0) + content)
                elif content is None:
                    file.write(struct.pack("<q", 2))
                else:
                    file.write(struct.pack("<qq", 1, len(content)) + content)


@pytest.mark.skipif(
    not (shutil.which(ARM) and shutil.which("qemu-aarch64")), reason="no g++-aarch64-linux-gnu, or no qemu-user"
)
def test_arm(tmp_path, monkeypatch):
    """Cross-compiled for 64-bit ARM with NEON and emulated. This shows right answers and nothing about speed."""

    flags = "-std=c++17", "-O0", "-ffp-contract=fast"

    def compile_one(source: Path) -> str:
        """The object file of a source, which stays beside the kernels for the next run."""
        stem = f"{source.stem}-{build._fingerprint(source, flags, ARM)}-{build._version(ARM)}"
        target = build._folder_to_write() / f"{stem}.o"
        if not target.exists():
            fresh = tmp_path / target.name
            subprocess.run([ARM, *flags, f"-I{build.HERE}", "-c", source, "-o", fresh], check=True, timeout=600)
            shutil.move(fresh, target)
        return str(target)

    calls = record(monkeypatch)
    write(tmp_path / "in", calls)
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, [*build.SOURCES.values(), Path(__file__).with_name("replay.cpp")]))
    program = str(tmp_path / "replay")
    subprocess.run([ARM, *objects, "-rdynamic", "-pthread", "-ldl", "-o", program], check=True, timeout=600)
    prefix = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]
    subprocess.run([*prefix, program, str(tmp_path / "in"), str(tmp_path / "out")], check=True, timeout=300)
    with (tmp_path / "out").open("rb") as out:
        for name, _, result, after in calls:
            assert struct.unpack("<q", out.read(8)) == (result,), name
            for value in after:
                found = np.frombuffer(out.read(value.nbytes), value.dtype).reshape(value.shape)
                if name not in ("nearest", "mean_shift_f32"):  # their room beyond the answer is not written
                    assert np.allclose(found, value, rtol=1e-3, atol=1e-4, equal_nan=True), name
    assert len({name for name, *_ in calls}) > 15
