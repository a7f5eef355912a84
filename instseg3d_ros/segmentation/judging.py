"""The steps between proposals and choice: describe each proposal, give it a class and a score."""

from __future__ import annotations

import numpy as np
import torch

from instseg3d_ros.network.inputs import floor_level
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.description import Description, columns
from instseg3d_ros.segmentation.measures import Measures, moments
from instseg3d_ros.segmentation.result import Box
from instseg3d_ros.segmentation.state import State
from instseg3d_ros.segmentation.surroundings import surroundings


def describe(state: State) -> None:
    """Measure the proposals with enough points (`Measures`), and describe them to the object head (`Description`)."""
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
    share = points / np.maximum(home, points)  # an object may reach into other clusters
    state.measures = Measures(points, probability[large], tightness, share, boxes)
    if state.object_head is None or state.contacts is None:
        return
    features = state.evidence.features
    moment = moments(positions, state.part, len(votes.points), None if features is None else features.cpu().numpy())
    around, contacts = surroundings(state.contacts, proposals, large, probability, mean)
    description = Description(
        state.measures, state.measures.formula_score(state.things), proposals.measures[large], around, contacts,
        proposals.sums(moment)[large], float(floor_level(state.evidence.voxels.positions[:, 2])),
    )  # fmt: skip
    state.descriptions = columns(description)


def judge(state: State) -> None:
    """Give each proposal a class and a score, by the object head where there is one, else by formula; calibrate it."""
    if state.object_head is not None and state.descriptions is not None:
        answer = ask(state.object_head, state.descriptions, state.things)
        state.class_index, score, state.quality = answer
    else:
        state.class_index, score = state.measures.best(state.things), state.measures.formula_score(state.things)
    state.score = calibrate(score, state.calibration).clip(0, 1)


@torch.inference_mode()
def ask(head: ObjectHead, descriptions: np.ndarray, things: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptions (G, F), `things` (T,) class indices → class (G,) among them, score (G,) in 0 to 1, quality (G,).

    The quality q is the IoU that the head expects with an object; the score is q · ∛p, p the probability of the class.
    """
    scores, overlap = head(torch.from_numpy(descriptions).to(head.mean))
    probability = scores[:, torch.from_numpy(things).to(scores.device)].softmax(dim=1)
    sure, winner = probability.max(dim=1)
    quality = overlap.sigmoid()
    score = (quality * sure ** (1 / 3)).cpu().numpy().astype(np.float64)
    return things[winner.cpu().numpy()], score, quality.cpu().numpy().astype(np.float64)


def calibrate(score: np.ndarray, table: dict | None) -> np.ndarray:
    """Map raw scores through the model's monotone table {"raw": [...], "calibrated": [...]}; identity without one."""
    return np.interp(score, table["raw"], table["calibrated"]) if table else score
