"""Things without a name: convex lumps, bumpy bodies, unions of blocks, rings, toys, fruit."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, rotation
from instseg3d_ros.data.synthetic.objects.packaging import thing
from instseg3d_ros.data.synthetic.primitives import (
    bar,
    box,
    cylinder,
    ellipsoid,
    extrude,
    grid,
    revolve,
    rounded_box,
    surface,
    tube,
)
from instseg3d_ros.data.synthetic.registry import construction


def _any(rng: np.random.Generator) -> m.Material:
    return [m.painted, m.printed, m.fabric, m.wood, m.stone][int(rng.integers(5))](rng)


def _any_way_up(shape: Shape, rng: np.random.Generator) -> Shape:
    return shape.turned(rng.uniform(0, 7), 0).turned(rng.uniform(0, 7), 1).turned(rng.uniform(0, 7))


@construction("object", "convex lump", weight=2)
def convex_lump(rng: np.random.Generator) -> Assembly:
    from scipy.spatial import ConvexHull

    points = rng.normal(size=(int(rng.integers(6, 40)), 3)) * np.exp(rng.uniform(np.log(0.02), np.log(0.08), 3))
    hull = ConvexHull(points)
    return thing(surface(points, hull.simplices, _any(rng)))


@construction("object", "bumpy body", weight=2)
def bumpy_body(rng: np.random.Generator) -> Assembly:
    """A star-shaped body whose radius is a sum of random waves: dents make it concave."""
    n = 24
    polar, around = np.meshgrid(np.linspace(0, np.pi, 13), np.linspace(0, 2 * np.pi, n, endpoint=False), indexing="ij")
    direction = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1)
    waves = rng.normal(size=(5, 3)) * rng.uniform(1, 4)
    radius = 1 + rng.uniform(0.05, 0.35) * np.sin(direction @ waves.T + rng.uniform(0, 7, 5)).mean(-1) * 2
    vertices = direction * radius[..., None] * np.exp(rng.uniform(np.log(0.02), np.log(0.1), 3))
    return thing(_any_way_up(surface(vertices.reshape(-1, 3), grid(13, n, wrap=True), _any(rng)), rng))


@construction("object", "union of blocks", weight=1.5)
def union_of_blocks(rng: np.random.Generator) -> Assembly:
    shape, made = Shape(), _any(rng)
    centre = np.zeros(3)
    for _ in range(int(rng.integers(2, 6))):
        size = np.exp(rng.uniform(np.log(0.02), np.log(0.14), 3))
        kind = rng.random()
        block = (
            box(size[0], size[1], size[2], made)
            if kind < 0.5
            else cylinder(size[0] / 2, size[2], made)
            if kind < 0.8
            else ellipsoid(size[0], size[1], size[2], made)
        )
        centre = centre + rng.uniform(-0.6, 0.6, 3) * size
        if rng.random() < 0.3:
            block = block.affine(rotation(rng.uniform(0, 7), int(rng.integers(3))))
        shape += block.moved(*centre)
        made = made if rng.random() < 0.6 else _any(rng)
    return thing(shape)


@construction("object", "profile", weight=1.0)
def profile_body(rng: np.random.Generator) -> Assembly:
    """A turned body of random outline: skittles, knobs, candle sticks, chess men."""
    h = rng.uniform(0.04, 0.3)
    z = np.linspace(0, h, int(rng.integers(4, 10)))
    r = rng.uniform(0.2, 1, len(z)) * rng.uniform(0.02, 0.07)
    shape = revolve([(0, 0), *zip(r, z), (0, h)], _any(rng), int(rng.choice([6, 8, 24])), squeeze=rng.uniform(0.6, 1))
    return thing(shape.turned(np.pi / 2, 0) if rng.random() < 0.3 else shape)


@construction("object", "letter block", weight=1.0)
def letter_block(rng: np.random.Generator) -> Assembly:
    """L, T, U and plus shapes from bars."""
    made, w = _any(rng), rng.uniform(0.015, 0.05)
    a, b, height = rng.uniform(0.05, 0.16), rng.uniform(0.05, 0.16), rng.uniform(0.015, 0.1)
    shape = box(a, w, height, made)
    kind = rng.integers(4)
    if kind == 0:
        shape += box(w, b, height, made, ((a - w) / 2, b / 2, 0))
    elif kind == 1:
        shape += box(w, b, height, made, (0, b / 2, 0))
    elif kind == 2:
        shape += box(w, b, height, made, ((a - w) / 2, b / 2, 0)) + box(w, b, height, made, (-(a - w) / 2, b / 2, 0))
    else:
        shape += box(w, b, height, made)
    for axis in range(2):
        if rng.random() < 0.3:
            shape = shape.turned(np.pi / 2, axis)
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "ring and roll", weight=0.8)
def ring(rng: np.random.Generator) -> Assembly:
    """Tape rolls, rings, napkin rolls, tyres."""
    r, hole, h = rng.uniform(0.03, 0.09), rng.uniform(0.3, 0.85), rng.uniform(0.012, 0.25)
    h = min(h, 3 * r)
    shape = revolve([(r, 0), (r, h), (r * hole, h), (r * hole, 0), (r, 0)], _any(rng), 28)
    return thing(shape.turned(np.pi / 2, 0).turned(rng.uniform(0, 7)) if rng.random() < 0.35 else shape)


@construction("object", "fruit", weight=1.0)
def fruit(rng: np.random.Generator) -> Assembly:
    r = rng.uniform(0.025, 0.06)
    color = m.hsv(rng.choice([0.0, 0.08, 0.14, 0.25, 0.3]), rng.uniform(0.6, 0.95), rng.uniform(0.5, 0.95))
    skin = m.Material(color, "fabric", m.near(rng, color, 0.3), 0.03, gloss=0.3)
    if rng.random() < 0.3:
        angle = np.linspace(-0.8, 0.8, 9)
        arc = np.stack([0.12 * np.sin(angle), 0.12 * np.cos(angle), 0 * angle], 1)
        return thing(tube(arc, 0.018 * np.cos(angle * 1.4) + 0.004, skin).turned(rng.uniform(0, 7)))
    return thing(ellipsoid(2 * r, 2 * r, 2 * r * rng.uniform(0.7, 1.3), skin))


@construction("object", "toy figure", weight=1.0)
def toy_figure(rng: np.random.Generator) -> Assembly:
    """Body, head, limbs of ellipsoids: teddies, ducks, dolls."""
    s, fur = rng.uniform(0.05, 0.13), m.fabric(rng)
    shape = ellipsoid(s, s * 0.8, s * 1.1, fur)
    shape += ellipsoid(s * 0.75, s * 0.7, s * 0.7, fur).moved(0, -s * 0.05, s)
    for side in (-1, 1):
        shape += ellipsoid(s * 0.35, s * 0.7, s * 0.35, fur).moved(side * s * 0.35, -s * 0.5, 0)
        shape += (
            ellipsoid(s * 0.3, s * 0.3, s * 0.75, fur).turned(side * 0.8, 1).moved(side * s * 0.45, -s * 0.1, s * 0.45)
        )
        if rng.random() < 0.7:
            shape += ellipsoid(s * 0.25, s * 0.15, s * 0.25, fur).moved(side * s * 0.28, 0, s * 1.5)
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "toy vehicle", weight=0.7)
def toy_vehicle(rng: np.random.Generator) -> Assembly:
    length, w, h = rng.uniform(0.08, 0.25), rng.uniform(0.04, 0.1), rng.uniform(0.03, 0.08)
    paint, rubber = m.painted(rng), m.Material((0.06, 0.06, 0.06))
    shape = rounded_box(length, w, h, paint, 0.01).moved(z=h * 0.4)
    shape += rounded_box(length * rng.uniform(0.3, 0.6), w * 0.9, h, m.painted(rng), 0.01).moved(
        rng.uniform(-0.2, 0.2) * length, 0, h * 1.2
    )
    for x in (-0.3, 0.3):
        for side in (-1, 1):
            wheel = cylinder(h * 0.5, w * 0.15, rubber).turned(np.pi / 2, 0)
            shape += wheel.moved(x * length, side * w * 0.5, h * 0.5)
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "shoe", weight=0.7)
def shoe(rng: np.random.Generator) -> Assembly:
    length, w, h = rng.uniform(0.2, 0.31), rng.uniform(0.07, 0.11), rng.uniform(0.08, 0.13)
    skin = m.fabric(rng)
    s = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    sole = np.stack([length / 2 * np.cos(s), w / 2 * np.sin(s) * (1 + 0.15 * np.cos(s))], 1)
    shape = extrude(sole, 0.02, m.painted(rng)) + ellipsoid(length * 0.95, w * 0.92, h * 1.1, skin).moved(z=-h * 0.3)
    shape += ellipsoid(length * 0.45, w * 0.85, h * 0.9, skin, 0.3).moved(-length * 0.22, 0, h * 0.1)
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "wedge", weight=0.8)
def wedge(rng: np.random.Generator) -> Assembly:
    a, b, h = rng.uniform(0.04, 0.15), rng.uniform(0.04, 0.15), rng.uniform(0.02, 0.1)
    shape = extrude([(0, 0), (a, 0), (rng.uniform(0, a), b)], h, _any(rng))
    return thing(shape.turned(np.pi / 2 if rng.random() < 0.4 else 0, 0).turned(rng.uniform(0, 7)))


@construction("object", "arch and hook", held_out=True)
def arch(rng: np.random.Generator) -> Assembly:
    angle = np.linspace(0, np.pi * rng.uniform(0.8, 1.6), 14)
    r = rng.uniform(0.03, 0.08)
    path = np.stack([r * np.cos(angle), 0 * angle, r * np.sin(angle)], 1)
    shape = tube(path, rng.uniform(0.008, 0.02), _any(rng)) + bar(path[0], path[0] - [0, 0, r], 0.03, 0.03, _any(rng))
    return thing(shape if rng.random() < 0.5 else shape.turned(np.pi / 2, 0))
