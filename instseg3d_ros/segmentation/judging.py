"""The steps `describe` and `judge`: measure each proposal, and give it a class and a score."""

from __future__ import annotations

import numpy as np
import torch

from instseg3d_ros.network.inputs import floor_level
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.description import Description, columns
from instseg3d_ros.segmentation.measures import Measures, moments
from instseg3d_ros.segmentation.point_samples import CHUNK, PointSamples, sample
from instseg3d_ros.segmentation.result import Box
from instseg3d_ros.segmentation.state import State
from instseg3d_ros.segmentation.surroundings import surroundings


def describe(state: State) -> None:
    """Measure the proposals with enough points, and compute the inputs of the object head (`Description`)."""
    proposals, large, votes = state.proposals, state.large, state.votes
    points, probability, mean = map(proposals.sums, (votes.points, votes.votes, votes.sums))
    probability, mean = probability / points[:, None], mean / points[:, None]
    positions = state.evidence.voxels.positions.float().cpu().numpy()
    tightness, boxes = np.zeros(len(large)), list[Box]()
    for some, order, begin in proposals.batches(state.part, large):
        tightness[some] = votes.tightness(order, begin, mean[large[some]])
        boxes += upright_boxes(positions, order, begin)
    home = state.shares.home_points(proposals)[large]
    points = points[large]
    share = points / np.maximum(home, points)  # at most 1: an object may also have points in other clusters
    state.measures = Measures(points, probability[large], tightness, share, boxes)
    if state.object_head is None or state.contacts is None:
        return
    voxels, features = state.evidence.voxels, state.evidence.features
    shown = None if features is None else features.float().cpu().numpy()
    floor = float(floor_level(voxels.positions[:, 2]))
    moment = proposals.sums(moments(positions, state.part, len(votes.points), shown))
    around, contacts = surroundings(state.contacts, proposals, large, probability, mean)
    description = Description(
        state.measures, state.measures.formula_score(state.things), proposals.measures[large], around, contacts,
        moment[large], proposals.of_halves(moment)[:, large], floor,
    )  # fmt: skip
    state.descriptions = columns(description, state.object_head.names)
    if state.object_head.encoder is not None and shown is not None:
        colors = None if voxels.features is None else voxels.features.float().cpu().numpy()
        state.samples = sample(proposals, state.part, large, boxes, positions, colors, shown, floor)


def judge(state: State) -> None:
    """Give each proposal a class and a calibrated score: by the object head, or by formula without an object head."""
    if state.object_head is not None and state.descriptions is not None:
        answer = ask(state.object_head, state.descriptions, state.things, state.samples)
        state.class_index, score, state.quality = answer
    else:
        state.class_index, score = state.measures.best(state.things), state.measures.formula_score(state.things)
    state.score = calibrate(score, state.calibration).clip(0, 1)


@torch.inference_mode()
def ask(
    head: ObjectHead, descriptions: np.ndarray, things: np.ndarray, samples: PointSamples | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptions (G, F), `things` (T,) class indices → class (G,), score (G,) in 0 to 1, quality (G,).

    The quality q is the IoU with an object that the head predicts. The score is q · ∛p, where p is the probability of
    the class among the thing classes. If the head has `stuff`, the class is a stuff class where all stuff classes
    together are more probable than all thing classes. A head that takes points needs `samples`.
    """
    encoded = None if samples is None else encode(head, samples)
    scores, overlap = head(torch.from_numpy(descriptions).to(head.mean), encoded)
    columns = torch.from_numpy(things).to(scores.device)
    sure, winner = scores[:, columns].softmax(dim=1).max(dim=1)
    quality = overlap.sigmoid()
    score = (quality * sure ** (1 / 3)).cpu().numpy().astype(np.float64)
    best = columns[winner]
    if head.stuff:
        stuff = torch.ones(scores.shape[1], dtype=torch.bool, device=scores.device)
        stuff[columns] = False
        probability = scores.softmax(dim=1).masked_fill(~stuff, 0)
        best = torch.where(probability.sum(dim=1) > 0.5, probability.argmax(dim=1), best)
    return best.cpu().numpy(), score, quality.cpu().numpy().astype(np.float64)


def encode(head: ObjectHead, samples: PointSamples) -> torch.Tensor:
    """(G, E): output of the head's point encoder for G proposals."""
    assert head.encoder is not None
    parts = [head.mean.new_zeros((0, 2 * head.encoder.width))]
    for first in range(0, len(samples), CHUNK):
        some = slice(first, first + CHUNK)
        points, surrounded = (torch.from_numpy(v) for v in (samples.inputs(some), samples.surrounded[some]))
        parts.append(head.encoder(points.to(head.mean), surrounded.to(head.mean)))
    return torch.cat(parts)


def calibrate(score: np.ndarray, table: dict | None) -> np.ndarray:
    """Map raw scores by the model's monotonic table {"raw": [...], "calibrated": [...]}; None: unchanged."""
    return np.interp(score, table["raw"], table["calibrated"]) if table else score
