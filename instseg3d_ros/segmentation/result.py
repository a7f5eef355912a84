"""The answer of the segmenter: `Result`, with an `Instance` and its `Box` for each object."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Box:
    """Gravity-aligned box: `rotation` turns about z only. center (3,), size (3,) metres, rotation (3,3): x ↦ R x."""

    center: np.ndarray
    size: np.ndarray
    rotation: np.ndarray

    def moved(self, matrix: np.ndarray) -> Box:
        """The box after a (3, 3) rotation or a rigid (4, 4) transform; it is not fitted again."""
        rotation, shift = matrix[:3, :3], matrix[:3, 3] if matrix.shape == (4, 4) else 0
        return Box(rotation @ self.center + shift, self.size, rotation @ self.rotation)


@dataclass(frozen=True)
class Instance:
    """One object. `id` > 0 is the value in `Result.instance`; `score` 0..1; `label` a class name."""

    id: int
    label: str
    score: float
    num_points: int
    box: Box


@dataclass
class Result:
    """Answer for N points, in the order and frame of the input; see each field's comment."""

    semantic: np.ndarray  # (N,) int16 class index; -1: the point was not finite or out of range
    instance: np.ndarray  # (N,) int32, 0 = no instance
    confidence: np.ndarray  # (N,) float32, 0..1
    instances: list[Instance] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)  # stage -> milliseconds
    up: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))  # (3,) unit vector, given or estimated

    def moved(self, matrix: np.ndarray) -> Result:
        """The result for points that are transformed by a (3, 3) rotation or a rigid (4, 4) transform."""
        return replace(self, instances=move_instances(self.instances, matrix), up=matrix[:3, :3] @ self.up)


def move_instances(instances: list[Instance], matrix: np.ndarray) -> list[Instance]:
    """The objects with their boxes moved by a (3, 3) rotation or a rigid (4, 4) transform."""
    return [replace(one, box=one.box.moved(matrix)) for one in instances]
