"""Cabinets and bookshelves."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, books, carcass, fronts, legs
from instseg3d_ros.data.synthetic.primitives import bar, box
from instseg3d_ros.data.synthetic.registry import construction


def _on_feet(shape: Shape, width, depth, rng) -> tuple[Shape, float]:
    """Lift a body onto a plinth, legs, or leave it."""
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


def _closed(label, width, depth, height, rng, kinds=None) -> Assembly:
    paint, grip = body_material(rng), m.metal(rng)
    face = paint if rng.random() < 0.6 else body_material(rng)
    shape = box(width, depth, height, paint) + fronts(width, height, depth, rng, face, grip, kinds)
    if rng.random() < 0.4:
        shape += box(width + 0.03, depth + 0.04, 0.025, body_material(rng), (0, -0.01, height))
        height += 0.025
    shape, up = _on_feet(shape, width, depth, rng)
    top = Surface(0, 0, height + up, width * 0.95, depth * 0.9)
    return Assembly.of(label, shape, *([top] if height + up < 1.5 else []))


@construction("cabinet", "sideboard", weight=3)
def sideboard(rng):
    return _closed("cabinet", rng.uniform(0.6, 2.0), rng.uniform(0.33, 0.55), rng.uniform(0.45, 1.1), rng)


@construction("cabinet", "chest of drawers", weight=2)
def chest(rng):
    return _closed("cabinet", rng.uniform(0.4, 1.2), rng.uniform(0.38, 0.55), rng.uniform(0.55, 1.25), rng, ["drawer"])


@construction("cabinet", "wardrobe", weight=2)
def wardrobe(rng):
    return _closed(
        "cabinet", rng.uniform(0.7, 2.4), rng.uniform(0.45, 0.65), rng.uniform(1.7, 2.25), rng, ["door", "mixed"]
    )


@construction("cabinet", "filing cabinet", weight=1.5)
def filing(rng):
    """A narrow metal or melamine block of drawers, often on casters."""
    return _closed("cabinet", rng.uniform(0.38, 0.5), rng.uniform(0.45, 0.65), rng.uniform(0.5, 1.35), rng, ["drawer"])


@construction("cabinet", "half open", weight=1.5)
def half_open(rng):
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
def wall_cabinet(rng):
    """Hung: its bottom is at z = 0 and the caller lifts it."""
    width, depth, height = rng.uniform(0.4, 2.0), rng.uniform(0.28, 0.4), rng.uniform(0.4, 0.9)
    paint = body_material(rng)
    return Assembly.of(
        "cabinet",
        box(width, depth, height, paint) + fronts(width, height, depth, rng, paint, m.metal(rng), ["door", "glass"]),
    )


@construction("cabinet", "vitrine", held_out=True)
def vitrine(rng):
    width, depth, height = rng.uniform(0.6, 1.2), rng.uniform(0.35, 0.45), rng.uniform(1.6, 2.0)
    made = body_material(rng)
    low = height * rng.uniform(0.3, 0.4)
    shape = box(width, depth, low, made) + fronts(width, low, depth, rng, made, m.metal(rng), ["door"])
    upper = carcass(width * 0.95, depth * 0.8, height - low, made)
    upper += fronts(width * 0.95, height - low, depth * 0.8, rng, made, m.metal(rng), ["glass"])
    shape += upper.moved(0, depth * 0.1, low) + box(width * 1.05, depth * 1.02, 0.05, made, (0, 0, height))
    return Assembly.of("cabinet", shape)


@construction("cabinet", "locker", held_out=True)
def locker(rng):
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


def _fill(width, depth, clear, z, rng, chance) -> tuple[Shape, list[Surface]]:
    """Books over a part of a board, the rest free for other things."""
    if rng.random() > chance:
        return Shape(), [Surface(0, 0, z, width * 0.95, depth * 0.85, clear)]
    share = width * rng.choice([1.0, rng.uniform(0.4, 1.0)])
    side = rng.choice([-1, 1])
    shape = books(share * 0.98, depth * 0.9, min(clear * 0.95, 0.34), rng).moved(side * (width - share) / 2, 0, z)
    rest = width - share
    return shape, [Surface(-side * share / 2, 0, z, rest * 0.9, depth * 0.85, clear)] if rest > 0.15 else []


@construction("bookshelf", "bookcase", weight=3)
def bookcase(rng):
    width, depth, height = rng.uniform(0.4, 1.8), rng.uniform(0.22, 0.42), rng.uniform(0.7, 2.3)
    made, t = body_material(rng), rng.uniform(0.016, 0.035)
    shape, surfaces = carcass(width, depth, height, made, rng.random() < 0.8, t), []
    levels = max(2, int(np.rint(height / rng.uniform(0.28, 0.42))))
    columns = max(1, int(np.rint(width / rng.uniform(0.5, 1.0))))
    for c in range(1, columns):
        shape += box(t, depth, height, made, ((c / columns - 0.5) * width, 0, 0))
    full = rng.uniform(0.2, 1.0)
    for level in range(levels):
        z = level * height / levels
        if level:
            shape += box(width - t, depth * 0.98, t, made, (0, 0, z))
        for c in range(columns):
            w = width / columns - 2 * t
            filled, free = _fill(w, depth, height / levels - t, z + t, rng, full)
            x = ((c + 0.5) / columns - 0.5) * width
            shape += filled.moved(x)
            surfaces += [Surface(s.x + x, s.y, s.z, s.width, s.depth, s.headroom - 0.02) for s in free]
    if height < 1.5:
        surfaces.append(Surface(0, 0, height, width * 0.95, depth * 0.9))
    return Assembly.of("bookshelf", shape, *surfaces)


@construction("bookshelf", "open rack", weight=2)
def rack(rng):
    """Boards between posts; metal store room racks as well as ladders."""
    width, depth, height = rng.uniform(0.6, 1.6), rng.uniform(0.28, 0.5), rng.uniform(1.1, 2.2)
    posts, boards = (m.metal(rng), body_material(rng)) if rng.random() < 0.6 else (body_material(rng),) * 2
    w = rng.uniform(0.02, 0.05)
    shape, surfaces = Shape(), []
    slope = rng.choice([0.0, rng.uniform(0.02, 0.12)])
    for sx in (-1, 1):
        shape += bar(
            (sx * width / 2, -depth / 2, 0), (sx * width / 2, -depth / 2 + slope * height * 0.5, height), w, w, posts
        )
        shape += bar((sx * width / 2, depth / 2, 0), (sx * width / 2, depth / 2, height), w, w, posts)
    levels, full = int(rng.integers(3, 7)), rng.uniform(0, 0.8)
    for level in range(levels):
        z = 0.08 + level * (height - 0.12) / (levels - 1)
        d = depth - slope * z * 0.5
        y = (depth - d) / 2
        shape += box(width, d, 0.022, boards, (0, y, z))
        clear = (height - 0.12) / (levels - 1) - 0.03
        filled, free = _fill(width - 2 * w, d, clear, z + 0.022, rng, full if level < levels - 1 else 0)
        shape += filled.moved(y=y)
        surfaces += [Surface(s.x, s.y + y, s.z, s.width, s.depth, s.headroom) for s in free]
    return Assembly.of("bookshelf", shape, *surfaces)


@construction("bookshelf", "cube shelf", weight=1.5)
def cube_shelf(rng):
    size, t = rng.uniform(0.3, 0.42), rng.uniform(0.018, 0.04)
    columns, rows = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    depth, made = rng.uniform(0.3, 0.4), body_material(rng)
    width, height = columns * size + t, rows * size + t
    shape, surfaces = Shape(), []
    if rng.random() < 0.5:
        shape += box(width, 0.008, height, made, (0, depth / 2, 0))
    for i in range(columns + 1):
        shape += box(t, depth, height, made, (i * size - (width - t) / 2, 0, 0))
    for j in range(rows + 1):
        shape += box(width, depth, t, made, (0, 0, j * size))
    insert, full = m.fabric(rng), rng.uniform(0, 1)
    for i in range(columns):
        for j in range(rows):
            x, z = (i + 0.5) * size - (width - t) / 2, j * size + t
            if rng.random() < 0.25:
                shape += box(size * 0.86, depth * 0.9, size * rng.uniform(0.6, 0.85), insert, (x, -0.01, z))
                continue
            filled, free = _fill(size - t, depth, size - t, z, rng, full)
            shape += filled.moved(x)
            surfaces += [Surface(s.x + x, s.y, s.z, s.width, s.depth, s.headroom) for s in free]
    if height < 1.4:
        surfaces.append(Surface(0, 0, height, width * 0.95, depth * 0.9))
    return Assembly.of("bookshelf", shape, *surfaces)


@construction("bookshelf", "ladder of boxes", held_out=True)
def stacked_boxes(rng):
    """Boxes of different sizes stacked off centre."""
    made, z, shape, surfaces = body_material(rng), 0.0, Shape(), []
    for _ in range(int(rng.integers(3, 6))):
        width, height, depth = rng.uniform(0.6, 1.1), rng.uniform(0.25, 0.45), rng.uniform(0.25, 0.35)
        x = rng.normal(0, 0.12)
        filled, free = _fill(width - 0.05, depth, height - 0.05, 0.02, rng, 0.6)
        shape += (carcass(width, depth, height, made, rng.random() < 0.7) + filled).moved(x, 0, z)
        surfaces += [Surface(s.x + x, s.y, s.z + z, s.width, s.depth, s.headroom) for s in free]
        z += height
    return Assembly.of("bookshelf", shape, *surfaces)
