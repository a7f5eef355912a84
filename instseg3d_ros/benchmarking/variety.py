"""Measures the segmenter on frames of several kinds, and the slowest of many rooms."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.benchmarking.race import Row, Times, race
from instseg3d_ros.benchmarking.segmenter import REST, model_file
from instseg3d_ros.segmentation.options import FRAME_VOXELS

if TYPE_CHECKING:
    from instseg3d_ros.segmentation.segmenter import Segmenter

GROUP = "frames"
WORST, CLUSTERING = 2.0, 50.0


def rows(frames: list[Frame], rooms: list[Frame], rounds: int, model: str) -> Iterator[Row]:
    """Total time of each frame and time without the backbone; the slowest room; exact clustering of an embedding.

    The frames take turns within a round. All are segmented with the limit of voxels that the node has by default.
    """
    from instseg3d_ros import Segmenter

    with tempfile.TemporaryDirectory() as folder:
        segmenter = Segmenter.load(str(model_file(model, Path(folder))[0]), device="cpu", precision="fp32")
    segmenter.configure(max_voxels=FRAME_VOXELS)
    found: dict[str, list[dict[str, float]]] = {frame.name: [] for frame in frames}

    def run(frame: Frame) -> Callable[[], None]:
        return lambda: found[frame.name].append(segmenter(frame.points, frame.colors).timings)

    race({frame.name: run(frame) for frame in frames}, rounds)
    for frame in frames:
        timings = found[frame.name][1:]  # without the first run, which warmed up
        total, backbone = (Times(tuple(one[stage] for one in timings)) for stage in ("total", "backbone"))
        rest = Times(tuple(one["total"] - one["backbone"] for one in timings))
        yield Row(GROUP, f"{frame.name}: total", len(frame.points), total)
        yield Row(
            GROUP, f"{frame.name}: all but the backbone", len(frame.points), rest, "its backbone", backbone,
            backbone.ratio_of(rest), REST, at_most=True, unit="× as long",
        )  # fmt: skip
    if len(rooms) > 1:
        yield from _slowest(rooms, segmenter)
    yield _clustering(frames[0], segmenter)


def _slowest(rooms: list[Frame], segmenter: Segmenter) -> Iterator[Row]:
    """The slowest room beside the median room, and the slowest backbone beside the median backbone."""
    runs = [[segmenter(room.points, room.colors).timings for _ in range(2)] for room in rooms]
    timings = [min(pair, key=lambda one: one["total"]) for pair in runs]
    slowest = int(np.argmax([one["total"] for one in timings]))
    for stage, what, mark in (("total", "", WORST), ("backbone", ": its backbone", None)):
        median, ours = float(np.median([one[stage] for one in timings])), timings[slowest][stage]
        yield Row(
            GROUP, f"slowest of {len(rooms)} rooms{what}", len(rooms[slowest].points), Times((ours,)),
            "median room", Times((median,)), ours / median, mark, at_most=True, unit="× as long",
        )  # fmt: skip


def _clustering(frame: Frame, segmenter: Segmenter) -> Row:
    """Exact mean shift of the embedding of a frame, beside scikit-learn, which is slow and runs only once."""
    from sklearn.cluster import MeanShift

    from instseg3d_ros.segmentation.mean_shift import mean_shift

    embedding, bandwidth = embedding_of(frame, segmenter), segmenter.options.bandwidth
    times = race({"ours": lambda: mean_shift(embedding, bandwidth)}, 3)["ours"]
    precise = embedding.double().numpy()  # sums in float32 would move its clusters
    start = time.perf_counter()
    peer = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(precise)
    theirs = Times((1000 * (time.perf_counter() - start),))
    count, expected = len(mean_shift(embedding, bandwidth)[1]), len(peer.cluster_centers_)
    # Two modes about a bandwidth apart are one cluster or two by the last digits; a larger difference is an error.
    if abs(count - expected) > 1 + 0.02 * expected:
        raise RuntimeError(f"mean shift gives {count} clusters, scikit-learn {expected}")
    other = "" if count == expected else f" (scikit-learn: {expected})"
    what = f"exact mean shift of the embedding, {count} clusters{other}"
    ratio = theirs.median / times.median
    return Row(GROUP, what, len(embedding), times, "scikit-learn", theirs, ratio, CLUSTERING)


@torch.inference_mode()
def embedding_of(frame: Frame, segmenter: Segmenter) -> torch.Tensor:
    """(M, D) embeddings of the voxels of a frame that the segmenter clusters."""
    from instseg3d_ros.network.inputs import NetworkInput

    points, colors = frame.tensors()
    network, options = segmenter.network, segmenter.options
    inputs = NetworkInput.of_points(points, colors, segmenter.voxel_size, network.architecture.inputs)
    features = network.backbone(inputs.x).features
    things = segmenter.likely_things(network.semantic_head(features).softmax(1), options.min_thing).nonzero().squeeze(1)
    embedding = network.refine(network.embed(features, inputs), inputs.voxels, things)
    return embedding[things].clone()
