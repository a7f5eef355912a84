"""Counters of kitchens and bars, islands, receptions, buffets."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import basin, tap
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join
from instseg3d_ros.data.synthetic.primitives import bar, bent_box, box, cylinder
from instseg3d_ros.data.synthetic.registry import construction


def _worktop(
    width: float,
    depth: float,
    thick: float,
    z: float,
    made: m.Material,
    hole: tuple[float, float, float, float] | None = None,
) -> Shape:
    """A slab with its underside at z, around a rectangular hole (x, y, width, depth)."""
    if hole is None:
        return box(width, depth, thick, made, (0, 0, z))
    x, y, w, d = hole
    left, right = x - w / 2 + width / 2, width / 2 - x - w / 2
    near, far = y - d / 2 + depth / 2, depth / 2 - y - d / 2
    shape = box(left, depth, thick, made, (-width / 2 + left / 2, 0, z)) + box(
        right, depth, thick, made, (width / 2 - right / 2, 0, z)
    )
    shape += box(w, near, thick, made, (x, -depth / 2 + near / 2, z))
    return shape + box(w, far, thick, made, (x, depth / 2 - far / 2, z))


@construction("counter", "kitchen run", weight=3)
def kitchen_run(rng: np.random.Generator) -> Assembly:
    """Worktop (counter) over base units (cabinet), usually with a sink, sometimes with hob, splash back, wall units."""
    width, depth, height = rng.uniform(1.0, 3.6), rng.uniform(0.55, 0.68), rng.uniform(0.8, 0.94)
    paint, thick = body_material(rng), rng.uniform(0.025, 0.06)
    top = [m.stone, m.wood, m.painted][int(rng.integers(3))](rng)
    base = box(width, depth - 0.04, height - thick - 0.1, paint, (0, 0, 0.1)) + box(
        width, depth - 0.12, 0.1, m.painted(rng), (0, 0.03, 0)
    )
    base += fronts(width, height - thick - 0.1, depth - 0.04, rng, paint, m.metal(rng)).moved(z=0.1)
    bodies, hole, surfaces = [], None, []
    if rng.random() < 0.75:
        w, d = rng.uniform(0.35, min(0.9, width * 0.5)), rng.uniform(0.34, depth - 0.15)
        hole = (rng.uniform(-0.5, 0.5) * (width - w - 0.2), -0.02, w, d)
        steel = m.metal(rng) if rng.random() < 0.75 else m.ceramic(rng)
        shape = basin(w, d, rng.uniform(0.12, 0.2), steel) + tap(rng, m.metal(rng)).moved(0, d / 2 + 0.03, 0)
        if w > 0.6:
            shape += box(0.01, d, 0.1, steel, (rng.uniform(-0.1, 0.1), 0, -0.1))
        bodies.append(Body("sink", shape.moved(hole[0], hole[1], height + 0.002)))
        base = Shape(tuple(base.parts[1:])) + _hollow_base(width, depth, height, thick, paint)
    slab = _worktop(width, depth, thick, height - thick, top, hole)
    if rng.random() < 0.4:
        slab += box(width, 0.015, rng.uniform(0.05, 0.5), top, (0, depth / 2 - 0.008, height))
    for side in (-1, 1):
        edge = side * width / 2
        free = (edge - (hole[0] + side * hole[2] / 2)) if hole else edge
        if abs(free) > 0.25:
            surfaces.append(Surface(edge - free / 2, 0, height, abs(free) * 0.9, depth * 0.85, 0.5))
    bodies = [Body("counter", slab), Body("cabinet", base), *bodies]
    return Assembly(tuple(bodies), tuple(surfaces))


def _hollow_base(width: float, depth: float, height: float, thick: float, paint: m.Material) -> Shape:
    """Sides, back and floor of base units, open at the top for the sink."""
    high = height - thick - 0.1
    shape = box(width, 0.02, high, paint, (0, depth / 2 - 0.03, 0.1)) + box(
        width, depth - 0.06, 0.02, paint, (0, 0, 0.1)
    )
    shape += box(width, 0.02, high, paint, (0, -depth / 2 + 0.03, 0.1))
    return (
        shape
        + box(0.02, depth - 0.04, high, paint, (-width / 2 + 0.01, 0, 0.1))
        + box(0.02, depth - 0.04, high, paint, (width / 2 - 0.01, 0, 0.1))
    )


@construction("counter", "island", weight=1)
def island(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(1.0, 2.4), rng.uniform(0.6, 1.1), rng.uniform(0.85, 1.1)
    paint, thick, over = body_material(rng), rng.uniform(0.03, 0.07), rng.uniform(0.02, 0.3)
    slab = box(width, depth, thick, m.stone(rng) if rng.random() < 0.6 else m.wood(rng), (0, 0, height - thick))
    base = box(width - 0.1, depth - over - 0.05, height - thick, paint, (0, over / 2, 0))
    if rng.random() < 0.6:
        base += (
            fronts(width - 0.1, height - thick, depth - over - 0.05, rng, paint, m.metal(rng))
            .turned(np.pi)
            .moved(y=over / 2)
        )
    return Assembly((Body("counter", slab), Body("cabinet", base)), (Surface(0, 0, height, width * 0.9, depth * 0.8),))


@construction("counter", "bar counter", weight=1)
def bar_counter(rng: np.random.Generator) -> Assembly:
    """A reception or bar: closed front and top are both of class counter."""
    width, depth, height = rng.uniform(1.2, 3.0), rng.uniform(0.45, 0.8), rng.uniform(0.95, 1.15)
    face = body_material(rng)
    shape = box(width, 0.04, height, face, (0, -depth / 2 + 0.1, 0)) + box(
        width, depth, 0.05, m.stone(rng), (0, 0, height)
    )
    shape += box(0.04, depth * 0.8, height, face, (-width / 2 + 0.05, 0, 0)) + box(
        0.04, depth * 0.8, height, face, (width / 2 - 0.05, 0, 0)
    )
    if rng.random() < 0.5:
        shape += box(width, depth * 0.6, 0.03, face, (0, depth * 0.2, height * 0.7))
    return Assembly.of("counter", shape, Surface(0, 0, height + 0.05, width * 0.9, depth * 0.8))


@construction("counter", "shelf counter", held_out=True)
def shelf_counter(rng: np.random.Generator) -> Assembly:
    """Steel kitchen table: a top, an open board below, four posts."""
    width, depth, height, steel = rng.uniform(1.0, 2.0), rng.uniform(0.55, 0.75), rng.uniform(0.85, 0.92), m.metal(rng)
    shape = box(width, depth, 0.04, steel, (0, 0, height - 0.04)) + box(
        width * 0.96, depth * 0.9, 0.03, steel, (0, 0, 0.25)
    )
    for sx in (-1, 1):
        for sy in (-1, 1):
            shape += cylinder(0.02, height, steel, (sx * (width / 2 - 0.03), sy * (depth / 2 - 0.03), 0))
    shape += box(width, 0.02, 0.1, steel, (0, depth / 2 - 0.01, height))
    return Assembly.of(
        "counter",
        shape,
        Surface(0, 0, height, width * 0.9, depth * 0.8),
        Surface(0, 0, 0.28, width * 0.8, depth * 0.7, 0.5),
    )


@construction("counter", "corner counter", weight=1)
def corner_counter(rng: np.random.Generator) -> Assembly:
    """Two worktops over cabinets at a right angle."""
    width, arm, depth = rng.uniform(1.6, 2.8), rng.uniform(0.8, 1.8), rng.uniform(0.55, 0.65)
    height, thick, paint = rng.uniform(0.82, 0.94), rng.uniform(0.03, 0.05), body_material(rng)
    top, side = m.stone(rng) if rng.random() < 0.5 else m.wood(rng), int(rng.choice([-1, 1]))
    x = side * (width - depth) / 2
    slab = box(width, depth, thick, top, (0, 0, height - thick)) + box(
        depth, arm, thick, top, (x, -(depth + arm) / 2, height - thick)
    )
    high = height - thick
    base = box(width, depth - 0.05, high, paint, (0, 0.02, 0)) + box(
        depth - 0.05, arm, high, paint, (x + side * 0.02, -(depth + arm) / 2, 0)
    )
    run = fronts(width - depth, high - 0.1, depth - 0.05, rng, paint, m.metal(rng)).moved(-side * depth / 2, 0.02, 0.1)
    other = fronts(arm, high - 0.1, depth - 0.05, rng, paint, m.metal(rng)).turned(-side * np.pi / 2)
    base += run + other.moved(x + side * 0.02, -(depth + arm) / 2, 0.1)
    surfaces = (
        Surface(0, 0, height, width * 0.9, depth * 0.8, 0.5),
        Surface(x, -(depth + arm) / 2, height, depth * 0.8, arm * 0.85, 0.5),
    )
    return Assembly((Body("counter", slab), Body("cabinet", base)), surfaces)


@construction("counter", "reception", weight=0.7)
def reception(rng: np.random.Generator) -> Assembly:
    """A curved front with a raised ledge."""
    width, depth, height, face = (
        rng.uniform(1.4, 2.8),
        rng.uniform(0.5, 0.8),
        rng.uniform(0.95, 1.15),
        body_material(rng),
    )
    bend = rng.uniform(0.05, 0.35)
    shape = bent_box(width, 0.05, height, -bend, face).moved(y=-depth / 2) + bent_box(
        width, 0.3, 0.04, -bend, m.stone(rng)
    ).moved(0, -depth / 2, height)
    shape += box(width * 0.95, depth * 0.8, 0.03, body_material(rng), (0, 0, height * 0.68))
    shape += join(box(0.04, depth * 0.8, height * 0.68, face, (s * width * 0.46, 0, 0)) for s in (-1, 1))
    return Assembly.of("counter", shape, Surface(0, 0.05, height * 0.68 + 0.03, width * 0.8, depth * 0.5, 0.3))


@construction("counter", "tiled counter", held_out=True)
def tiled(rng: np.random.Generator) -> Assembly:
    """A thick tiled slab on masonry walls, open below."""
    width, depth, height = rng.uniform(1.2, 2.6), rng.uniform(0.55, 0.7), rng.uniform(0.82, 0.92)
    tile = m.flooring(rng)
    shape = box(width, depth, 0.1, tile, (0, 0, height - 0.1)) + box(width, 0.1, height, tile, (0, depth / 2 - 0.05, 0))
    shape += join(
        box(0.12, depth, height, tile, (x * (width - 0.12), 0, 0))
        for x in np.linspace(-0.5, 0.5, int(rng.integers(2, 5)))
    )
    return Assembly.of("counter", shape, Surface(0, 0, height, width * 0.9, depth * 0.8, 0.5))


@construction("counter", "waterfall", weight=1)
def waterfall(rng: np.random.Generator) -> Assembly:
    """An island whose slab runs down to the floor at one or both ends, closed or open between."""
    width, depth, height = rng.uniform(1.1, 2.6), rng.uniform(0.55, 1.1), rng.uniform(0.86, 1.08)
    top, thick = m.stone(rng) if rng.random() < 0.6 else body_material(rng), rng.uniform(0.03, 0.09)
    slab = box(width, depth, thick, top, (0, 0, height - thick))
    ends = (-1, 1) if rng.random() < 0.6 else (int(rng.choice([-1, 1])),)
    slab += join(box(thick, depth, height - thick, top, (s * (width - thick) / 2, 0, 0)) for s in ends)
    bodies = [Body("counter", slab)]
    if rng.random() < 0.75:
        paint, over = body_material(rng), rng.uniform(0.02, 0.35)
        w, d, high = width - 2 * thick - 0.02, max(depth - over, 0.4), height - thick
        base = box(w, d, high, paint, (0, (depth - d) / 2, 0))
        if rng.random() < 0.6:
            base += fronts(w, high, d, rng, paint, m.metal(rng)).turned(np.pi).moved(y=(depth - d) / 2)
        bodies.append(Body("cabinet", base))
    return Assembly(tuple(bodies), (Surface(0, 0, height, width * 0.9, depth * 0.8, 0.5),))


@construction("counter", "breakfast bar", weight=0.8)
def breakfast_bar(rng: np.random.Generator) -> Assembly:
    """A narrow high board, along a wall or free-standing, on posts, brackets or a panel; open below."""
    width, depth, height = rng.uniform(0.9, 2.4), rng.uniform(0.3, 0.6), rng.uniform(0.95, 1.12)
    top, frame, thick = (
        body_material(rng),
        m.metal(rng) if rng.random() < 0.6 else body_material(rng),
        rng.uniform(0.03, 0.06),
    )
    shape = box(width, depth, thick, top, (0, 0, height - thick))
    kind = rng.integers(3)
    if kind == 0:
        shape += join(
            cylinder(rng.uniform(0.02, 0.04), height - thick, frame, (x * width, y * depth, 0))
            for x in np.linspace(-0.45, 0.45, int(rng.integers(2, 4)))
            for y in ((-0.35, 0.35) if rng.random() < 0.5 else (0.0,))
        )
    elif kind == 1:
        shape += join(box(0.04, depth * 0.9, height - thick, frame, (s * width * 0.46, 0, 0)) for s in (-1, 1))
    else:
        shape += box(width * 0.96, 0.04, height - thick, frame, (0, depth * 0.4, 0))
    if rng.random() < 0.4:
        shape += box(width * 0.9, 0.03, 0.03, frame, (0, depth * 0.2, 0.25))
    return Assembly.of("counter", shape, Surface(0, 0, height, width * 0.9, depth * 0.8, 0.5))


@construction("counter", "shop counter", weight=0.8)
def shop_counter(rng: np.random.Generator) -> Assembly:
    """A worktop behind and below a ledge for customers; the front is plain, ribbed or panelled."""
    width, depth, height = rng.uniform(1.0, 2.8), rng.uniform(0.5, 0.8), rng.uniform(0.95, 1.15)
    face, top, low = body_material(rng), body_material(rng), rng.uniform(0.7, 0.85)
    ledge = depth * rng.uniform(0.3, 0.5)
    shape = box(width, depth * 0.55, low, face, (0, -depth * 0.15, 0)) + box(width, depth, 0.03, top, (0, 0, low))
    shape += box(width, 0.03, height, face, (0, -depth / 2 + 0.03, 0)) + box(
        width * 1.02, ledge, 0.035, top, (0, -depth / 2 + ledge / 2 - 0.03, height)
    )
    shape += join(box(0.03, depth * 0.95, low, face, (s * (width / 2 - 0.02), 0, 0)) for s in (-1, 1))
    if rng.random() < 0.5:
        trim = body_material(rng)
        shape += join(
            box(width * rng.uniform(0.01, 0.03), 0.02, height * 0.9, trim, (x * width, -depth / 2 + 0.01, 0.03))
            for x in np.linspace(-0.48, 0.48, int(rng.integers(3, 16)))
        )
    return Assembly.of("counter", shape, Surface(0, ledge / 2, low + 0.03, width * 0.9, (depth - ledge) * 0.8, 0.5))


@construction("counter", "buffet", weight=0.6)
def buffet(rng: np.random.Generator) -> Assembly:
    """The counter of a canteen: a closed or open body, rails for trays in front, a pane on posts above."""
    width, depth, height = rng.uniform(1.2, 2.8), rng.uniform(0.6, 0.8), rng.uniform(0.84, 0.95)
    steel, face, thick = m.metal(rng), body_material(rng), rng.uniform(0.03, 0.06)
    shape = box(width, depth, thick, steel if rng.random() < 0.6 else m.stone(rng), (0, 0, height - thick))
    shape += box(width * 0.97, depth * rng.uniform(0.7, 0.95), height - thick - 0.08, face, (0, 0.03, 0.08))
    if rng.random() < 0.7:
        for i in range(3):
            y = -depth / 2 - 0.06 - 0.08 * i
            shape += bar((-width / 2, y, height - 0.04), (width / 2, y, height - 0.04), 0.025, 0.025, steel)
    if rng.random() < 0.6:
        up = rng.uniform(0.3, 0.45)
        shape += join(box(0.025, 0.025, up, steel, (x * width, -depth * 0.1, height)) for x in (-0.45, 0, 0.45))
        shape += box(width * 0.95, 0.3, 0.012, m.glass(rng), (0, -depth * 0.2, height + up))
    return Assembly.of("counter", shape, Surface(0, 0.05, height, width * 0.9, depth * 0.6, 0.25))


@construction("counter", "curved bar", weight=0.6)
def curved_bar(rng: np.random.Generator) -> Assembly:
    """A curved bar: panels, a thick top, a foot rail."""
    width, depth, height = rng.uniform(1.4, 2.8), rng.uniform(0.4, 0.6), rng.uniform(0.98, 1.15)
    bend, face, top = rng.uniform(0.15, 0.6), body_material(rng), m.wood(rng) if rng.random() < 0.5 else m.stone(rng)
    shape = bent_box(width * 0.97, depth * 0.3, height, -bend, face, 20) + bent_box(
        width, depth, 0.05, -bend, top, 20
    ).moved(z=height)
    if rng.random() < 0.6:
        shape += bent_box(width * 0.95, 0.04, 0.04, -bend, m.metal(rng), 20).moved(0, -depth * 0.3, 0.2)
    if rng.random() < 0.5:
        shape += bent_box(width * 0.93, depth * 0.6, 0.03, -bend, face, 20).moved(0, depth * 0.3, height * 0.75)
    return Assembly.of("counter", shape, Surface(0, -bend * 0.5, height + 0.05, width * 0.5, depth * 0.4, 0.5))


@construction("counter", "peninsula", weight=0.8)
def peninsula(rng: np.random.Generator) -> Assembly:
    """Worktop over cabinets that ends in an overhang on a post or a panel, to sit at."""
    width, depth, height = rng.uniform(1.4, 2.6), rng.uniform(0.6, 0.9), rng.uniform(0.86, 0.95)
    thick, paint, top = rng.uniform(0.025, 0.06), body_material(rng), body_material(rng)
    if rng.random() < 0.5:
        top = m.stone(rng)
    over, side, high = rng.uniform(0.3, 0.9), int(rng.choice([-1, 1])), height - thick
    slab = box(width, depth, thick, top, (0, 0, high))
    end = side * (width / 2 - 0.06)
    slab += (
        box(0.05, depth * 0.9, high, top, (end, 0, 0))
        if rng.random() < 0.5
        else cylinder(rng.uniform(0.025, 0.06), high, m.metal(rng), (end, 0, 0))
    )
    w, d = width - over, depth * rng.uniform(0.7, 0.97)
    base = box(w, d, high, paint) + fronts(w, high, d, rng, paint, m.metal(rng))
    base = base.moved(-side * over / 2)
    return Assembly(
        (Body("counter", slab), Body("cabinet", base)), (Surface(0, 0, height, width * 0.9, depth * 0.8, 0.5),)
    )


@construction("counter", "plain run", weight=1.5)
def plain_run(rng: np.random.Generator) -> Assembly:
    """A worktop of any thickness over bare blocks, fronts and holes for machines; a splash back, or none."""
    width, depth, height = rng.uniform(0.6, 3.0), rng.uniform(0.5, 0.75), rng.uniform(0.78, 1.0)
    thick, paint = rng.uniform(0.015, 0.1), body_material(rng)
    top = m.stone(rng) if rng.random() < 0.5 else m.wood(rng)
    slab = box(width + rng.uniform(0, 0.06), depth, thick, top, (0, 0, height - thick))
    if rng.random() < 0.5:
        slab += box(width, 0.02, rng.uniform(0.06, 0.6), top, (0, depth / 2 - 0.01, height))
    base, x, high = Shape(), -width / 2, height - thick
    while width / 2 - x > 0.05:
        w = min(rng.uniform(0.3, 1.0), width / 2 - x)
        kind, deep = rng.random(), depth - rng.uniform(0.03, 0.1)
        if kind < 0.25:
            base += carcass(w, deep, high, paint).moved(x + w / 2, 0.02)
        elif kind < 0.45:
            base += box(w, deep, high, paint, (x + w / 2, 0.02, 0))
        else:
            piece = box(w, deep, high - 0.09, paint) + fronts(w, high - 0.09, deep, rng, paint, m.metal(rng))
            base += piece.moved(x + w / 2, 0.02, 0.09)
        x += w
    return Assembly(
        (Body("counter", slab), Body("cabinet", base)), (Surface(0, 0, height, width * 0.9, depth * 0.8, 0.5),)
    )
