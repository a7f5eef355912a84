"""Beds with mattress, bedding and pillows."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join, leaning, legs, slats
from instseg3d_ros.data.synthetic.primitives import bar, box, cushion, cylinder, heightfield, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


def _bedding(
    width: float, length: float, z: float, rng: np.random.Generator, cloth: m.Material, made: bool = True
) -> Shape:
    """A duvet with waves over a mattress top at height z, hanging over its sides."""
    u, v = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(0, 1, 25), indexing="ij")
    cover, hang = rng.uniform(0.5, 0.85), rng.uniform(0.05, 0.25)
    x = u * (width / 2 + 0.03)
    y = -length / 2 - 0.02 + v * length * cover
    waves = sum(np.sin(x * rng.uniform(3, 14) + y * rng.uniform(3, 14) + rng.uniform(0, 7)) for _ in range(5))
    height = z + 0.05 + rng.uniform(0.003, 0.015) * waves - hang * np.clip(np.abs(u) - 0.88, 0, 1) / 0.12
    return heightfield(x, y, height, cloth)


def _sleeping(width: float, length: float, z: float, rng: np.random.Generator) -> tuple[Shape, list[Body]]:
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
            one = leaning(one, 0.5)
        pillows.append(
            Body("object", one.turned(rng.normal(0, 0.1)).moved(x, length / 2 - 0.3, top - 0.015), loose=True)
        )
    return shape, pillows


def _bed_size(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.choice([0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0])) * rng.uniform(0.97, 1.03), rng.uniform(1.9, 2.1)


def _bed(shape: Shape, pillows: list[Body], width: float, length: float, top: float) -> Assembly:
    made = Assembly.of("bed", shape, Surface(0, -0.3, top + 0.05, width * 0.8, length * 0.5, 0.8))
    return made.with_bodies(*pillows)


@construction("bed", "box bed", weight=2)
def box_bed(rng: np.random.Generator) -> Assembly:
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
def frame_bed(rng: np.random.Generator) -> Assembly:
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
def divan(rng: np.random.Generator) -> Assembly:
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
def storage_bed(rng: np.random.Generator) -> Assembly:
    """A bed with drawers below and shelves at the head."""

    width, length = _bed_size(rng)
    made, low = body_material(rng), rng.uniform(0.3, 0.5)
    shape = box(width, length, low, made) + fronts(length, low, width, rng, made, m.metal(rng), ["drawer"]).turned(
        np.pi / 2
    )
    shape += carcass(width + 0.1, 0.25, rng.uniform(0.8, 1.2), made, False).moved(0, length / 2 + 0.12)
    mattress, pillows = _sleeping(width * 0.97, length * 0.98, low - 0.03, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "canopy bed", held_out=True)
def canopy_bed(rng: np.random.Generator) -> Assembly:
    width, length = _bed_size(rng)
    frame, high, low = body_material(rng), rng.uniform(1.7, 2.1), rng.uniform(0.3, 0.45)
    x, y, w = width / 2 + 0.03, length / 2 + 0.03, 0.05
    shape = join(box(w, w, high, frame, (sx * x, sy * y, 0)) for sx in (-1, 1) for sy in (-1, 1))
    shape += join(bar((sx * x, -y, high), (sx * x, y, high), w, w, frame) for sx in (-1, 1))
    shape += join(bar((-x, sy * y, high), (x, sy * y, high), w, w, frame) for sy in (-1, 1))
    shape += box(width, length, 0.1, frame, (0, 0, low - 0.1)) + box(width, 0.03, 0.5, frame, (0, y, low))
    mattress, pillows = _sleeping(width, length, low, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "hospital bed", weight=0.6)
def hospital_bed(rng: np.random.Generator) -> Assembly:
    """A hospital bed: high, on wheels, with plastic ends and rails; the back may be raised."""
    width, length, low = rng.uniform(0.85, 1.0), rng.uniform(1.95, 2.15), rng.uniform(0.45, 0.65)
    steel, plastic = m.metal(rng), m.painted(rng)
    shape = box(width, length, 0.08, steel, (0, 0, low - 0.08)) + legs(
        width * 0.8, length * 0.8, low - 0.08, steel, rng, "frame"
    )
    for y, high in ((length / 2 + 0.03, 0.5), (-length / 2 - 0.03, 0.35)):
        shape += rounded_box(width, 0.04, high, plastic, 0.015).moved(0, y, low - 0.02)
    for side in (-1, 1):
        if rng.random() < 0.7:
            shape += join(
                tube([(side * width / 2, -0.3, z), (side * width / 2, 0.6, z)], 0.012, steel)
                for z in (low + 0.15, low + 0.28, low + 0.4)
            )
    mattress, pillows = _sleeping(width * 0.95, length * 0.98, low, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "wing head", weight=1)
def wing_head(rng: np.random.Generator) -> Assembly:
    """A tall, thick head board in vertical or horizontal pads, wider than the bed."""
    width, length = _bed_size(rng)
    cloth, low, high = m.fabric(rng), rng.uniform(0.2, 0.38), rng.uniform(0.95, 1.5)
    wide, count = width + rng.uniform(0.0, 0.8), int(rng.integers(2, 9))
    shape = rounded_box(width + 0.06, length + 0.04, low, cloth, 0.02)
    upright = rng.random() < 0.6
    for i in range(count):
        if upright:
            pad = rounded_box(wide / count * 0.98, 0.1, high, cloth, 0.03).moved((i + 0.5 - count / 2) * wide / count)
        else:
            pad = rounded_box(wide, 0.1, high / count * 0.98, cloth, 0.03).moved(0, 0, i * high / count)
        shape += pad.moved(y=length / 2 + 0.06)
    mattress, pillows = _sleeping(width, length, low - 0.02, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)


@construction("bed", "sleigh bed", held_out=True)
def sleigh_bed(rng: np.random.Generator) -> Assembly:
    width, length = _bed_size(rng)
    frame, low = m.wood(rng), rng.uniform(0.28, 0.4)
    shape = box(width + 0.04, length, 0.16, frame, (0, 0, low - 0.14))
    for y, high, lean in ((length / 2, rng.uniform(0.9, 1.15), -0.2), (-length / 2, rng.uniform(0.55, 0.8), 0.2)):
        shape += box(width + 0.06, 0.05, high, frame).turned(lean, 0).moved(0, y)
        shape += (
            cylinder(0.06, width + 0.06, frame)
            .turned(np.pi / 2, 1)
            .moved(-width / 2 - 0.03, y - np.sin(lean) * high * 1.02, high)
        )
    mattress, pillows = _sleeping(width, length, low - 0.05, rng)
    return _bed(shape + mattress, pillows, width, length, mattress.bounds()[1][2] - 0.06)
