"""Geometry of an object's markers in RViz: the edges of its box and a line of text above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.messages.colors import object_colors
from instseg3d_ros.messages.rotations import quaternion_of
from instseg3d_ros.segmentation.result import Instance

BOXES, NAMES, SUPPORTS = "boxes", "names", "supports"  # namespaces
LINE_WIDTH = 0.008  # metres
TEXT_HEIGHT = 0.06  # metres
# The twelve edges of a cube as pairs of corners; the three bits of a corner are the signs of its coordinates.
_EDGES = np.array([(a, a | bit) for a in range(8) for bit in (1, 2, 4) if not a & bit])
_CORNERS = np.array([[(c >> axis & 1) - 0.5 for axis in range(3)] for c in range(8)])


@dataclass(frozen=True)
class ObjectMarker:
    """Markers of an object. center (3,), quaternion (4,) x y z w: pose of its box in the cloud's frame.

    ends (24, 3): both ends of the box's edges, in the axes of the box; color (3,) 0..1; text_center (3,): in the
    cloud's frame.
    """

    id: int
    center: np.ndarray
    quaternion: np.ndarray
    ends: np.ndarray
    color: np.ndarray
    text: str
    text_center: np.ndarray


def object_markers(instances: list[Instance], up: np.ndarray) -> list[ObjectMarker]:
    """A marker for each object. up (3,): approximate up direction in the cloud's frame.

    The text is above the box, along the vertical axis of the box; `up` decides which of its two directions is above.
    """
    markers = []
    for instance in instances:
        box = instance.box
        found_up = box.rotation[:, 2] * (1 if box.rotation[:, 2] @ up >= 0 else -1)
        lift = 0.5 * box.size[2] + TEXT_HEIGHT
        markers.append(
            ObjectMarker(
                instance.id, box.center, quaternion_of(box.rotation), (_CORNERS * box.size)[_EDGES.reshape(-1)],
                object_colors(instance.id) / 255, f"{instance.label} #{instance.id} {instance.score:.2f}",
                box.center + lift * found_up,
            )
        )  # fmt: skip
    return markers
