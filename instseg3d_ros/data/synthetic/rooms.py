"""A furnished room and the views of a robot in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.synthetic.camera import look
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.floorplan import Floorplan
from instseg3d_ros.data.synthetic.layouts import LAYOUTS
from instseg3d_ros.data.synthetic.mesh import Body
from instseg3d_ros.data.synthetic.placement import fits, rectangle


@dataclass(frozen=True)
class Room:
    """Bodies, extent in x and y, its middle, and the pieces (outline, lowest, highest) a camera must keep out of."""

    bodies: tuple[Body, ...]
    size: tuple[float, float]
    focus: np.ndarray
    taken: tuple[tuple[np.ndarray, float, float], ...]
    layout: str = ""


def furnish_room(catalogue: Catalogue, rng, name: str | None = None) -> Room:
    """A room of the layout `name`, or of a random one."""
    names = list(LAYOUTS)
    weights = np.array([LAYOUTS[n].weight for n in names])
    name = name or names[rng.choice(len(names), p=weights / weights.sum())]
    layout = LAYOUTS[name]
    width, depth = rng.uniform(*layout.size[0]), rng.uniform(*layout.size[1])
    if rng.random() < 0.5:
        width, depth = depth, width
    plan = Floorplan(catalogue, rng, float(width), float(depth), float(rng.uniform(2.3, 3.0)))
    plan.shell(ceiling=rng.random() < 0.9)
    layout.furnish(plan)
    plan.dress(rng.uniform(0.1, 0.9))
    plan.litter(int(rng.choice([0, 0, rng.integers(1, 8)])))
    return Room(tuple(plan.bodies), (plan.width, plan.depth), np.array([0, 0, 1.0]), tuple(plan.taken), layout=name)


def view_room(room: Room, rng) -> np.ndarray:
    """Camera pose (4,4) inside the room: 0.3 to 1.8 m up, -10 to 60 degrees down, at some furniture or anywhere."""
    size = np.array(room.size)
    for _ in range(30):
        height = rng.uniform(0.3, 1.8)
        x, y = rng.uniform(-0.5, 0.5, 2) * (size - 0.4)
        spot = rectangle(x, y, 0.3, 0.3)
        if fits(spot, [outline for outline, _, high in room.taken if high > height - 0.2]):
            break
    aim = rng.uniform(-0.5, 0.5, 2) * size * 0.8
    if rng.random() < 0.6 and room.taken:
        aim = room.taken[int(rng.integers(len(room.taken)))][0].mean(0)
    yaw = float(np.arctan2(aim[1] - y, aim[0] - x)) + rng.normal(0, 0.25)
    # A low robot looks ahead; a tall one looks down.
    pitch = np.deg2rad(np.clip(rng.normal(4 + 14 * height, 13), -10, 60))
    return look((x, y, height), yaw, float(pitch), float(np.deg2rad(rng.normal(0, 2.5))))
