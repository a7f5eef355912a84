"""Tables with small objects from the view of a manipulator, in a room or cropped to the table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.camera import look
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.clutter import clutter
from instseg3d_ros.data.synthetic.mesh import Body, Shape, Surface, rotation
from instseg3d_ros.data.synthetic.parts import body_material, legs
from instseg3d_ros.data.synthetic.primitives import box, cylinder


@dataclass(frozen=True)
class Setting:
    """The bodies of a scene. focus (3,): middle of the objects, in metres; kept: bodies of table and objects.

    height: height of the board below the objects; size: its extent.
    """

    bodies: tuple[Body, ...]
    focus: np.ndarray
    size: tuple[float, float]
    kept: tuple[int, ...]
    height: float


def set_table(catalogue: Catalogue, rng: np.random.Generator) -> Setting:
    """A table, or sometimes the bare floor, with 1 to 30 objects on it, between walls."""
    support, surface = _support(catalogue, rng)
    stage = _stage(rng, surface)
    soil = _soil(surface, rng)
    if support:
        support = (replace(support[0], shape=support[0].shape + soil), *support[1:])
    else:
        stage[0] = replace(stage[0], shape=stage[0].shape + soil)
    count = int(rng.choice([rng.integers(1, 8), rng.integers(4, 16), rng.integers(8, 31)], p=[0.3, 0.35, 0.35]))
    things = clutter(catalogue, rng, surface.width, surface.depth, count)
    if rng.random() < 0.08 and min(surface.width, surface.depth) > 0.4:
        things = _boxed(catalogue, rng)
    turn, at = rotation(surface.yaw), (surface.x, surface.y, surface.z)
    things = [replace(thing, shape=thing.shape.affine(turn, at)) for thing in things]
    bodies = (*stage, *support, *things)
    middle = np.mean([thing.shape.bounds() for thing in things], (0, 1)) if things else np.array([*at[:2], 0])
    first = len(stage) if support else 0
    kept = tuple(i for i in range(first, len(bodies)) if i >= len(stage) or bodies[i].label == "floor")
    focus = np.array([middle[0], middle[1], surface.z + 0.05])
    return Setting(bodies, focus, (surface.width, surface.depth), kept, surface.z)


def _support(catalogue: Catalogue, rng: np.random.Generator) -> tuple[tuple[Body, ...], Surface]:
    """The support of the objects: a plain slab, furniture with a free top, or the floor (without a separate body)."""
    choice = rng.random()
    if choice < 0.1:
        return (), Surface(0, 0, 0.0, rng.uniform(0.6, 1.6), rng.uniform(0.6, 1.4))
    if choice < 0.6:
        for _ in range(6):
            label = str(rng.choice(["table", "desk", "counter", "cabinet"], p=[0.5, 0.25, 0.15, 0.1]))
            piece = catalogue.build(label, rng)
            tops = [s for s in piece.surfaces if s.width * s.depth > 0.12 and s.headroom > 0.4 and s.z < 1.15]
            if tops:
                return piece.bodies, max(tops, key=lambda s: s.width * s.depth)
    return _slab(rng)


def _slab(rng: np.random.Generator) -> tuple[tuple[Body, ...], Surface]:
    width, depth, height = rng.uniform(0.6, 2.6), rng.uniform(0.5, 1.4), rng.uniform(0.4, 1.0)
    top = [m.wood, m.painted, m.stone, m.fabric, m.wood][int(rng.integers(5))](rng)
    thick = rng.uniform(0.015, 0.06)
    shape = box(width, depth, thick, top, (0, 0, height - thick)) + legs(
        width, depth, height - thick, body_material(rng), rng
    )
    return (Body("table", shape),), Surface(0, 0, height, width, depth)


def _soil(surface: Surface, rng: np.random.Generator) -> Shape:
    """Crumbs and stains on half of the boards. They belong to the support and are not objects."""
    made = Shape()
    if rng.random() < 0.5:
        return made
    crumb, spilt = m.painted(rng), m.painted(rng)
    for _ in range(int(rng.integers(0, 25))):
        x, y, z = rng.uniform(0.002, 0.008, 3)
        made += box(x, y, z, crumb).turned(rng.uniform(0, 7)).moved(*_on(surface, rng))
    for _ in range(int(rng.integers(0, 4))):
        made += (
            cylinder(rng.uniform(0.01, 0.07), 0.0004, spilt).scaled(1, rng.uniform(0.5, 1), 1).moved(*_on(surface, rng))
        )
    return made.affine(rotation(surface.yaw), (surface.x, surface.y, surface.z)) if made.parts else made


def _on(surface: Surface, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-0.45, 0.45, 2) * [surface.width, surface.depth]


def _boxed(catalogue: Catalogue, rng: np.random.Generator) -> list[Body]:
    """A tray or box full of objects, as for bin picking."""
    width, depth, wall, t = rng.uniform(0.28, 0.6), rng.uniform(0.22, 0.45), rng.uniform(0.03, 0.2), 0.006
    made = m.painted(rng) if rng.random() < 0.6 else m.wood(rng)
    shape = box(width, depth, t, made)
    for sx, sy, lx, ly in ((0, -1, width, t), (0, 1, width, t), (-1, 0, t, depth), (1, 0, t, depth)):
        shape += box(lx, ly, wall, made, (sx * (width - t) / 2, sy * (depth - t) / 2, 0))
    inside = clutter(catalogue, rng, width - 0.05, depth - 0.05, int(rng.integers(3, 14)))
    inside = [
        body for body in inside if (np.abs(body.shape.vertices[:, :2]).max(0) < [width / 2 - t, depth / 2 - t]).all()
    ]
    return [Body("object", shape), *(replace(body, shape=body.shape.moved(z=t)) for body in inside)]


def _stage(rng: np.random.Generator, surface: Surface) -> list[Body]:
    """Floor and up to four walls, the nearest often directly behind the table, and sometimes blocks like furniture."""
    bodies = [Body("floor", box(12, 12, 0.02, m.flooring(rng), (0, 0, -0.02)))]
    paint = m.wall_paint(rng)
    near = max(surface.width, surface.depth) / 2 + 0.15
    for turn in rng.permutation(4)[: rng.integers(0, 5)]:
        reach = (
            (surface.depth / 2 + abs(surface.y) + 0.06) if turn == 0 and rng.random() < 0.4 else rng.uniform(near, 3.5)
        )
        wall = box(12, 0.1, 2.7, paint, (0, reach + 0.05, 0))
        bodies.append(Body("wall", wall.turned(turn * np.pi / 2)))
    return bodies


def view_table(setting: Setting, rng: np.random.Generator) -> np.ndarray:
    """A camera pose (4,4): 0.4 to 2.4 m from the objects, pitched 15 to 70 degrees down, from any side."""
    distance = float(np.exp(rng.uniform(np.log(0.4), np.log(2.4))))
    pitch, yaw = np.deg2rad(rng.uniform(15, 70)), rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.7:  # from the front, where no wall hides the table
        yaw = np.pi / 2 + rng.normal(0, 0.5)
    aim = setting.focus + np.array([*rng.uniform(-0.12, 0.12, 2), 0])
    pose = look((0, 0, 0), yaw, pitch, np.deg2rad(rng.normal(0, 2)))
    pose[:3, 3] = aim - pose[:3, 2] * distance
    return pose


def crop_table(setting: Setting, points: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N,) bool: a robot's crop: table and objects, mostly without legs, often in a box, rarely without board."""
    kept = np.isin(body, setting.kept)
    if rng.random() < 0.65:
        kept &= points[:, 2] > setting.height - rng.uniform(0.01, 0.06)
    if rng.random() < 0.4:
        reach = rng.uniform(0.3, 0.9, 2)
        kept &= (np.abs(points[:, :2] - setting.focus[:2]) < reach).all(1)
    if rng.random() < 0.05:
        kept &= points[:, 2] > setting.height + 0.008
    return kept
