"""Cupboards: tall or stacked bodies of doors, shelves and drawers, and boxes with a lid."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.cabinet.household import on_feet
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, front, fronts, handle, join
from instseg3d_ros.data.synthetic.primitives import box, cylinder, extrude, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


@construction("cabinet", "modules", weight=2)
def modules(rng: np.random.Generator) -> Assembly:
    """Columns of blocks that differ in height, depth and kind of front."""
    depth, made, grip = rng.uniform(0.3, 0.6), body_material(rng), m.metal(rng)
    face = made if rng.random() < 0.5 else body_material(rng)
    widths = rng.uniform(0.3, 0.8, int(rng.integers(1, 5)))
    tall = rng.random() < 0.5
    shape, surfaces, x = Shape(), [], -widths.sum() / 2
    for w in widths:
        z, height, d = 0.0, rng.uniform(0.9, 2.1) if tall else rng.uniform(0.35, 1.1), depth * rng.uniform(0.8, 1.0)
        block = Shape()
        while height - z > 0.15:
            h = min(rng.uniform(0.25, 0.9), height - z)
            if height - z - h < 0.15:
                h = height - z
            kind = str(rng.choice(["drawer", "door", "glass", "open", "bare"], p=[0.3, 0.35, 0.05, 0.2, 0.1]))
            if kind == "open":
                block += carcass(w, d, h, made).moved(z=z)
            else:
                block += box(w, d, h, made, (0, 0, z))
                if kind != "bare":
                    block += fronts(w, h, d, rng, face, grip, [kind]).moved(z=z)
            z += h
        shape += block.moved(x + w / 2, (depth - d) / 2)
        if z < 1.5:
            surfaces.append(Surface(x + w / 2, (depth - d) / 2, z, w * 0.9, d * 0.85))
        x += w
    return Assembly.of("cabinet", shape, *surfaces)


@construction("cabinet", "armoire", weight=1)
def armoire(rng: np.random.Generator) -> Assembly:
    """A heavy old cupboard on feet: two panelled leaves, often a drawer below, a cornice or an arch on top."""
    width, depth, height = rng.uniform(0.8, 1.7), rng.uniform(0.45, 0.65), rng.uniform(1.5, 2.1)
    made = m.wood(rng) if rng.random() < 0.8 else m.painted(rng)
    low = rng.uniform(0.18, 0.3) if rng.random() < 0.5 else 0.0
    shape = box(width, depth, height, made)
    if low:
        shape += fronts(width, low, depth, rng, made, m.metal(rng), ["drawer"])
    for side in (-1, 1):
        leaf = box(width / 2 - 0.03, 0.02, height - low - 0.06, made)
        rows = int(rng.integers(1, 4))
        h = (height - low - 0.16) / rows
        leaf += join(box(width / 2 - 0.16, 0.045, h - 0.07, made, (0, 0, 0.05 + i * h + 0.035)) for i in range(rows))
        leaf += handle(rng, m.metal(rng), 0.1).moved(-side * (width / 4 - 0.05), -0.02, (height - low) * 0.5)
        shape += leaf.moved(side * width / 4, -depth / 2 - 0.01, low + 0.03)
    over = rng.uniform(0.02, 0.08)
    if rng.random() < 0.6:
        for i in range(int(rng.integers(1, 4))):
            grown = over * (i + 1) / 2
            shape += box(width + 2 * grown, depth + grown, 0.035, made, (0, -grown / 2, height + 0.035 * i))
    else:
        u = np.linspace(-1, 1, 13)
        rise = rng.uniform(0.08, 0.25) * (1 - (np.abs(u) if rng.random() < 0.5 else u**2))
        arch = np.concatenate([[(-width / 2, 0.0)], np.stack([u * width / 2, 0.03 + rise], 1), [(width / 2, 0.0)]])
        shape += extrude(arch, 0.06, made).turned(np.pi / 2, 0).moved(0, -depth / 2 + 0.06, height)
    return Assembly.of("cabinet", on_feet(shape, width, depth, rng)[0])


@construction("cabinet", "sheet steel", weight=1)
def sheet_steel(rng: np.random.Generator) -> Assembly:
    """A metal cabinet of offices and workshops: two leaves with a lever between them, slots, a thin plinth."""
    width, depth, height = rng.uniform(0.6, 1.2), rng.uniform(0.38, 0.6), rng.uniform(0.7, 2.0)
    paint, grip = m.painted(rng) if rng.random() < 0.8 else m.metal(rng), m.metal(rng)
    shape = box(width, depth, height, paint)
    for side in (-1, 1):
        shape += box(width / 2 - 0.008, 0.015, height - 0.08, paint, (side * width / 4, -depth / 2 - 0.008, 0.06))
        if rng.random() < 0.5:
            rib = rng.uniform(0.1, 0.3) * width / 2
            shape += box(rib, 0.02, height * 0.8, paint, (side * width / 4, -depth / 2 - 0.014, height * 0.1))
    shape += box(0.025, 0.04, 0.12, grip, (rng.choice([-1, 1]) * 0.04, -depth / 2 - 0.03, height * 0.5))
    tops = [Surface(0, 0, height, width * 0.92, depth * 0.85)] if height < 1.5 else []
    return Assembly.of("cabinet", shape, *tops)


@construction("cabinet", "dresser", weight=1)
def dresser(rng: np.random.Generator) -> Assembly:
    """A deep base with fronts, a free worktop, and shallow boards or solid leaves above it, with or without a gap."""
    width, depth, low = rng.uniform(0.8, 1.8), rng.uniform(0.42, 0.6), rng.uniform(0.75, 0.95)
    made, grip = body_material(rng), m.metal(rng)
    face = made if rng.random() < 0.6 else body_material(rng)
    shape = box(width, depth, low, made) + fronts(width, low, depth, rng, face, grip)
    shape += box(width * 1.02, depth * 1.04, 0.03, body_material(rng), (0, -0.01, low))
    gap, high, deep = float(rng.choice([0.0, rng.uniform(0.3, 0.5)])), rng.uniform(0.5, 1.0), rng.uniform(0.2, 0.34)
    upper = carcass(width * 0.98, deep, high, made)
    if rng.random() < 0.5:
        upper += box(width * 0.97, deep, high, made) + fronts(width * 0.98, high, deep, rng, face, grip, ["door"])
    else:
        rows = int(rng.integers(2, 4))
        upper += join(box(width * 0.96, deep, 0.018, made, (0, 0, high * i / rows)) for i in range(1, rows))
    y = (depth - deep) / 2
    shape += upper.moved(0, y, low + 0.03 + gap)
    if gap:
        shape += box(width * 0.98, 0.02, gap, made, (0, depth / 2 - 0.01, low + 0.03)) + join(
            box(0.02, deep, gap, made, (s * width * 0.48, y, low + 0.03)) for s in (-1, 1)
        )
    free = Surface(0, -deep / 2, low + 0.03, width * 0.95, depth - deep - 0.03, gap or 1.0)
    return Assembly.of("cabinet", shape, free)


@construction("cabinet", "lidded box", weight=0.8)
def lidded_box(rng: np.random.Generator) -> Assembly:
    """A low block under a flat lid that stands out, with panels or boards in front; for linen, toys, firewood."""
    width, depth, height = rng.uniform(0.6, 1.4), rng.uniform(0.35, 0.55), rng.uniform(0.38, 0.6)
    made = body_material(rng)
    shape = box(width, depth, height, made)
    count = int(rng.integers(1, 6))
    for i in range(count):
        x, w = (i + 0.5 - count / 2) * width / count, width / count
        if rng.random() < 0.3:
            shape += front(w * 0.97, height * 0.94, made, made, rng, "door").moved(x, -depth / 2 - 0.018, height * 0.02)
        else:
            shape += box(w * 0.8, 0.02, height * 0.7, made, (x, -depth / 2 - 0.008, height * 0.14))
    shape += box(width * 1.04, depth * 1.06, rng.uniform(0.02, 0.05), made, (0, -0.01, height))
    if rng.random() < 0.3:
        shape += rounded_box(width, depth, rng.uniform(0.04, 0.1), m.fabric(rng), 0.03, 0.02).moved(z=height + 0.03)
    shape, up = on_feet(shape, width, depth, rng)
    return Assembly.of("cabinet", shape, Surface(0, 0, height + up + 0.02, width * 0.9, depth * 0.85))


@construction("cabinet", "drum", weight=0.5)
def drum(rng: np.random.Generator) -> Assembly:
    """A cabinet that is round, half round or has round ends, closed by leaves or vertical laths."""
    width, depth, height = rng.uniform(0.35, 1.3), rng.uniform(0.3, 0.5), rng.uniform(0.45, 1.1)
    made = body_material(rng)
    s = np.linspace(0, np.pi, 17)
    ends = np.stack([np.cos(s) * width / 2, -(np.sin(s) ** rng.uniform(0.3, 1.0)) * depth], 1)
    if rng.random() < 0.4:  # round behind too
        width = depth = rng.uniform(0.35, 0.6)
        s = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ends = np.stack([np.cos(s), np.sin(s) - 1], 1) * width / 2
    shape = extrude(ends, height, made)
    if rng.random() < 0.6:
        shape += join(cylinder(0.012, height - 0.04, made, (x, y, 0.02), segments=6) for x, y in ends[1:-1])
    shape += extrude(ends * 1.04, 0.025, body_material(rng)).moved(z=height)
    shape = shape.moved(y=depth / 2) + handle(rng, m.metal(rng), 0.12).turned(np.pi / 2, 1).moved(
        0, -depth / 2 - 0.012, height * 0.6
    )
    shape, up = on_feet(shape, width * 0.7, depth * 0.7, rng)
    return Assembly.of("cabinet", shape, Surface(0, 0, height + up + 0.025, width * 0.6, depth * 0.6))
