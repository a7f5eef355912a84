"""Chairs on frames: four legs, swivel, cantilever, shells, folding; backs and seats of many kinds."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import body_material, join, legs, slats, upholstered
from instseg3d_ros.data.synthetic.primitives import bar, bent_box, box, cylinder, heightfield, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


def _seat(
    width: float, depth: float, rng: np.random.Generator, frame: m.Material, cloth: m.Material
) -> tuple[Shape, float]:
    """A seat on z = 0 and its thickness: board, cushion, or board with cushion."""
    kind = rng.integers(4)
    if kind == 0:
        return box(width, depth, 0.025, frame), 0.025
    if kind == 1:
        t = rng.uniform(0.04, 0.1)
        return upholstered(width, depth, t, cloth, rng), t
    if kind == 2:
        return box(width, depth, 0.02, frame) + upholstered(width * 0.94, depth * 0.94, 0.04, cloth, rng).moved(
            z=0.02
        ), 0.06
    t = rng.uniform(0.02, 0.05)
    return rounded_box(width, depth, t, frame, 0.02), t


def _back(width: float, height: float, rng: np.random.Generator, frame: m.Material, cloth: m.Material) -> Shape:
    """A back rest in the plane y = 0 standing on z = 0: panel, cushion, slats, rails, frame with panel, hoop, mesh."""
    kind = int(rng.integers(8))
    post = rng.uniform(0.018, 0.045)
    posts = box(post, post, height, frame, (-width / 2 + post / 2, 0, 0)) + box(
        post, post, height, frame, (width / 2 - post / 2, 0, 0)
    )
    inner = width - 2 * post
    if kind == 0:
        return posts + box(inner, 0.015, height * rng.uniform(0.3, 0.95), frame, (0, 0, height * 0.03))
    if kind == 1:
        t = rng.uniform(0.04, 0.1)
        return rounded_box(width, t, height, cloth, min(0.04, t * 0.45))
    if kind == 2:
        rails = box(width, post, post * 1.5, frame, (0, 0, height - post * 1.5)) + box(
            inner, post * 0.7, 0.03, frame, (0, 0, 0.05)
        )
        return posts + rails + slats(inner, height - 0.05, int(rng.integers(3, 9)), frame, True).moved(z=0.04)
    if kind == 3:
        count = int(rng.integers(2, 6))
        rungs = (
            box(inner, 0.015, height / count * rng.uniform(0.25, 0.6), frame, (0, 0, height * (i + 0.4) / count))
            for i in range(count)
        )
        return posts + join(rungs)
    if kind == 4:
        h = height * rng.uniform(0.35, 0.6)
        return posts + bent_box(width, rng.uniform(0.012, 0.05), h, rng.uniform(0, 0.07), cloth).moved(z=height - h)
    if kind == 5:
        angle = np.linspace(0, np.pi, 13)
        hoop = np.stack([np.cos(angle) * width / 2, 0 * angle, np.sin(angle) ** 0.6 * height], 1)
        places = np.linspace(-0.35, 0.35, int(rng.integers(3, 8))) * width
        ends = ((x, height * np.sqrt(1 - (2 * x / width) ** 2)) for x in places)
        spindles = (tube([(x * 0.7, 0, 0), (x, 0, z)], 0.007, frame, 6) for x, z in ends)
        return tube(hoop, post * 0.5, frame) + join(spindles)
    if kind == 6:
        return bent_box(width, rng.uniform(0.01, 0.04), height, rng.uniform(0.02, 0.1), frame)
    gap = height * rng.uniform(0.15, 0.35)
    return posts + rounded_box(width, 0.05, height - gap, cloth, 0.02).moved(z=gap)


def arms(width: float, depth: float, height: float, rng: np.random.Generator, frame: m.Material) -> Shape:
    """Two arm rests over a seat at z = 0."""
    shape, t = Shape(), rng.uniform(0.02, 0.06)
    front = -depth * rng.uniform(0.2, 0.48)
    for side in (-1, 1):
        x = side * (width / 2 + t / 2)
        shape += box(t * 1.4, depth * 0.9, t * 0.7, frame, (x, 0, height)) + box(
            t * 0.7, t, height, frame, (x, front, 0)
        )
    return shape


def assemble(
    base: Shape,
    seat_height: float,
    width: float,
    depth: float,
    rng: np.random.Generator,
    frame: m.Material,
    cloth: m.Material,
    armed: float,
) -> Assembly:
    """Seat, back and perhaps arms over a base that ends at the seat's underside."""
    seat, thick = _seat(width, depth, rng, frame, cloth)
    top = seat_height + thick
    shape = base + seat.moved(z=seat_height)
    back_height = rng.uniform(0.28, 0.65)
    lean = -rng.uniform(0.02, 0.28)
    back = _back(width * rng.uniform(0.8, 1.0), back_height, rng, frame, cloth).turned(lean, 0)
    shape += back.moved(y=depth / 2 - 0.03, z=top - 0.01)
    if rng.random() < armed:
        shape += arms(width, depth, rng.uniform(0.15, 0.26), rng, frame).moved(z=top)
    return Assembly.of("chair", shape)


def _proportions(rng: np.random.Generator) -> tuple[float, float, float]:
    return rng.uniform(0.38, 0.56), rng.uniform(0.38, 0.54), rng.uniform(0.36, 0.5)


@construction("chair", "four legs", weight=4)
def four_legs(rng: np.random.Generator) -> Assembly:
    width, depth, height = _proportions(rng)
    frame = m.metal(rng) if rng.random() < 0.35 else body_material(rng)
    style = str(rng.choice(["square", "round", "tapered", "splayed", "frame"]))
    base = legs(width, depth, height, frame, rng, style)
    if rng.random() < 0.3:
        z = height * rng.uniform(0.2, 0.6)
        base += bar((-width / 2 + 0.02, 0, z), (width / 2 - 0.02, 0, z), 0.02, 0.02, frame)
    seat = body_material(rng) if rng.random() < 0.5 else frame
    return assemble(base, height, width, depth, rng, seat, m.fabric(rng), 0.25)


@construction("chair", "swivel", weight=3)
def swivel(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.42, 0.56), rng.uniform(0.4, 0.54), rng.uniform(0.36, 0.5)
    frame = m.Material((0.08, 0.08, 0.09), infrared=0.6) if rng.random() < 0.6 else m.metal(rng)
    count, reach = int(rng.choice([4, 5, 5, 5])), rng.uniform(0.24, 0.36)
    base = cylinder(0.028, height, frame)
    for i in range(count):
        foot = bar((0, 0, 0.11), (reach, 0, 0.07), 0.045, 0.03, frame)
        foot += cylinder(0.028, 0.03, frame).turned(np.pi / 2, 0).moved(reach, 0.015, 0.03)
        base += foot.turned(2 * np.pi * i / count)
    base = base.turned(rng.uniform(0, 7)) + box(0.2, 0.2, 0.04, frame, (0, 0, height - 0.04))
    return assemble(base, height, width, depth, rng, frame, m.fabric(rng), 0.6)


@construction("chair", "cantilever", weight=1.5)
def cantilever(rng: np.random.Generator) -> Assembly:
    width, depth, height = _proportions(rng)
    steel = m.metal(rng)
    base = Shape()
    for side in (-1, 1):
        x = side * width / 2
        base += tube(
            [(x, depth / 2, 0.015), (x, -depth / 2, 0.015), (x, -depth / 2, height), (x, depth / 2, height)],
            0.013,
            steel,
        )
    base += tube([(-width / 2, depth / 2, 0.015), (width / 2, depth / 2, 0.015)], 0.013, steel)
    return assemble(base, height, width, depth, rng, body_material(rng), m.fabric(rng), 0.4)


@construction("chair", "shell", weight=2)
def shell(rng: np.random.Generator) -> Assembly:
    """A bent plastic or wooden shell on any base."""
    width, depth, height = _proportions(rng)
    skin = m.painted(rng) if rng.random() < 0.7 else m.wood(rng)
    u, v = np.meshgrid(np.linspace(-1, 1, 11), np.linspace(0, 1, 13), indexing="ij")
    turn, rise = rng.uniform(0.5, 0.6), rng.uniform(0.32, 0.5)
    y = np.where(v < turn, -depth / 2 + depth * v / turn, depth / 2 + 0.1 * (v - turn) / (1 - turn))
    z = np.where(v < turn, 0.02 * (1 - v / turn), rise * ((v - turn) / (1 - turn)))
    z = z + rng.uniform(0.01, 0.07) * u**2
    x = u * width / 2 * (1 - 0.25 * np.clip(v - turn, 0, 1))
    y = y - rng.uniform(0.0, 0.1) * u**2 * (v > turn)

    shape = heightfield(x, y, z + height, skin)
    style = str(rng.choice(["splayed", "frame", "tapered", "pedestal"]))
    shape += legs(
        width * 0.9, depth * 0.85, height + 0.01, m.metal(rng) if rng.random() < 0.6 else m.wood(rng), rng, style
    )
    return Assembly.of("chair", shape)


@construction("chair", "folding", weight=1)
def folding(rng: np.random.Generator) -> Assembly:
    width, depth, height = _proportions(rng)
    frame = m.metal(rng) if rng.random() < 0.6 else m.wood(rng)
    shape, back = Shape(), height + rng.uniform(0.3, 0.45)
    for side in (-1, 1):
        x = side * width / 2
        shape += bar((x, -depth * 0.5, 0), (x, depth * 0.5, back), 0.02, 0.025, frame)
        shape += bar((x * 0.92, depth * 0.5, 0), (x * 0.92, -depth * 0.35, height), 0.02, 0.025, frame)
    top = body_material(rng)
    shape += box(width * 0.9, depth * 0.85, 0.02, top, (0, 0, height)) + box(
        width, 0.02, 0.15, top, (0, depth * 0.45, back - 0.17)
    )
    return Assembly.of("chair", shape)


@construction("chair", "sled base", held_out=True)
def sled(rng: np.random.Generator) -> Assembly:
    width, depth, height = _proportions(rng)
    wire, base = m.metal(rng), Shape()
    for side in (-1, 1):
        x = side * width / 2
        base += tube(
            [
                (x * 0.8, -depth * 0.3, height),
                (x, -depth / 2, 0.01),
                (x, depth / 2, 0.01),
                (x * 0.8, depth * 0.3, height),
            ],
            0.009,
            wire,
        )
    base += tube([(-width / 2, 0, 0.01), (width / 2, 0, 0.01)], 0.009, wire)
    return assemble(base, height, width, depth, rng, m.painted(rng), m.fabric(rng), 0.2)


@construction("chair", "bar chair", weight=1)
def bar_chair(rng: np.random.Generator) -> Assembly:
    """A high seat with a foot rest and a low back."""
    width, depth, height = rng.uniform(0.34, 0.46), rng.uniform(0.34, 0.44), rng.uniform(0.58, 0.8)
    frame = m.metal(rng) if rng.random() < 0.5 else body_material(rng)
    base = legs(width, depth, height, frame, rng, str(rng.choice(["square", "round", "splayed", "frame", "pedestal"])))
    base += bar((-width / 2, -depth / 2 + 0.02, 0.25), (width / 2, -depth / 2 + 0.02, 0.25), 0.022, 0.022, frame)
    seat, thick = _seat(width, depth, rng, frame, m.fabric(rng))
    back = _back(width * 0.95, rng.uniform(0.15, 0.38), rng, frame, m.fabric(rng)).turned(-rng.uniform(0, 0.2), 0)
    return Assembly.of("chair", base + seat.moved(z=height) + back.moved(0, depth / 2 - 0.03, height + thick - 0.01))


@construction("chair", "executive", weight=1.5)
def executive(rng: np.random.Generator) -> Assembly:
    """A high upholstered back over a swivel base or a sledge of steel."""
    width, depth, height = rng.uniform(0.5, 0.62), rng.uniform(0.48, 0.56), rng.uniform(0.38, 0.46)
    cloth = m.painted(rng) if rng.random() < 0.5 else m.fabric(rng)
    base = legs(0.6, 0.6, height, m.metal(rng), rng, "pedestal")
    shape = base + upholstered(width, depth, rng.uniform(0.08, 0.14), cloth, rng).moved(z=height)
    tall, lean = rng.uniform(0.55, 0.85), -rng.uniform(0.05, 0.25)
    back, pads = rounded_box(width * 0.95, 0.09, tall, cloth, 0.04), int(rng.integers(0, 5))
    for i in range(pads):
        back += rounded_box(width * 0.9, 0.06, tall / pads * 0.9, cloth, 0.025).moved(0, -0.05, tall * i / pads)
    if rng.random() < 0.4:
        back += rounded_box(width * 0.55, 0.08, 0.16, cloth, 0.03).moved(0, -0.01, tall + 0.02)
    shape += back.turned(lean, 0).moved(0, depth / 2 - 0.04, height + 0.08)
    return Assembly.of("chair", shape + arms(width, depth, 0.2, rng, m.painted(rng)).moved(z=height + 0.1))


@construction("chair", "parsons", weight=1)
def parsons(rng: np.random.Generator) -> Assembly:
    """A fully covered chair: seat, back and often the legs are a single soft block."""
    width, depth, height = rng.uniform(0.42, 0.54), rng.uniform(0.42, 0.58), rng.uniform(0.42, 0.5)
    cloth, back, thick = m.fabric(rng), rng.uniform(0.4, 0.65), rng.uniform(0.06, 0.11)
    seat = rng.uniform(0.08, 0.2)
    shape = rounded_box(width, depth, seat, cloth, 0.02, 0.02).moved(z=height - seat)
    shape += (
        rounded_box(width, thick, back + seat, cloth, 0.02)
        .turned(-rng.uniform(0, 0.2), 0)
        .moved(0, depth / 2 - thick / 2, height - seat)
    )
    shape += legs(
        width * 0.96,
        depth * 0.94,
        height - seat + 0.01,
        body_material(rng),
        rng,
        str(rng.choice(["square", "tapered"])),
    )
    return Assembly.of("chair", shape)


@construction("chair", "wire and mesh", weight=0.8)
def wire_chair(rng: np.random.Generator) -> Assembly:
    """A chair of gardens and waiting rooms with seat and back of parallel wires or straps."""
    width, depth, height = _proportions(rng)
    wire, rise = m.metal(rng) if rng.random() < 0.6 else m.painted(rng), rng.uniform(0.3, 0.45)
    count, thick = int(rng.integers(5, 14)), rng.uniform(0.004, 0.012)
    bend = rng.uniform(0.03, 0.12)
    shape = join(
        tube([(x, -depth / 2, height), (x, depth / 2 - 0.05, height - 0.02), (x, depth / 2, height + 0.05),
              (x, depth / 2 + bend, height + rise)], thick, wire, 6)
        for x in np.linspace(-0.5, 0.5, count) * width)  # fmt: skip
    for y, z in ((-depth / 2, height), (depth / 2 + bend, height + rise), (0, height - 0.012)):
        shape += tube([(-width / 2, y, z), (width / 2, y, z)], 0.012, wire)
    return Assembly.of(
        "chair",
        shape
        + legs(width * 0.9, depth * 0.85, height - 0.01, wire, rng, str(rng.choice(["round", "splayed", "frame"]))),
    )


@construction("chair", "cross back", held_out=True)
def cross_back(rng: np.random.Generator) -> Assembly:
    """A bistro chair: a round seat, two crossed slats between bent posts."""
    r, height, frame = rng.uniform(0.2, 0.25), rng.uniform(0.42, 0.48), m.wood(rng)
    rise = rng.uniform(0.38, 0.48)
    shape = cylinder(r, 0.03, frame, (0, 0, height), segments=24) + legs(r * 1.7, r * 1.7, height, frame, rng, "round")
    for side in (-1, 1):
        shape += tube([(side * r * 0.8, r * 0.6, height), (side * r * 0.9, r * 0.9, height + rise)], 0.014, frame)
        shape += bar(
            (side * r * 0.8, r * 0.65, height + 0.03),
            (-side * r * 0.85, r * 0.9, height + rise * 0.9),
            0.035,
            0.012,
            frame,
        )
    return Assembly.of("chair", shape + bent_box(1.9 * r, 0.03, 0.06, 0.05, frame).moved(0, r * 0.85, height + rise))
