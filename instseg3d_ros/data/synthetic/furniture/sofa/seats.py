"""Sofas to sit on, with loose cushions."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, join, leaning, legs, slats, upholstered
from instseg3d_ros.data.synthetic.primitives import box, cushion, cylinder, grid, rounded_box, surface, tube
from instseg3d_ros.data.synthetic.registry import construction


def _loose_cushion(rng: np.random.Generator, width: float = 0.45) -> Shape:
    w = width * rng.uniform(0.75, 1.1)
    return cushion(w, w * rng.uniform(0.65, 1), rng.uniform(0.09, 0.17), m.fabric(rng))


def _cushions_on(width: float, y: float, z: float, rng: np.random.Generator) -> list[Body]:
    """Cushions leaning against a back rest that stands at y."""
    bodies = []
    for x in np.arange(-width / 2 + 0.3, width / 2 - 0.25, 0.5):
        if rng.random() < 0.35:
            one = leaning(_loose_cushion(rng), rng.uniform(0.15, 0.5))
            bodies.append(Body("object", one.moved(x + rng.normal(0, 0.05), y - 0.13, z), loose=True))
    return bodies


def _sofa(width: float, depth: float, rng: np.random.Generator, chaise: int = 0) -> Assembly:
    cloth = m.fabric(rng) if rng.random() < 0.8 else m.painted(rng)
    seat, arm, back = rng.uniform(0.36, 0.48), rng.uniform(0.48, 0.72), rng.uniform(0.65, 1.0)
    side, thick, low = (
        rng.uniform(0.08, 0.28),
        rng.uniform(0.12, 0.28),
        float(rng.choice([0.0, rng.uniform(0.04, 0.16)])),
    )
    inner = width - 2 * side
    split = rng.uniform(0.35, 0.6)
    shape = rounded_box(width * 0.99, depth, (seat - low) * split, cloth, 0.03).moved(z=low)
    count = max(1, int(np.rint(inner / rng.uniform(0.55, 1.0))))
    base, top = low + (seat - low) * split, seat - low - (seat - low) * split
    for i in range(count):
        x = ((i + 0.5) / count - 0.5) * inner
        shape += upholstered(inner / count - 0.004, depth - thick, top, cloth, rng).moved(x, -thick / 2, base)
        if rng.random() < 0.8:
            pad = upholstered(inner / count - 0.01, rng.uniform(0.1, 0.2), back - seat - 0.02, cloth, rng, 0.0)
            shape += pad.turned(-rng.uniform(0.05, 0.25), 0).moved(x, depth / 2 - thick - 0.03, seat)
    shape += rounded_box(width, thick, back - low, cloth, 0.05).moved(0, (depth - thick) / 2, low)
    if rng.random() < 0.9:
        for sign in (-1, 1):
            piece = rounded_box(side, depth, arm - low, cloth, rng.uniform(0.01, 0.09))
            shape += piece.moved(sign * (width - side) / 2, 0, low)
    if chaise:
        reach, w = rng.uniform(0.5, 0.9), rng.uniform(0.6, 0.95)
        piece = upholstered(w, reach, seat - low, cloth, rng).moved(0, 0, low)
        shape += piece.moved(chaise * (width - w) / 2, -(depth + reach) / 2 + 0.02)
    if low:
        shape += legs(
            width * 0.92,
            depth * 0.9,
            low + 0.02,
            body_material(rng),
            rng,
            str(rng.choice(["square", "tapered", "round"])),
        )
    surface = Surface(0, -thick / 2, seat + 0.03, inner, depth - thick, 0.5)
    made = Assembly.of("sofa", shape, surface)
    return (
        made.with_bodies(*_cushions_on(inner, depth / 2 - thick - 0.1, seat + 0.02, rng))
        if rng.random() < 0.5
        else made
    )


@construction("sofa", "straight", weight=3)
def straight_sofa(rng: np.random.Generator) -> Assembly:
    return _sofa(rng.uniform(1.3, 2.6), rng.uniform(0.75, 1.05), rng)


@construction("sofa", "corner", weight=1.5)
def corner_sofa(rng: np.random.Generator) -> Assembly:
    return _sofa(rng.uniform(1.8, 2.9), rng.uniform(0.8, 1.05), rng, int(rng.choice([-1, 1])))


@construction("sofa", "frame", weight=1.5)
def frame_sofa(rng: np.random.Generator) -> Assembly:
    """Cushions on an open frame of wood or metal."""
    width, depth = rng.uniform(1.2, 2.2), rng.uniform(0.68, 0.9)
    frame, cloth, seat = body_material(rng), m.fabric(rng), rng.uniform(0.24, 0.34)
    back, w = rng.uniform(0.65, 0.9), rng.uniform(0.03, 0.07)
    shape = box(width, depth, 0.05, frame, (0, 0, seat - 0.05))
    for sx in (-1, 1):
        for sy in (-1, 1):
            shape += box(w, w, 0.58 if sy < 0 else back, frame, (sx * (width / 2 - w / 2), sy * (depth / 2 - w / 2), 0))
        shape += box(w * 1.4, depth, 0.03, frame, (sx * (width / 2 - w / 2), 0, 0.58))
    count = int(rng.integers(1, 4))
    for i in range(count):
        x, each = ((i + 0.5) / count - 0.5) * (width - 2 * w), (width - 2 * w) / count - 0.01
        shape += upholstered(each, depth - 0.12, 0.14, cloth, rng).moved(x, -0.05, seat)
        shape += (
            upholstered(each, 0.14, back - seat - 0.1, cloth, rng)
            .turned(-0.2, 0)
            .moved(x, depth / 2 - 0.16, seat + 0.12)
        )
    return Assembly.of("sofa", shape, Surface(0, -0.08, seat + 0.16, width * 0.8, depth * 0.6, 0.5))


@construction("sofa", "chesterfield", held_out=True)
def chesterfield(rng: np.random.Generator) -> Assembly:
    """A sofa whose back and arms have the same height and are rolled outwards."""
    width, depth, cloth = rng.uniform(1.5, 2.4), rng.uniform(0.85, 1.0), m.painted(rng)
    high, roll = rng.uniform(0.68, 0.8), rng.uniform(0.09, 0.13)
    shape = box(width - 0.1, depth - 0.05, 0.28, cloth, (0, 0, 0.06)) + box(
        width - 2 * roll, 0.15, high - 0.1, cloth, (0, depth / 2 - 0.1, 0.06)
    )
    shape += upholstered(width - 4 * roll, depth * 0.8, 0.14, cloth, rng).moved(0, -0.06, 0.33)
    rolls = (
        cylinder(roll, width, cloth, segments=14).turned(np.pi / 2, 1).moved(-width / 2, depth / 2 - 0.06, high - roll)
    )
    for side in (-1, 1):
        shape += box(0.15, depth, high - 0.1, cloth, (side * (width / 2 - roll), 0, 0.06))
        rolls += (
            cylinder(roll, depth, cloth, segments=14)
            .turned(np.pi / 2, 0)
            .moved(side * (width / 2 - roll * 0.8), depth / 2, high - roll)
        )
    shape += rolls + legs(width * 0.9, depth * 0.85, 0.07, m.wood(rng), rng, "round")
    return Assembly.of("sofa", shape, Surface(0, -0.1, 0.5, width * 0.6, depth * 0.5, 0.5))


@construction("sofa", "futon", weight=1)
def futon(rng: np.random.Generator) -> Assembly:
    """A folded mattress on a low base, without arms."""
    width, depth, cloth = rng.uniform(1.4, 2.1), rng.uniform(0.8, 1.0), m.fabric(rng)
    seat, thick, low = rng.uniform(0.3, 0.42), rng.uniform(0.12, 0.2), rng.uniform(0.05, 0.2)
    shape = upholstered(width, depth, seat - low, cloth, rng).moved(z=low)
    shape += (
        rounded_box(width, thick, rng.uniform(0.4, 0.55), cloth, 0.05)
        .turned(-rng.uniform(0.1, 0.5), 0)
        .moved(0, depth * 0.38, seat - 0.05)
    )
    shape += legs(
        width * 0.9, depth * 0.8, low + 0.01, body_material(rng), rng, str(rng.choice(["square", "tapered", "panels"]))
    )
    return Assembly.of("sofa", shape, Surface(0, -0.1, seat + 0.02, width * 0.8, depth * 0.6, 0.5))


@construction("sofa", "curved back", weight=1)
def curved_back(rng: np.random.Generator) -> Assembly:
    """A sofa whose back curves into the arms."""
    width, depth, cloth = rng.uniform(1.3, 2.2), rng.uniform(0.75, 0.95), m.fabric(rng)
    seat, back, low = rng.uniform(0.38, 0.46), rng.uniform(0.66, 0.85), rng.uniform(0.05, 0.2)
    s = np.linspace(0, np.pi, 25)
    outer = np.stack([np.cos(s) * width / 2, -depth / 2 + np.sin(s) ** rng.uniform(0.3, 0.7) * depth], 1)
    middle = np.array([0, -depth * 0.25])
    thick, rings = rng.uniform(0.1, 0.17), []
    for share, z in ((0, low), (0, back), (1, back), (1, low)):
        direction = middle - outer
        ring = outer + share * thick * direction / np.linalg.norm(direction, axis=1, keepdims=True)
        rings.append(np.concatenate([ring, np.full((25, 1), z)], 1))
    shape = surface(np.stack(rings, 1).reshape(-1, 3), grid(25, 4, wrap=True), cloth)
    shape += upholstered(width * 0.9, depth * 0.85, seat - low, cloth, rng).moved(0, -0.05, low)
    shape += legs(width * 0.75, depth * 0.7, low + 0.02, body_material(rng), rng, str(rng.choice(["tapered", "round"])))
    return Assembly.of("sofa", shape, Surface(0, -0.1, seat + 0.02, width * 0.6, depth * 0.5, 0.5))


@construction("sofa", "modular", weight=1)
def modular(rng: np.random.Generator) -> Assembly:
    """Square blocks, some with a back, in a row or around a corner."""
    size, cloth, seat = rng.uniform(0.7, 0.95), m.fabric(rng), rng.uniform(0.36, 0.45)
    count, back, thick = int(rng.integers(2, 4)), rng.uniform(0.62, 0.8), rng.uniform(0.16, 0.28)
    shape = Shape()
    for i in range(count):
        x = (i + 0.5 - count / 2) * size
        shape += rounded_box(size * 0.99, size, seat, cloth, 0.05, 0.02).moved(x)
        shape += rounded_box(size * 0.99, thick, back, cloth, 0.06).moved(x, size / 2 - thick / 2)
    if rng.random() < 0.5:
        side = rng.choice([-1, 1])
        x = side * (count - 1) * size / 2
        shape += rounded_box(size, size, seat, cloth, 0.05, 0.02).moved(x, -size)
        shape += rounded_box(thick, size * (1 + int(rng.random() < 0.5)), back, cloth, 0.06).moved(
            x + side * (size - thick) / 2, -size / 2
        )
    return Assembly.of("sofa", shape, Surface(0, -thick / 2, seat + 0.03, count * size * 0.8, size * 0.6, 0.5))


@construction("sofa", "day bed", held_out=True)
def day_bed(rng: np.random.Generator) -> Assembly:
    """A long seat with a raised end and a bolster."""
    width, depth, cloth, low = rng.uniform(1.5, 1.9), rng.uniform(0.65, 0.85), m.fabric(rng), rng.uniform(0.12, 0.25)
    shape = upholstered(width, depth, 0.42 - low, cloth, rng).moved(z=low) + legs(
        width * 0.9, depth * 0.85, low + 0.02, m.wood(rng), rng, "tapered"
    )
    shape += rounded_box(0.14, depth, 0.5, cloth, 0.06).turned(rng.uniform(0.1, 0.4), 1).moved(width / 2 - 0.1, 0, 0.36)
    shape += rounded_box(width * 0.6, 0.14, 0.42, cloth, 0.05).moved(width * 0.18, depth / 2 - 0.08, 0.36)
    bolster = cylinder(0.09, depth * 0.8, cloth).turned(np.pi / 2, 0).moved(width / 2 - 0.25, depth * 0.4, 0.5)
    return Assembly.of("sofa", shape + bolster)


@construction("sofa", "camel back", weight=1)
def camel_back(rng: np.random.Generator) -> Assembly:
    """A sofa whose back has a curved upper edge, with scooped arms, on thin legs or with a skirt to the floor."""
    width, depth = rng.uniform(1.2, 2.2), rng.uniform(0.72, 0.92)
    cloth, seat, low = m.fabric(rng), rng.uniform(0.38, 0.46), float(rng.choice([0.0, rng.uniform(0.1, 0.2)]))
    thick, high, swing = rng.uniform(0.1, 0.18), rng.uniform(0.7, 0.85), rng.uniform(0.06, 0.2)
    u = np.linspace(-1, 1, 21)
    edge = high + swing * np.cos(np.pi * u * rng.integers(1, 3))
    ring = [
        np.stack([u * width / 2, np.full(21, y), z], 1)
        for y, z in ((0, np.full(21, low)), (thick, np.full(21, low)), (thick, edge), (0, edge - 0.03))
    ]
    shape = surface(np.stack(ring, 1).reshape(-1, 3), grid(21, 4, wrap=True), cloth).moved(y=depth / 2 - thick)
    count = int(rng.integers(1, 4))
    shape += box(width * 0.97, depth * 0.95, seat - 0.12 - low, cloth, (0, 0, low))
    for i in range(count):
        x, each = ((i + 0.5) / count - 0.5) * width * 0.86, width * 0.86 / count
        shape += upholstered(each - 0.008, depth - thick, 0.13, cloth, rng).moved(x, -thick / 2, seat - 0.13)
    arm = np.array(
        [(-depth / 2, seat + 0.08), (-depth * 0.1, seat + rng.uniform(0.1, 0.2)), (depth * 0.45, high - 0.05)]
    )
    for side in (-1, 1):
        x = side * (width / 2 - 0.05)
        shape += tube(np.insert(arm, 0, x, 1), rng.uniform(0.04, 0.08), cloth, 10)
        shape += box(0.08, depth * 0.9, seat - low + 0.05, cloth, (x, 0, low))
    if low:
        shape += legs(width * 0.92, depth * 0.88, low + 0.02, m.wood(rng), rng, str(rng.choice(["tapered", "splayed"])))
    return Assembly.of("sofa", shape, Surface(0, -thick / 2, seat + 0.02, width * 0.8, depth * 0.6, 0.5))


@construction("sofa", "settle", weight=0.8)
def settle(rng: np.random.Generator) -> Assembly:
    """A wooden seat for two or three with a back of slats or spindles and a thin pad."""
    width, depth, seat = rng.uniform(1.1, 1.9), rng.uniform(0.5, 0.7), rng.uniform(0.36, 0.44)
    made, high, post = (
        m.wood(rng) if rng.random() < 0.8 else m.metal(rng),
        rng.uniform(0.4, 0.6),
        rng.uniform(0.03, 0.06),
    )
    shape = box(width, depth, 0.03, made, (0, 0, seat - 0.03)) + legs(
        width, depth, seat - 0.03, made, rng, str(rng.choice(["square", "round", "tapered", "panels"]))
    )
    back = box(width, post, post, made, (0, 0, high - post)) + slats(
        width - post, high - post, int(rng.integers(5, 18)), made, rng.random() < 0.7
    )
    shape += back.turned(-rng.uniform(0.05, 0.25), 0).moved(0, depth / 2 - 0.03, seat)
    for side in (-1, 1):
        x = side * (width / 2 - post / 2)
        shape += box(post, post, 0.22, made, (x, -depth * 0.42, seat)) + box(
            post * 1.5, depth * 0.95, 0.03, made, (x, 0, seat + 0.22)
        )
    if rng.random() < 0.8:
        pad = upholstered(width * 0.93, depth * 0.86, rng.uniform(0.04, 0.1), m.fabric(rng), rng)
        shape += pad.moved(0, -0.03, seat)
    return Assembly.of("sofa", shape, Surface(0, -0.05, seat + 0.08, width * 0.8, depth * 0.6, 0.5))


@construction("sofa", "recliners", weight=1)
def recliners(rng: np.random.Generator) -> Assembly:
    """Two or three overstuffed seats in a row, pillows one above the other, foot rests in or out."""
    count, each, cloth = (
        int(rng.integers(2, 4)),
        rng.uniform(0.56, 0.72),
        m.painted(rng) if rng.random() < 0.6 else m.fabric(rng),
    )
    depth, seat, arm = rng.uniform(0.85, 1.0), rng.uniform(0.42, 0.5), rng.uniform(0.16, 0.26)
    width = count * each + 2 * arm
    shape, high = box(width * 0.98, depth * 0.9, 0.3, cloth, (0, 0.03, 0.03)), rng.uniform(0.52, 0.68)
    for i in range(count):
        x = (i + 0.5 - count / 2) * each
        shape += rounded_box(each - 0.01, depth * 0.72, 0.2, cloth, 0.08, 0.03).moved(x, -depth * 0.12, seat - 0.18)
        pillows, lean = int(rng.integers(1, 4)), -rng.uniform(0.1, 0.35)
        for k in range(pillows):
            pad = rounded_box(each - 0.02, rng.uniform(0.18, 0.28), high / pillows * 1.06, cloth, 0.09)
            shape += pad.moved(z=k * high / pillows).turned(lean, 0).moved(x, depth * 0.3, seat - 0.02)
        if rng.random() < 0.25:
            rest = rounded_box(each - 0.04, 0.4, 0.09, cloth, 0.04).turned(-rng.uniform(0.0, 0.5), 0)
            shape += rest.moved(x, -depth * 0.5 - 0.2, seat - 0.14)
    for side in (-1, 1):
        piece = rounded_box(arm, depth * 0.92, rng.uniform(0.58, 0.66), cloth, 0.08, 0.03)
        shape += piece.moved(side * (width - arm) / 2, 0, 0.02)
    return Assembly.of("sofa", shape, Surface(0, -depth * 0.15, seat + 0.05, count * each * 0.9, depth * 0.5, 0.5))


@construction("sofa", "banquette", weight=0.7)
def banquette(rng: np.random.Generator) -> Assembly:
    """A bench along a wall, its tall back stitched in upright channels; no arms, sometimes round a corner."""
    width, depth, cloth = (
        rng.uniform(1.2, 2.8),
        rng.uniform(0.5, 0.65),
        m.painted(rng) if rng.random() < 0.5 else m.fabric(rng),
    )
    seat, high, base = rng.uniform(0.42, 0.48), rng.uniform(0.8, 1.2), body_material(rng)

    def run(length: float) -> Shape:
        made = box(length, depth * 0.88, seat - 0.1, base, (0, 0.03, 0)) + upholstered(
            length, depth, 0.11, cloth, rng, 0.015
        ).moved(z=seat - 0.1)
        w = rng.uniform(0.1, 0.3)
        channels = max(2, int(length / w))
        return made + join(
            rounded_box(length / channels, 0.11, high - seat, cloth, 0.035).moved(
                (i + 0.5 - channels / 2) * length / channels, depth / 2 - 0.06, seat
            )
            for i in range(channels)
        )

    shape = run(width)
    if rng.random() < 0.3:
        side, reach = int(rng.choice([-1, 1])), rng.uniform(0.7, 1.4)
        wing = run(reach).turned(-side * np.pi / 2)
        shape += wing.moved(side * (width - depth) / 2, -(depth + reach) / 2)
    return Assembly.of("sofa", shape, Surface(0, -0.05, seat + 0.03, width * 0.9, depth * 0.6, 0.4))


@construction("sofa", "woven", weight=0.8)
def woven(rng: np.random.Generator) -> Assembly:
    """A wicker sofa: seat, back and arms are a thin shell with loose pads."""
    width, depth, made = rng.uniform(1.1, 1.9), rng.uniform(0.65, 0.85), m.wood(rng)
    seat, arm, back, t = (
        rng.uniform(0.26, 0.34),
        rng.uniform(0.52, 0.66),
        rng.uniform(0.62, 0.85),
        rng.uniform(0.04, 0.09),
    )
    low = float(rng.choice([0.0, rng.uniform(0.06, 0.15)]))
    shape = box(width, depth, seat - low, made, (0, 0, low)) + box(
        width, t, back - low, made, (0, (depth - t) / 2, low)
    )
    shape += join(box(t, depth, arm - low, made, (s * (width - t) / 2, 0, low)) for s in (-1, 1))
    if low:
        shape += legs(width * 0.95, depth * 0.9, low + 0.01, made, rng, "square")
    cloth, pad, count = m.fabric(rng), rng.uniform(0.06, 0.14), int(rng.integers(1, 4))
    each = (width - 2 * t) / count
    for i in range(count):
        x = (i + 0.5 - count / 2) * each
        shape += upholstered(each - 0.01, depth - t - 0.02, pad, cloth, rng).moved(x, -t / 2, seat)
        if rng.random() < 0.8:
            piece = leaning(cushion(each * 0.95, back - seat, rng.uniform(0.12, 0.2), cloth), 0.2)
            shape += piece.moved(x, depth / 2 - t - 0.12, seat + pad * 0.8)
    return Assembly.of("sofa", shape, Surface(0, -0.08, seat + pad + 0.01, width * 0.75, depth * 0.5, 0.5))
