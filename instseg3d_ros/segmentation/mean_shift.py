"""Mean shift with a flat kernel: embeddings to clusters, equal to scikit-learn's bin-seeded `MeanShift`."""

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

    A seed starts at every occupied bin of size `bandwidth`, moves to the mean of all points within one bandwidth until
    it shifts by no more than 1e-3 bandwidths (or 300 times), and of modes within one bandwidth of each other the one
    with more points stays (Comaniciu and Meer 2002, with the flat kernel). Every point goes to the nearest mode.

    Returns labels (M,) int64 and centers (C, D) of the embeddings' dtype, best-supported first, on their device.
    Sums are exact ball queries in float64, found through a tree of boxes, so cost grows with the number of seeds and of
    points near the spheres, hardly with M. The same input gives the same bits, whatever the number of threads.
    One departure: where no point lies within reach of any bin's centre (many dimensions), scikit-learn raises and
    this starts at one point of each bin. Raises InputError for a wrong shape, a bandwidth ≤ 0, NaN or infinity.
    """
    return _scales(embeddings, [bandwidth], 0.0)[0]


def mean_shift_scales(embeddings: Tensor, bandwidths: Sequence[float]) -> list[Tensor]:
    """Labels (M,) int64 of embeddings (M, D) for each bandwidth, each of them a half, a quarter … of the first.

    As `mean_shift`, in a fraction of the time, for the frames of a camera: all bandwidths share one tree, and seeds
    that meet go on as one. A seed that comes to a cell of a 32nd of the bandwidth where another has been before
    ends there. No cell is walked through twice, so the number of ball queries is bounded by that of the cells, however
    broad the embedding is. A mode that only one of two meeting seeds would have found can be lost.
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
    # Room for as many centers as there are points; what is not written costs no memory.
    centers = torch.empty((scales, *embeddings.shape), dtype=torch.float64)
    counts = np.zeros(scales, np.int64)
    inputs = embeddings, *embeddings.shape, bandwidths, scales, meet
    kernels.call("mean_shift", f"mean_shift_{kernels.SUFFIX[embeddings.dtype]}", *inputs, labels, centers, counts)
    return [(labels[s], centers[s, :count].to(embeddings.dtype)) for s, count in enumerate(counts.tolist())]
