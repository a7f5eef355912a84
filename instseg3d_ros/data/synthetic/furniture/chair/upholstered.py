"""Upholstered chairs, armchairs and recliners."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import body_material, legs, upholstered
from instseg3d_ros.data.synthetic.primitives import (
    bar,
    bent_box,
    box,
    cylinder,
    ellipsoid,
    grid,
    rounded_box,
    surface,
    tube,
)
from instseg3d_ros.data.synthetic.registry import construction


@construction("chair", "armchair", weight=2)
def armchair(rng: np.random.Generator) -> Assembly:
    width, depth = rng.uniform(0.65, 1.0), rng.uniform(0.65, 0.95)
    cloth, low = m.fabric(rng), rng.uniform(0.0, 0.18)
    seat, arm, side = rng.uniform(0.36, 0.46), rng.uniform(0.48, 0.68), rng.uniform(0.08, 0.2)
    thick, back = rng.uniform(0.12, 0.25), rng.uniform(0.7, 1.1)
    shape = upholstered(width - 2 * side, depth - thick, seat - low, cloth, rng).moved(0, -thick / 2, low)
    for sign in (-1, 1):
        shape += upholstered(side, depth, arm - low, cloth, rng, 0.01).moved(sign * (width - side) / 2, 0, low)
    rest = upholstered(width - 2 * side * rng.choice([0, 1]), thick, back - low, cloth, rng, 0.01)
    shape += rest.turned(-rng.uniform(0, 0.2), 0).moved(0, (depth - thick) / 2, low)
    if low > 0.03:
        shape += legs(width * 0.9, depth * 0.9, low + 0.02, body_material(rng), rng, "tapered")
    return Assembly.of("chair", shape)


@construction("chair", "tub", weight=1)
def tub(rng: np.random.Generator) -> Assembly:
    """A round armchair: a curved back around a round seat."""
    r, seat, rim = rng.uniform(0.28, 0.42), rng.uniform(0.36, 0.46), rng.uniform(0.62, 0.85)
    cloth, low = m.fabric(rng), rng.uniform(0.0, 0.2)
    angle = np.linspace(-0.9, np.pi + 0.9, 25)
    thick = rng.uniform(0.05, 0.12)

    ring = []
    for radius, z in ((r, low), (r, rim), (r - thick, rim), (r - thick, low)):
        drop = (rim - seat) * 0.6 * np.clip(-np.sin(angle) + 0.3, 0, 1) if z == rim else 0
        ring.append(np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(25, z) - drop], 1))
    shape = surface(np.stack(ring, 1).reshape(-1, 3), grid(25, 4, wrap=True), cloth)
    shape += cylinder(r * 0.97, seat - low, cloth, (0, 0, low), segments=24)
    if low > 0.04:
        shape += legs(r * 1.4, r * 1.4, low + 0.02, body_material(rng), rng, str(rng.choice(["tapered", "pedestal"])))
    return Assembly.of("chair", shape)


@construction("chair", "wing chair", held_out=True)
def wing_chair(rng: np.random.Generator) -> Assembly:
    width, depth, cloth = rng.uniform(0.65, 0.85), rng.uniform(0.65, 0.85), m.fabric(rng)
    seat, back, low = rng.uniform(0.4, 0.48), rng.uniform(0.95, 1.2), rng.uniform(0.12, 0.22)
    shape = upholstered(width * 0.8, depth * 0.85, seat - low, cloth, rng).moved(z=low)
    shape += bent_box(width, 0.1, back - low, 0.03, cloth).moved(0, depth * 0.4, low)
    for side in (-1, 1):
        shape += box(0.07, depth * 0.35, back * 0.45, cloth, (side * width * 0.47, depth * 0.28, back * 0.52))
        shape += upholstered(0.12, depth * 0.8, 0.22, cloth, rng).moved(side * width * 0.44, 0, seat - 0.02)
    shape += legs(width * 0.8, depth * 0.8, low + 0.02, m.wood(rng), rng, "square")
    return Assembly.of("chair", shape)


@construction("chair", "bean bag chair", held_out=True, weight=0.5)
def bean_bag(rng: np.random.Generator) -> Assembly:
    r = rng.uniform(0.35, 0.5)
    cloth = m.fabric(rng)
    shape = ellipsoid(2 * r, 2 * r, r * 1.1, cloth, 0.2)
    return Assembly.of("chair", shape + ellipsoid(1.7 * r, 1.1 * r, r * 1.2, cloth).moved(0, r * 0.5, r * 0.5))


@construction("chair", "slipper", weight=1)
def slipper(rng: np.random.Generator) -> Assembly:
    """A low, wide, soft chair without arms."""
    width, depth, cloth = rng.uniform(0.55, 0.8), rng.uniform(0.55, 0.8), m.fabric(rng)
    seat, back, low = rng.uniform(0.34, 0.44), rng.uniform(0.7, 0.95), rng.uniform(0.08, 0.25)
    shape = upholstered(width, depth, seat - low, cloth, rng).moved(z=low)
    rest = bent_box(width, rng.uniform(0.08, 0.16), back - seat + 0.1, rng.uniform(0, 0.12), cloth)
    shape += rest.turned(-rng.uniform(0.05, 0.35), 0).moved(0, depth * 0.38, seat - 0.1)
    shape += legs(
        width * 0.85,
        depth * 0.85,
        low + 0.02,
        body_material(rng),
        rng,
        str(rng.choice(["tapered", "splayed", "round", "pedestal"])),
    )
    return Assembly.of("chair", shape)


@construction("chair", "wooden armchair", weight=1.2)
def wooden_armchair(rng: np.random.Generator) -> Assembly:
    """Two cushions in an open frame with flat arms; also the bent cantilever lounge chair."""
    width, depth, frame, cloth = rng.uniform(0.58, 0.78), rng.uniform(0.62, 0.85), body_material(rng), m.fabric(rng)
    seat, arm, w = rng.uniform(0.3, 0.4), rng.uniform(0.5, 0.62), rng.uniform(0.03, 0.06)
    tilt = rng.uniform(0.05, 0.22)
    shape = Shape()
    for side in (-1, 1):
        x = side * (width / 2 - w / 2)
        if rng.random() < 0.5:
            path = [(x, depth / 2, 0.02), (x, -depth / 2, 0.02), (x, -depth / 2, arm), (x, depth * 0.4, arm - 0.03)]
            shape += tube(path, w * 0.5, frame)
        else:
            shape += box(w, w, arm, frame, (x, -depth * 0.42, 0)) + box(w, w, arm, frame, (x, depth * 0.38, 0))
            shape += box(w * 1.8, depth, 0.025, frame, (x, 0, arm))
    inner, thick = width - 2.5 * w, rng.uniform(0.08, 0.15)
    shape += upholstered(inner, depth * 0.8, thick, cloth, rng).turned(tilt, 0).moved(0, -0.03, seat - 0.03)
    back = upholstered(inner, rng.uniform(0.55, 0.75), thick, cloth, rng).turned(np.pi / 2 - rng.uniform(0.15, 0.45), 0)
    low, _ = back.bounds()
    shape += back.moved(0, depth * 0.36 + 0.05, seat - low[2])
    shape += bar((-width / 2, depth * 0.3, seat), (width / 2, depth * 0.3, seat), w, w, frame)
    return Assembly.of(
        "chair", shape + bar((-width / 2, -depth * 0.4, seat), (width / 2, -depth * 0.4, seat), w, w, frame)
    )


@construction("chair", "recliner", weight=0.8)
def recliner(rng: np.random.Generator) -> Assembly:
    """A recliner: thick arms and back, the foot rest in or out."""
    width, depth, cloth = (
        rng.uniform(0.8, 1.0),
        rng.uniform(0.8, 0.95),
        m.painted(rng) if rng.random() < 0.5 else m.fabric(rng),
    )
    seat, side = rng.uniform(0.42, 0.5), rng.uniform(0.15, 0.24)
    shape = upholstered(width - 2 * side, depth * 0.75, seat, cloth, rng).moved(0, -depth * 0.1)
    for sign in (-1, 1):
        shape += rounded_box(side, depth * 0.9, rng.uniform(0.56, 0.66), cloth, 0.07).moved(
            sign * (width - side) / 2, -0.05
        )
    back = rounded_box(width - side, 0.24, 0.7, cloth, 0.09).turned(-rng.uniform(0.1, 0.5), 0)
    shape += back.moved(0, depth * 0.35, seat - 0.12)
    if rng.random() < 0.4:
        shape += rounded_box(width - 2 * side, 0.35, 0.14, cloth, 0.05).moved(0, -depth * 0.5 - 0.2, seat - 0.2)
    return Assembly.of("chair", shape)
