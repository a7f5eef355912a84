"""The steps `cut`, `merge` and `propose`: from clusters to fragments, parts and proposals."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.segmentation.cluster_shares import ClusterShares
from instseg3d_ros.segmentation.connected import SPARSE, split_by_density
from instseg3d_ros.segmentation.contacts import Contacts, touching
from instseg3d_ros.segmentation.merging import merge_alike
from instseg3d_ros.segmentation.occlusion import join_occluded
from instseg3d_ros.segmentation.proposals import Proposals, merge_proposals
from instseg3d_ros.segmentation.state import State
from instseg3d_ros.segmentation.votes import Votes


def cut(state: State) -> None:
    """Cut the clusters into fragments whose voxels are at most `gap` apart (`split_by_density`)."""
    evidence = state.evidence
    clusters = evidence.cluster if evidence.fine is None else evidence.fine
    _cut(state, clusters.cpu().numpy())


def merge(state: State) -> None:
    """Merge fragments into parts: similar fragments that touch, then fragments that an occluder separates.

    Fragments are similar if they differ by no more than the lower end of the merge range (`merge_alike`).
    `join_occluded` assumes that the camera is at the origin and looks along +x.
    """
    evidence = state.evidence
    grid, cluster = evidence.voxels.grid, evidence.cluster.cpu().numpy()
    rows = np.flatnonzero(state.part >= 0)
    if evidence.fine is not None:
        pairs, _ = touching(state.part, grid)
        target = merge_alike(state.votes, np.bincount(state.part[rows]), pairs, state.merge_range[0])
        _cut(state, np.append(target, -1)[state.part])  # a part of touching fragments may still have gaps
    num = len(state.votes.points)
    state.shares = ClusterShares.count(state.part[rows], cluster[rows], state.counts[rows], num)
    if state.options.gap:
        coords = grid.coords[:, 1:].cpu().numpy()
        target = join_occluded(state.part, state.shares.home(), state.votes.mean, coords)
        _unite(state, np.unique(target, return_inverse=True)[1])


def propose(state: State) -> None:
    """List the proposals: each part, and with an object head the unions within the merge range.

    Fragments are always merged up to the lower end of the range. Each further step of merging up to the upper end
    gives one more proposal.
    """
    num, (low, high) = len(state.votes.points), state.merge_range
    state.proposals = Proposals.of_parts(num)
    if state.object_head is not None:
        voxels = np.bincount(state.part[state.part >= 0], minlength=num)
        sparse = state.votes.points < SPARSE * voxels
        state.contacts = Contacts.find(state.part, state.semantic, state.evidence.voxels.grid, sparse)
        if high > low:
            pairs, min_points = state.contacts.between_parts, state.options.min_points
            target, state.proposals = merge_proposals(state.votes, voxels, pairs, low, high, min_points)
            _unite(state, target)
            state.contacts = state.contacts.united(target)
    points = state.proposals.sums(state.votes.points)
    state.large = np.flatnonzero(points >= state.options.min_points)


def _cut(state: State, labels: np.ndarray) -> None:
    """Make each connected component of equal labels (V,) a part; −1: no part."""
    evidence = state.evidence
    state.part = split_by_density(labels, evidence.voxels.grid, state.counts, state.options.gap)
    state.votes = Votes.count(evidence.probability, evidence.embedding, state.part, state.counts)


def _unite(state: State, target: np.ndarray) -> None:
    """Renumber the parts: part k becomes part target[k] (K,)."""
    state.part = np.append(target, -1)[state.part]
    state.votes, state.shares = state.votes.merged(target), state.shares.united(target)
