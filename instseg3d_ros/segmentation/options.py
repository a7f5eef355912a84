"""What a user may tune between two clouds."""

from __future__ import annotations

from dataclasses import dataclass

from instseg3d_ros.errors import InputError

LEVELS = ("auto", "off")


@dataclass(frozen=True)
class Options:
    """What may change between two clouds. A model's card may override these defaults with what was measured for it."""

    min_thing: float = 0.5  # probability of being a thing, whichever, from which a voxel is clustered
    bandwidth: float = 1.0  # of mean shift
    merge: float = 0.0  # difference up to which touching parts of half that bandwidth are one object; 0: plain clusters
    choose: float = 0.0  # by how much that may be more or less, as an object head finds the objects better
    gap: int = 3  # clusters are cut where voxels are farther apart than this; sparse ones, than one more
    min_points: int = 50  # smallest instance
    min_score: float = 0.0  # instances below are not reported
    max_range: float = 10.0  # metres from the origin; farther points are not labelled
    level: str = "auto"  # find up in the cloud, or trust +z ("off")

    def __post_init__(self):
        for name, low, high in (
            ("min_thing", 0, 1), ("bandwidth", 0.01, 100), ("merge", 0, 100),
            ("choose", 0, 100), ("gap", 0, 1000),
            ("min_points", 1, 10**9), ("min_score", 0, 1), ("max_range", 0.01, float("inf")),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}; expected {low} to {high}")
        if self.level not in LEVELS:
            raise InputError(f"level '{self.level}' is unknown; one of: {', '.join(LEVELS)}")
