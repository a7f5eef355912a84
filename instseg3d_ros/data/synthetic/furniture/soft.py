"""Sofas and beds."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, join, legs, slats, upholstered
from instseg3d_ros.data.synthetic.primitives import bar, box, cushion, cylinder, heightfield, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


def _loose_cushion(rng, width=0.45) -> Shape:
    w = width * rng.uniform(0.75, 1.1)
    return cushion(w, w * rng.uniform(0.65, 1), rng.uniform(0.09, 0.17), m.fabric(rng))


def _cushions_on(width: float, y: float, z: float, rng) -> list[Body]:
    """Cushions leaning against a back rest that stands at y."""
    bodies = []
    for x in np.arange(-width / 2 + 0.3, width / 2 - 0.25, 0.5):
        if rng.random() < 0.35:
            one = _loose_cushion(rng).turned(np.pi / 2 - rng.uniform(0.15, 0.5), 0).grounded()
            bodies.append(Body("object", one.moved(x + rng.normal(0, 0.05), y - 0.13, z), loose=True))
    return bodies


def _sofa(width, depth, rng, chaise: int = 0) -> Assembly:
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
def straight_sofa(rng):
    return _sofa(rng.uniform(1.3, 2.6), rng.uniform(0.75, 1.05), rng)


@construction("sofa", "corner", weight=1.5)
def corner_sofa(rng):
    return _sofa(rng.uniform(1.8, 2.9), rng.uniform(0.8, 1.05), rng, int(rng.choice([-1, 1])))


@construction("sofa", "frame", weight=1.5)
def frame_sofa(rng):
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
def chesterfield(rng):
    """Arms as high as the back, both rolled outwards."""
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


def _bedding(width, length, z, rng, cloth, made: bool = True) -> Shape:
    """A duvet with waves over a mattress top at height z, hanging over its sides."""
    u, v = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(0, 1, 25), indexing="ij")
    cover, hang = rng.uniform(0.5, 0.85), rng.uniform(0.05, 0.25)
    x = u * (width / 2 + 0.03)
    y = -length / 2 - 0.02 + v * length * cover
    waves = sum(np.sin(x * rng.uniform(3, 14) + y * rng.uniform(3, 14) + rng.uniform(0, 7)) for _ in range(5))
    height = z + 0.05 + rng.uniform(0.003, 0.015) * waves - hang * np.clip(np.abs(u) - 0.88, 0, 1) / 0.12
    return heightfield(x, y, height, cloth)


def _sleeping(width, length, z, rng) -> tuple[Shape, list[Body]]:
    """Mattress from z up with bedding, and the pillows as loose things. The head is at +y."""
    sheet, thick = m.fabric(rng) if rng.random() < 0.5 else m.painted(rng, True), rng.uniform(0.14, 0.3)
    shape = rounded_box(width, length, thick, sheet, 0.05).moved(z=z)
    top = z + thick
    if rng.random() < 0.85:
        shape += _bedding(width, length, top, rng, m.fabric(rng))
    pillows, count = [], 1 if width < 1.2 else 2
    cloth = m.fabric(rng) if rng.random() < 0.6 else m.painted(rng, True)
    for i in range(count if rng.random() < 0.85 else 0):
        one = cushion(min(0.75, width / count * 0.85), rng.uniform(0.38, 0.5), rng.uniform(0.1, 0.18), cloth)
        x = ((i + 0.5) / count - 0.5) * width
        if rng.random() < 0.25:
            one = one.turned(np.pi / 2 - 0.5, 0).grounded()
        pillows.append(
            Body("object", one.turned(rng.normal(0, 0.1)).moved(x, length / 2 - 0.3, top - 0.015), loose=True)
        )
    return shape, pillows


def _bed_size(rng):
    return float(rng.choice([0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0])) * rng.uniform(0.97, 1.03), rng.uniform(1.9, 2.1)


def _bed(shape: Shape, pillows: list[Body], width, length, top) -> Assembly:
    made = Assembly.of("bed", shape, Surface(0, -0.3, top + 0.07, width * 0.8, length * 0.5, 0.8))
    return made.with_bodies(*pillows)


@construction("bed", "box bed", weight=2)
def box_bed(rng):
    """A block with a mattress, with or without an upholstered head board."""
    width, length = _bed_size(rng)
    low, cloth = rng.uniform(0.15, 0.38), m.fabric(rng)
    shape = rounded_box(width + 0.02, length + 0.02, low, cloth, 0.02)
    mattress, pillows = _sleeping(width, length, low, rng)
    shape += mattress
    if rng.random() < 0.75:
        shape += rounded_box(
            width + rng.uniform(0, 0.3), rng.uniform(0.05, 0.14), rng.uniform(0.7, 1.3), cloth, 0.03
        ).moved(0, length / 2 + 0.06)
    return _bed(shape, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "frame bed", weight=2)
def frame_bed(rng):
    """Posts, side boards, head and foot of boards or slats."""
    width, length = _bed_size(rng)
    frame, low = (m.metal(rng) if rng.random() < 0.25 else body_material(rng)), rng.uniform(0.2, 0.4)
    head, foot, w = rng.uniform(0.6, 1.2), rng.uniform(0.25, 0.7), rng.uniform(0.03, 0.09)
    shape = Shape()
    for y, high in ((length / 2 + w / 2, head), (-length / 2 - w / 2, foot)):
        shape += join(box(w, w, high, frame, (sx * (width / 2), y, 0)) for sx in (-1, 1))
        if high > low + 0.1:
            kind = rng.random()
            if kind < 0.5:
                shape += box(width, w * 0.4, high - low, frame, (0, y, low))
            else:
                shape += slats(width, high - low, int(rng.integers(5, 12)), frame, True).moved(0, y, low) + box(
                    width, w, w, frame, (0, y, high - w)
                )
    for sx in (-1, 1):
        shape += box(0.025, length, 0.14, frame, (sx * width / 2, 0, low - 0.1))
    mattress, pillows = _sleeping(width * 0.98, length, low - 0.04, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "mattress on legs", weight=1)
def divan(rng):
    width, length = _bed_size(rng)
    low = rng.uniform(0.1, 0.3)
    base = box(width, length, rng.uniform(0.05, 0.12), body_material(rng), (0, 0, low))
    mattress, pillows = _sleeping(width, length, base.bounds()[1][2], rng)
    shape = (
        base
        + mattress
        + legs(
            width * 0.9,
            length * 0.9,
            low + 0.01,
            body_material(rng),
            rng,
            str(rng.choice(["square", "round", "tapered"])),
        )
    )
    return _bed(shape, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "storage bed", weight=0.7)
def storage_bed(rng):
    """Drawers below, shelves for a head."""
    from instseg3d_ros.data.synthetic.parts import fronts

    width, length = _bed_size(rng)
    made, low = body_material(rng), rng.uniform(0.3, 0.5)
    shape = box(width, length, low, made) + fronts(length, low, width, rng, made, m.metal(rng), ["drawer"]).turned(
        np.pi / 2
    )
    shape += carcass(width + 0.1, 0.25, rng.uniform(0.8, 1.2), made, False).moved(0, length / 2 + 0.12)
    mattress, pillows = _sleeping(width * 0.97, length * 0.98, low - 0.03, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "canopy bed", held_out=True)
def canopy_bed(rng):
    width, length = _bed_size(rng)
    frame, high, low = body_material(rng), rng.uniform(1.7, 2.1), rng.uniform(0.3, 0.45)
    x, y, w = width / 2 + 0.03, length / 2 + 0.03, 0.05
    shape = join(box(w, w, high, frame, (sx * x, sy * y, 0)) for sx in (-1, 1) for sy in (-1, 1))
    shape += join(bar((sx * x, -y, high), (sx * x, y, high), w, w, frame) for sx in (-1, 1))
    shape += join(bar((-x, sy * y, high), (x, sy * y, high), w, w, frame) for sy in (-1, 1))
    shape += box(width, length, 0.1, frame, (0, 0, low - 0.1)) + box(width, 0.03, 0.5, frame, (0, y, low))
    mattress, pillows = _sleeping(width, length, low, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)
