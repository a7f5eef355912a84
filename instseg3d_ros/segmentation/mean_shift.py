"""Mean shift with a flat kernel, which clusters embeddings as scikit-learn's bin-seeded `MeanShift` does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.mean_shift_torch import mean_shift_torch
from instseg3d_ros.sparse.native import kernels

MAX_DIMENSIONS = 32  # of the native kernel
MEET = 1 / 32  # width of the cells in which seeds meet, in bandwidths


def mean_shift(embeddings: Tensor, bandwidth: float = 1.0) -> tuple[Tensor, Tensor]:
    """Cluster embeddings (M, D) as `MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(embeddings)` does.

    A seed starts in every occupied bin of size `bandwidth`. It moves to the mean of all points within a bandwidth,
    until it moves by no more than 1e-3 bandwidths (or 300 times). If two modes are within a bandwidth of each other,
    the mode with more points is kept (Comaniciu and Meer 2002, with the flat kernel). Each point belongs to the nearest
    mode.

    Returns labels (M,) int64 and centers (C, D) with the dtype and device of the embeddings; centers with most points
    come first. Sums over balls are exact, in float64, and use a tree of boxes, so that the cost grows with the number
    of seeds and of points near the spheres, and little with M. The same input gives the same bits with any number of
    threads. It differs from scikit-learn in one case: if no point lies within a bandwidth of any bin's centre (many
    dimensions), scikit-learn raises an error, and this function starts at a point of each bin.

    Raises InputError for a wrong shape, a bandwidth ≤ 0, NaN or infinity.
    """
    return _scales(embeddings, [bandwidth], 0.0)[0]


def mean_shift_scales(embeddings: Tensor, bandwidths: Sequence[float]) -> list[Tensor]:
    """Labels (M,) int64 of embeddings (M, D) for each bandwidth; each is a half, a quarter … of the first bandwidth.

    It is a faster approximation of `mean_shift` for the frames of a camera. All bandwidths share a tree, and seeds that
    meet are merged: a seed ends when it enters a cell, a 32nd of the bandwidth wide, in which another seed has been.
    Each cell is visited once, so that the number of ball queries is at most the number of cells. A mode that only one
    of two meeting seeds would have reached can be lost.
    """
    return [labels for labels, _ in _scales(embeddings, bandwidths, MEET)]


def _scales(embeddings: Tensor, bandwidths: Sequence[float], meet: float) -> list[tuple[Tensor, Tensor]]:
    if embeddings.ndim != 2 or not embeddings.is_floating_point() or embeddings.shape[1] == 0:
        raise InputError(
            f"embeddings have shape {tuple(embeddings.shape)} and type {embeddings.dtype}; expected (M, D) floats"
        )
    for bandwidth in bandwidths:
        if not 0 < bandwidth < float("inf"):
            raise InputError(f"bandwidth is {bandwidth}; expected a length above 0, in the embeddings' units")
    embeddings = embeddings.detach()
    if embeddings.dtype != torch.float64:
        embeddings = embeddings.float()
    if not len(embeddings):
        return [(torch.zeros(0, dtype=torch.int64, device=embeddings.device), embeddings) for _ in bandwidths]
    if not bool(embeddings.isfinite().all()):
        bad = int((~embeddings.isfinite()).any(dim=1).sum())
        raise InputError(f"{bad} of {len(embeddings)} embeddings hold NaN or infinity; check the weights and the input")
    if embeddings.shape[1] > MAX_DIMENSIONS or not kernels.serves("mean_shift", embeddings):
        return [mean_shift_torch(embeddings, bandwidth, meet) for bandwidth in bandwidths]
    return _native(embeddings.contiguous(), np.array(bandwidths, np.float64), meet)


def _native(embeddings: Tensor, bandwidths: np.ndarray, meet: float) -> list[tuple[Tensor, Tensor]]:
    scales = len(bandwidths)
    labels = torch.empty((scales, len(embeddings)), dtype=torch.int64)
    # The array has room for a center per point; memory that is not written is not allocated by the system.
    centers = torch.empty((scales, *embeddings.shape), dtype=torch.float64)
    counts = np.zeros(scales, np.int64)
    inputs = embeddings, *embeddings.shape, bandwidths, scales, meet
    kernels.call("mean_shift", f"mean_shift_{kernels.SUFFIX[embeddings.dtype]}", *inputs, labels, centers, counts)
    return [(labels[s], centers[s, :count].to(embeddings.dtype)) for s, count in enumerate(counts.tolist())]
