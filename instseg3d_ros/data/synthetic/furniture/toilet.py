"""Toilets."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import oval
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.primitives import box, cylinder, extrude, grid, revolve, rounded_box, surface, tube
from instseg3d_ros.data.synthetic.registry import construction


def _bowl(
    width: float, depth: float, seat: float, rng: np.random.Generator, made: m.Material, low: float = 0.0
) -> Shape:
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
        shape += lid + surface(np.concatenate(ring), grid(4, 28, wrap=True), plastic).moved(z=seat)
    return shape.moved(y=-depth / 2)


@construction("toilet", "with cistern", weight=3)
def with_cistern(rng: np.random.Generator) -> Assembly:
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.42, 0.5), rng.uniform(0.37, 0.44), m.ceramic(rng)
    tank_w, tank_d, top = rng.uniform(0.34, 0.48), rng.uniform(0.15, 0.2), rng.uniform(0.7, 0.85)
    shape = _bowl(width, depth, seat, rng, made).moved(y=0.02)
    shape += rounded_box(tank_w, tank_d, top - seat + 0.03, made, 0.025).moved(0, tank_d / 2, seat - 0.03)
    shape += rounded_box(tank_w * 1.05, tank_d * 1.08, 0.035, made, 0.012).moved(0, tank_d / 2, top)
    shape += cylinder(0.025, 0.012, m.metal(rng), (0, tank_d / 2, top + 0.035))
    return Assembly.of("toilet", (shape + box(width * 0.55, 0.2, seat, made, (0, 0.05, 0))).moved(y=0.15))


@construction("toilet", "wall hung", weight=1.5)
def wall_hung(rng: np.random.Generator) -> Assembly:
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.45, 0.55), rng.uniform(0.38, 0.45), m.ceramic(rng)
    shape = _bowl(width, depth, seat, rng, made, low=rng.uniform(0.08, 0.2)) + box(
        width * 0.8, 0.1, 0.25, made, (0, -0.03, seat - 0.25)
    )
    if rng.random() < 0.5:
        shape += box(0.24, 0.012, 0.16, m.painted(rng), (0, 0.01, 0.95))
    return Assembly.of("toilet", shape.moved(y=depth / 2))


@construction("toilet", "one piece", weight=1)
def one_piece(rng: np.random.Generator) -> Assembly:
    width, depth, seat, made = rng.uniform(0.36, 0.42), rng.uniform(0.45, 0.52), rng.uniform(0.37, 0.42), m.ceramic(rng)
    shape = rounded_box(width, depth * 1.35, seat, made, 0.08).moved(y=-depth * 0.45)
    shape += extrude(oval(width, depth * 1.05, rng.uniform(0.2, 1)), 0.04, made).moved(0, -depth * 0.55, seat)
    shape += rounded_box(width * 0.95, 0.2, rng.uniform(0.15, 0.35), made, 0.05).moved(0, 0.12, seat)
    return Assembly.of("toilet", shape.moved(y=0.15))


@construction("toilet", "high cistern", held_out=True)
def high_cistern(rng: np.random.Generator) -> Assembly:
    width, depth, seat, made = 0.37, rng.uniform(0.42, 0.48), rng.uniform(0.38, 0.42), m.ceramic(rng)
    shape = _bowl(width, depth, seat, rng, made) + box(0.2, 0.15, seat * 0.9, made, (0, 0, 0))
    shape += cylinder(0.02, 1.2, made, (0, 0.06, seat)) + rounded_box(0.42, 0.16, 0.3, made, 0.02).moved(0, 0.02, 1.5)
    return Assembly.of("toilet", shape.moved(y=0.12))


@construction("toilet", "square", weight=1)
def square_toilet(rng: np.random.Generator) -> Assembly:
    """A toilet with a block-shaped bowl, a flat lid, and a box-shaped or hidden tank."""
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.48, 0.56), rng.uniform(0.38, 0.44), m.ceramic(rng)
    taper = rng.uniform(0.45, 0.8)
    shape = revolve([(0, 0), (0.5 * taper, 0), (0.5, seat), (0, seat)], made, 4).turned(np.pi / 4)
    shape = shape.scaled(width * 1.41, depth * 1.41, 1).moved(y=-depth / 2)
    shape += rounded_box(width * 1.02, depth, rng.uniform(0.025, 0.05), made, 0.012).moved(0, -depth / 2, seat)
    tank = width * rng.uniform(0.95, 1.25)
    shape += box(tank, 0.17, rng.uniform(0.28, 0.45), made, (0, 0.085, seat - 0.02))
    shape += box(width * 0.7, 0.17, seat, made, (0, 0.085, 0))
    return Assembly.of("toilet", shape.moved(y=0.15))


@construction("toilet", "flush valve", weight=0.8)
def flush_valve(rng: np.random.Generator) -> Assembly:
    """A public toilet without a tank: a chrome pipe with a lever behind a bowl on a foot or on the wall."""
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.45, 0.56), rng.uniform(0.37, 0.48), m.ceramic(rng)
    if rng.random() < 0.25:
        made = m.metal(rng)
    low, chrome = float(rng.choice([0.0, rng.uniform(0.08, 0.16)])), m.metal(rng)
    shape = _bowl(width, depth, seat, rng, made, low) + box(width * 0.7, 0.14, seat - low - 0.02, made, (0, -0.01, low))
    top = seat + rng.uniform(0.15, 0.4)
    shape += cylinder(0.018, top - seat, chrome, (0, 0.03, seat)) + cylinder(0.035, 0.1, chrome, (0, 0.03, top - 0.05))
    side = rng.choice([-1, 1])
    shape += tube([(0, 0.03, top), (side * 0.06, 0.03, top), (side * 0.14, -0.02, top - 0.02)], 0.01, chrome)
    return Assembly.of("toilet", shape.moved(y=depth / 2 - 0.02))


@construction("toilet", "washing", weight=0.8)
def washing(rng: np.random.Generator) -> Assembly:
    """A toilet without a visible tank: a closed body that widens towards the back, a thick seat, a panel of buttons."""
    width, depth, seat, made = rng.uniform(0.36, 0.44), rng.uniform(0.62, 0.74), rng.uniform(0.36, 0.44), m.ceramic(rng)
    s = np.linspace(0, 1, 7)
    foot = rng.uniform(0.6, 0.95)
    profile = np.stack([(foot + (1 - foot) * s**0.6) * width / 2, s * seat], 1)
    shape = revolve([(0, 0), *profile, (0, seat)], made, 28, squeeze=depth / width, corner=rng.uniform(0, 0.5))
    lid = extrude(oval(width * 1.02, depth * 0.72, rng.uniform(0, 0.8)), rng.uniform(0.04, 0.07), m.ceramic(rng))
    shape += lid.moved(0, -depth * 0.13, seat)
    shape += rounded_box(width * 1.02, depth * 0.3, rng.uniform(0.1, 0.18), made, 0.04).moved(
        0, depth * 0.33, seat - 0.01
    )
    if rng.random() < 0.5:
        shape += box(0.06, 0.3, 0.03, m.painted(rng), (rng.choice([-1, 1]) * width * 0.58, -0.02, seat))
    return Assembly.of("toilet", shape)


@construction("toilet", "with rails", weight=0.7)
def with_rails(rng: np.random.Generator) -> Assembly:
    """A raised toilet with a support bar on each side, on the floor or folding down from the wall."""
    width, depth, seat, made = rng.uniform(0.35, 0.4), rng.uniform(0.44, 0.52), rng.uniform(0.44, 0.52), m.ceramic(rng)
    steel, standing = m.metal(rng) if rng.random() < 0.5 else m.painted(rng, True), rng.random() < 0.5
    shape = _bowl(width, depth, seat, rng, made) + box(width * 0.6, 0.2, seat, made, (0, 0.05, 0))
    shape += rounded_box(width * rng.uniform(0.95, 1.25), 0.18, rng.uniform(0.32, 0.42), made, 0.02).moved(
        0, 0.1, seat - 0.02
    )
    for side in (-1, 1):
        x, high, reach = side * rng.uniform(0.28, 0.35), seat + rng.uniform(0.2, 0.3), depth * rng.uniform(0.8, 1.2)
        last = (x, -reach, 0.0) if standing else (x, 0.18, high - 0.15)
        shape += tube(
            [(x, 0.18, high), (x, -reach, high), (x, -reach, high - 0.02 if standing else high - 0.15), last],
            0.016,
            steel,
        )
    return Assembly.of("toilet", shape.moved(y=0.02))


@construction("toilet", "wide tank", weight=1)
def wide_tank(rng: np.random.Generator) -> Assembly:
    """A round or long bowl under a tank that narrows downwards; a cover of cloth or a roll on its lid, or not."""
    width, depth, seat, made = rng.uniform(0.35, 0.42), rng.uniform(0.4, 0.56), rng.uniform(0.36, 0.44), m.ceramic(rng)
    if rng.random() < 0.3:
        made = m.painted(rng)
    shape = _bowl(width, depth, seat, rng, made)
    tank, deep, high, taper = (
        rng.uniform(0.4, 0.54),
        rng.uniform(0.17, 0.23),
        rng.uniform(0.3, 0.42),
        rng.uniform(0.75, 0.95),
    )
    body = revolve([(0, 0), (taper / 2, 0), (0.5, high), (0, high)], made, 4).turned(np.pi / 4)
    shape += body.scaled(tank * 1.41, deep * 1.41, 1).moved(0, deep / 2, seat - 0.02)
    shape += rounded_box(tank * 1.06, deep * 1.12, rng.uniform(0.03, 0.05), made, 0.012).moved(
        0, deep / 2, seat + high - 0.02
    )
    shape += box(width * rng.uniform(0.4, 0.7), 0.26, seat, made, (0, 0.04, 0))
    if rng.random() < 0.3:
        shape += extrude(oval(width * 1.1, depth, 0.2), 0.03, m.fabric(rng)).moved(0, -depth / 2, seat + 0.03)
    bodies = []
    if rng.random() < 0.35:
        roll = cylinder(
            rng.uniform(0.05, 0.07),
            rng.uniform(0.1, 0.25),
            m.painted(rng, True),
            (rng.uniform(-0.12, 0.12), deep / 2, seat + high + 0.03),
        )
        bodies.append(Body("object", roll, loose=True))
    return Assembly.of("toilet", shape).with_bodies(*bodies)


@construction("toilet", "skirted", weight=1.5)
def skirted(rng: np.random.Generator) -> Assembly:
    """A toilet whose bowl has vertical sides down to the floor and continues into the tank."""
    width, depth, seat, made = rng.uniform(0.34, 0.42), rng.uniform(0.62, 0.74), rng.uniform(0.36, 0.45), m.ceramic(rng)
    s = np.linspace(np.pi, 2 * np.pi, 15)
    round_ = rng.uniform(0.55, 1.0)
    nose = np.stack([np.cos(s) * width / 2, (np.sin(s) * 0.3 * round_ - 0.1) * depth], 1)
    outline = np.concatenate([[(-width / 2, depth * 0.5)], nose, [(width / 2, depth * 0.5)]])
    shape = extrude(outline * [rng.uniform(0.75, 1), 1], seat, made)
    back = depth * rng.uniform(0.1, 0.2)
    lid = np.concatenate([[(-width / 2, back)], nose, [(width / 2, back)]]) * 1.02
    shape += extrude(lid, rng.uniform(0.025, 0.06), m.ceramic(rng)).moved(z=seat)
    tank, top = width * rng.uniform(0.85, 1.15), rng.uniform(0.2, 0.42)
    shape += rounded_box(tank, depth * rng.uniform(0.22, 0.32), top, made, rng.uniform(0.01, 0.06)).moved(
        0, depth * 0.36, seat - 0.01
    )
    return Assembly.of("toilet", shape)


@construction("toilet", "corner tank", weight=0.6)
def corner_tank(rng: np.random.Generator) -> Assembly:
    """A toilet in a corner: the tank fills the corner, and the bowl points along the diagonal."""
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.42, 0.52), rng.uniform(0.37, 0.43), m.ceramic(rng)
    half, high = rng.uniform(0.22, 0.3), rng.uniform(0.3, 0.42)
    tank = extrude([(-half, 0), (-half * 0.6, -0.1), (half * 0.6, -0.1), (half, 0), (0, half * 0.9)], high, made)
    shape = _bowl(width, depth, seat, rng, made).moved(y=-0.02) + tank.moved(0, 0.1, seat - 0.02)
    return Assembly.of("toilet", (shape + box(width * 0.5, 0.2, seat, made, (0, 0.06, 0))).moved(y=0.1))


@construction("toilet", "tank on the wall", weight=0.8)
def tank_on_wall(rng: np.random.Generator) -> Assembly:
    """A toilet with a plastic tank 10 to 20 cm above the seat, joined by a bent pipe."""
    width, depth, seat, made = rng.uniform(0.34, 0.4), rng.uniform(0.42, 0.52), rng.uniform(0.37, 0.43), m.ceramic(rng)
    tank, low, white = rng.uniform(0.34, 0.5), seat + rng.uniform(0.12, 0.45), m.painted(rng, True)
    shape = _bowl(width, depth, seat, rng, made) + box(width * 0.45, 0.16, seat * 0.9, made, (0, 0.02, 0))
    shape += rounded_box(tank, rng.uniform(0.12, 0.18), rng.uniform(0.28, 0.4), white, 0.03).moved(0, 0.11, low)
    shape += tube([(0, 0.11, low), (0, 0.11, seat - 0.05), (0, 0.0, seat - 0.1)], 0.025, white)
    return Assembly.of("toilet", shape.moved(y=0.05))


@construction("toilet", "low and small", weight=0.6)
def low_and_small(rng: np.random.Generator) -> Assembly:
    """A small bowl or box with a seat, with or without a tank, for children, boats and camping."""
    width, depth, seat = rng.uniform(0.28, 0.4), rng.uniform(0.34, 0.46), rng.uniform(0.24, 0.36)
    made = m.ceramic(rng) if rng.random() < 0.6 else m.painted(rng)
    if rng.random() < 0.5:
        shape = _bowl(width, depth, seat, rng, made)
        if rng.random() < 0.7:
            shape += rounded_box(width, 0.13, rng.uniform(0.2, 0.34), made, 0.03).moved(0, 0.06, seat - 0.02)
        shape += box(width * 0.5, 0.14, seat, made, (0, 0.02, 0))
    else:
        shape = rounded_box(width, depth, seat, made, rng.uniform(0.01, 0.06)).moved(y=-depth / 2)
        shape += extrude(oval(width * 0.95, depth * 0.9, rng.uniform(0, 0.8)), 0.035, m.ceramic(rng)).moved(
            0, -depth / 2, seat
        )
    return Assembly.of("toilet", shape.moved(y=depth / 2))
