"""Tables full of small things, as a manipulator sees them: apart, touching, stacked, leaning, piled up, hiding each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.camera import look
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.clutter import clutter
from instseg3d_ros.data.synthetic.mesh import Body
from instseg3d_ros.data.synthetic.primitives import box, cylinder


@dataclass(frozen=True)
class Setting:
    """Bodies of a scene, the thing they are about, and where a camera may be.

    `focus` (3,) metres is the middle of what is to be seen; `crop` names the bodies that a robot's table crop keeps.
    """

    bodies: tuple[Body, ...]
    focus: np.ndarray
    size: tuple[float, float]
    crop: tuple[int, ...]


def set_table(catalogue: Catalogue, rng) -> Setting:
    """A table, or now and then a bare floor, with 1 to 25 things on it, in a room of walls."""
    on_floor = rng.random() < 0.12
    width, depth = rng.uniform(0.6, 2.2), rng.uniform(0.5, 1.2)
    height = 0.0 if on_floor else float(rng.uniform(0.38, 1.05))
    stage = _stage(rng)
    if not on_floor:
        stage.append(_table(width, depth, height, rng))
    things = clutter(catalogue, rng, width, depth, int(rng.choice([rng.integers(1, 8), rng.integers(4, 26)])))
    bodies = [*stage, *(replace(thing, shape=thing.shape.moved(z=height)) for thing in things)]
    middle = np.mean([thing.shape.bounds() for thing in things], (0, 1)) if things else np.zeros(3)
    first = 0 if on_floor else len(stage) - 1
    crop = tuple(i for i in range(first, len(bodies)) if i >= len(stage) - 1 or bodies[i].label == "floor")
    return Setting(tuple(bodies), np.array([middle[0], middle[1], height + 0.05]), (width, depth), crop)


def _stage(rng) -> list[Body]:
    """Floor and up to three walls, the nearest often right behind the table."""
    bodies = [Body("floor", box(12, 12, 0.02, m.flooring(rng)).moved(z=-0.02))]
    paint = m.wall_paint(rng)
    for turn in rng.permutation(4)[: rng.integers(0, 4)]:
        wall = box(12, 0.1, 2.7, paint).moved(y=rng.uniform(0.62, 3.5) + 0.05)
        bodies.append(Body("wall", wall.turned(turn * np.pi / 2 + rng.normal(0, 0.02))))
    return bodies


def _table(width, depth, height, rng) -> Body:
    top = [m.wood, m.painted, m.stone, m.fabric, m.wood][int(rng.integers(5))](rng)
    thick = rng.uniform(0.015, 0.06)
    if rng.random() < 0.15:
        shape = cylinder(width / 2, thick, top, segments=40).moved(z=height - thick).scaled(1, depth / width, 1)
        shape += cylinder(0.05, height - thick, m.metal(rng))
    else:
        shape = box(width, depth, thick, top).moved(z=height - thick)
        legs = m.metal(rng) if rng.random() < 0.5 else top
        w = rng.uniform(0.03, 0.08)
        for sx in (-1, 1):
            for sy in (-1, 1):
                shape += box(w, w, height - thick, legs, (sx * (width / 2 - w), sy * (depth / 2 - w), 0))
    label = rng.choice(["table", "desk", "counter"], p=[0.6, 0.3, 0.1])
    return Body(str(label), shape)


def view_table(setting: Setting, rng) -> np.ndarray:
    """Camera pose (4,4): 0.5 to 1.6 m from the things, pitched 20 to 60 degrees down, from any side."""
    distance = rng.uniform(0.5, 1.6)
    pitch, yaw = np.deg2rad(rng.uniform(20, 60)), rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.7:  # from the front, where a wall never stands in the way
        yaw = np.pi / 2 + rng.normal(0, 0.5)
    aim = setting.focus + [*rng.uniform(-0.12, 0.12, 2), 0]
    pose = look((0, 0, 0), yaw, pitch, np.deg2rad(rng.normal(0, 2)))
    pose[:3, 3] = aim - pose[:3, 2] * distance
    return pose
