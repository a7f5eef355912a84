"""Counters with sinks, wall cabinets' companions, refrigerators."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import body_material, fronts, handle
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, revolve, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


def tap(rng, made) -> Shape:
    """A tap whose spout points to -y, standing on z = 0."""
    h, reach, r = rng.uniform(0.1, 0.32), rng.uniform(0.1, 0.2), rng.uniform(0.008, 0.014)
    if rng.random() < 0.5:
        angle = np.linspace(0, np.pi, 9)
        arc = np.stack([0 * angle, -reach / 2 * (1 - np.cos(angle)), h + np.sin(angle) * reach / 2], 1)
        return tube([(0, 0, 0), *arc, (0, -reach, h - 0.05)], r, made) + cylinder(r * 2, 0.03, made)
    return (
        cylinder(r * 1.6, h, made)
        + bar((0, 0, h * 0.85), (0, -reach, h), r * 2, r * 1.6, made)
        + bar((0, 0, h), (0, 0.01, h + 0.05), 0.012, 0.02, made)
    )


def basin(width, depth, deep, made, t: float = 0.008) -> Shape:
    """An open tub below z = 0 with a rim on it."""
    shape = box(width, depth, t, made, (0, 0, -deep))
    for sx, sy, lx, ly in ((0, -1, width, t), (0, 1, width, t), (-1, 0, t, depth), (1, 0, t, depth)):
        shape += box(lx, ly, deep + 0.004, made, (sx * (width - t) / 2, sy * (depth - t) / 2, -deep))
    for sx, sy, lx, ly in (
        (0, -1, width + 0.04, 0.025),
        (0, 1, width + 0.04, 0.025),
        (-1, 0, 0.025, depth),
        (1, 0, 0.025, depth),
    ):
        shape += box(lx, ly, 0.006, made, (sx * (width + 0.02) / 2, sy * (depth + 0.02) / 2, 0))
    return shape


def _worktop(width, depth, thick, z, made, hole=None) -> Shape:
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
def kitchen_run(rng):
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


def _hollow_base(width, depth, height, thick, paint) -> Shape:
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
def island(rng):
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
def bar_counter(rng):
    """Reception and bar: a closed front with a top of its own, all counter."""
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
def shelf_counter(rng):
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


def _fridge(width, depth, height, cuts, paint, rng, side_by_side=False) -> Assembly:
    grip = m.metal(rng) if rng.random() < 0.7 else paint
    shape = rounded_box(width, depth - 0.06, height, paint, 0.01).moved(y=0.03)
    hinge = rng.choice([-1, 1])
    for low, high in zip(cuts[:-1], cuts[1:]):
        halves = ((-0.25, 0.5, 1), (0.25, 0.5, -1)) if side_by_side else ((0.0, 1.0, hinge),)
        for x, share, side in halves:
            w, h = width * share - 0.006, (high - low) * height - 0.008
            door = rounded_box(w, 0.06, h, paint, rng.uniform(0.004, 0.025)).moved(
                x * width, -depth / 2 + 0.03, low * height + 0.004
            )
            long = rng.uniform(0.15, 0.6) * h
            bow = handle(rng, grip, long).turned(np.pi / 2, 1).scaled(1.5, 1.5, 1)
            shape += door + bow.moved(
                x * width + side * (w / 2 - 0.05), -depth / 2, low * height + h * rng.uniform(0.4, 0.6)
            )
    if rng.random() < 0.15:
        shape += box(0.2, 0.005, 0.3, m.Material((0.1, 0.1, 0.1)), (-width * 0.2, -depth / 2 - 0.002, height * 0.55))
    surfaces = (Surface(0, 0, height, width * 0.9, depth * 0.8),) if height < 1.4 else ()
    return Assembly.of("refrigerator", shape, *surfaces)


def _enamel(rng):
    choice = rng.random()
    return m.painted(rng, True) if choice < 0.5 else m.metal(rng) if choice < 0.85 else m.painted(rng)


@construction("refrigerator", "two doors", weight=3)
def two_doors(rng):
    cut = rng.choice([rng.uniform(0.3, 0.45), rng.uniform(0.62, 0.78)])
    return _fridge(
        rng.uniform(0.54, 0.8), rng.uniform(0.55, 0.75), rng.uniform(1.4, 2.05), [0, cut, 1], _enamel(rng), rng
    )


@construction("refrigerator", "one door", weight=1.5)
def one_door(rng):
    return _fridge(
        rng.uniform(0.45, 0.65), rng.uniform(0.45, 0.65), rng.uniform(0.8, 1.9), [0.04, 1], _enamel(rng), rng
    )


@construction("refrigerator", "side by side", weight=1)
def side_by_side(rng):
    return _fridge(
        rng.uniform(0.8, 1.0), rng.uniform(0.65, 0.8), rng.uniform(1.65, 1.9), [0.03, 1.0], _enamel(rng), rng, True
    )


@construction("refrigerator", "round retro", held_out=True)
def retro(rng):
    width, depth, height, paint = rng.uniform(0.55, 0.65), rng.uniform(0.6, 0.7), rng.uniform(1.2, 1.6), m.painted(rng)
    shape = rounded_box(width, depth - 0.06, height, paint, 0.09).moved(y=0.03)
    shape += rounded_box(width * 0.97, 0.12, height * 0.9, paint, 0.05).moved(0, -depth / 2 + 0.03, height * 0.08)
    shape += tube([(width * 0.35, -depth / 2 - 0.03, height * 0.5), (width * 0.35, -depth / 2 - 0.08, height * 0.55),
                   (width * 0.35, -depth / 2 - 0.03, height * 0.62)], 0.012, m.metal(rng))  # fmt: skip
    return Assembly.of("refrigerator", shape, Surface(0, 0, height, 0.4, 0.4))


@construction("sink", "pedestal basin", weight=2)
def pedestal_basin(rng):
    width, depth, height, made = rng.uniform(0.4, 0.68), rng.uniform(0.36, 0.52), rng.uniform(0.78, 0.9), m.ceramic(rng)
    deep = rng.uniform(0.12, 0.18)
    s = np.linspace(0, 1, 7)
    bowl = np.stack([0.35 + 0.65 * s**0.5, s * deep], 1) * [width / 2, 1]
    shape = hollow(bowl, 0.02, made, 28, squeeze=depth / width, corner=float(rng.choice([0, 0.2, 0.7]))).moved(
        z=height - deep
    )
    shape += box(width * 0.6, 0.08, 0.05, made, (0, depth / 2 - 0.02, height - 0.05)) + tap(rng, m.metal(rng)).moved(
        0, depth / 2 - 0.03, height
    )
    if rng.random() < 0.6:
        shape += revolve([(0.11, 0), (0.07, 0.1), (0.07, height - deep), (0.12, height - deep + 0.02)], made, 16).moved(
            y=depth * 0.1
        )
    return Assembly.of("sink", shape)


@construction("sink", "vanity", weight=2)
def vanity(rng):
    """A basin let into, or standing on, a cabinet."""
    width, depth, height = rng.uniform(0.5, 1.3), rng.uniform(0.4, 0.56), rng.uniform(0.75, 0.88)
    paint, made = body_material(rng), m.ceramic(rng)
    cabinet = box(width, depth, height - 0.15, paint, (0, 0, 0.0)) + fronts(
        width, height - 0.15, depth, rng, paint, m.metal(rng)
    )
    if rng.random() < 0.5:
        shape = basin(width * 0.8, depth * 0.7, 0.12, made).moved(0, -0.02, height) + box(
            width, depth, 0.02, made, (0, 0, height - 0.16)
        )
        for sx, sy, lx, ly in (
            (0, -1, width, 0.05),
            (0, 1, width, 0.08),
            (-1, 0, width * 0.1, depth),
            (1, 0, width * 0.1, depth),
        ):
            shape += box(lx, ly, 0.14, made, (sx * (width - lx) / 2, sy * (depth - ly) / 2, height - 0.14))
    else:
        cabinet += box(width, depth, 0.15, paint, (0, 0, height - 0.15))
        r = min(0.22, depth * 0.42)
        shape = hollow(
            [(r * 0.6, 0), (r * 0.95, 0.06), (r, 0.13)], 0.012, made, 28, corner=float(rng.choice([0, 0.6]))
        ).moved(0, -0.02, height)
    shape += tap(rng, m.metal(rng)).moved(0, depth / 2 - 0.05, height)
    return Assembly((Body("sink", shape), Body("cabinet", cabinet)))


@construction("sink", "wall trough", held_out=True)
def trough(rng):
    width, depth, height, made = rng.uniform(0.5, 1.2), rng.uniform(0.36, 0.48), rng.uniform(0.75, 0.88), m.ceramic(rng)
    shape = basin(width, depth, 0.16, made, 0.025).moved(z=height) + box(
        width, 0.03, 0.12, made, (0, depth / 2, height)
    )
    shape += bar((0, 0.05, height - 0.16), (0, depth / 2, height - 0.3), 0.04, 0.04, m.metal(rng)) + tap(
        rng, m.metal(rng)
    ).moved(0, depth / 2, height + 0.02)
    return Assembly.of("sink", shape)


@construction("sink", "small wall basin", mount="wall")
def wall_basin(rng):
    """Hung on the wall at y = 0."""
    width, depth, made = rng.uniform(0.3, 0.5), rng.uniform(0.22, 0.38), m.ceramic(rng)
    shape = basin(width * 0.9, depth * 0.85, 0.14, made, 0.02).moved(0, -depth / 2, 0.19)
    return Assembly.of("sink", shape + tap(rng, m.metal(rng)).moved(0, -0.04, 0.19))
