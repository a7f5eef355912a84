"""Sideboards, wardrobes, filing and wall cabinets, television benches, lockers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join, legs
from instseg3d_ros.data.synthetic.primitives import box, extrude, revolve
from instseg3d_ros.data.synthetic.registry import construction


def on_feet(shape: Shape, width: float, depth: float, rng: np.random.Generator) -> tuple[Shape, float]:
    """Put a body on a plinth or on legs, or leave it as it is."""
    kind = rng.integers(3)
    if kind == 0:
        return shape, 0.0
    if kind == 1:
        up = rng.uniform(0.04, 0.1)
        return shape.moved(z=up) + box(width * 0.96, depth * 0.9, up, m.painted(rng), (0, 0.02, 0)), up
    up = rng.uniform(0.06, 0.25)
    feet = m.metal(rng) if rng.random() < 0.5 else body_material(rng)
    style = str(rng.choice(["square", "round", "tapered", "splayed", "frame"]))
    return shape.moved(z=up) + legs(width * 0.94, depth * 0.9, up, feet, rng, style), up


def _closed(
    label: str, width: float, depth: float, height: float, rng: np.random.Generator, kinds: Sequence[str] | None = None
) -> Assembly:
    paint, grip = body_material(rng), m.metal(rng)
    face = paint if rng.random() < 0.6 else body_material(rng)
    shape = box(width, depth, height, paint) + fronts(width, height, depth, rng, face, grip, kinds)
    if rng.random() < 0.4:
        shape += box(width + 0.03, depth + 0.04, 0.025, body_material(rng), (0, -0.01, height))
        height += 0.025
    shape, up = on_feet(shape, width, depth, rng)
    top = Surface(0, 0, height + up, width * 0.95, depth * 0.9)
    return Assembly.of(label, shape, *([top] if height + up < 1.5 else []))


@construction("cabinet", "sideboard", weight=3)
def sideboard(rng: np.random.Generator) -> Assembly:
    return _closed("cabinet", rng.uniform(0.6, 2.0), rng.uniform(0.33, 0.55), rng.uniform(0.45, 1.1), rng)


@construction("cabinet", "chest of drawers", weight=2)
def chest(rng: np.random.Generator) -> Assembly:
    return _closed("cabinet", rng.uniform(0.4, 1.2), rng.uniform(0.38, 0.55), rng.uniform(0.55, 1.25), rng, ["drawer"])


@construction("cabinet", "wardrobe", weight=2)
def wardrobe(rng: np.random.Generator) -> Assembly:
    return _closed(
        "cabinet", rng.uniform(0.7, 2.4), rng.uniform(0.45, 0.65), rng.uniform(1.7, 2.25), rng, ["door", "mixed"]
    )


@construction("cabinet", "filing cabinet", weight=1.5)
def filing(rng: np.random.Generator) -> Assembly:
    """A narrow metal or melamine block of drawers, often on casters."""
    return _closed("cabinet", rng.uniform(0.38, 0.5), rng.uniform(0.45, 0.65), rng.uniform(0.5, 1.35), rng, ["drawer"])


@construction("cabinet", "half open", weight=1.5)
def half_open(rng: np.random.Generator) -> Assembly:
    """Doors below, or beside, open compartments."""
    width, depth, height = rng.uniform(0.7, 1.8), rng.uniform(0.33, 0.5), rng.uniform(0.5, 2.0)
    paint, grip = body_material(rng), m.metal(rng)
    shape = carcass(width, depth, height, paint)
    if height > 1.0:
        cut = height * rng.uniform(0.3, 0.6)
        shape += box(width, depth * 0.98, 0.018, paint, (0, 0, cut)) + fronts(width, cut, depth, rng, paint, grip)
        shelf = (cut + height) / 2
        shape += box(width * 0.97, depth * 0.95, 0.018, paint, (0, 0, shelf))
        surfaces = [
            Surface(0, 0, z + 0.018, width * 0.9, depth * 0.85, (height - cut) / 2 - 0.04) for z in (cut, shelf)
        ]
    else:
        share = width * rng.uniform(0.3, 0.6)
        x = (width - share) / 2 * rng.choice([-1, 1])
        shape += (box(share, depth * 0.98, height, paint) + fronts(share, height, depth, rng, paint, grip)).moved(x)
        surfaces = [Surface(0, 0, height, width * 0.9, depth * 0.85)]
        rest = width - share
        surfaces.append(Surface(-np.sign(x) * share / 2, 0, 0.018, rest * 0.85, depth * 0.8, height - 0.05))
    return Assembly.of("cabinet", shape, *surfaces)


@construction("cabinet", "wall cabinet", mount="wall")
def wall_cabinet(rng: np.random.Generator) -> Assembly:
    """A wall cabinet whose bottom is at z = 0; the caller lifts it."""
    width, depth, height = rng.uniform(0.4, 2.0), rng.uniform(0.28, 0.4), rng.uniform(0.4, 0.9)
    paint = body_material(rng)
    return Assembly.of(
        "cabinet",
        box(width, depth, height, paint) + fronts(width, height, depth, rng, paint, m.metal(rng), ["door", "glass"]),
    )


@construction("cabinet", "vitrine", held_out=True)
def vitrine(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.6, 1.2), rng.uniform(0.35, 0.45), rng.uniform(1.6, 2.0)
    made = body_material(rng)
    low = height * rng.uniform(0.3, 0.4)
    shape = box(width, depth, low, made) + fronts(width, low, depth, rng, made, m.metal(rng), ["door"])
    upper = carcass(width * 0.95, depth * 0.8, height - low, made)
    upper += fronts(width * 0.95, height - low, depth * 0.8, rng, made, m.metal(rng), ["glass"])
    shape += upper.moved(0, depth * 0.1, low) + box(width * 1.05, depth * 1.02, 0.05, made, (0, 0, height))
    return Assembly.of("cabinet", shape)


@construction("cabinet", "locker", held_out=True)
def locker(rng: np.random.Generator) -> Assembly:
    """Tall metal doors side by side with slots."""
    count, height = int(rng.integers(1, 5)), rng.uniform(1.6, 2.0)
    paint, w = m.painted(rng), rng.uniform(0.3, 0.4)
    shape = box(count * w, 0.5, height, paint)
    for i in range(count):
        x = (i + 0.5 - count / 2) * w
        shape += box(w * 0.94, 0.02, height * 0.94, paint, (x, -0.26, height * 0.04))
        for z in np.arange(3) * 0.04:
            shape += box(w * 0.4, 0.004, 0.012, m.metal(rng), (x, -0.272, height * 0.85 + z))
    return Assembly.of("cabinet", shape)


@construction("cabinet", "kitchen tall unit", weight=1)
def tall_unit(rng: np.random.Generator) -> Assembly:
    """A cabinet up to the ceiling with a built-in oven or microwave."""
    width, depth, height = rng.uniform(0.5, 1.3), rng.uniform(0.55, 0.65), rng.uniform(1.9, 2.25)
    paint, grip = body_material(rng), m.metal(rng)
    shape = box(width, depth, height, paint) + fronts(width, height, depth, rng, paint, grip, ["mixed", "door"])
    if rng.random() < 0.5:
        dark = m.Material((0.06, 0.06, 0.07), gloss=0.7, infrared=0.5)
        shape += box(
            min(width, 0.6) * 0.95, 0.03, rng.uniform(0.38, 0.6), dark, (0, -depth / 2 - 0.025, rng.uniform(0.8, 1.2))
        )
    return Assembly.of("cabinet", shape)


@construction("cabinet", "television bench", weight=1.2)
def television_bench(rng: np.random.Generator) -> Assembly:
    """A long low cabinet with alternating fronts and open compartments, on the wall or on feet."""
    width, depth, height = rng.uniform(1.1, 2.2), rng.uniform(0.35, 0.48), rng.uniform(0.25, 0.45)
    paint, columns = body_material(rng), int(rng.integers(2, 5))
    shape, w = carcass(width, depth, height, paint), width / columns
    for i in range(columns):
        x = (i + 0.5 - columns / 2) * w
        shape += box(0.018, depth * 0.98, height, paint, (x - w / 2, 0, 0)) if i else Shape()
        if rng.random() < 0.65:
            shape += fronts(w, height, depth, rng, paint, m.metal(rng), [str(rng.choice(["drawer", "door"]))]).moved(x)
        else:
            shape += box(w * 0.95, depth * 0.9, 0.015, paint, (x, 0, height / 2))
    shape, up = on_feet(shape, width, depth, rng)
    return Assembly.of("cabinet", shape, Surface(0, 0, height + up, width * 0.95, depth * 0.9))


@construction("cabinet", "sliding doors", weight=1)
def sliding_wardrobe(rng: np.random.Generator) -> Assembly:
    """A wardrobe with two or three large sliding leaves, plain or with mirrors."""
    width, depth, height = rng.uniform(1.2, 2.6), rng.uniform(0.55, 0.68), rng.uniform(1.9, 2.3)
    paint, count = body_material(rng), int(rng.integers(2, 4))
    shape, w = carcass(width, depth, height, paint), width / count
    leaf = body_material(rng)
    for i in range(count):
        made = (
            leaf
            if rng.random() < 0.75
            else m.Material((0.6, 0.65, 0.68), "marble", (0.75, 0.75, 0.75), 0.8, gloss=0.95, infrared=0.4)
        )
        x, y = (i + 0.5 - count / 2) * w, -depth / 2 + 0.02 + 0.03 * (i % 2)
        shape += box(w * 1.03, 0.02, height * 0.95, made, (x, y, height * 0.025)) + box(
            0.02, 0.03, height * 0.95, m.metal(rng), (x - w / 2, y, height * 0.025)
        )
    return Assembly.of("cabinet", shape)


@construction("cabinet", "shoe cabinet", weight=0.7)
def shoe_cabinet(rng: np.random.Generator) -> Assembly:
    """A flat cabinet with tilting fronts, for shoes."""
    width, depth, height = rng.uniform(0.5, 1.0), rng.uniform(0.17, 0.3), rng.uniform(0.7, 1.3)
    paint, count = body_material(rng), int(rng.integers(2, 5))
    shape = box(width, depth, height, paint)
    for i in range(count):
        flap = box(width * 0.96, 0.018, height / count * 0.94, paint)
        if rng.random() < 0.15:
            flap = flap.turned(rng.uniform(0.2, 0.5), 0)
        shape += flap.moved(0, -depth / 2 - 0.01, (i + 0.03) * height / count)
    return Assembly.of("cabinet", shape, Surface(0, 0, height, width * 0.9, depth * 0.8))


@construction("cabinet", "corner cabinet", weight=0.6)
def corner_cabinet(rng: np.random.Generator) -> Assembly:
    """A five-sided plan that fills a corner, doors across."""
    size, height, paint = rng.uniform(0.5, 0.9), rng.uniform(0.8, 2.0), body_material(rng)
    s, cut = size / 2, size * rng.uniform(0.35, 0.6)
    shape = extrude([(-s, s), (-s, -s + cut), (-s + cut, -s), (s, -s), (s, s)], height, paint)
    door = fronts(cut * 1.3, height * 0.96, 0.02, rng, paint, m.metal(rng), ["door", "glass"]).turned(-np.pi / 4)
    shape += door.moved(-s + cut / 2 - 0.005, -s + cut / 2 - 0.005, height * 0.02)
    return Assembly.of(
        "cabinet", shape, *([Surface(0.05, 0.05, height, size * 0.6, size * 0.6)] if height < 1.4 else [])
    )


@construction("cabinet", "medicine cabinet", mount="wall")
def medicine_cabinet(rng: np.random.Generator) -> Assembly:
    """A small hung box with a mirror or plain door."""
    width, depth, height, paint = rng.uniform(0.3, 0.9), rng.uniform(0.12, 0.2), rng.uniform(0.4, 0.8), m.painted(rng)
    silver = m.Material((0.6, 0.65, 0.68), gloss=0.95, infrared=0.4) if rng.random() < 0.5 else paint
    shape = box(width, depth, height, paint)
    count = 1 if width < 0.5 else 2
    shape += join(
        box(
            width / count * 0.97,
            0.012,
            height * 0.97,
            silver,
            ((i + 0.5 - count / 2) * width / count, -depth / 2 - 0.008, height * 0.015),
        )
        for i in range(count)
    )
    return Assembly.of("cabinet", shape)


@construction("cabinet", "trunk", held_out=True)
def trunk(rng: np.random.Generator) -> Assembly:
    """A chest with a rounded lid and bands."""
    width, depth, height, made = rng.uniform(0.7, 1.2), rng.uniform(0.4, 0.55), rng.uniform(0.3, 0.45), m.wood(rng)
    shape = box(width, depth, height, made)
    lid = revolve([(0, -width / 2), (depth / 2, -width / 2), (depth / 2, width / 2), (0, width / 2)], made, 24).turned(
        np.pi / 2, 1
    )
    shape += lid.scaled(1, 1, 0.5).moved(z=height)
    for x in (-0.3, 0.3):
        shape += box(0.04, depth + 0.015, height, m.metal(rng), (x * width, 0, 0))
    return Assembly.of("cabinet", shape)


@construction("cabinet", "open wall cabinet", mount="wall", held_out=True)
def open_wall_cabinet(rng: np.random.Generator) -> Assembly:
    """A wall cabinet with open compartments above a drawer."""
    width, depth, height, made = (
        rng.uniform(0.5, 1.2),
        rng.uniform(0.25, 0.35),
        rng.uniform(0.45, 0.8),
        body_material(rng),
    )
    shape = carcass(width, depth, height, made) + box(width, depth * 0.95, 0.02, made, (0, 0, height * 0.3))
    shape += join(box(0.02, depth * 0.95, height * 0.7, made, (x * width, 0, height * 0.3)) for x in (-0.17, 0.17))
    return Assembly.of("cabinet", shape + fronts(width, height * 0.3, depth, rng, made, m.metal(rng), ["drawer"]))


@construction("cabinet", "louvres", weight=0.8)
def louvres(rng: np.random.Generator) -> Assembly:
    """A cabinet with leaves of slanted slats, or with a roller shutter."""
    width, depth, height = rng.uniform(0.6, 1.6), rng.uniform(0.35, 0.6), rng.uniform(0.7, 2.1)
    made, step = body_material(rng), rng.uniform(0.025, 0.07)
    count = max(1, int(np.rint(width / rng.uniform(0.4, 0.6))))
    shape, w = box(width, depth, height, made), width / count
    for i in range(count):
        x = (i + 0.5 - count / 2) * w
        shape += join(
            box(0.04, 0.025, height - 0.02, made, (x + s * (w / 2 - 0.022), -depth / 2 - 0.012, 0.01)) for s in (-1, 1)
        )
        for z in np.arange(0.06, height - 0.08, step):
            shape += box(w - 0.08, 0.012, step * 0.8, made).turned(0.35, 0).moved(x, -depth / 2 - 0.01, z)
    shape, up = on_feet(shape, width, depth, rng)
    tops = [Surface(0, 0, height + up, width * 0.95, depth * 0.9)] if height + up < 1.5 else []
    return Assembly.of("cabinet", shape, *tops)
