"""Measures mean shift beside that of scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from instseg3d_ros.benchmarking.race import Row, Times, race
from instseg3d_ros.segmentation.mean_shift import mean_shift

MARK = 50.0


def rows(rounds: int, count: int = 75_000, dimensions: int = 4, clusters: int = 20) -> Iterator[Row]:
    from sklearn.cluster import MeanShift

    rng = np.random.default_rng(0)
    centers = rng.uniform(-4, 4, (clusters, dimensions))
    embeddings = (centers[rng.integers(clusters, size=count)] + rng.normal(0, 0.12, (count, dimensions))).astype("f4")
    tensor = torch.from_numpy(embeddings)
    found = {}

    def ours() -> None:
        found["ours"] = len(mean_shift(tensor, 1.0)[1])

    precise = embeddings.astype(np.float64)  # sums in float32 would move its clusters

    def theirs() -> None:
        found["theirs"] = len(MeanShift(bandwidth=1.0, bin_seeding=True).fit(precise).cluster_centers_)

    times: dict[str, Times] = race({"ours": ours, "theirs": theirs}, max(3, rounds // 3))
    if found["ours"] != found["theirs"]:
        raise RuntimeError(f"mean shift found {found['ours']} clusters, scikit-learn {found['theirs']}")
    what = f"mean shift, {dimensions} dimensions, {found['ours']} clusters"
    ratio = times["ours"].ratio_of(times["theirs"])
    yield Row("clustering", what, count, times["ours"], "scikit-learn", times["theirs"], ratio, MARK)
