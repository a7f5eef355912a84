"""Basins on pedestals, in vanities, on walls; kitchen sinks come with counters."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import basin, tap
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import body_material, fronts, join, legs
from instseg3d_ros.data.synthetic.primitives import bar, box, revolve, tube
from instseg3d_ros.data.synthetic.registry import construction


@construction("sink", "pedestal basin", weight=2)
def pedestal_basin(rng: np.random.Generator) -> Assembly:
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
def vanity(rng: np.random.Generator) -> Assembly:
    """A basin in or on a cabinet."""
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
def trough(rng: np.random.Generator) -> Assembly:
    width, depth, height, made = rng.uniform(0.5, 1.2), rng.uniform(0.36, 0.48), rng.uniform(0.75, 0.88), m.ceramic(rng)
    shape = basin(width, depth, 0.16, made, 0.025).moved(z=height) + box(
        width, 0.03, 0.12, made, (0, depth / 2, height)
    )
    shape += bar((0, 0.05, height - 0.16), (0, depth / 2, height - 0.3), 0.04, 0.04, m.metal(rng)) + tap(
        rng, m.metal(rng)
    ).moved(0, depth / 2, height + 0.02)
    return Assembly.of("sink", shape)


@construction("sink", "small wall basin", mount="wall")
def wall_basin(rng: np.random.Generator) -> Assembly:
    """A basin on the wall at y = 0."""
    width, depth, made = rng.uniform(0.3, 0.5), rng.uniform(0.22, 0.38), m.ceramic(rng)
    shape = basin(width * 0.9, depth * 0.85, 0.14, made, 0.02).moved(0, -depth / 2, 0.19)
    return Assembly.of("sink", shape + tap(rng, m.metal(rng)).moved(0, -0.04, 0.19))


@construction("sink", "double vanity", weight=0.7)
def double_vanity(rng: np.random.Generator) -> Assembly:
    """Two bowls on a long cabinet with a stone top."""
    width, depth, height = rng.uniform(1.2, 1.8), rng.uniform(0.46, 0.58), rng.uniform(0.78, 0.88)
    paint, made = body_material(rng), m.ceramic(rng)
    cabinet = box(width, depth, height, paint) + fronts(width, height - 0.05, depth, rng, paint, m.metal(rng))
    shape = box(width + 0.02, depth + 0.02, 0.03, m.stone(rng) if rng.random() < 0.6 else made, (0, 0, height))
    for side in (-1, 1):
        bowl = hollow([(0.1, 0), (0.18, 0.05), (0.2, 0.12)], 0.012, made, 24, corner=float(rng.choice([0, 0.6])))
        shape += bowl.moved(side * width / 4, -0.03, height + 0.03) + tap(rng, m.metal(rng)).moved(
            side * width / 4, depth / 2 - 0.06, height + 0.03
        )
    return Assembly((Body("sink", shape), Body("cabinet", cabinet)))


@construction("sink", "kitchen sink unit", weight=1)
def sink_unit(rng: np.random.Generator) -> Assembly:
    """A steel top with one or two basins and a drainer, on legs or a cabinet."""
    width, depth, height, steel = rng.uniform(0.7, 1.4), rng.uniform(0.5, 0.6), rng.uniform(0.82, 0.92), m.metal(rng)
    w = rng.uniform(0.34, 0.45)
    x = rng.choice([-1, 1]) * (width / 2 - w / 2 - 0.06)
    shape = basin(w, depth * 0.72, rng.uniform(0.15, 0.25), steel).moved(x, -0.03, height) + tap(rng, steel).moved(
        x, depth / 2 - 0.06, height
    )
    for sx, sy, lx, ly in ((0, -1, width, depth * 0.1), (0, 1, width, depth * 0.18)):
        shape += box(lx, ly, 0.03, steel, (sx, sy * (depth - ly) / 2, height - 0.03))
    left, right = x - w / 2 + width / 2, width / 2 - x - w / 2
    shape += box(left, depth, 0.03, steel, (-width / 2 + left / 2, 0, height - 0.03)) + box(
        right, depth, 0.03, steel, (width / 2 - right / 2, 0, height - 0.03)
    )
    if rng.random() < 0.5:
        return Assembly.of("sink", shape + legs(width * 0.95, depth * 0.9, height - 0.03, steel, rng, "round"))
    paint, high = body_material(rng), height - 0.03
    cabinet = join(box(0.02, depth * 0.95, high, paint, (s * (width / 2 - 0.01), 0, 0)) for s in (-1, 1))
    cabinet += box(width, 0.02, high, paint, (0, -depth * 0.46, 0)) + fronts(
        width, high, depth * 0.94, rng, paint, m.metal(rng), ["door"]
    )
    return Assembly((Body("sink", shape), Body("cabinet", cabinet)))


@construction("sink", "bowl on a board", weight=1)
def bowl_on_board(rng: np.random.Generator) -> Assembly:
    """A vessel on a board on the wall; the board belongs to the sink."""
    width, depth, height, made = rng.uniform(0.5, 1.1), rng.uniform(0.38, 0.5), rng.uniform(0.72, 0.82), m.ceramic(rng)
    r = min(0.21, depth * 0.42)
    shape = hollow(
        [(r * rng.uniform(0.4, 0.9), 0), (r * 0.97, 0.07), (r, 0.14)],
        0.012,
        made,
        28,
        corner=float(rng.choice([0, 0.5, 1])),
    )
    shape = shape.moved(z=height) + box(width, depth, rng.uniform(0.03, 0.1), body_material(rng), (0, 0, height - 0.04))
    return Assembly.of("sink", shape + tap(rng, m.metal(rng)).scaled(1, 1, 1.3).moved(0, depth / 2 - 0.05, height))


@construction("sink", "corner basin", mount="wall", held_out=True)
def corner_basin(rng: np.random.Generator) -> Assembly:
    """A bowl on the wall whose outline is a quarter of a circle."""
    r, made = rng.uniform(0.28, 0.42), m.ceramic(rng)
    bowl = hollow([(r * 0.4, 0), (r * 0.8, 0.06), (r, 0.15)], 0.02, made, 28).moved(0, -r, 0)
    return Assembly.of(
        "sink",
        bowl + box(r * 1.2, r * 0.8, 0.05, made, (0, -r * 0.4, 0.1)) + tap(rng, m.metal(rng)).moved(0, -0.1, 0.15),
    )


@construction("sink", "utility tub", weight=0.8)
def utility_tub(rng: np.random.Generator) -> Assembly:
    """A deep basin of plastic, steel or stone on legs, for laundries and workshops."""
    width, depth, height = rng.uniform(0.45, 0.75), rng.uniform(0.42, 0.6), rng.uniform(0.75, 0.92)
    made = [m.painted, m.metal, m.ceramic][int(rng.integers(3))](rng)
    deep = rng.uniform(0.25, 0.4)
    shape = basin(width, depth, deep, made, rng.uniform(0.008, 0.03)).moved(z=height)
    frame = m.metal(rng) if rng.random() < 0.5 else made
    shape += legs(
        width * 0.95, depth * 0.95, height - deep, frame, rng, str(rng.choice(["round", "square", "splayed", "panels"]))
    )
    return Assembly.of("sink", shape + tap(rng, m.metal(rng)).moved(0, depth / 2, height))


@construction("sink", "console", weight=0.8)
def console(rng: np.random.Generator) -> Assembly:
    """A broad top with a shallow bowl on thin metal legs with a towel bar."""
    width, depth, height, made = rng.uniform(0.5, 1.1), rng.uniform(0.4, 0.52), rng.uniform(0.78, 0.88), m.ceramic(rng)
    chrome, thick = m.metal(rng), rng.uniform(0.08, 0.16)
    w, d = width * rng.uniform(0.55, 0.85), depth * rng.uniform(0.6, 0.75)
    shape = basin(w, d, thick - 0.01, made).moved(0, -0.02, height)
    for sx, sy, lx, ly in ((0, -1, width, (depth - d) / 2 - 0.02), (0, 1, width, (depth - d) / 2 + 0.02),
                           (-1, 0, (width - w) / 2, depth), (1, 0, (width - w) / 2, depth)):  # fmt: skip
        shape += box(lx, ly, thick, made, (sx * (width - lx) / 2, sy * (depth - ly) / 2, height - thick))
    shape += legs(
        width * 0.95, depth * 0.92, height - thick, chrome, rng, str(rng.choice(["round", "frame", "tapered"]))
    )
    if rng.random() < 0.5:
        z = height - thick - 0.06
        shape += tube([(-width / 2, -depth / 2 - 0.05, z), (width / 2, -depth / 2 - 0.05, z)], 0.01, chrome)
    return Assembly.of("sink", shape + tap(rng, chrome).moved(0, depth / 2 - 0.05, height))


@construction("sink", "one pillar", weight=0.7)
def pillar(rng: np.random.Generator) -> Assembly:
    """A cylinder, cone or block from the floor to the rim, with the bowl in its top."""
    r, height = rng.uniform(0.19, 0.27), rng.uniform(0.8, 0.92)
    made = m.ceramic(rng) if rng.random() < 0.7 else m.stone(rng)
    foot, waist = rng.uniform(0.5, 1.0), rng.uniform(0.55, 1.0)
    corner, s = float(rng.choice([0, 0.3, 1])), np.linspace(0, 1, 9)
    outer = r * ((1 - s) * foot + s + (waist - 1) * np.sin(np.pi * s) * 0.6)
    profile = np.stack([outer, s * height], 1)
    shape = revolve(
        [(0, 0), *profile, (r - 0.025, height), (r * 0.7, height - 0.1), (0, height - 0.13)],
        made,
        28,
        rng.uniform(0.75, 1),
        corner,
    )
    return Assembly.of("sink", shape + tap(rng, m.metal(rng)).scaled(1, 1, 1.2).moved(0, r * 0.85, height - 0.02))


@construction("sink", "catering", weight=0.7)
def catering(rng: np.random.Generator) -> Assembly:
    """One to three deep steel bowls in a row on tube legs, with a steel panel behind and a board below."""
    count, w, d = int(rng.integers(1, 4)), rng.uniform(0.36, 0.5), rng.uniform(0.38, 0.5)
    steel, height, free = m.metal(rng), rng.uniform(0.84, 0.92), rng.choice([0.0, rng.uniform(0.3, 0.7)])
    width, depth = count * (w + 0.06) + free + 0.06, d + 0.2
    shape, deep = Shape(), rng.uniform(0.2, 0.35)
    for i in range(count):
        shape += basin(w, d, deep, steel).moved(-width / 2 + 0.06 + (i + 0.5) * (w + 0.06), -0.03, height)
    if free:
        shape += box(free, depth, 0.03, steel, (width / 2 - free / 2, 0, height - 0.03))
    shape += box(width, depth - d - 0.05, 0.03, steel, (0, d / 2 + 0.05, height - 0.03))
    shape += box(width, 0.02, rng.uniform(0.1, 0.4), steel, (0, depth / 2 - 0.01, height))
    shape += legs(width * 0.96, depth * 0.92, height - 0.03, steel, rng, "round")
    if rng.random() < 0.4:
        shape += box(width * 0.94, depth * 0.85, 0.02, steel, (0, 0, rng.uniform(0.15, 0.3)))
    return Assembly.of("sink", shape + tap(rng, steel).scaled(1, 1, 1.4).moved(0, depth / 2 - 0.06, height))


@construction("sink", "apron front", weight=0.8)
def apron_front(rng: np.random.Generator) -> Assembly:
    """A thick basin with a visible front, on a cupboard or a wooden stand."""
    width, depth, height, made = (
        rng.uniform(0.5, 0.95),
        rng.uniform(0.44, 0.58),
        rng.uniform(0.82, 0.92),
        m.ceramic(rng),
    )
    deep, wall = rng.uniform(0.18, 0.28), rng.uniform(0.025, 0.06)
    shape = basin(width - 0.04, depth - 0.04, deep, made, wall).moved(z=height)
    shape += tap(rng, m.metal(rng)).moved(0, depth / 2 - 0.03, height)
    low, paint = height - deep, body_material(rng)
    if rng.random() < 0.5:
        stand = legs(width * 0.95, depth * 0.95, low, paint, rng, str(rng.choice(["square", "panels", "frame"])))
        return Assembly.of("sink", shape + stand)
    cabinet = box(width, depth * 0.95, low, paint) + fronts(
        width, low, depth * 0.95, rng, paint, m.metal(rng), ["door"]
    )
    return Assembly((Body("sink", shape), Body("cabinet", cabinet)))


@construction("sink", "washstand", weight=0.7)
def washstand(rng: np.random.Generator) -> Assembly:
    """A bowl or a broad flat basin on an open frame with one or two boards."""
    width, depth, height = rng.uniform(0.45, 1.0), rng.uniform(0.38, 0.5), rng.uniform(0.74, 0.86)
    frame = m.metal(rng) if rng.random() < 0.5 else m.wood(rng)
    made, top = m.ceramic(rng), m.stone(rng) if rng.random() < 0.4 else m.wood(rng)
    r = min(0.2, depth * 0.42)
    shape = hollow([(r * rng.uniform(0.4, 1), 0), (r, rng.uniform(0.08, 0.16))], 0.014, made, 28,
                   corner=float(rng.choice([0, 0.4, 1])))  # fmt: skip
    shape = shape.moved(0, -0.02, height) + box(width, depth, 0.025, top, (0, 0, height - 0.025))
    shape += legs(width * 0.96, depth * 0.94, height - 0.025, frame, rng, str(rng.choice(["square", "frame", "round"])))
    shape += join(
        box(width * 0.94, depth * 0.9, 0.02, top, (0, 0, z)) for z in rng.uniform(0.1, 0.5, int(rng.integers(1, 3)))
    )
    return Assembly.of("sink", shape + tap(rng, m.metal(rng)).scaled(1, 1, 1.3).moved(0, depth / 2 - 0.05, height))
