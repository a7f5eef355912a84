"""Clouds for `segment`, and a stand-in for its network."""

from types import SimpleNamespace

import numpy as np

from instseg3d_ros.data.clouds import Cloud
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.segmentation.result import Box, Instance, Result


class Halves:
    """Stands in for the network: what lies left (y > 0) is a chair, what lies right a table, in body axes."""

    labels = SYNTHETIC

    def __init__(self, calls):
        self.calls, self.options, self.voxel_size = calls, SimpleNamespace(max_range=10.0), 0.02
        self.set = {}

    def configure(self, **options):
        self.set.update(options)

    def __call__(self, points, colors):
        self.calls.append((points, dict(self.set)))
        finite = np.isfinite(points).all(axis=1)
        left, right = finite & (points[:, 1] > 0), finite & (points[:, 1] <= 0)
        semantic = np.select([left, right], [SYNTHETIC.index("chair"), SYNTHETIC.index("table")], -1)
        found = []
        for one, mask, label in ((1, left, "chair"), (2, right, "table")):
            if mask.any():
                box = Box(points[mask].mean(axis=0), np.ptp(points[mask], axis=0), np.eye(3))
                found.append(Instance(one, label, 0.8, int(mask.sum()), box))
        instance = np.select([left, right], [1, 2], 0).astype(np.int32)
        return Result(semantic.astype(np.int16), instance, finite.astype(np.float32), found, {"total": 1.0})


def cloud(count=400, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (count, 3)).astype(np.float32)
    return Cloud(points, rng.integers(0, 256, (count, 3), np.uint8))


def nothing():
    return Cloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8))
