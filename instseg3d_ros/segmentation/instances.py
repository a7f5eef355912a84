"""From clusters of voxels to instances: cut, merge, propose, describe, judge, choose, label."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.judging import describe, judge
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.parts import cut, merge, propose
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.result import Instance
from instseg3d_ros.segmentation.state import Candidates, Evidence, State, VoxelAnswer


def find_instances(
    evidence: Evidence,
    labels: LabelSet,
    options: Options,
    object_head: ObjectHead | None = None,
    calibration: dict | None = None,
) -> VoxelAnswer:
    """The instances of a cloud, with ids from 1 in descending order of score.

    The object head classifies and scores the instances; without an object head, a formula does. `calibration` maps the
    scores (`calibrate`). The voxels of an instance get its class, and its score as confidence. All other voxels get
    their most probable class and its probability.
    """
    state = State(evidence, labels, options, object_head, calibration)
    cut(state)  # split clusters into connected fragments
    merge(state)  # merge fragments of the same object into parts
    propose(state)  # list parts and unions of parts that may be an object
    describe(state)  # measure points, class probabilities, box and more of each proposal
    judge(state)  # give each proposal a class and a score
    choose(state)  # choose the best proposals, such that no part is in two of them
    return label(state)  # number the instances and label the voxels


def choose(state: State) -> None:
    """Choose proposals that do not overlap (`Proposals.choose`), drop scores under `min_score`, and sort by score.

    Proposals that the object head classifies as stuff do not become instances; their voxels get the stuff class.
    """
    chosen, score = np.arange(len(state.large)), state.score
    if state.quality is not None:
        quality = np.zeros(len(state.proposals))
        quality[state.large] = state.quality
        chosen = np.flatnonzero(np.isin(state.large, state.proposals.choose(quality)))
    things = np.isin(state.class_index, state.things)
    state.stuff = chosen[~things[chosen]]
    chosen = chosen[things[chosen] & (score[chosen] >= state.options.min_score)]
    state.chosen = chosen[np.argsort(-score[chosen], kind="stable")]


def _parts(proposals: Proposals, number: int) -> np.ndarray:
    """The parts of a proposal."""
    return proposals.sequence[proposals.first[number] : proposals.last[number]]


def label(state: State) -> VoxelAnswer:
    """Number the chosen proposals from 1 and write class, number and score to their voxels."""
    measures, proposals, chosen = state.measures, state.proposals, state.chosen
    id_of_part = np.zeros(len(proposals.sequence) + 1, np.int32)  # 0: no instance; the last entry is for part −1
    instances = []
    for number, (k, proposal) in enumerate(zip(chosen, state.large[chosen]), 1):
        id_of_part[_parts(proposals, proposal)] = number
        name, score = state.labels[state.class_index[k]].name, float(state.score[k])
        instances.append(Instance(number, name, score, int(measures.points[k]), measures.boxes[k]))
    for k in state.stuff:
        id_of_part[_parts(proposals, state.large[k])] = -1 - k
    instance = id_of_part[state.part]
    semantic, confidence = state.semantic, state.confidence
    wrong = np.flatnonzero(instance < 0)
    semantic[wrong] = state.class_index[-1 - instance[wrong]]
    instance = np.maximum(instance, 0)
    inside = np.flatnonzero(instance)
    semantic[inside] = state.class_index[chosen][instance[inside] - 1]
    confidence[inside] = state.score[chosen][instance[inside] - 1]
    candidates = None
    if state.descriptions is not None:
        candidates = Candidates(state.part, proposals, state.large, state.descriptions, state.samples)
    return VoxelAnswer(semantic, instance, confidence, instances, candidates)
