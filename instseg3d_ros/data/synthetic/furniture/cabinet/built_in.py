"""Built-in and open cabinets: walls of doors, behind cloth, low on the wall, bridges, base units without a worktop."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, front, fronts, join
from instseg3d_ros.data.synthetic.primitives import box, cylinder, folded_sheet
from instseg3d_ros.data.synthetic.registry import construction


@construction("cabinet", "wall of cupboards", weight=0.8)
def wall_of_cupboards(rng: np.random.Generator) -> Assembly:
    """A cabinet from floor to ceiling with two rows of leaves, the upper row lower; sometimes a niche."""
    columns, w = int(rng.integers(2, 6)), rng.uniform(0.4, 0.65)
    depth, height, made = rng.uniform(0.35, 0.65), rng.uniform(2.0, 2.4), body_material(rng)
    grip, cut, niche = m.metal(rng), rng.uniform(0.68, 0.85), int(rng.integers(-3, columns))
    shape = box(columns * w, depth * 0.95, 0.08, made, (0, 0.02, 0))
    for i in range(columns):
        x = (i + 0.5 - columns / 2) * w
        if i == niche:
            low = height * rng.uniform(0.3, 0.45)
            shape += carcass(w, depth, height - low, made).moved(x, 0, low)
            shape += (box(w, depth, low, made) + fronts(w, low, depth, rng, made, grip, ["drawer"])).moved(x)
            continue
        shape += box(w, depth, height - 0.08, made, (x, 0, 0.08))
        for z, high in ((0.08, cut * height - 0.08), (cut * height, (1 - cut) * height)):
            shape += front(w, high, made, grip, rng, "door").moved(x, -depth / 2 - 0.018, z)
    return Assembly.of("cabinet", shape)


@construction("cabinet", "ajar", weight=1)
def ajar(rng: np.random.Generator) -> Assembly:
    """An open cabinet with an open drawer: boards, boxes and folded cloth are visible inside."""
    width, depth, height = rng.uniform(0.5, 1.4), rng.uniform(0.35, 0.6), rng.uniform(0.6, 2.1)
    made, grip = body_material(rng), m.metal(rng)
    low = rng.uniform(0.18, 0.25) if rng.random() < 0.5 else 0.0
    shape = carcass(width, depth, height - low, made).moved(z=low)
    if low:
        out = rng.uniform(0.0, 0.3)
        shape += box(width, depth, low, made) + front(width, low, made, grip, rng, "drawer").moved(
            0, -depth / 2 - 0.018 - out
        )
        shape += join(
            box(0.015, out, low * 0.6, made, (s * width * 0.45, -(depth + out) / 2, low * 0.2)) for s in (-1, 1)
        )
    for z in np.arange(low + rng.uniform(0.25, 0.4), height - 0.15, rng.uniform(0.28, 0.4)):
        shape += box(width * 0.97, depth * 0.9, 0.018, made, (0, 0.01, z))
        for x in np.arange(-0.36, 0.4, 0.24) * width:
            if rng.random() < 0.6:
                size = (width * rng.uniform(0.12, 0.22), depth * rng.uniform(0.4, 0.75), rng.uniform(0.06, 0.2))
                shape += box(*size, m.fabric(rng), (x, 0, z + 0.018))
    leaves = (-1, 1) if width > 0.75 else (int(rng.choice([-1, 1])),)
    for side in leaves:
        w = width / len(leaves)
        leaf = front(w, height - low, made, grip, rng, "door").moved(-side * w / 2)
        shape += leaf.turned(side * rng.choice([0.0, rng.uniform(0.2, 1.9)])).moved(
            side * width / 2, -depth / 2 - 0.018, low
        )
    return Assembly.of("cabinet", shape)


@construction("cabinet", "behind cloth", weight=0.5)
def behind_cloth(rng: np.random.Generator) -> Assembly:
    """A frame or a carcass whose front, and sometimes sides, are a hanging sheet; a wardrobe of tubes and cloth."""
    width, depth, height = rng.uniform(0.6, 1.5), rng.uniform(0.4, 0.55), rng.uniform(0.7, 1.8)
    cloth, made = m.fabric(rng), body_material(rng)
    shape = box(width, depth, 0.03, made, (0, 0, height)) + box(width, depth, 0.02, made, (0, 0, 0.06))
    shape += join(
        cylinder(0.014, height, m.metal(rng), (x * width * 0.48, y * depth * 0.47, 0), segments=8)
        for x in (-1, 1)
        for y in (-1, 1)
    )
    sheet = folded_sheet(width, height - 0.06, rng.uniform(2, 9), rng.uniform(0.006, 0.03), cloth, rng)
    shape += sheet.moved(0, -depth / 2 - 0.02, 0.05)
    if rng.random() < 0.6:
        shape += join(box(0.01, depth, height - 0.06, cloth, (s * width / 2, 0, 0.05)) for s in (-1, 1))
    else:
        shape += join(box(0.018, depth, height, made, (s * width / 2, 0, 0)) for s in (-1, 1))
    tops = [Surface(0, 0, height + 0.03, width * 0.9, depth * 0.85)] if height < 1.4 else []
    return Assembly.of("cabinet", shape, *tops)


@construction("cabinet", "hung low", weight=1)
def hung_low(rng: np.random.Generator) -> Assembly:
    """A cabinet on the wall at knee height: sideboards of living rooms, vanities of bathrooms."""
    width, depth, height = rng.uniform(0.6, 2.0), rng.uniform(0.28, 0.5), rng.uniform(0.25, 0.6)
    made, up = body_material(rng), rng.uniform(0.15, 0.34)
    shape = box(width, depth, height, made) + fronts(width, height, depth, rng, made, m.metal(rng))
    if rng.random() < 0.4:
        shape += box(width * 1.02, depth * 1.05, rng.uniform(0.02, 0.05), body_material(rng), (0, -0.01, height))
    return Assembly.of("cabinet", shape.moved(z=up), Surface(0, 0, height + up + 0.03, width * 0.95, depth * 0.85))


@construction("cabinet", "bridged", weight=0.6)
def bridged(rng: np.random.Generator) -> Assembly:
    """Two towers with a low body and a bridge of leaves between them, around a place for a screen."""
    tower, width, depth = rng.uniform(0.35, 0.6), rng.uniform(0.9, 1.5), rng.uniform(0.35, 0.5)
    high, low, made = rng.uniform(1.5, 2.1), rng.uniform(0.3, 0.55), body_material(rng)
    over, grip = rng.uniform(0.3, 0.45), m.metal(rng)
    face = made if rng.random() < 0.5 else body_material(rng)
    shape = box(width, depth, low, made) + fronts(width, low, depth, rng, face, grip, ["drawer"])
    if rng.random() < 0.75:
        bridge = box(width, depth * 0.8, over, made) + fronts(width, over, depth * 0.8, rng, face, grip, ["door"])
        shape += bridge.moved(0, depth * 0.1, high - over)
    for side in (-1, 1):
        block = box(tower, depth, high, made) + fronts(tower, high, depth, rng, face, grip, ["mixed", "door", "glass"])
        shape += block.moved(side * (width + tower) / 2)
    return Assembly.of("cabinet", shape, Surface(0, 0, low, width * 0.9, depth * 0.85, high - over - low))


@construction("cabinet", "pigeon holes", weight=0.7)
def pigeon_holes(rng: np.random.Generator) -> Assembly:
    """A grid of cubes, more than half of which are closed."""
    size, columns, rows = rng.uniform(0.3, 0.42), int(rng.integers(2, 5)), int(rng.integers(1, 5))
    depth, made, grip = rng.uniform(0.3, 0.42), body_material(rng), m.metal(rng)
    face = made if rng.random() < 0.4 else body_material(rng)
    shape, shut = Shape(), rng.uniform(0.5, 1.0)
    for i in range(columns):
        for j in range(rows):
            cube = carcass(size, depth, size, made)
            if rng.random() < shut:
                kind = "door" if rng.random() < 0.7 else "drawer"
                cube += fronts(size, size, depth, rng, face, grip, [kind])
            elif rng.random() < 0.5:
                cube += box(size * 0.85, depth * 0.9, size * 0.75, m.fabric(rng), (0, -0.01, 0.02))
            shape += cube.moved((i + 0.5 - columns / 2) * size, 0, j * size)
    tops = [Surface(0, 0, rows * size, columns * size * 0.95, depth * 0.85)] if rows < 5 else []
    return Assembly.of("cabinet", shape, *tops)


@construction("cabinet", "base units", weight=0.7)
def base_units(rng: np.random.Generator) -> Assembly:
    """Kitchen base units under a thin top of the same material: drawers and leaves on a dark plinth."""
    width, depth, height = rng.uniform(0.8, 2.6), rng.uniform(0.45, 0.62), rng.uniform(0.7, 0.92)
    made, foot = body_material(rng), rng.uniform(0.06, 0.14)
    shape = box(width, depth, height - foot, made, (0, 0, foot))
    shape += box(width * 0.98, depth * 0.85, foot, m.Material((0.1, 0.1, 0.1)), (0, 0.03, 0))
    shape += fronts(width, height - foot, depth, rng, made, m.metal(rng), ["drawer", "door", "mixed"]).moved(z=foot)
    return Assembly.of("cabinet", shape, Surface(0, 0, height, width * 0.95, depth * 0.9, 0.6))
