"""Boards on frames or stands, L-shaped desks, lecterns and booths."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.table import top_material
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, plate, tube
from instseg3d_ros.data.synthetic.registry import construction


def _seated(shape: Shape, width: float, depth: float, *surfaces: Surface) -> Assembly:
    return Assembly.of("desk", shape, *surfaces, seats=[(0.0, -depth / 2, np.pi)])


@construction("desk", "on leaning frames", weight=0.9)
def on_leaning_frames(rng: np.random.Generator) -> Assembly:
    """A board on two frames shaped like A, X or Z, often with a tray or a shelf between them."""
    width, depth, height = rng.uniform(1.0, 1.8), rng.uniform(0.55, 0.8), rng.uniform(0.7, 0.78)
    made, top, t = (
        m.metal(rng) if rng.random() < 0.5 else body_material(rng),
        top_material(rng),
        rng.uniform(0.025, 0.06),
    )
    high, d = height - 0.03, depth * 0.45
    shape, kind = box(width, depth, 0.03, top, (0, 0, high)), int(rng.integers(3))
    for side in (-1, 1):
        x = side * width * rng.uniform(0.34, 0.46)
        lines = [
            [(-d, 0), (-d * 0.3, high)],
            [(d, 0), (d * 0.3, high)],
            [(-d * 0.7, high * 0.4), (d * 0.7, high * 0.4)],
        ]
        if kind == 1:
            lines = [[(-d, 0), (d, high)], [(d, 0), (-d, high)]]
        elif kind == 2:
            lines = [[(-d, 0), (d, 0)], [(d, 0), (-d, high)], [(-d, high), (d, high)]]
        shape += join(bar((x, y0, z0 + 0.01), (x, y1, z1 - 0.01), t, t, made) for (y0, z0), (y1, z1) in lines)
    if rng.random() < 0.5:
        shape += box(width * 0.7, depth * 0.4, 0.02, made, (0, depth * 0.1, high * 0.4))
    if rng.random() < 0.3:
        stand = box(width * 0.5, 0.22, 0.02, top, (0, depth * 0.3, height + 0.1))
        shape += stand + join(box(0.02, 0.2, 0.1, made, (s * width * 0.23, depth * 0.3, height)) for s in (-1, 1))
    return _seated(shape, width, depth, Surface(0, -0.05, height, width * 0.93, depth * 0.7))


@construction("desk", "with a return", weight=0.8)
def with_a_return(rng: np.random.Generator) -> Assembly:
    """A panelled desk with a lower cabinet or a narrow board at a right angle: L-shaped, on panels not legs."""
    width, depth, height = rng.uniform(1.3, 1.9), rng.uniform(0.6, 0.8), rng.uniform(0.7, 0.76)
    arm, deep, side = rng.uniform(0.7, 1.3), rng.uniform(0.38, 0.55), int(rng.choice([-1, 1]))
    made, high = body_material(rng), height - 0.03
    top = made if rng.random() < 0.5 else top_material(rng)
    shape = box(width, depth, 0.03, top, (0, 0, high))
    shape += join(box(0.03, depth * 0.95, high, made, (s * (width / 2 - 0.02), 0, 0)) for s in (-1, 1))
    shape += box(width * 0.95, 0.02, high * rng.uniform(0.4, 1.0), made, (0, depth * 0.4, high * 0.05))
    x, y, low = side * (width - deep) / 2, -(depth + arm) / 2, height - rng.choice([0.0, rng.uniform(0.05, 0.15)])
    shape += box(deep, arm, 0.03, top, (x, y, low - 0.03))
    if rng.random() < 0.6:
        block = box(arm, deep * 0.94, low - 0.03, made) + fronts(
            arm, low - 0.03, deep * 0.94, rng, made, m.metal(rng), ["drawer", "door"]
        )
        shape += block.turned(-side * np.pi / 2).moved(x, y)
    else:
        shape += box(deep * 0.95, 0.03, low - 0.03, made, (x, y - arm / 2 + 0.02, 0))
    surfaces = (
        Surface(0, 0, height, width * 0.93, depth * 0.85),
        Surface(x, y, low, deep * 0.85, arm * 0.85),
    )
    return Assembly.of("desk", shape, *surfaces, seats=[(-side * 0.25, -depth / 2, np.pi)])


@construction("desk", "lectern", weight=0.4)
def lectern(rng: np.random.Generator) -> Assembly:
    """A sloping board at the height of the elbow on a closed stand, a column or a frame."""
    width, depth, height = rng.uniform(0.45, 0.75), rng.uniform(0.38, 0.5), rng.uniform(0.95, 1.15)
    made, kind = body_material(rng), int(rng.integers(3))
    shape = box(width, depth, 0.025, made).turned(rng.uniform(0.15, 0.5), 0).moved(0, -0.02, height)
    if kind == 0:
        shape += box(width * 0.9, depth * 0.7, height - 0.06, made)
    elif kind == 1:
        shape += box(0.14, 0.12, height, made) + box(width * 0.8, depth * 0.9, 0.04, made)
    else:
        shape += join(box(0.025, depth * 0.7, height - 0.04, made, (s * width * 0.44, 0, 0)) for s in (-1, 1))
        shape += box(width * 0.88, depth * 0.6, 0.02, made, (0, 0, height * 0.6)) + box(
            width * 0.88, 0.02, height * 0.6, made, (0, -depth * 0.3, height * 0.3)
        )
    return Assembly.of("desk", shape)


@construction("desk", "with a pier", weight=0.9)
def with_a_pier(rng: np.random.Generator) -> Assembly:
    """A light board: on one side a block, a drum or open boards, on the other a single leg, a hoop or a plate."""
    width, depth, height = rng.uniform(0.9, 1.6), rng.uniform(0.48, 0.7), rng.uniform(0.7, 0.78)
    made, steel, side = body_material(rng), m.metal(rng), int(rng.choice([-1, 1]))
    high, w = height - 0.03, rng.uniform(0.28, 0.45)
    shape, x = box(width, depth, 0.03, top_material(rng), (0, 0, high)), side * (width - w) / 2
    kind = int(rng.integers(3))
    if kind == 0:
        pier = box(w, depth * 0.9, high, made) + fronts(w, high, depth * 0.9, rng, made, steel, ["drawer", "mixed"])
        shape += pier.moved(x)
    elif kind == 1:
        shape += cylinder(w / 2, high, made, (x, 0, 0))
    else:
        pier = carcass(w, depth * 0.9, high, made) + box(w, depth * 0.85, 0.02, made, (0, 0, high / 2))
        shape += pier.moved(x)
    x, kind = -side * (width / 2 - 0.06), int(rng.integers(3))
    if kind == 0:
        shape += cylinder(rng.uniform(0.02, 0.04), high, steel, (x, 0, 0)) + box(0.3, 0.3, 0.015, steel, (x, 0, 0))
    elif kind == 1:
        d = depth * 0.4
        shape += tube([(x, -d, high), (x, -d, 0.015), (x, d, 0.015), (x, d, high)], 0.014, steel)
    else:
        d, e = depth * 0.45, depth * rng.uniform(0.1, 0.45)
        shape += plate([(x, -e, 0), (x, e, 0), (x, d, high), (x, -d, high)], 0.025, made)
    return _seated(shape, width, depth, Surface(0, 0, height, width * 0.93, depth * 0.88))


@construction("desk", "booth", weight=0.6)
def booth(rng: np.random.Generator) -> Assembly:
    """A work place with screens round three sides, or cheeks of shelves, at eye height."""
    width, depth, height = rng.uniform(0.9, 1.5), rng.uniform(0.6, 0.8), rng.uniform(0.7, 0.78)
    cloth = m.fabric(rng) if rng.random() < 0.7 else body_material(rng)
    top, wall, t = top_material(rng), rng.uniform(1.1, 1.5), rng.uniform(0.025, 0.05)
    shape = box(width, depth, 0.03, top, (0, 0, height - 0.03)) + box(width, t, wall, cloth, (0, depth / 2, 0.03))
    deep = depth * rng.uniform(0.6, 1.3)
    shape += join(box(t, deep, wall, cloth, (s * width / 2, (depth - deep) / 2, 0.03)) for s in (-1, 1))
    if rng.random() < 0.5:
        shape += box(width, 0.25, 0.02, top, (0, depth / 2 - 0.15, height + rng.uniform(0.3, 0.45)))
    return _seated(shape, width, depth, Surface(0, 0, height, width * 0.88, depth * 0.8, 0.3))
