"""Counters of shops and laboratories: on open shelves, on brackets, with racks above, in steps, with a hatch."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, folded_sheet
from instseg3d_ros.data.synthetic.registry import construction


def _top(rng: np.random.Generator) -> m.Material:
    return m.stone(rng) if rng.random() < 0.5 else body_material(rng)


@construction("counter", "over open boards", weight=0.8)
def over_open_boards(rng: np.random.Generator) -> Assembly:
    """A worktop on upright panels with boards between, open or behind cloth in some bays."""
    width, depth, height = rng.uniform(1.0, 2.6), rng.uniform(0.5, 0.68), rng.uniform(0.82, 0.95)
    made, thick, bays = body_material(rng), rng.uniform(0.03, 0.07), int(rng.integers(1, 4))
    top, high, w = _top(rng), height - thick, width / bays
    shape = box(width, depth, thick, top, (0, 0, high)) + box(width, 0.015, high, made, (0, depth / 2 - 0.01, 0))
    shape += join(
        box(0.03, depth * 0.95, high, made, ((i / bays - 0.5) * (width - 0.03), 0, 0)) for i in range(bays + 1)
    )
    surfaces = [Surface(0, 0, height, width * 0.92, depth * 0.85, 0.6)]
    for i in range(bays):
        x = (i + 0.5 - bays / 2) * w
        if rng.random() < 0.4:
            cloth = folded_sheet(w * 0.94, high * 0.92, rng.uniform(2, 6), 0.015, m.fabric(rng), rng)
            shape += cloth.moved(x, -depth / 2 + 0.02, 0.04)
            continue
        for z in np.linspace(0.08, high, int(rng.integers(2, 4)), endpoint=False):
            shape += box(w, depth * 0.9, 0.02, made, (x, 0.02, z))
            surfaces.append(Surface(x, 0, z + 0.02, w * 0.85, depth * 0.75, 0.28))
    return Assembly.of("counter", shape, *surfaces)


@construction("counter", "on brackets", weight=0.6)
def on_brackets(rng: np.random.Generator) -> Assembly:
    """A thick plate held by the wall alone, with or without an apron: washrooms, snack bars."""
    width, depth, height = rng.uniform(0.9, 2.6), rng.uniform(0.38, 0.6), rng.uniform(0.8, 1.1)
    top, thick = _top(rng), rng.uniform(0.04, 0.14)
    shape = box(width, depth, thick, top, (0, 0, height - thick))
    if rng.random() < 0.4:
        shape += box(width, 0.02, rng.uniform(0.08, 0.2), top, (0, -depth / 2 + 0.01, height - thick - 0.1))
    if rng.random() < 0.5:
        shape += box(width, 0.02, rng.uniform(0.08, 0.4), top, (0, depth / 2 - 0.01, height))
    steel, low = m.metal(rng), height - thick
    for x in np.linspace(-0.42, 0.42, int(rng.integers(2, 4))) * width:
        shape += bar((x, depth / 2 - 0.02, low - 0.3), (x, -depth * 0.3, low), 0.03, 0.03, steel)
    return Assembly.of("counter", shape, Surface(0, 0, height, width * 0.92, depth * 0.8, 0.6))


@construction("counter", "laboratory", weight=0.6)
def laboratory(rng: np.random.Generator) -> Assembly:
    """A pale bench over drawers and knee holes; racks of one or two boards along its back."""
    width, depth, height = rng.uniform(1.2, 2.8), rng.uniform(0.6, 0.85), rng.uniform(0.75, 0.95)
    thick, paint, top = 0.035, m.painted(rng), _top(rng)
    shape = box(width, depth, thick, top, (0, 0, height - thick))
    shape += join(box(0.04, depth * 0.9, height - thick, paint, (s * (width / 2 - 0.02), 0, 0)) for s in (-1, 1))
    blocks, w = int(rng.integers(1, 4)), rng.uniform(0.4, 0.5)
    base = Shape()
    for x in np.linspace(-0.5, 0.5, blocks + 2)[1:-1] * width:
        unit = box(w, depth * 0.85, height - thick - 0.06, paint) + fronts(
            w, height - thick - 0.06, depth * 0.85, rng, paint, m.metal(rng), ["drawer", "door"]
        )
        base += unit.moved(x, 0.03, 0.06)
    surfaces = [Surface(0, -depth * 0.15, height, width * 0.92, depth * 0.6, 0.35)]
    if rng.random() < 0.75:
        deep, steel = rng.uniform(0.2, 0.32), m.metal(rng)
        for z in (height + rng.uniform(0.35, 0.45), height + rng.uniform(0.7, 0.8))[: rng.integers(1, 3)]:
            shape += box(width * 0.95, deep, 0.02, paint, (0, (depth - deep) / 2, z))
            surfaces.append(Surface(0, (depth - deep) / 2, z + 0.02, width * 0.85, deep * 0.85, 0.3))
        rise = surfaces[-1].z - height
        shape += join(box(0.04, 0.04, rise, steel, (x * width, depth / 2 - deep / 2, height)) for x in (-0.45, 0, 0.45))
    return Assembly((Body("counter", shape), Body("cabinet", base)), tuple(surfaces))


@construction("counter", "checkout", weight=0.4)
def checkout(rng: np.random.Generator) -> Assembly:
    """A long low body with a belt, a trough at its end and a raised till."""
    width, depth, height = rng.uniform(1.4, 2.6), rng.uniform(0.5, 0.75), rng.uniform(0.75, 0.95)
    face, steel = m.painted(rng), m.metal(rng)
    belt = width * rng.uniform(0.4, 0.7)
    shape = box(width, depth, height - 0.08, face) + box(
        belt, depth * 0.75, 0.02, m.Material((0.07, 0.07, 0.08)), ((belt - width) / 2 + 0.03, 0, height - 0.02)
    )
    shape += join(box(width, 0.05, 0.1, steel, (0, s * (depth / 2 - 0.025), height - 0.08)) for s in (-1, 1))
    shape += box(0.06, depth, 0.1, steel, (width / 2 - 0.03, 0, height - 0.08))
    if rng.random() < 0.7:
        x = (belt - width) / 2 + belt / 2 + 0.15
        shape += box(0.3, 0.3, rng.uniform(0.1, 0.3), steel, (x, depth * 0.2, height))
    return Assembly.of("counter", shape, Surface((belt - width) / 2, 0, height, belt * 0.9, depth * 0.6))


@construction("counter", "in steps", weight=0.5)
def in_steps(rng: np.random.Generator) -> Assembly:
    """Two or three closed blocks of different heights in a row under tops of the same material."""
    depth, top, paint, grip = rng.uniform(0.5, 0.7), _top(rng), body_material(rng), m.metal(rng)
    widths = rng.uniform(0.5, 1.1, int(rng.integers(2, 4)))
    slab, base, surfaces, x = Shape(), Shape(), [], -widths.sum() / 2
    for w in widths:
        height, thick = rng.uniform(0.75, 1.15), rng.uniform(0.025, 0.05)
        slab += box(w, depth, thick, top, (x + w / 2, 0, height - thick))
        high = height - thick
        block = box(w, depth * 0.94, high, paint)
        block += fronts(w, high, depth * 0.94, rng, paint, grip) if rng.random() < 0.7 else Shape()
        base += block.moved(x + w / 2, 0.015)
        surfaces.append(Surface(x + w / 2, 0, height, w * 0.85, depth * 0.8))
        x += w
    return Assembly((Body("counter", slab), Body("cabinet", base)), tuple(surfaces))


@construction("counter", "serving hatch", weight=0.4)
def serving_hatch(rng: np.random.Generator) -> Assembly:
    """A closed front with a ledge, posts and a hood of boards above: kiosks, coffee bars."""
    width, depth, height = rng.uniform(1.0, 2.2), rng.uniform(0.5, 0.75), rng.uniform(0.9, 1.1)
    face, top, up = body_material(rng), _top(rng), rng.uniform(0.7, 1.0)
    shape = box(width, depth * 0.9, height, face) + box(width * 1.05, depth, 0.05, top, (0, -0.03, height))
    shape += join(
        cylinder(0.03, up, face, (x * width * 0.47, y * depth * 0.38, height + 0.05), segments=8)
        for x in (-1, 1)
        for y in (-1, 1)
    )
    shape += carcass(width, depth, rng.uniform(0.15, 0.3), face).moved(z=height + 0.05 + up)
    return Assembly.of("counter", shape, Surface(0, 0, height + 0.05, width * 0.8, depth * 0.75, up))
