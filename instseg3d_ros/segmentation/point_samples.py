"""Some voxels of each proposal and of what surrounds it, for an object head that sees points.

A sum over a sofa's voxels is much like one over a bed's. Where they lie tells the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.network.object_head import AROUND, OWN
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.result import Box

MARGIN = 0.3  # metres around the box of a proposal in which its surroundings lie
SEEN = 4000  # voxels of a cloud, spread evenly, from which surroundings are drawn
CHUNK = 128  # proposals at a time: memory does not grow with their number


@dataclass(frozen=True)
class PointSamples:
    """Of G proposals in a cloud of V voxels, numbers of voxels and what is known of these.

    rows (G, `OWN` + `AROUND`): first voxels that belong to the proposal, spread evenly over it and repeated where it
    has fewer, then voxels around it. surrounded (G,) bool: false where nothing is around it; its own voxels stand in.
    center (G, 3) and axes (G, 3, 3) of its box; positions (V, 3), colors (V, 3) from −1 to 1, features (V, F); floor:
    height of the floor. Lengths are in metres.
    """

    rows: np.ndarray
    surrounded: np.ndarray
    center: np.ndarray
    axes: np.ndarray
    positions: np.ndarray
    colors: np.ndarray
    features: np.ndarray
    floor: float

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self, which: slice | np.ndarray = slice(None)) -> np.ndarray:
        """(k, `OWN` + `AROUND`, 7 + F) float32 of some proposals: position along the axes of the box, counted from its
        middle, height above the floor, colour, features of the backbone."""
        rows = self.rows[which]
        position = self.positions[rows]
        local = np.einsum("kpi,kij->kpj", position - self.center[which][:, None], self.axes[which])
        height = position[..., 2:] - self.floor
        columns = (local, height, self.colors[rows], self.features[rows])
        return np.concatenate(columns, axis=-1).astype(np.float32)


def sample(
    proposals: Proposals,
    part: np.ndarray,
    which: np.ndarray,
    boxes: list[Box],
    positions: np.ndarray,
    colors: np.ndarray | None,
    features: np.ndarray,
    floor: float,
) -> PointSamples:
    """part (V,) of each voxel, −1 for none; which (G,) of the proposals, and their boxes; positions (V, 3), colors
    (V, 3) from 0 to 255 or None, features (V, F) of the voxels; floor: height of the floor."""
    center = np.array([box.center for box in boxes], np.float32).reshape(-1, 3)
    axes = np.array([box.rotation for box in boxes], np.float32).reshape(-1, 3, 3)
    half = np.array([box.size for box in boxes], np.float32).reshape(-1, 3) / 2 + MARGIN
    seen = np.linspace(0, len(positions) - 1, min(SEEN, len(positions))).astype(np.int64)
    place = np.append(np.empty(len(proposals.sequence), np.int64), -1)
    place[proposals.sequence] = np.arange(len(proposals.sequence))
    at = place[part[seen]]  # of the voxels' parts in `sequence`; −1 where in none
    rows, surrounded = np.empty((len(which), OWN + AROUND), np.int32), np.zeros(len(which), bool)
    for some, order, begin in proposals.batches(part, which):
        rows[some, :OWN] = _spread(order, begin, OWN)
    rows[:, OWN:] = rows[:, :AROUND]
    for some in (np.arange(first, min(first + CHUNK, len(which))) for first in range(0, len(which), CHUNK)):
        near = _near(positions[seen], center[some], axes[some], half[some])
        own = (at >= proposals.first[which[some], None]) & (at < proposals.last[which[some], None])
        near &= ~own
        count = near.sum(axis=1)
        surrounded[some] = count > 0
        rows[some[count > 0], OWN:] = _spread(seen[near.nonzero()[1]], np.cumsum([0, *count[count > 0]]), AROUND)
    colors = np.zeros_like(positions) if colors is None else colors / np.float32(127.5) - 1
    return PointSamples(rows, surrounded, center, axes, positions, colors, features, floor)


def _spread(values: np.ndarray, begin: np.ndarray, count: int) -> np.ndarray:
    """(G, count) of values[begin[g] : begin[g + 1]], at least one each, spread evenly in their order."""
    number = np.diff(begin)[:, None]
    return values[begin[:-1, None] + np.arange(count) * number // count]


def _near(positions: np.ndarray, center: np.ndarray, axes: np.ndarray, half: np.ndarray) -> np.ndarray:
    """(G, S) bool: whether a position (S, 3) lies within `half` (G, 3) of a center along its axes (G, 3, 3)."""
    inside = np.ones((len(center), len(positions)), bool)
    for axis in range(3):
        along = axes[:, :, axis]
        offset = np.einsum("gi,gi->g", center, along)[:, None]
        inside &= np.abs(along @ positions.T - offset) <= half[:, axis : axis + 1]
    return inside
