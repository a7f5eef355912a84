"""From clusters of voxels to objects: cut, merge, vote, score, box, choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network.model import floor_level
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.connected import SPARSE, split_by_density
from instseg3d_ros.segmentation.contacts import Contacts, touching
from instseg3d_ros.segmentation.description import describe, judge, moments
from instseg3d_ros.segmentation.merging import merge_alike
from instseg3d_ros.segmentation.occlusion import join_occluded
from instseg3d_ros.segmentation.proposals import Proposals, propose
from instseg3d_ros.segmentation.result import Instance
from instseg3d_ros.segmentation.surroundings import surroundings
from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse import Voxels

SMALL = 100  # points at which the size alone halves the score


@dataclass
class Candidates:
    """What an object head has seen, overlapping: part (V,) of each voxel, −1 for none; which (G,) of the proposals are
    large enough; descriptions (G, F) float32 of those."""

    part: np.ndarray
    proposals: Proposals
    which: np.ndarray
    descriptions: np.ndarray


@dataclass
class Found:
    """Per voxel: class index (V,) int16, instance id (V,) int32, confidence (V,) float32; and the instances.

    `candidates` is what they were chosen from by an object head; None without one.
    """

    semantic: np.ndarray
    instance: np.ndarray
    confidence: np.ndarray
    instances: list[Instance]
    candidates: Candidates | None = None


def find_instances(
    probability: Tensor,
    cluster: Tensor,
    embedding: Tensor,
    voxels: Voxels,
    labels: LabelSet,
    gap: int = 3,
    min_points: int = 50,
    min_score: float = 0.0,
    calibration: dict | None = None,
    join_hidden: bool = True,
    fine: Tensor | None = None,
    merge: float = 0.0,
    choose: float = 0.0,
    object_head: ObjectHead | None = None,
    features: Tensor | None = None,
) -> Found:
    """probability (V, C), cluster (V,) from 0, −1 for stuff, embedding (V, D), on any device → `Found`.

    Clusters are cut where voxels are more than `gap` apart (`split_by_density`). With `fine` (V,), smaller clusters of
    the same voxels, those are cut instead, and parts that touch are merged while they differ by no more than `merge`
    (`merge_alike`). Parts that an occluder had cut from each other are joined again unless `join_hidden` is off
    (`join_occluded`; the camera is at the origin, looking along +x). Of the objects with at least `min_points` points

    * the class is the thing class with the greatest sum of probability × points;
    * the score is p · √(t · c) · n / (n + SMALL): p the mean probability of that class, t the mean of exp(−s²) with s
      the distance of a member's embedding from the object's mean, c the object's share of the cluster in which most of
      it lies, n its points.
      A sure class on a large tight cluster that hangs together gives nearly 1, a splinter of a cluster little.
      With an `object_head`, class and score are its answer to all that and to the backbone's `features` (V, F)
      (`describe`, `judge`) instead. `calibration` may map the score further (see `calibrate`), and those under
      `min_score` are dropped;
    * the box is the least upright box around the members' positions (`upright_boxes`).

    With a head, and `choose` above 0, parts are only merged up to `merge` − `choose`. Each further step up to
    `merge` + `choose` is a proposal of its own, and of all those the head's choice is taken (`Proposals.choose`).

    Ids count from 1 in descending order of score. Voxels of an object take its class, and its score as confidence; all
    others take their own most probable class and its probability.
    """
    counts = voxels.counts.cpu().numpy()
    choosing = object_head is not None and fine is not None and choose > 0
    low, high = (merge - choose, merge + choose) if choosing else (merge, merge)
    part, votes, shared = _parts(probability, cluster, embedding, voxels, counts, gap, join_hidden, fine, low)
    proposals = Proposals.of_parts(len(votes.points))
    if object_head is not None:
        size = np.bincount(part[part >= 0], minlength=len(votes.points))
        contacts = Contacts.find(part, votes.semantic, voxels.grid, votes.points < SPARSE * size)
    if choosing:
        target, proposals = propose(votes, size, contacts.between_parts, low, high, min_points)
        part, votes, shared = _united(target, part, votes, shared)
        contacts = contacts.united(target)
    points, means, shares, shared = map(proposals.sums, (votes.points, votes.sums, votes.votes, shared))
    means, shares = means / points[:, None], shares / points[:, None]
    large = np.flatnonzero(points >= min_points)
    order, begin = proposals.members(part, large)
    points, share = points[large], shares[large]
    things = np.flatnonzero(labels.things)
    winner = things[share[:, things].argmax(axis=1)]
    tight = votes.tightness(order, begin, means[large])
    home = shared.sum(axis=0)[shared[large].argmax(axis=1)]  # points of the cluster that most of it lies in
    own = points / np.maximum(home, points)  # an object may reach into other clusters
    score = share[np.arange(len(winner)), winner] * np.sqrt(tight * own) * points / (points + SMALL)
    positions = voxels.positions.float().cpu().numpy()
    boxes = upright_boxes(positions, order, begin)
    chosen: np.ndarray = np.arange(len(large))
    candidates = None
    if object_head is not None:
        floor = float(floor_level(voxels.positions[:, 2]))
        around, beside = surroundings(contacts, proposals, large, shares, means)
        measures = np.column_stack((score, tight, own, proposals.measures[large], beside))
        shown = None if features is None else features.cpu().numpy()
        moment = proposals.sums(moments(positions, part, len(votes.points), shown))[large]
        descriptions = describe(points, moment, share, around, measures, boxes, floor)
        candidates = Candidates(part, proposals, large, descriptions)
        winner, score, quality = judge(object_head, descriptions, things)
        every = np.zeros(len(proposals))
        every[large] = quality
        chosen = np.flatnonzero(np.isin(large, proposals.choose(every)))
    score = calibrate(score, calibration).clip(0, 1)
    chosen = chosen[score[chosen] >= min_score]
    chosen = chosen[np.argsort(-score[chosen], kind="stable")]
    ids = np.zeros(len(votes.points) + 1, np.int32)  # of each part, 0 = dropped; the last is for part −1
    found = []
    for number, k in enumerate(chosen, 1):
        ids[proposals.sequence[proposals.first[large[k]] : proposals.last[large[k]]]] = number
        found.append(Instance(number, labels[winner[k]].name, float(score[k]), int(points[k]), boxes[k]))
    instance = ids[part]
    inside = np.flatnonzero(instance)
    semantic, confidence = votes.semantic, votes.confidence
    semantic[inside] = winner[chosen][instance[inside] - 1]
    confidence[inside] = score[chosen][instance[inside] - 1]
    return Found(semantic, instance, confidence, found, candidates)


def _parts(
    probability: Tensor,
    cluster: Tensor,
    embedding: Tensor,
    voxels: Voxels,
    counts: np.ndarray,
    gap: int,
    join_hidden: bool,
    fine: Tensor | None,
    merge: float,
) -> tuple[np.ndarray, Votes, np.ndarray]:
    """(V,) part of each voxel, −1 for none; votes of the K parts; (K, W) points that they have in each cluster."""
    number = cluster.cpu().numpy()
    rows = np.flatnonzero(number >= 0)
    part = split_by_density(number if fine is None else fine.cpu().numpy(), voxels.grid, counts, gap)
    votes = Votes.count(probability, embedding, part, counts)
    if fine is not None:
        pairs, _ = touching(part, voxels.grid)
        part[rows] = merge_alike(votes, np.bincount(part[rows]), pairs, merge)[part[rows]]
        part = split_by_density(part, voxels.grid, counts, gap)  # neighbours in `touching` may be a gap apart
        votes = Votes.count(probability, embedding, part, counts)
    width = int(number.max(initial=0)) + 1
    cells = part[rows] * width + number[rows]
    shared: np.ndarray = np.bincount(cells, counts[rows], minlength=len(votes.points) * width).reshape(-1, width)
    if join_hidden and gap:
        coords, source = voxels.grid.coords[:, 1:].cpu().numpy(), shared.argmax(axis=1)
        target = np.unique(join_occluded(part, source, votes.mean, coords), return_inverse=True)[1]
        part, votes, shared = _united(target, part, votes, shared)
    return part, votes, shared


def _united(
    target: np.ndarray, part: np.ndarray, votes: Votes, shared: np.ndarray
) -> tuple[np.ndarray, Votes, np.ndarray]:
    """The same after part k has become part target[k]."""
    together = np.zeros((int(target.max(initial=-1)) + 1, shared.shape[1]))
    np.add.at(together, target, shared)
    return np.append(target, -1)[part], votes.merged(target), together


def calibrate(score: np.ndarray, table: dict | None) -> np.ndarray:
    """Map raw scores through the model's monotone table {"raw": [...], "calibrated": [...]}; identity without one."""
    return np.interp(score, table["raw"], table["calibrated"]) if table else score
