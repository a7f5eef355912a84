"""Tables and desks: any top on any base."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, legs
from instseg3d_ros.data.synthetic.primitives import box, cylinder, extrude, revolve, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


def _top_material(rng):
    return [m.wood, m.wood, m.painted, m.stone, m.glass][rng.choice(5, p=[0.35, 0.2, 0.25, 0.12, 0.08])](rng)


def seats_around(width: float, depth: float, rng, round_top: bool = False) -> list[tuple[float, float, float]]:
    """Where chairs stand around a top: (x, y, yaw), the yaw that turns a chair's front (-y) towards the table."""
    places = []
    if round_top:
        count = int(np.clip(np.pi * width / 0.75, 2, 8))
        for angle in np.arange(count) * 2 * np.pi / count + rng.uniform(0, 1):
            places.append((np.cos(angle) * width / 2, np.sin(angle) * width / 2, angle + 3 * np.pi / 2))
        return places
    for along, across, turn in ((width, depth, 0.0), (depth, width, np.pi / 2)):
        count = int(along / rng.uniform(0.6, 0.8))
        for i in range(count):
            s = ((i + 0.5) / count - 0.5) * along
            for side in (1, -1):
                # The chair at +y looks towards -y, which is a chair's own front: no turn there, half a turn across.
                x, y, yaw = s, side * across / 2, 0.0 if side > 0 else np.pi
                c, sn = np.cos(turn), np.sin(turn)
                places.append((c * x - sn * y, sn * x + c * y, yaw + turn))
    return places


def flat_top(width: float, depth: float, thick: float, material, rng) -> Shape:
    kind = rng.random()
    if kind < 0.6:
        return box(width, depth, thick, material)
    if kind < 0.85:
        return rounded_box(width, depth, thick, material, min(0.1, rng.uniform(0.1, 0.49) * thick))
    cut = rng.uniform(0.05, 0.25) * min(width, depth)
    x, y = width / 2, depth / 2
    outline = [
        (-x + cut, -y),
        (x - cut, -y),
        (x, -y + cut),
        (x, y - cut),
        (x - cut, y),
        (-x + cut, y),
        (-x, y - cut),
        (-x, -y + cut),
    ]
    return extrude(outline, thick, material)


def _standing(label: str, width, depth, height, rng, style=None, apron=0.4) -> Assembly:
    top, thick = _top_material(rng), rng.uniform(0.012, 0.06)
    frame = (
        m.metal(rng) if rng.random() < 0.35 else top if rng.random() < 0.5 and top.gloss < 0.8 else body_material(rng)
    )
    inset = rng.uniform(0.9, 1.0)
    shape = flat_top(width, depth, thick, top, rng).moved(z=height - thick)
    shape += legs(width * inset, depth * inset, height - thick, frame, rng, style)
    if rng.random() < apron and height > 0.3:
        shape += box(
            width * inset * 0.92, depth * inset * 0.9, rng.uniform(0.05, 0.12), frame, (0, 0, height - thick - 0.11)
        )
    seats = seats_around(width, depth, rng) if height > 0.6 and label == "table" else []
    return Assembly.of(label, shape, Surface(0, 0, height, width * 0.95, depth * 0.92), seats=seats)


@construction("table", "dining table", weight=3)
def dining_table(rng):
    return _standing("table", rng.uniform(0.7, 2.4), rng.uniform(0.6, 1.15), rng.uniform(0.68, 0.8), rng)


@construction("table", "round table", weight=2)
def round_table(rng):
    d, h, top = rng.uniform(0.5, 1.5), rng.uniform(0.4, 0.8), _top_material(rng)
    thick = rng.uniform(0.012, 0.05)
    shape = cylinder(d / 2, thick, top, (0, 0, h - thick), segments=36)
    frame = m.metal(rng) if rng.random() < 0.5 else body_material(rng)
    shape += legs(
        d * 0.68, d * 0.68, h - thick, frame, rng, str(rng.choice(["pedestal", "splayed", "square", "round"]))
    )
    squeeze = rng.choice([1.0, 1.0, rng.uniform(0.6, 0.95)])
    shape = shape.scaled(1, squeeze, 1)
    seats = seats_around(d, d, rng, True) if h > 0.62 and squeeze == 1 else []
    return Assembly.of("table", shape, Surface(0, 0, h, d * 0.7, d * 0.7 * squeeze), seats=seats)


@construction("table", "coffee table", weight=2)
def coffee_table(rng):
    width, depth, height = rng.uniform(0.5, 1.4), rng.uniform(0.4, 0.8), rng.uniform(0.28, 0.52)
    made = _standing("table", width, depth, height, rng, apron=0.2)
    if rng.random() < 0.4:  # a shelf below
        shelf = box(width * 0.85, depth * 0.85, 0.018, body_material(rng), (0, 0, height * rng.uniform(0.2, 0.45)))
        return Assembly.of("table", made.bodies[0].shape + shelf, *made.surfaces)
    return made


@construction("table", "side table", weight=1)
def side_table(rng):
    size = rng.uniform(0.3, 0.6)
    return _standing("table", size, size * rng.uniform(0.7, 1.2), rng.uniform(0.4, 0.75), rng)


@construction("table", "block table", weight=0.7)
def block_table(rng):
    """A solid or hollow cube, a drum."""
    if rng.random() < 0.5:
        width, depth, h = rng.uniform(0.35, 1.1), rng.uniform(0.35, 0.7), rng.uniform(0.3, 0.5)
        shape = (
            box(width, depth, h, body_material(rng))
            if rng.random() < 0.5
            else carcass(width, depth, h, body_material(rng), False, 0.03)
        )
        return Assembly.of("table", shape, Surface(0, 0, h, width * 0.95, depth * 0.95))
    r, h = rng.uniform(0.2, 0.45), rng.uniform(0.3, 0.55)
    waist = rng.uniform(0.5, 1)
    shape = revolve([(0, 0), (r, 0), (r * waist, h / 2), (r, h), (0, h)], body_material(rng), 32)
    return Assembly.of("table", shape, Surface(0, 0, h, r * 1.35, r * 1.35))


@construction("table", "cross legs", held_out=True)
def cross_table(rng):
    from instseg3d_ros.data.synthetic.primitives import bar

    width, depth, height = rng.uniform(0.9, 2.0), rng.uniform(0.6, 1.0), rng.uniform(0.66, 0.78)
    frame, top = body_material(rng), _top_material(rng)
    shape = box(width, depth, 0.035, top, (0, 0, height - 0.035))
    for x in (-0.36 * width, 0.36 * width):
        for sign in (-1, 1):
            shape += bar((x, sign * depth * 0.42, 0), (x, -sign * depth * 0.42, height - 0.035), 0.05, 0.07, frame)
    shape += bar((-0.36 * width, 0, height / 2), (0.36 * width, 0, height / 2), 0.05, 0.05, frame)
    return Assembly.of(
        "table", shape, Surface(0, 0, height, width * 0.95, depth * 0.9), seats=seats_around(width, depth, rng)
    )


def _desk_seats(width: float, depth: float) -> list[tuple[float, float, float]]:
    return [(0.0, -depth / 2, np.pi)]


@construction("desk", "plain desk", weight=2)
def plain_desk(rng):
    width, depth, height = rng.uniform(0.9, 1.9), rng.uniform(0.5, 0.9), rng.uniform(0.68, 0.8)
    style = str(rng.choice(["square", "frame", "panels", "trestle", "splayed"]))
    made = _standing("desk", width, depth, height, rng, style)
    shape = made.bodies[0].shape
    if rng.random() < 0.35:  # a modesty panel
        shape += box(
            width * 0.9, 0.018, height * rng.uniform(0.3, 0.6), body_material(rng), (0, depth * 0.42, height * 0.35)
        )
    return Assembly.of("desk", shape, *made.surfaces, seats=_desk_seats(width, depth))


@construction("desk", "pedestal desk", weight=2)
def pedestal_desk(rng):
    """A top on one or two blocks of drawers."""
    width, depth, height = rng.uniform(1.0, 1.9), rng.uniform(0.55, 0.9), rng.uniform(0.7, 0.78)
    paint, grip = body_material(rng), m.metal(rng)
    top = _top_material(rng) if rng.random() < 0.5 else paint
    shape = box(width, depth, 0.03, top, (0, 0, height - 0.03))
    block = rng.uniform(0.3, 0.5)
    sides = (-1, 1) if rng.random() < 0.4 else (int(rng.choice([-1, 1])),)
    for side in (-1, 1):
        x = side * (width / 2 - block / 2 - 0.02)
        if side in sides:
            shape += (
                box(block, depth * 0.9, height - 0.03, paint)
                + fronts(block, height - 0.05, depth * 0.9, rng, paint, grip, ["drawer"])
            ).moved(x)
        else:
            shape += box(0.03, depth * 0.9, height - 0.03, paint, (side * (width / 2 - 0.03), 0, 0))
    return Assembly.of("desk", shape, Surface(0, 0, height, width * 0.95, depth * 0.9), seats=_desk_seats(width, depth))


@construction("desk", "corner desk", weight=1)
def corner_desk(rng):
    width, depth, height = rng.uniform(1.2, 1.8), rng.uniform(0.5, 0.75), rng.uniform(0.7, 0.78)
    arm, top, frame = rng.uniform(0.9, 1.6), _top_material(rng), body_material(rng)
    side = int(rng.choice([-1, 1]))
    x = side * (width / 2 - depth / 2)
    shape = box(width, depth, 0.03, top, (0, 0, height - 0.03)) + box(
        depth, arm, 0.03, top, (x, -depth / 2 - arm / 2, height - 0.03)
    )
    for px, py in (
        (-width / 2 + 0.05, depth / 2 - 0.05),
        (width / 2 - 0.05, depth / 2 - 0.05),
        (-side * (width / 2 - 0.05), -depth / 2 + 0.05),
        (x, -depth / 2 - arm + 0.05),
    ):
        shape += box(0.05, 0.05, height - 0.03, frame, (px, py, 0))
    surfaces = (
        Surface(0, 0, height, width * 0.95, depth * 0.9),
        Surface(x, -depth / 2 - arm / 2, height, depth * 0.9, arm * 0.9),
    )
    return Assembly.of("desk", shape, *surfaces, seats=[(-side * 0.2, -depth / 2, np.pi)])


@construction("desk", "secretary", held_out=True)
def secretary(rng):
    """A desk with a hutch of pigeon holes at its back."""
    width, depth, height = rng.uniform(0.8, 1.4), rng.uniform(0.45, 0.65), rng.uniform(0.7, 0.78)
    made = body_material(rng)
    shape = box(width, depth, 0.03, made, (0, 0, height - 0.03)) + legs(
        width * 0.96, depth * 0.96, height - 0.03, made, rng, "tapered"
    )
    hutch = carcass(width, 0.24, rng.uniform(0.25, 0.5), made)
    for x in np.linspace(-0.5, 0.5, int(rng.integers(3, 6)))[1:-1]:
        hutch += box(0.015, 0.23, hutch.bounds()[1][2], made, (x * width, 0, 0))
    shape += hutch.moved(0, depth / 2 - 0.12, height)
    return Assembly.of(
        "desk", shape, Surface(0, -0.1, height, width * 0.9, depth - 0.28), seats=_desk_seats(width, depth)
    )
