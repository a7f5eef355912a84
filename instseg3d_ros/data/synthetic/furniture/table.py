"""Tables: any top on any base."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, legs
from instseg3d_ros.data.synthetic.primitives import (
    bar,
    box,
    cylinder,
    extrude,
    folded_sheet,
    revolve,
    rounded_box,
    tube,
)
from instseg3d_ros.data.synthetic.registry import construction


def top_material(rng: np.random.Generator) -> m.Material:
    return [m.wood, m.wood, m.painted, m.stone, m.glass][rng.choice(5, p=[0.35, 0.2, 0.25, 0.12, 0.08])](rng)


def seats_around(
    width: float, depth: float, rng: np.random.Generator, round_top: bool = False
) -> list[tuple[float, float, float]]:
    """Places of chairs around a top: (x, y, yaw); the yaw turns the front of a chair (-y) towards the table."""
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


def flat_top(width: float, depth: float, thick: float, material: m.Material, rng: np.random.Generator) -> Shape:
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


def standing(
    label: str,
    width: float,
    depth: float,
    height: float,
    rng: np.random.Generator,
    style: str | None = None,
    apron: float = 0.4,
) -> Assembly:
    top, thick = top_material(rng), rng.uniform(0.012, 0.06)
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
def dining_table(rng: np.random.Generator) -> Assembly:
    return standing("table", rng.uniform(0.7, 2.4), rng.uniform(0.6, 1.15), rng.uniform(0.68, 0.8), rng)


@construction("table", "round table", weight=2)
def round_table(rng: np.random.Generator) -> Assembly:
    d, h, top = rng.uniform(0.5, 1.5), rng.uniform(0.4, 0.8), top_material(rng)
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
def coffee_table(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.5, 1.4), rng.uniform(0.4, 0.8), rng.uniform(0.28, 0.52)
    made = standing("table", width, depth, height, rng, apron=0.2)
    if rng.random() < 0.4:  # a shelf below
        shelf = box(width * 0.85, depth * 0.85, 0.018, body_material(rng), (0, 0, height * rng.uniform(0.2, 0.45)))
        return Assembly.of("table", made.bodies[0].shape + shelf, *made.surfaces)
    return made


@construction("table", "side table", weight=1)
def side_table(rng: np.random.Generator) -> Assembly:
    size = rng.uniform(0.3, 0.6)
    return standing("table", size, size * rng.uniform(0.7, 1.2), rng.uniform(0.4, 0.75), rng)


@construction("table", "block table", weight=0.7)
def block_table(rng: np.random.Generator) -> Assembly:
    """A table that is a solid or hollow cube or a drum."""
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
def cross_table(rng: np.random.Generator) -> Assembly:

    width, depth, height = rng.uniform(0.9, 2.0), rng.uniform(0.6, 1.0), rng.uniform(0.66, 0.78)
    frame, top = body_material(rng), top_material(rng)
    shape = box(width, depth, 0.035, top, (0, 0, height - 0.035))
    for x in (-0.36 * width, 0.36 * width):
        for sign in (-1, 1):
            shape += bar((x, sign * depth * 0.42, 0), (x, -sign * depth * 0.42, height - 0.035), 0.05, 0.07, frame)
    shape += bar((-0.36 * width, 0, height / 2), (0.36 * width, 0, height / 2), 0.05, 0.05, frame)
    return Assembly.of(
        "table", shape, Surface(0, 0, height, width * 0.95, depth * 0.9), seats=seats_around(width, depth, rng)
    )


@construction("table", "console", weight=1)
def console(rng: np.random.Generator) -> Assembly:
    """A long narrow table that stands at a wall."""
    width, depth, height = rng.uniform(0.7, 1.6), rng.uniform(0.25, 0.42), rng.uniform(0.68, 0.9)
    made = standing("table", width, depth, height, rng, str(rng.choice(["square", "frame", "tapered", "panels"])))
    shape = made.bodies[0].shape
    if rng.random() < 0.4:
        shape += box(width * 0.9, depth * 0.85, 0.018, body_material(rng), (0, 0, rng.uniform(0.1, 0.3)))
    return Assembly.of("table", shape, *made.surfaces)


@construction("table", "conference table", weight=1)
def conference(rng: np.random.Generator) -> Assembly:
    """A boat-shaped or oval top on two feet."""
    width, depth, height = rng.uniform(1.8, 3.6), rng.uniform(0.9, 1.4), rng.uniform(0.7, 0.76)
    top, base = top_material(rng), m.metal(rng) if rng.random() < 0.5 else body_material(rng)
    s = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    power = rng.uniform(0.35, 1.0)
    c, sn = np.cos(s), np.sin(s)
    outline = np.stack([np.sign(c) * np.abs(c) ** power * width / 2, np.sign(sn) * np.abs(sn) ** power * depth / 2], 1)
    thick = rng.uniform(0.025, 0.06)
    shape = extrude(outline, thick, top).moved(z=height - thick)
    for side in (-1, 1):
        foot = legs(0.6, 0.6, height - thick, base, rng, "pedestal")
        if rng.random() < 0.5:
            foot = box(0.08, depth * 0.5, height - thick, base)
        shape += foot.moved(side * width * rng.uniform(0.25, 0.33))
    return Assembly.of(
        "table",
        shape,
        Surface(0, 0, height, width * 0.75, depth * 0.65),
        seats=seats_around(width * 0.85, depth, rng),
    )


@construction("table", "nest of tables", weight=0.6)
def nest(rng: np.random.Generator) -> Assembly:
    shape, size, height = Shape(), rng.uniform(0.4, 0.6), rng.uniform(0.42, 0.55)
    for i in range(int(rng.integers(2, 4))):
        share = 1 - 0.15 * i
        one = standing("table", size * share, size * 0.8 * share, height * share, rng, "square", 0.0).bodies[0].shape
        shape += one.moved(rng.uniform(0, 0.12) * i, -rng.uniform(0.05, 0.2) * i)
    return Assembly.of("table", shape, Surface(0, 0.05, height, size * 0.8, size * 0.6))


@construction("table", "tray table", weight=0.6)
def tray_table(rng: np.random.Generator) -> Assembly:
    """A rimmed top on a thin frame."""
    d, h, frame = rng.uniform(0.35, 0.7), rng.uniform(0.35, 0.6), m.metal(rng)
    made = body_material(rng)
    if rng.random() < 0.5:
        shape = revolve(
            [(0, 0), (d / 2, 0), (d / 2, 0.04), (d / 2 - 0.01, 0.04), (d / 2 - 0.01, 0.008), (0, 0.008)], made, 32
        )
    else:
        shape = box(d, d, 0.008, made)
        for sx, sy, lx, ly in ((0, -1, d, 0.01), (0, 1, d, 0.01), (-1, 0, 0.01, d), (1, 0, 0.01, d)):
            shape += box(lx, ly, 0.04, made, (sx * d / 2, sy * d / 2, 0))
    shape = shape.moved(z=h) + legs(
        d * 0.65, d * 0.65, h, frame, rng, str(rng.choice(["frame", "round", "splayed", "pedestal"]))
    )
    return Assembly.of("table", shape, Surface(0, 0, h + 0.01, d * 0.65, d * 0.65))


@construction("table", "covered table", weight=1)
def covered(rng: np.random.Generator) -> Assembly:
    """A table under a cloth that hangs down in folds."""
    width, depth, height = rng.uniform(0.7, 1.8), rng.uniform(0.7, 1.0), rng.uniform(0.68, 0.78)
    cloth, hang = m.fabric(rng), rng.uniform(0.12, 0.6)
    shape = legs(width * 0.9, depth * 0.9, height - 0.02, body_material(rng), rng, "square") + box(
        width, depth, 0.02, cloth, (0, 0, height - 0.02)
    )
    for turn, (a, b) in enumerate(((width, depth), (depth, width), (width, depth), (depth, width))):
        fall = folded_sheet(a, hang, a * rng.uniform(3, 7), rng.uniform(0.004, 0.02), cloth, rng)
        shape += fall.moved(0, b / 2 + 0.01, height - hang).turned(turn * np.pi / 2)
    return Assembly.of(
        "table", shape, Surface(0, 0, height, width * 0.92, depth * 0.92), seats=seats_around(width, depth, rng)
    )


@construction("table", "drum and wires", held_out=True)
def wire_drum(rng: np.random.Generator) -> Assembly:
    """A glass or wooden disk on a cage of wires."""
    r, h, wire = rng.uniform(0.25, 0.5), rng.uniform(0.35, 0.5), m.metal(rng)
    shape = cylinder(r, 0.015, top_material(rng), (0, 0, h), segments=32)
    for a in np.arange(16) * np.pi / 8:
        shape += tube(
            [(r * 0.6 * np.cos(a), r * 0.6 * np.sin(a), 0), (r * 0.9 * np.cos(a + 0.4), r * 0.9 * np.sin(a + 0.4), h)],
            0.006,
            wire,
            6,
        )
    return Assembly.of("table", shape, Surface(0, 0, h + 0.015, r * 1.3, r * 1.3))


@construction("table", "folding table", weight=0.8)
def folding_table(rng: np.random.Generator) -> Assembly:
    """A light folding table: a board of plastic or wood on bent tubes or hinged pairs of legs."""
    width, depth, height = rng.uniform(0.6, 1.9), rng.uniform(0.5, 0.8), rng.uniform(0.62, 0.78)
    top, steel, r = m.painted(rng) if rng.random() < 0.6 else m.wood(rng), m.metal(rng), rng.uniform(0.01, 0.018)
    shape, inset = (
        rounded_box(width, depth, rng.uniform(0.02, 0.05), top, 0.012).moved(z=height - 0.04),
        rng.uniform(0.05, 0.25),
    )
    y, lean = depth * 0.42, rng.uniform(0.0, 0.12)
    for side in (-1, 1):
        x = side * (width / 2 - inset)
        foot = x + side * lean
        shape += tube([(x, -y, height - 0.05), (foot, -y, 0.02), (foot, y, 0.02), (x, y, height - 0.05)], r, steel)
        shape += tube([(x, 0, height * 0.5), (x - side * width * 0.2, 0, height - 0.05)], r * 0.7, steel)
    seats = seats_around(width, depth, rng)
    return Assembly.of("table", shape, Surface(0, 0, height, width * 0.92, depth * 0.9), seats=seats)


@construction("table", "picnic", weight=0.4)
def boards_and_trestles(rng: np.random.Generator) -> Assembly:
    """Separate boards with gaps over two slanting trestles."""
    width, depth, height, made = rng.uniform(1.1, 2.2), rng.uniform(0.65, 0.95), rng.uniform(0.68, 0.78), m.wood(rng)
    count = int(rng.integers(4, 8))
    shape, each = Shape(), depth / count
    for i in range(count):
        shape += box(width, each * 0.9, 0.035, made, (0, (i + 0.5 - count / 2) * each, height - 0.035))
    for side in (-1, 1):
        x, w = side * width * rng.uniform(0.3, 0.42), rng.uniform(0.04, 0.09)
        shape += box(w, depth * 0.9, 0.06, made, (x, 0, height - 0.095))
        for s in (-1, 1):
            shape += bar((x, s * depth * 0.45, 0), (x, s * depth * 0.1, height - 0.06), w, 0.05, made)
    return Assembly.of(
        "table", shape, Surface(0, 0, height, width * 0.93, depth * 0.9), seats=seats_around(width, depth, rng)
    )


@construction("table", "bracket legs", weight=0.8)
def bracket_legs(rng: np.random.Generator) -> Assembly:
    """Slabs of any outline on hairpin legs, loops, or plates shaped like V or U."""
    width, depth = rng.uniform(0.7, 2.2), rng.uniform(0.5, 1.0)
    height = rng.uniform(0.35, 0.5) if rng.random() < 0.35 else rng.uniform(0.68, 0.78)
    top, steel, thick = top_material(rng), m.metal(rng), rng.uniform(0.02, 0.06)
    shape, h, kind = flat_top(width, depth, thick, top, rng).moved(z=height - thick), height - thick, rng.integers(3)
    y, t = depth * rng.uniform(0.3, 0.46), rng.uniform(0.012, 0.045)
    for side in (-1, 1):
        x = side * (width / 2 - rng.uniform(0.05, 0.2))
        if kind == 0:  # hairpins at the corners
            for s in (-1, 1):
                shape += tube([(x, s * y - 0.06, h), (x, s * y, 0.01), (x, s * y + 0.06, h)], 0.007, steel, 6)
        elif kind == 1:  # a U, broad
            shape += bar((x, -y, 0), (x, -y, h), t, 2 * t, steel) + bar((x, y, 0), (x, y, h), t, 2 * t, steel)
            shape += bar((x, -y, t / 2), (x, y, t / 2), t, t, steel)
        else:  # a V or a trapezoid on its point
            low = y * rng.uniform(0.05, 0.5)
            shape += bar((x, -low, 0), (x, -y, h), t, 2 * t, steel) + bar((x, low, 0), (x, y, h), t, 2 * t, steel)
            shape += bar((x, -low, t / 2), (x, low, t / 2), t, t, steel)
    seats = seats_around(width, depth, rng) if height > 0.6 else []
    return Assembly.of("table", shape, Surface(0, 0, height, width * 0.9, depth * 0.85), seats=seats)
