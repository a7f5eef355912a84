"""Toilets."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import oval
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.primitives import box, cylinder, extrude, revolve, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


def _bowl(width, depth, seat, rng, made, low: float = 0.0) -> Shape:
    """Bowl, seat ring and lid, open or closed; its back at y = 0, reaching to -depth."""
    s = np.linspace(0, 1, 6)
    foot = rng.uniform(0.45, 0.95)
    profile = np.stack([foot + (1 - foot) * s ** rng.uniform(0.7, 2.5), low + s * (seat - low)], 1) * [width / 2, 1]
    shape = hollow(profile, 0.03, made, 28, squeeze=depth / width)
    plastic = m.ceramic(rng) if rng.random() < 0.8 else m.wood(rng)
    outline = oval(width * 1.04, depth * 1.02, rng.uniform(0, 0.6))
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
    shape += extrude(oval(width, depth * 1.05, rng.uniform(0.2, 1)), 0.04, made).moved(0, -depth * 0.55, seat)
    shape += rounded_box(width * 0.95, 0.2, rng.uniform(0.15, 0.35), made, 0.05).moved(0, 0.12, seat)
    return Assembly.of("toilet", shape.moved(y=0.15))


@construction("toilet", "high cistern", held_out=True)
def high_cistern(rng):
    width, depth, seat, made = 0.37, rng.uniform(0.42, 0.48), rng.uniform(0.38, 0.42), m.ceramic(rng)
    shape = _bowl(width, depth, seat, rng, made) + box(0.2, 0.15, seat * 0.9, made, (0, 0, 0))
    shape += cylinder(0.02, 1.2, made, (0, 0.06, seat)) + rounded_box(0.42, 0.16, 0.3, made, 0.02).moved(0, 0.02, 1.5)
    return Assembly.of("toilet", shape.moved(y=0.12))


@construction("toilet", "square", weight=1)
def square_toilet(rng):
    """Straight lines: a block bowl, a flat lid, a boxy or hidden cistern."""
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.48, 0.56), rng.uniform(0.38, 0.44), m.ceramic(rng)
    taper = rng.uniform(0.45, 0.8)
    shape = revolve([(0, 0), (0.5 * taper, 0), (0.5, seat), (0, seat)], made, 4).turned(np.pi / 4)
    shape = shape.scaled(width * 1.41, depth * 1.41, 1).moved(y=-depth / 2)
    shape += rounded_box(width * 1.02, depth, rng.uniform(0.025, 0.05), made, 0.012).moved(0, -depth / 2, seat)
    tank = width * rng.uniform(0.95, 1.25)
    shape += box(tank, 0.17, rng.uniform(0.28, 0.45), made, (0, 0.085, seat - 0.02))
    shape += box(width * 0.7, 0.17, seat, made, (0, 0.085, 0))
    return Assembly.of("toilet", shape.moved(y=0.15))
