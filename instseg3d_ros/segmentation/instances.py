"""From clusters of voxels to objects: cut, merge, vote, score, box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network.model import floor_level
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.connected import split_by_density
from instseg3d_ros.segmentation.description import describe, judge
from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.merging import merge_alike, touching_parts
from instseg3d_ros.segmentation.occlusion import join_occluded
from instseg3d_ros.segmentation.result import Instance
from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse import Voxels

SMALL = 100  # points at which the size alone halves the score


@dataclass
class Found:
    """Per voxel: class index (V,) int16, instance id (V,) int32, confidence (V,) float32; and the instances.

    `descriptions` (K, F) float32 is what the object head saw of each instance; None without one.
    """

    semantic: np.ndarray
    instance: np.ndarray
    confidence: np.ndarray
    instances: list[Instance]
    descriptions: np.ndarray | None = None


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
    object_head: ObjectHead | None = None,
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
      With an `object_head`, class and score are its answer to all that (`describe`, `judge`) instead. `calibration`
      may map the score further (see `calibrate`), and those under `min_score` are dropped;
    * the box is the least upright box around the members' positions (`upright_boxes`).

    Ids count from 1 in descending order of score. Voxels of an object take its class, and its score as confidence; all
    others take their own most probable class and its probability.
    """
    counts = voxels.counts.cpu().numpy()
    part, votes, home = _parts(probability, cluster, embedding, voxels, counts, gap, join_hidden, fine, merge)
    things = np.flatnonzero(labels.things)
    winner = things[votes.votes[:, things].argmax(axis=1)]
    sure = votes.votes[np.arange(len(winner)), winner] / votes.points
    share = votes.points / np.maximum(home, votes.points)  # an object may reach into other clusters
    size, tight = votes.points / (votes.points + SMALL), votes.tightness(part)
    score = sure * np.sqrt(tight * share) * size
    large = np.flatnonzero(votes.points >= min_points)
    place = np.full(len(score) + 1, -1)  # of each part among the large; the last is for part −1
    place[large] = np.arange(len(large))
    inside = np.flatnonzero(place[part] >= 0)
    order, begin = group(place[part[inside]], len(large))
    order = inside[order]
    positions = voxels.positions.float().cpu().numpy()
    boxes = upright_boxes(positions, order, begin)
    descriptions = None
    if object_head is not None:
        floor = float(floor_level(voxels.positions[:, 2]))
        measures = np.column_stack((score, tight, share))[large]
        shares = votes.votes[large] / votes.points[large, None]
        descriptions = describe(positions, counts, order, begin, shares, measures, boxes, floor)
        winner[large], score[large] = judge(object_head, descriptions, things)
    score = calibrate(score, calibration).clip(0, 1)
    shown = np.flatnonzero(score[large] >= min_score)
    shown = shown[np.argsort(-score[large[shown]], kind="stable")]
    ids = np.zeros(len(score) + 1, np.int32)  # of each part, 0 = dropped
    ids[large[shown]] = np.arange(1, len(shown) + 1)
    instance = ids[part]
    inside = np.flatnonzero(instance)
    semantic, confidence = votes.semantic, votes.confidence
    semantic[inside] = winner[part[inside]]
    confidence[inside] = score[part[inside]]
    found = [
        Instance(number, labels[winner[k]].name, float(score[k]), int(votes.points[k]), boxes[i])
        for number, (i, k) in enumerate(zip(shown, large[shown]), 1)
    ]
    return Found(semantic, instance, confidence, found, None if descriptions is None else descriptions[shown])


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
    """(V,) part of each voxel, −1 for none; votes of the K parts; (K,) points of the cluster that each is most in."""
    number = cluster.cpu().numpy()
    rows = np.flatnonzero(number >= 0)
    part = split_by_density(number if fine is None else fine.cpu().numpy(), voxels.grid, counts, gap)
    votes = Votes.count(probability, embedding, part, counts)
    if fine is not None:
        pairs = touching_parts(part, voxels.grid)
        part[rows] = merge_alike(votes, np.bincount(part[rows]), pairs, merge)[part[rows]]
        part = split_by_density(part, voxels.grid, counts, gap)  # neighbours in `touching_parts` may be a gap apart
        votes = Votes.count(probability, embedding, part, counts)
    source = _most_shared(part[rows], number[rows], counts[rows], len(votes.points))
    if join_hidden and gap:
        coords = voxels.grid.coords[:, 1:].cpu().numpy()
        whole, target = np.unique(join_occluded(part, source, votes.mean, coords), return_inverse=True)
        part[rows], votes, source = target[part[rows]], votes.merged(target), source[whole]
    return part, votes, np.bincount(number[rows], counts[rows], minlength=1)[source]


def _most_shared(part: np.ndarray, cluster: np.ndarray, points: np.ndarray, num: int) -> np.ndarray:
    """(num,) the cluster that most points of each part are in: part, cluster and points (M,) of voxels."""
    width = int(cluster.max(initial=0)) + 1
    pair, own = np.unique(part * width + cluster, return_inverse=True)
    order = np.argsort(np.bincount(own, points, minlength=len(pair)), kind="stable")
    source = np.zeros(num, np.int64)
    source[pair[order] // width] = pair[order] % width  # the greatest is written last
    return source


def calibrate(score: np.ndarray, table: dict | None) -> np.ndarray:
    """Map raw scores through the model's monotone table {"raw": [...], "calibrated": [...]}; identity without one."""
    return np.interp(score, table["raw"], table["calibrated"]) if table else score
