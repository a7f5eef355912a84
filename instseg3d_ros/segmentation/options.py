"""The options of the segmenter that a user may change between two clouds."""

from __future__ import annotations

from dataclasses import dataclass

from instseg3d_ros.errors import InputError

LEVELS = ("auto", "off")
FRAME_VOXELS = 120_000  # the node's default of `max_voxels`


@dataclass(frozen=True)
class Options:
    """Options of the segmenter that may change between two clouds.

    The card of a model may replace these defaults by values that were measured for the model. Where an option may be
    left out (`Segmenter.load`, the command `segment`), None means the model's value; infinity means no limit.

    Args:
        min_thing: a voxel is clustered if the probabilities of all thing classes together reach this value
        adjust: share of the training's class weights that is undone in the scores; 0: rare classes stay favoured
        bandwidth: bandwidth of mean shift; smaller values give more and smaller clusters
        merge: largest difference in embedding and class between touching parts of one object; 0: no merging
        choose: half-width of the range of `merge` from which the object head chooses
        gap: split clusters at gaps wider than this many voxels (one more for sparse clusters); 0: never
        min_points: smallest number of points of an instance
        min_score: lowest score of an instance that is reported
        max_range: largest distance of a labelled point from the origin, in metres
        max_voxels: largest number of voxels; of a cloud with more, voxels with few points are left out (`thin`), and
            their points get the answer of a voxel nearby; 0: no limit
        level: auto: estimate the vertical from the cloud; off: the vertical is +z
    """

    min_thing: float = 0.5
    adjust: float = 0.0
    bandwidth: float = 1.0
    merge: float = 0.0
    choose: float = 0.0
    gap: int = 3
    min_points: int = 50
    min_score: float = 0.0
    max_range: float = 10.0
    max_voxels: int = 0
    level: str = "auto"

    def __post_init__(self) -> None:
        for name, low, high in (
            ("min_thing", 0, 1), ("adjust", 0, 2), ("bandwidth", 0.01, 100), ("merge", 0, 100),
            ("choose", 0, 100), ("gap", 0, 1000),
            ("min_points", 1, 10**9), ("min_score", 0, 1), ("max_range", 0.01, float("inf")),
            ("max_voxels", 0, 10**9),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}; expected {low} to {high}")
        if self.level not in LEVELS:
            raise InputError(f"level '{self.level}' is unknown; one of: {', '.join(LEVELS)}")
