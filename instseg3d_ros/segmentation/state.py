"""Data of the steps from clusters to instances: input, intermediate results, answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.cluster_shares import ClusterShares
from instseg3d_ros.segmentation.contacts import Contacts
from instseg3d_ros.segmentation.measures import Measures
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.point_samples import PointSamples
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.result import Instance
from instseg3d_ros.segmentation.votes import Votes, most_probable
from instseg3d_ros.sparse import Voxels


@dataclass(frozen=True)
class Evidence:
    """Output of the network and of mean shift for the V voxels of a cloud, on any device.

    probability (V, C): class probabilities; embedding (V, D); cluster (V,): from 0, −1 for stuff; fine (V,): smaller
    clusters of the same voxels, or None, in which case parts are not merged; features (V, F): features of the backbone,
    for the object head.
    """

    voxels: Voxels
    probability: Tensor
    embedding: Tensor
    cluster: Tensor
    fine: Tensor | None = None
    features: Tensor | None = None


@dataclass
class State:
    """Intermediate results for the V voxels of a cloud, K parts and N proposals. Each step sets its fields.

    G of the proposals have at least `min_points` points; only these are measured, judged and chosen.
    """

    evidence: Evidence
    labels: LabelSet
    options: Options
    object_head: ObjectHead | None
    calibration: dict | None
    counts: np.ndarray = field(init=False)  # (V,) points in each voxel
    semantic: np.ndarray = field(init=False)  # (V,) int16 most probable class of each voxel
    confidence: np.ndarray = field(init=False)  # (V,) float32 its probability

    # cut, merge
    part: np.ndarray = field(init=False)  # (V,) part of each voxel, −1 for none
    votes: Votes = field(init=False)  # of the K parts
    shares: ClusterShares = field(init=False)  # of the K parts
    # propose
    contacts: Contacts | None = None  # between the K parts; only the object head needs them
    proposals: Proposals = field(init=False)
    large: np.ndarray = field(init=False)  # (G,) numbers of the proposals with enough points
    # describe
    measures: Measures = field(init=False)  # of the G proposals
    descriptions: np.ndarray | None = None  # (G, F) float32 for the object head
    samples: PointSamples | None = None  # of the G proposals, for an object head that sees points
    # judge
    class_index: np.ndarray = field(init=False)  # (G,); a stuff class only from an object head with `stuff`
    score: np.ndarray = field(init=False)  # (G,) 0 to 1
    quality: np.ndarray | None = None  # (G,) IoU that the object head expects with an object
    # choose
    chosen: np.ndarray = field(init=False)  # indices into the G proposals, best score first
    stuff: np.ndarray = field(init=False)  # indices of the G proposals that are stuff, such as a piece of wall

    def __post_init__(self) -> None:
        self.counts = self.evidence.voxels.counts.cpu().numpy()
        self.semantic, self.confidence = most_probable(self.evidence.probability)

    @property
    def merge_range(self) -> tuple[float, float]:
        """Two differences: fragments are always merged up to the first; unions are proposals up to the second."""
        merge, choose = self.options.merge, self.options.choose
        half_width = 0.0 if self.object_head is None or self.evidence.fine is None else choose
        return merge - half_width, merge + half_width

    @property
    def things(self) -> np.ndarray:
        """Indices of the thing classes."""
        return np.flatnonzero(self.labels.things)


@dataclass
class Candidates:
    """The overlapping proposals from which the object head chose.

    part (V,): part of each voxel, −1 for none; which (G,): proposals with enough points; descriptions (G, F) and
    samples of these proposals.
    """

    part: np.ndarray
    proposals: Proposals
    which: np.ndarray
    descriptions: np.ndarray
    samples: PointSamples | None = None


@dataclass
class VoxelAnswer:
    """Per voxel: class index (V,) int16, instance id (V,) int32, confidence (V,) float32; and the instances.

    `candidates`: the proposals from which the object head chose the instances; None without an object head.
    """

    semantic: np.ndarray
    instance: np.ndarray
    confidence: np.ndarray
    instances: list[Instance]
    candidates: Candidates | None = None
