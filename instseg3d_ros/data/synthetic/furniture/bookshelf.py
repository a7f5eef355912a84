"""Bookshelves, with books that belong to them and room for loose things."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, books, carcass
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, tube
from instseg3d_ros.data.synthetic.registry import construction


def _fill(
    width: float, depth: float, clear: float, z: float, rng: np.random.Generator, chance: float
) -> tuple[Shape, list[Surface]]:
    """Books over a part of a board, the rest free for other things."""
    if rng.random() > chance:
        return Shape(), [Surface(0, 0, z, width * 0.95, depth * 0.85, clear)]
    share = width * rng.choice([1.0, rng.uniform(0.4, 1.0)])
    side = rng.choice([-1, 1])
    shape = books(share * 0.98, depth * 0.9, min(clear * 0.95, 0.34), rng).moved(side * (width - share) / 2, 0, z)
    rest = width - share
    return shape, [Surface(-side * share / 2, 0, z, rest * 0.9, depth * 0.85, clear)] if rest > 0.15 else []


@construction("bookshelf", "bookcase", weight=3)
def bookcase(rng: np.random.Generator) -> Assembly:
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
def rack(rng: np.random.Generator) -> Assembly:
    """Boards between posts, such as metal racks and ladder shelves."""
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
def cube_shelf(rng: np.random.Generator) -> Assembly:
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
def stacked_boxes(rng: np.random.Generator) -> Assembly:
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


@construction("bookshelf", "leaning ladder", weight=0.8)
def leaning(rng: np.random.Generator) -> Assembly:
    """Boards that grow deeper downwards between two slanted rails."""
    width, height, made = rng.uniform(0.45, 0.9), rng.uniform(1.6, 2.0), body_material(rng)
    depth = rng.uniform(0.4, 0.5)
    shape, surfaces = Shape(), []
    for side in (-1, 1):
        shape += bar((side * width / 2, -depth / 2, 0), (side * width / 2, depth / 2, height), 0.03, 0.05, made)
    for z in np.linspace(0.2, height - 0.15, int(rng.integers(4, 6))):
        d = depth * (1 - 0.8 * z / height)
        filled, free = _fill(width - 0.06, d, 0.3, z + 0.02, rng, 0.4)
        shape += (box(width, d, 0.02, made, (0, 0, z)) + filled).moved(y=depth / 2 - d / 2)
        surfaces += [Surface(s.x, s.y + depth / 2 - d / 2, s.z, s.width, s.depth, s.headroom) for s in free]
    return Assembly.of("bookshelf", shape, *surfaces)


@construction("bookshelf", "staggered", weight=1)
def staggered(rng: np.random.Generator) -> Assembly:
    """Uprights at different places on each level."""
    width, depth, height = rng.uniform(0.8, 2.0), rng.uniform(0.25, 0.38), rng.uniform(0.8, 2.2)
    made, levels, t = body_material(rng), int(rng.integers(2, 7)), rng.uniform(0.02, 0.05)
    shape, surfaces = carcass(width, depth, height, made, rng.random() < 0.5, t), []
    full = rng.uniform(0.1, 0.9)
    for level in range(levels):
        z, high = level * height / levels, height / levels
        shape += box(width, depth * 0.98, t, made, (0, 0, z))
        cuts = np.concatenate([[-0.5], np.sort(rng.uniform(-0.4, 0.4, int(rng.integers(0, 4)))), [0.5]]) * width
        for left, right in pairwise(cuts):
            shape += box(t, depth, high, made, (left, 0, z)) if left > -width / 2 else Shape()
            if right - left < 0.1:
                continue
            filled, free = _fill(right - left - 2 * t, depth, high - t, z + t, rng, full)
            x = (left + right) / 2
            shape += filled.moved(x)
            surfaces += [Surface(s.x + x, s.y, s.z, s.width, s.depth, s.headroom - 0.02) for s in free]
    return Assembly.of("bookshelf", shape, *surfaces)


@construction("bookshelf", "magazine display", weight=0.5)
def display(rng: np.random.Generator) -> Assembly:
    """Sloping boards with journals lying against them."""
    width, depth, height, made = (
        rng.uniform(0.7, 1.2),
        rng.uniform(0.3, 0.45),
        rng.uniform(1.2, 1.9),
        body_material(rng),
    )
    shape = carcass(width, depth, height, made)
    for z in np.arange(0.1, height - 0.3, rng.uniform(0.28, 0.4)):
        shape += box(width * 0.96, 0.012, 0.3, made).turned(-0.35, 0).moved(0, -depth * 0.2, z) + box(
            width * 0.96, 0.03, 0.03, made, (0, -depth * 0.25, z)
        )
        for x in np.arange(-width / 2 + 0.15, width / 2 - 0.1, 0.25):
            if rng.random() < 0.7:
                shape += box(0.2, 0.006, 0.27, m.printed(rng)).turned(-0.35, 0).moved(x, -depth * 0.2 - 0.012, z + 0.02)
    return Assembly.of("bookshelf", shape)


@construction("bookshelf", "revolving", held_out=True)
def revolving(rng: np.random.Generator) -> Assembly:
    """Square tower with books on all four sides."""
    size, made, shape = rng.uniform(0.4, 0.55), body_material(rng), Shape()
    levels = int(rng.integers(2, 6))
    for level in range(levels):
        z = 0.1 + level * 0.33
        shape += box(size, size, 0.02, made, (0, 0, z))
        for turn in range(4):
            shape += books(size * 0.75, 0.16, 0.28, rng).moved(0, -size / 2 + 0.09, z + 0.02).turned(turn * np.pi / 2)
    return Assembly.of(
        "bookshelf", shape + box(size, size, 0.03, made, (0, 0, 0.1 + levels * 0.33)) + cylinder(size * 0.4, 0.1, made)
    )


@construction("bookshelf", "round a corner", weight=0.6)
def round_a_corner(rng: np.random.Generator) -> Assembly:
    """Two wings of boards at a right angle, or boards of a quarter disk between two walls."""
    size, depth, height = rng.uniform(0.6, 1.2), rng.uniform(0.25, 0.35), rng.uniform(0.8, 2.0)
    made, levels, t = body_material(rng), int(rng.integers(3, 7)), 0.022
    shape, surfaces, full = Shape(), [], rng.uniform(0.1, 0.9)
    x, y, arm = (size - depth) / 2, -(size + depth) / 2 + depth / 2, size - depth
    for ends in ((-size / 2, 0.0, t, depth), (x, -size + depth / 2, depth, t)):
        shape += box(ends[2], ends[3], height, made, (ends[0], ends[1], 0))
    shape += box(size, 0.01, height, made, (0, depth / 2, 0)) + box(
        0.01, size, height, made, (size / 2, y + depth / 2, 0)
    )
    for level in range(levels):
        z, high = level * height / levels, height / levels - t
        shape += box(size, depth, t, made, (0, 0, z)) + box(depth, arm, t, made, (x, y, z))
        filled, free = _fill(size - depth - 2 * t, depth, high, z + t, rng, full)
        shape += filled.moved(-depth / 2)
        surfaces += [Surface(s.x - depth / 2, s.y, s.z, s.width, s.depth, s.headroom) for s in free]
        filled, free = _fill(arm - 2 * t, depth, high, z + t, rng, full)
        shape += filled.turned(-np.pi / 2).moved(x, y)
    return Assembly.of("bookshelf", shape + box(size, depth, t, made, (0, 0, height)), *surfaces)


@construction("bookshelf", "boards in tubes", weight=0.8)
def boards_in_tubes(rng: np.random.Generator) -> Assembly:
    """A few thin boards between hoops or ladders of thin tube, without a back."""
    width, depth, height = rng.uniform(0.5, 1.5), rng.uniform(0.25, 0.4), rng.uniform(0.7, 1.9)
    steel, board, t = m.metal(rng), body_material(rng), rng.uniform(0.008, 0.014)
    surfaces: list[Surface] = []
    shape, d = Shape(), depth / 2
    places = np.linspace(-0.5, 0.5, 3 if width > 1.1 else 2) * width
    for x in places:
        shape += tube([(x, -d, 0), (x, -d, height), (x, d, height), (x, d, 0)], t, steel)
    levels, full = int(rng.integers(2, 6)), rng.uniform(0.0, 0.7)
    for level in range(levels):
        z = 0.1 + level * (height - 0.2) / levels
        shape += box(width, depth, 0.018, board, (0, 0, z))
        clear = (height - 0.2) / levels - 0.02
        filled, free = _fill(width * 0.95, depth, clear, z + 0.018, rng, full)
        shape, surfaces = shape + filled, surfaces + free
    if rng.random() < 0.6:
        shape += bar((places[0], d, 0.15), (places[-1], d, height - 0.1), 0.01, 0.01, steel)
        shape += bar((places[-1], d, 0.15), (places[0], d, height - 0.1), 0.01, 0.01, steel)
    return Assembly.of("bookshelf", shape, *surfaces)
