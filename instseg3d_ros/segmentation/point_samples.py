"""Samples voxels of each proposal and of its surroundings, for an object head that takes points.

Sums over the voxels of a sofa and of a bed are similar. The positions of the voxels distinguish the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.network.object_head import AROUND, OWN
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.result import Box

MARGIN = 0.3  # metres around the box of a proposal in which its surroundings lie
SEEN = 4000  # voxels of a cloud, spread evenly, from which surroundings are drawn
CHUNK = 128  # proposals that are processed at a time, to limit memory


@dataclass(frozen=True)
class PointSamples:
    """Samples of the voxels of G proposals in a cloud of V voxels. Lengths are in metres.

    rows (G, `OWN` + `AROUND`): first `OWN` voxels of the proposal, evenly spread and repeated if it has fewer, then
    `AROUND` voxels around it. surrounded (G,) bool: whether voxels are around the proposal; if not, its own voxels are
    used in their place. center (G, 3) and axes (G, 3, 3) of its box; positions (V, 3), colors (V, 3) from −1 to 1 and
    features (V, F) of the voxels; floor: height of the floor.
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
        """Inputs (k, `OWN` + `AROUND`, 7 + F) float32 of some proposals.

        Columns: position along the axes of the box, from its middle; height above the floor; colour; features.
        """
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
    """Draw the samples of the proposals `which` (G,) with their boxes.

    part (V,): part of each voxel, −1 for none; positions (V, 3), colors (V, 3) from 0 to 255 or None, and features
    (V, F) of the voxels; floor: height of the floor.
    """
    center = np.array([box.center for box in boxes], np.float32).reshape(-1, 3)
    axes = np.array([box.rotation for box in boxes], np.float32).reshape(-1, 3, 3)
    half = np.array([box.size for box in boxes], np.float32).reshape(-1, 3) / 2 + MARGIN
    seen = np.linspace(0, len(positions) - 1, min(SEEN, len(positions))).astype(np.int64)
    place = np.append(np.empty(len(proposals.sequence), np.int64), -1)
    place[proposals.sequence] = np.arange(len(proposals.sequence))
    at = place[part[seen]]  # index of the voxel's part in `sequence`; −1: no part
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
    """(G, count): evenly spread elements of each group values[begin[g] : begin[g + 1]], which must not be empty."""
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
