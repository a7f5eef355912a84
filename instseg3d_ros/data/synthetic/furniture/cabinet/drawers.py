"""Cabinets of drawers: for tools, herbs and linen, or beside a bed."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.cabinet.household import on_feet
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join
from instseg3d_ros.data.synthetic.primitives import bent_box, box, cylinder, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


@construction("cabinet", "many small drawers", weight=0.7)
def many_drawers(rng: np.random.Generator) -> Assembly:
    """A grid of small drawers, for cards, herbs or screws."""
    columns, rows, w, h = (
        int(rng.integers(3, 8)),
        int(rng.integers(3, 8)),
        rng.uniform(0.12, 0.26),
        rng.uniform(0.09, 0.18),
    )
    width, height, depth, made = columns * w, rows * h, rng.uniform(0.25, 0.45), body_material(rng)
    face, grip = made if rng.random() < 0.6 else body_material(rng), m.metal(rng)
    shape = box(width + 0.03, depth, height + 0.03, made)
    for i in range(columns):
        for k in range(rows):
            x, z = (i + 0.5 - columns / 2) * w, 0.015 + k * h
            out = rng.uniform(0.02, 0.15) if rng.random() < 0.03 else 0.0
            shape += box(w * 0.93, 0.015 + out, h * 0.9, face, (x, -depth / 2 - out / 2, z + h * 0.05))
            shape += box(0.03, 0.02, 0.015, grip, (x, -depth / 2 - out - 0.015, z + h * 0.45))
    shape, up = on_feet(shape, width, depth, rng)
    return Assembly.of("cabinet", shape, Surface(0, 0, height + 0.03 + up, width * 0.95, depth * 0.9))


@construction("cabinet", "tool chest", weight=0.7)
def tool_chest(rng: np.random.Generator) -> Assembly:
    """A metal cabinet on casters: flat drawers with bars, a rim around the top, a push handle."""
    width, depth, height, paint = rng.uniform(0.55, 1.3), rng.uniform(0.4, 0.55), rng.uniform(0.6, 1.0), m.painted(rng)
    up, grip, shape, z = rng.uniform(0.08, 0.15), m.metal(rng), Shape(), 0.02
    shape = box(width, depth, height - up, paint, (0, 0, up))
    while z < height - up - 0.1:
        h = min(rng.choice([0.075, 0.1, 0.15, 0.22]), height - up - z)
        shape += box(width * 0.94, 0.015, h - 0.01, paint, (0, -depth / 2 - 0.008, up + z))
        shape += box(width * 0.88, 0.02, 0.015, grip, (0, -depth / 2 - 0.02, up + z + h - 0.025))
        z += h
    black = m.Material((0.06, 0.06, 0.06))
    shape += join(
        cylinder(up / 2, 0.03, black).turned(np.pi / 2, 1).moved(x * width * 0.42, y * depth * 0.38, up / 2)
        for x in (-1, 1)
        for y in (-1, 1)
    )
    shape += box(0.025, depth * 0.8, 0.025, grip, (rng.choice([-1, 1]) * (width / 2 + 0.05), 0, height - 0.1))
    return Assembly.of("cabinet", shape, Surface(0, 0, height, width * 0.92, depth * 0.85))


@construction("cabinet", "bow front", weight=0.7)
def bow_front(rng: np.random.Generator) -> Assembly:
    """A commode whose front and drawers bulge."""
    width, depth, height, made = rng.uniform(0.6, 1.3), rng.uniform(0.35, 0.5), rng.uniform(0.65, 1.0), m.wood(rng)
    bend, grip = rng.uniform(0.04, 0.14), m.metal(rng)
    rows = int(rng.integers(2, 5))
    shape = box(width, depth, height, made) + bent_box(width * 1.05, 0.06, 0.025, -bend, made).moved(
        0, -depth / 2, height
    )
    for k in range(rows):
        low = 0.04 + k * (height - 0.05) / rows
        shape += bent_box(width, 0.03, (height - 0.05) / rows - 0.012, -bend, made).moved(0, -depth / 2 + 0.005, low)
        for x in (-0.25, 0.25):
            y = -depth / 2 - bend * (1 - 4 * x * x) - 0.02
            shape += box(0.08, 0.02, 0.012, grip, (x * width, y, low + (height - 0.05) / rows / 2))
    shape, up = on_feet(shape, width, depth, rng)
    return Assembly.of("cabinet", shape, Surface(0, 0.02, height + up + 0.003, width * 0.9, depth * 0.8))


@construction("cabinet", "bedside", weight=0.8)
def bedside(rng: np.random.Generator) -> Assembly:
    """A small block with one to three fronts or an open hole above a front."""
    width, depth, height = rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.48), rng.uniform(0.35, 0.7)
    paint = body_material(rng)
    hole = rng.uniform(0.12, 0.2) if rng.random() < 0.5 else 0.0
    low = height - hole
    shape = box(width, depth, low, paint) + fronts(width, low, depth, rng, paint, m.metal(rng), ["drawer", "door"])
    if hole:
        shape += carcass(width, depth, hole, paint).moved(z=low)
    shape, up = on_feet(shape, width, depth, rng)
    return Assembly.of("cabinet", shape, Surface(0, 0, height + up, width * 0.92, depth * 0.9))


@construction("cabinet", "plastic tower", weight=0.6)
def plastic_tower(rng: np.random.Generator) -> Assembly:
    """Plastic tubs that slide in a frame."""
    count, width, depth, h = (
        int(rng.integers(2, 6)),
        rng.uniform(0.28, 0.55),
        rng.uniform(0.35, 0.45),
        rng.uniform(0.14, 0.26),
    )
    frame, tub = m.painted(rng), m.painted(rng)
    height = count * h + 0.04
    shape = join(box(0.025, 0.025, height, frame, (x * width / 2, y * depth / 2, 0)) for x in (-1, 1) for y in (-1, 1))
    shape += box(width + 0.03, depth + 0.03, 0.02, frame, (0, 0, height))
    for k in range(count):
        out = rng.uniform(0.05, 0.2) if rng.random() < 0.12 else 0.0
        shape += rounded_box(width * 0.94, depth * 0.98, h * 0.85, tub, 0.025).moved(0, -out - 0.01, 0.03 + k * h)
        shape += box(width * 0.4, 0.03, 0.025, tub, (0, -depth / 2 - out - 0.02, 0.03 + (k + 0.6) * h))
        shape += box(width, depth, 0.012, frame, (0, 0, 0.02 + k * h))
    return Assembly.of("cabinet", shape, Surface(0, 0, height + 0.02, width * 0.92, depth * 0.9))
