"""`Segmenter`: from a cloud to instances. The node, the commands and the evaluation use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.heads import read_heads
from instseg3d_ros.network.inputs import NetworkInput
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation.description import input_widths
from instseg3d_ros.segmentation.instances import find_instances
from instseg3d_ros.segmentation.mean_shift import mean_shift_scales
from instseg3d_ros.segmentation.memory_limit import check_memory
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.result import Result, move_instances
from instseg3d_ros.segmentation.state import Candidates, Evidence, VoxelAnswer
from instseg3d_ros.segmentation.upright import upright_rotation
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.sparse.precision import choose, reduced_precision
from instseg3d_ros.sparse.rigid import transform_points, usable_points
from instseg3d_ros.sparse.thinning import thin


class Segmenter:
    """A network with the steps from points to the network's input and from its output to instances.

        segmenter = Segmenter.load("unet", device="auto")
        result = segmenter(points, colors)

    points (N, 3) float metres in body axes (x forward, y left, z up), colors (N, 3) uint8 or None. `segmenter.labels`
    names the classes. `segmenter.options` may be replaced at any time, also by another thread; a cloud is segmented
    with the options at its start.
    """

    def __init__(
        self,
        network: Network,
        card: ModelCard,
        device: str = "cpu",
        engine: str = "auto",
        precision: str = "fp32",
        **options: Any,
    ):
        self.device = pick_device(device)
        self.dtype = choose(precision, self.device)  # of the backbone
        self.network = network.to(self.device).eval()
        self.card = card
        check_object_inputs(card)
        self.labels: LabelSet = card.labels
        self.voxel_size: float = card.architecture.voxel_size
        self.engine = pick_engine(engine, self.device)
        known = {entry.name for entry in fields(Options)}
        for name in options.keys() - known:
            raise InputError(f"unknown option '{name}'; known: {', '.join(sorted(known))}")
        measured = {name: value for name, value in card.segmentation.items() if name in known}
        self.options = Options(**{**measured, **{k: v for k, v in options.items() if v is not None}})
        stuff = [index for index, thing in enumerate(self.labels.things) if not thing]
        self._stuff = torch.tensor(stuff, dtype=torch.int64, device=self.device)
        weight = torch.ones(len(self.labels)) if card.class_weight is None else torch.tensor(card.class_weight)
        self._log_weight = weight.float().log().to(self.device)

    @staticmethod
    def load(
        model: str = "unet", device: str = "auto", engine: str = "auto", precision: str = "auto", **options: Any
    ) -> Segmenter:
        """Load a model.

        Args:
            model: name in models/, or path of a .safetensors file
            device: auto, cpu, cuda, cuda:1 …
            engine: auto, torch or spconv
            precision: number format of the backbone: fp32, bf16, fp16 (CUDA), or auto: fp16 on CUDA; on a CPU bf16 if
                a short measurement shows that it is faster than fp32
            options: fields of `Options`

        Raises InputError, with one line, if the model cannot be loaded or a value is invalid.
        """
        pick_device(device)  # report a wrong device before the file is read
        network, card = checkpoint.load(checkpoint.find(model))
        return Segmenter(network, card, device, engine, precision, **options)

    def configure(self, **options: Any) -> None:
        """Change options for the next clouds. A bad value raises InputError and changes nothing."""
        self.options = replace(self.options, **options)

    def warm_up(self) -> None:
        """Segment a small random cloud, so that kernels are compiled and caches filled before the first real cloud."""
        generator = np.random.default_rng(0)
        self(generator.uniform(0, 1, (5000, 3)).astype(np.float32), None)

    def probabilities(self, logits: torch.Tensor, adjust: float) -> torch.Tensor:
        """Class scores (V, C) → probabilities (V, C), with logit adjustment (Menon et al. 2021, arXiv:2007.07314).

        `adjust` times the logarithm of the class weights of the training is subtracted from the scores. Without weights
        a network never predicts rare classes; with weights it predicts them too often, a far wall as a curtain.
        """
        return (logits - adjust * self._log_weight).softmax(dim=1)

    def likely_things(self, probability: torch.Tensor, min_thing: float) -> torch.Tensor:
        """Class probabilities (V, C) → (V,) bool: whether the thing classes together have at least `min_thing`.

        Voxels of all thing classes are clustered together, and the class is voted afterwards. At a voxel with two
        likely things, each of them may be less probable than the wall, although both together are more probable.
        """
        return probability.index_select(1, self._stuff).sum(dim=1) <= 1 - min_thing

    def _read_heads(self, features: torch.Tensor, inputs: NetworkInput, options: Options) -> tuple[torch.Tensor, ...]:
        """Class probabilities (V, C), embeddings (V, D) before the graph layers, rows (R,) of the voxels of things."""
        network, shift = self.network, options.adjust * self._log_weight
        at_once = read_heads(network, features, inputs, shift, self._stuff, 1 - options.min_thing)
        if at_once is not None:
            return at_once
        probability = self.probabilities(network.semantic_head(features), options.adjust)
        things = self.likely_things(probability, options.min_thing).nonzero().squeeze(1)
        return probability, network.embed(features, inputs), things

    @staticmethod
    def _clusters(embedding: torch.Tensor, rows: torch.Tensor, bandwidths: tuple[float, ...]) -> list[torch.Tensor]:
        """For each bandwidth the cluster (V,) of the voxels `rows`; −1 for all other voxels."""
        clusters = torch.full((len(bandwidths), len(embedding)), -1, device=embedding.device)
        for cluster, labels in zip(clusters, mean_shift_scales(embedding[rows], bandwidths)):
            cluster[rows] = labels
        return list(clusters)

    def __call__(self, points: np.ndarray, colors: np.ndarray | None = None) -> Result:
        points, colors = check_cloud(points, colors)
        clock = Clock(self.device)
        semantic = np.full(len(points), -1, np.int16)
        instance = np.zeros(len(points), np.int32)
        confidence = np.zeros(len(points), np.float32)
        with on_device(self.device), self._without_autocast():
            answer = self._answer(points, colors, clock)
        if answer is None:
            return Result(semantic, instance, confidence, [], clock.done())
        with clock("instances"):
            rows, voxels = answer.rows, answer.voxels
            semantic[rows] = voxels.semantic[answer.voxel_of_point]
            instance[rows] = voxels.instance[answer.voxel_of_point]
            confidence[rows] = voxels.confidence[answer.voxel_of_point]
            instances = move_instances(voxels.instances, answer.rotation.T)
            if answer.thinned:
                points_of = np.bincount(instance)
                instances = [replace(one, num_points=int(points_of[one.id])) for one in instances]
        return Result(semantic, instance, confidence, instances, clock.done(), answer.rotation[2])

    def candidates(self, points: np.ndarray, colors: np.ndarray | None = None) -> Candidates | None:
        """Proposals of a cloud, for training the object head; None without usable points. `part` (N,) is per point."""
        points, colors = check_cloud(points, colors)
        with on_device(self.device), self._without_autocast():
            answer = self._answer(points, colors, Clock(self.device))
        if answer is None or answer.voxels.candidates is None:
            return None
        part = np.full(len(points), -1)
        part[answer.rows] = answer.voxels.candidates.part[answer.voxel_of_point]
        return replace(answer.voxels.candidates, part=part)

    def _without_autocast(self) -> torch.autocast:
        """Keep the precision of `load`: a mixed-precision training that validates would blur embeddings by bfloat16."""
        return torch.autocast(self.device.type, enabled=False)

    @torch.inference_mode()
    @kernels.torch_on_one_thread()
    def _answer(self, points: np.ndarray, colors: np.ndarray | None, clock: Clock) -> _Answer | None:
        """The answer for the voxels of a cloud; None without usable points."""
        options = self.options  # another thread may replace them while this cloud is segmented
        with clock("voxelize"):
            usable = usable_points(points, options.max_range)
            rows = slice(None) if usable is None else np.flatnonzero(usable)
            cloud = points[rows]
            if not len(cloud):
                return None
            rotation = upright_rotation(cloud) if options.level == "auto" else np.eye(3)
            inputs = self._inputs(
                torch.from_numpy(transform_points(cloud, rotation)).to(self.device),
                None if colors is None else torch.from_numpy(colors[rows]).to(self.device),
                options.max_voxels,
            )
            network, voxels = self.network, inputs.voxels
            check_memory(voxels, len(cloud), network.architecture.width)
        with clock("backbone"), reduced_precision(self.dtype, self.device):
            features = network.backbone(inputs.x).features
        with clock("heads"):
            probability, embedding, things = self._read_heads(features, inputs, options)
        with clock("graph"):
            embedding = network.refine(embedding, voxels, things)
        with clock("cluster"):
            scales = (options.bandwidth, options.bandwidth / 2) if options.merge else (options.bandwidth,)
            cluster, *fine = self._clusters(embedding, things, scales)
        with clock("instances"):
            evidence = Evidence(voxels, probability, embedding, cluster, fine[0] if fine else None, features)
            answer = find_instances(evidence, self.labels, options, network.object_head, self.card.calibration)
        thinned = int(voxels.counts.sum()) < len(cloud)
        return _Answer(rows, rotation, voxels.voxel_of_point.cpu().numpy(), answer, thinned)

    def _inputs(self, points: torch.Tensor, colors: torch.Tensor | None, max_voxels: int) -> NetworkInput:
        """Voxels of the model's size, thinned to at most `max_voxels`; 0: not thinned."""
        names = self.network.architecture.inputs
        inputs = NetworkInput.of_points(points, colors, self.voxel_size, names, engine=self.engine)
        return replace(inputs, voxels=thin(inputs.voxels, max_voxels)) if max_voxels else inputs


@dataclass
class _Answer:
    """The answer for the voxels of a cloud, with the voxel of each point.

    rows: indices of the usable points, or a slice of all points; rotation (3, 3): levels the cloud; voxel_of_point:
    voxel of each usable point; thinned: whether voxels were left out, so that some points are not counted in any.
    """

    rows: np.ndarray | slice
    rotation: np.ndarray
    voxel_of_point: np.ndarray
    voxels: VoxelAnswer
    thinned: bool


def check_object_inputs(card: ModelCard) -> None:
    """Raise InputError if the object head was trained with an input that `description.INPUTS` does not have."""
    architecture = card.architecture
    computed = dict(input_widths(architecture.classes, architecture.width))
    for name, width in architecture.object_inputs:
        if computed.get(name) != width:
            now = f"'{name}' of width {computed[name]}" if name in computed else f"no input '{name}'"
            raise InputError(
                f"the model's object head was trained with the input '{name}' of width {width}, but this version"
                f" computes {now}; train the object head again (`train`, `object_scenes`)"
            )


def check_cloud(points: ArrayLike, colors: ArrayLike | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Convert points to (N, 3) float32 and check colours (N, 3) uint8. Raises InputError on a wrong shape or type."""
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind not in "fiu":
        raise InputError(f"points have shape {points.shape} and type {points.dtype}; expected (N, 3) floats in metres")
    if colors is not None:
        colors = np.asarray(colors)
        if colors.shape != points.shape or colors.dtype != np.uint8:
            raise InputError(
                f"colors have shape {colors.shape} and type {colors.dtype}; expected {points.shape} uint8, or None"
            )
    return np.ascontiguousarray(points, dtype=np.float32), colors


def pick_device(device: str) -> torch.device:
    """The device with this name; "auto": CUDA if available, else the CPU. Raises InputError if it is not available."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise InputError(f"device '{device}' is unknown; one of: auto, cpu, cuda, cuda:N") from None
    if chosen.type == "cuda" and (not torch.cuda.is_available() or (chosen.index or 0) >= torch.cuda.device_count()):
        raise InputError(
            f"device '{device}' is not available ({torch.cuda.device_count()} CUDA devices); use cpu or auto"
        )
    if chosen.type not in ("cpu", "cuda"):
        raise InputError(f"device '{device}' is not supported; one of: auto, cpu, cuda, cuda:N")
    return chosen


def pick_engine(engine: str, device: torch.device) -> str:
    """The engine with this name; "auto": spconv on CUDA if it is installed, else torch.

    Raises InputError if the engine is not installed, and for spconv on a CPU with several threads, where it computes
    wrong numbers.
    """
    from importlib.util import find_spec

    if engine == "auto":
        return "spconv" if device.type == "cuda" and find_spec("spconv") else "torch"
    if engine not in ("torch", "spconv"):
        raise InputError(f"engine '{engine}' is unknown; one of: auto, torch, spconv")
    if engine == "spconv" and not find_spec("spconv"):
        raise InputError("engine 'spconv' is not installed; install spconv for your CUDA version or use torch")
    if engine == "spconv" and device.type == "cpu" and torch.get_num_threads() > 1:
        raise InputError("engine 'spconv' gives wrong numbers on a CPU with several threads; use engine torch")
    return engine


def on_device(device: torch.device) -> AbstractContextManager:
    """Context in which `cuda:1` is the current device, because spconv uses the stream of the current device."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


class Clock:
    """Measures milliseconds per stage. On CUDA a stage ends with a synchronisation, to include all its work."""

    def __init__(self, device: torch.device):
        self.device = device
        self.start = perf_counter()
        self.stages = dict.fromkeys(("voxelize", "backbone", "heads", "graph", "cluster", "instances"), 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.stages[stage] += 1000 * (perf_counter() - start)

    def done(self) -> dict[str, float]:
        return {**self.stages, "total": 1000 * (perf_counter() - self.start)}
