"""Check 3: time of each stage, transfers between host and card, memory, and a comparison with spconv's modules."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from instseg3d_ros.benchmarking import spconv_network
from instseg3d_ros.benchmarking.backbones import fresh
from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.race import Times, race
from instseg3d_ros.gpu_check import networks
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.gpu_check.finding import Finding
from instseg3d_ros.network.backbone import BACKBONES, Backbone
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.sparse import SparseTensor

CHECK = "fast"
MARKS = {"unet": 10.0, "resnet": 20.0}  # largest milliseconds for a frame of 300,000 points on an H100 or H200
RATIO = 3.0  # largest ratio of the backbone's time with engine torch to its time with engine spconv
AGREEMENT = 0.02  # largest relative difference of features between this package and spconv's modules in fp16

# Beginnings of the names of profiler events in which data are transferred or the host waits.
CROSSINGS = {
    "copies to the card": ("Memcpy HtoD",),
    "copies to the host": ("Memcpy DtoH",),
    "waits of the host": ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize"),
    "kernel launches": ("cudaLaunchKernel", "cuLaunchKernel"),
}
# Operations of torch whose result the host must read from the card; they are also counted in the rehearsal.
WAITING = (
    "aten::_local_scalar_dense",
    "aten::nonzero",
    "aten::_unique2",
    "aten::unique_dim",
    "aten::unique_consecutive",
)


def findings(card: Card, frames: Sequence[Frame]) -> Iterator[Finding]:
    """For each backbone measure stages, transfers and peak memory of the segmenter, and the backbone per engine."""
    frames = [frame.of_size(card.sizes.points) for frame in frames]
    for kind in BACKBONES:
        network, model_card, trained = networks.load(kind, frames[0], card.sizes.width)
        name = kind if trained else f"{kind} untrained"
        with card.computing():
            segmenter = Segmenter(network, model_card, str(card.device), card.engines[-1])
            segmenter.dtype = torch.float16
            yield from _stages(card, segmenter, frames, kind, name)
            yield from _crossings(card, segmenter, frames, name)
        yield from _backbones(card, network, frames[0], kind)


def _stages(card: Card, segmenter: Segmenter, frames: Sequence[Frame], kind: str, name: str) -> Iterator[Finding]:
    sizes = card.sizes
    for frame in islice(cycle(frames), max(sizes.warm_up, len(frames))):
        segmenter(frame.points, frame.colors)
    if card.on_cuda:
        torch.cuda.reset_peak_memory_stats(card.device)
    timings = [segmenter(frame.points, frame.colors).timings for frame in islice(cycle(frames), sizes.timed)]
    for stage in timings[0]:
        times = [timing[stage] for timing in timings]
        limit = MARKS[kind] if stage == "total" and card.marked else None
        median, worst = float(np.median(times)), float(np.quantile(times, 0.99))
        what = f"{name}, fp16: {stage}, median of {len(times)} frames"
        yield Finding(CHECK, what, median, "ms", limit, worst=worst)
    if card.on_cuda:
        peak = torch.cuda.max_memory_allocated(card.device) / 2**20
        yield Finding(CHECK, f"{name}, fp16: peak memory on the card", peak, "MiB")


def _crossings(card: Card, segmenter: Segmenter, frames: Sequence[Frame], name: str) -> Iterator[Finding]:
    """Counts of transfers per frame. A card needs at least one copy each way; fewer mean that the profiler failed."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if card.on_cuda else [])]
    with profile(activities=activities) as profiler:
        for frame in islice(cycle(frames), card.sizes.profiled):
            segmenter(frame.points, frame.colors)
        card.synchronize()
    # The raw events are counted, because torch's averages build a tree of all operations, which takes a minute.
    events = Counter(event.name() for event in profiler.profiler.kineto_results.events())
    counts = count(events, card.on_cuda)
    for what, number in counts.items():
        limit = 1.0 if what.startswith(("copies", "operations")) else None
        yield Finding(CHECK, f"{name}: {what}, a frame", number / card.sizes.profiled, "", limit, at_least=True)


def count(events: Mapping[str, int], on_cuda: bool) -> dict[str, int]:
    """Number of occurrences of each entry of `CROSSINGS`, and of operations that wait, from the profiler's counts."""
    kinds = {"operations that wait for a number": WAITING, **(CROSSINGS if on_cuda else {})}
    return {
        what: sum(number for name, number in events.items() if name.startswith(beginnings))
        for what, beginnings in kinds.items()
    }


def _backbones(card: Card, network: Network, frame: Frame, kind: str) -> Iterator[Finding]:
    """Time a backbone in fp16, including kernel maps, with each engine and with spconv's modules, which take turns."""
    contestants: dict[str, Callable[[], object]] = {}
    backbone = copy.deepcopy(network.backbone).to(card.device)
    with card.computing():
        for engine in card.engines:
            x = networks.inputs(frame, network.architecture, card.device, engine)
            contestants[f"engine {engine}"] = _forward(card, backbone, x)
        if "spconv" in card.engines:
            own = spconv_network.forward(backbone, x.grid.coords, x.features, dtype=torch.float16)
            with torch.inference_mode(), card.autocast(torch.float16):
                ours = backbone(x).features.float()
            error = float((own().float() - ours).norm() / ours.norm())
            yield Finding(CHECK, f"{kind}: spconv's own modules, difference", error, "of the norm", AGREEMENT)
            contestants["spconv's own modules"] = _synchronized(card, own)
        times = race(contestants, card.sizes.rounds)
    for name, taken in times.items():
        yield Finding(CHECK, f"{kind} backbone, fp16, {name}", taken.median, "ms")
    yield from ratios(kind, times)


def ratios(kind: str, times: dict[str, Times]) -> Iterator[Finding]:
    """Ratios of the times of the engines to each other and to spconv's modules, if spconv was measured."""
    if "engine spconv" in times:
        ratio = times["engine spconv"].ratio_of(times["engine torch"])
        yield Finding(CHECK, f"{kind} backbone: engine torch over engine spconv", ratio, "×", RATIO)
        ratio = times["spconv's own modules"].ratio_of(times["engine spconv"])
        yield Finding(CHECK, f"{kind} backbone: engine spconv over spconv's own modules", ratio, "×")


def _forward(card: Card, backbone: Backbone, x: SparseTensor) -> Callable[[], object]:
    @torch.inference_mode()
    def run() -> object:
        with card.autocast(torch.float16):
            return backbone(SparseTensor(x.features, fresh(x.grid))).features

    return _synchronized(card, run)


def _synchronized(card: Card, run: Callable[[], object]) -> Callable[[], object]:
    def measured() -> None:
        run()
        card.synchronize()

    return measured
