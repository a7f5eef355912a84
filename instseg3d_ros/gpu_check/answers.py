"""Check 2, second half: compares neighbours, mean shift and whole answers on the card with those on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.gpu_check import networks
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.gpu_check.finding import Finding
from instseg3d_ros.segmentation.mean_shift import mean_shift
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.sparse import k_nearest_neighbors, voxelize

CHECK = "right: answers"
OVERLAP = 0.9  # smallest IoU of two masks of the same object
LABELS, OBJECTS, HALF_LABELS = 99.9, 98.0, 99.5  # percentages that must agree


def findings(card: Card, frames: Sequence[Frame]) -> Iterator[Finding]:
    """Compare single steps on the first frame, then the whole `Segmenter` on all frames, in fp32 and by default."""
    first = frames[0]
    yield Finding(CHECK, "8 nearest neighbours, distances", neighbors_error(card, first), "of the largest", 1e-5)
    yield Finding(CHECK, "mean shift, points in the same cluster", clusters_alike(card), "%", 99.9, True)
    network, model_card, _ = networks.load("unet", first, card.sizes.width)
    expected = [Segmenter(network, model_card, "cpu")(frame.points, frame.colors) for frame in frames]
    for engine in card.engines:
        with card.computing():
            segmenter = Segmenter(network, model_card, str(card.device), engine)
            found = [segmenter(frame.points, frame.colors) for frame in frames]
            segmenter.dtype = torch.float16
            half = [segmenter(frame.points, frame.colors) for frame in frames]
        network.to("cpu")
        for what, results, limit in (("fp32", found, LABELS), ("fp16", half, HALF_LABELS)):
            labels = min(labels_alike(a, b) for a, b in zip(results, expected))
            yield Finding(CHECK, f"{engine}: {what}, points of the same class, worst frame", labels, "%", limit, True)
            objects = objects_alike(results, expected)
            yield Finding(
                CHECK, f"{engine}: {what}, same objects of {sum(len(r.instances) for r in expected)}", objects, "%",
                OBJECTS if what == "fp32" else None, True,
            )  # fmt: skip


def neighbors_error(card: Card, frame: Frame, k: int = 8) -> float:
    """Largest difference between the sorted distances to the k nearest voxels, since equal distances may be swapped."""
    points, _ = frame.tensors()
    here = voxelize(points, None, 0.02)
    expected = _distances(here.positions, k_nearest_neighbors(here.positions, here.grid, 0.02, k))
    with card.computing():
        positions, grid = here.positions.to(card.device), here.grid.to(card.device)
        found = k_nearest_neighbors(positions, grid, 0.02, k).cpu()
    return float((_distances(here.positions, found) - expected).abs().max() / expected.max())


def _distances(positions: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    return (positions[neighbors].double() - positions[:, None].double()).norm(dim=2).sort(dim=1).values


def clusters_alike(card: Card, clusters: int = 12) -> float:
    """Percentage of the points that mean shift puts into the same cluster; clusters are in order of their points."""
    rng = np.random.default_rng(0)
    centers = rng.uniform(-4, 4, (clusters, 4))
    count = min(card.sizes.points, 75_000)
    points = centers[rng.integers(clusters, size=count)] + rng.normal(0, 0.2, (count, 4))
    embeddings = torch.from_numpy(points.astype(np.float32))
    expected = mean_shift(embeddings, 1.0)[0]
    with card.computing():
        found = mean_shift(embeddings.to(card.device), 1.0)[0].cpu()
    return 100 * float((found == expected).double().mean())


def labels_alike(found: Result, expected: Result) -> float:
    """Percentage of the points with the same class."""
    return 100 * float(np.mean(found.semantic == expected.semantic))


def objects_alike(found: Sequence[Result], expected: Sequence[Result]) -> float:
    """Percentage of the objects of both answers that have a partner with the same class and an IoU of at least
    `OVERLAP`.

    Above an IoU of 0.5 partners are unique. NaN if neither answer has an object.
    """
    paired = total = 0
    for a, b in zip(found, expected):
        total += len(a.instances) + len(b.instances)
        width = int(b.instance.max(initial=0)) + 1
        pairs, shared = np.unique(a.instance.astype(np.int64) * width + b.instance, return_counts=True)
        size_a, size_b = np.bincount(a.instance), np.bincount(b.instance)
        label_a, label_b = ({one.id: one.label for one in side.instances} for side in (a, b))
        for pair, points in zip(pairs.tolist(), shared.tolist()):
            i, j = divmod(pair, width)
            if i and j and label_a[i] == label_b[j] and points >= OVERLAP * (size_a[i] + size_b[j] - points):
                paired += 2
    return 100 * paired / total if total else float("nan")
