"""Toilets and bathtubs; shower curtains hang with the other curtains."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.kitchen import tap
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import legs
from instseg3d_ros.data.synthetic.primitives import box, cylinder, extrude, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


def _oval(width, depth, square: float, count: int = 28) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    power = 1 / (1 + square)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([np.sign(c) * np.abs(c) ** power * width / 2, np.sign(s) * np.abs(s) ** power * depth / 2], 1)


def _bowl(width, depth, seat, rng, made, low: float = 0.0) -> Shape:
    """Bowl, seat ring and lid, open or closed; its back at y = 0, reaching to -depth."""
    s = np.linspace(0, 1, 6)
    foot = rng.uniform(0.45, 0.95)
    profile = np.stack([foot + (1 - foot) * s ** rng.uniform(0.7, 2.5), low + s * (seat - low)], 1) * [width / 2, 1]
    shape = hollow(profile, 0.03, made, 28, squeeze=depth / width)
    plastic = m.ceramic(rng) if rng.random() < 0.8 else m.wood(rng)
    outline = _oval(width * 1.04, depth * 1.02, rng.uniform(0, 0.6))
    if rng.random() < 0.6:
        shape += extrude(outline, 0.035, plastic).moved(z=seat)
    else:
        lid = (
            extrude(outline, 0.02, plastic)
            .moved(y=-depth / 2)
            .turned(-rng.uniform(1.5, 1.75), 0)
            .moved(0, depth / 2, seat + 0.02)
        )
        inner = outline * 0.68
        ring = [
            np.concatenate([o, np.full((28, 1), z)], 1)
            for o, z in ((outline, 0), (outline, 0.02), (inner, 0.02), (inner, 0))
        ]
        from instseg3d_ros.data.synthetic.primitives import grid, surface

        shape += lid + surface(np.concatenate(ring), grid(4, 28, wrap=True), plastic).moved(z=seat)
    return shape.moved(y=-depth / 2)


@construction("toilet", "with cistern", weight=3)
def with_cistern(rng):
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.42, 0.5), rng.uniform(0.37, 0.44), m.ceramic(rng)
    tank_w, tank_d, top = rng.uniform(0.34, 0.48), rng.uniform(0.15, 0.2), rng.uniform(0.7, 0.85)
    shape = _bowl(width, depth, seat, rng, made).moved(y=0.02)
    shape += rounded_box(tank_w, tank_d, top - seat + 0.03, made, 0.025).moved(0, tank_d / 2, seat - 0.03)
    shape += rounded_box(tank_w * 1.05, tank_d * 1.08, 0.035, made, 0.012).moved(0, tank_d / 2, top)
    shape += cylinder(0.025, 0.012, m.metal(rng), (0, tank_d / 2, top + 0.035))
    return Assembly.of("toilet", (shape + box(width * 0.55, 0.2, seat, made, (0, 0.05, 0))).moved(y=0.15))


@construction("toilet", "wall hung", weight=1.5)
def wall_hung(rng):
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.45, 0.55), rng.uniform(0.38, 0.45), m.ceramic(rng)
    shape = _bowl(width, depth, seat, rng, made, low=rng.uniform(0.08, 0.2)) + box(
        width * 0.8, 0.1, 0.25, made, (0, -0.03, seat - 0.25)
    )
    if rng.random() < 0.5:
        shape += box(0.24, 0.012, 0.16, m.painted(rng), (0, 0.01, 0.95))
    return Assembly.of("toilet", shape.moved(y=depth / 2))


@construction("toilet", "one piece", weight=1)
def one_piece(rng):
    width, depth, seat, made = rng.uniform(0.36, 0.42), rng.uniform(0.45, 0.52), rng.uniform(0.37, 0.42), m.ceramic(rng)
    shape = rounded_box(width, depth * 1.35, seat, made, 0.08).moved(y=-depth * 0.45)
    shape += extrude(_oval(width, depth * 1.05, rng.uniform(0.2, 1)), 0.04, made).moved(0, -depth * 0.55, seat)
    shape += rounded_box(width * 0.95, 0.2, rng.uniform(0.15, 0.35), made, 0.05).moved(0, 0.12, seat)
    return Assembly.of("toilet", shape.moved(y=0.15))


@construction("toilet", "high cistern", held_out=True)
def high_cistern(rng):
    width, depth, seat, made = 0.37, rng.uniform(0.42, 0.48), rng.uniform(0.38, 0.42), m.ceramic(rng)
    shape = _bowl(width, depth, seat, rng, made) + box(0.2, 0.15, seat * 0.9, made, (0, 0, 0))
    shape += cylinder(0.02, 1.2, made, (0, 0.06, seat)) + rounded_box(0.42, 0.16, 0.3, made, 0.02).moved(0, 0.02, 1.5)
    return Assembly.of("toilet", shape.moved(y=0.12))


def _hollow_block(width, depth, height, made, inside, wall, corner, floor: float = 0.08) -> Shape:
    """A block with an oval or square hollow, slopes inside."""
    outline = _oval(1, 1, 8.0, 40)
    inner = _oval(1, 1, corner, 40)
    rings = []
    for size, z in (((width, depth), 0), ((width, depth), height)):
        rings.append(np.concatenate([outline * size, np.full((40, 1), z)], 1))
    hole = np.array([width - 2 * wall, depth - 2 * wall])
    for share, z in ((1.0, height), (0.96, height - 0.05), (0.82, floor + 0.05), (0.7, floor), (0.0, floor)):
        rings.append(np.concatenate([inner * hole * share, np.full((40, 1), z)], 1))
    from instseg3d_ros.data.synthetic.primitives import grid, surface

    outer = surface(np.concatenate(rings[:3]), grid(3, 40, wrap=True), made)
    return outer + surface(np.concatenate(rings[2:]), grid(5, 40, wrap=True), inside)


@construction("bathtub", "built in", weight=3)
def built_in(rng):
    width, depth, height, made = rng.uniform(1.35, 1.9), rng.uniform(0.65, 0.9), rng.uniform(0.42, 0.62), m.ceramic(rng)
    face = made if rng.random() < 0.5 else m.flooring(rng)
    shape = _hollow_block(width, depth, height, face, made, rng.uniform(0.05, 0.11), rng.uniform(0.3, 3.0))
    return Assembly.of(
        "bathtub", shape + tap(rng, m.metal(rng)).turned(rng.choice([np.pi / 2, 0])).moved(width * 0.45, 0, height)
    )


@construction("bathtub", "free standing", weight=1.5)
def free_standing(rng):
    width, depth, height, made = rng.uniform(1.4, 1.85), rng.uniform(0.65, 0.85), rng.uniform(0.5, 0.65), m.ceramic(rng)
    s = np.linspace(0, 1, 7)
    foot, low = rng.uniform(0.6, 0.9), float(rng.choice([0, 0.1]))
    profile = np.stack([foot + (1 - foot) * s ** rng.uniform(0.6, 2), low + s * (height - low)], 1) * [width / 2, 1]
    shape = hollow(profile, 0.04, made, 36, squeeze=depth / width, corner=float(rng.choice([0, 0.2])))
    if low:
        shape += legs(width * 0.7, depth * 0.7, low + 0.05, m.metal(rng), rng, "round")
    return Assembly.of("bathtub", shape)


@construction("bathtub", "corner tub", held_out=True)
def corner_tub(rng):
    size, height, made = rng.uniform(1.2, 1.5), rng.uniform(0.48, 0.6), m.ceramic(rng)
    shape = _hollow_block(size, size, height, made, made, rng.uniform(0.1, 0.16), 0.1)
    return Assembly.of("bathtub", shape)
