"""Refrigerators."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import carcass, handle, join
from instseg3d_ros.data.synthetic.primitives import bar, bent_box, box, cylinder, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction

_PANE = m.Material((0.3, 0.36, 0.38), gloss=0.9, infrared=0.45)


def _fridge(
    width: float,
    depth: float,
    height: float,
    cuts: Sequence[float],
    paint: m.Material,
    rng: np.random.Generator,
    side_by_side: bool = False,
) -> Assembly:
    grip = m.metal(rng) if rng.random() < 0.7 else paint
    shape = rounded_box(width, depth - 0.06, height, paint, 0.01).moved(y=0.03)
    hinge = rng.choice([-1, 1])
    for low, high in itertools.pairwise(cuts):
        halves = ((-0.25, 0.5, 1), (0.25, 0.5, -1)) if side_by_side else ((0.0, 1.0, hinge),)
        for x, share, side in halves:
            w, h = width * share - 0.006, (high - low) * height - 0.008
            door = rounded_box(w, 0.06, h, paint, rng.uniform(0.004, 0.025) * rng.choice([1, 2])).moved(
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


def _rod(
    depth: float, start: tuple[float, float], end: tuple[float, float], made: m.Material, thick: float = 0.02
) -> Shape:
    """A straight handle before a front at y = −depth / 2, from one (x, z) to the other."""
    y = -depth / 2 - 0.04
    return bar((start[0], y, start[1]), (end[0], y, end[1]), thick, thick, made)


def _racks(
    heights: Iterable[float],
    width: float,
    depth: float,
    places: Iterable[float],
    stocked: float,
    rng: np.random.Generator,
) -> Shape:
    """Boards of wire at these heights, on each a row of bottles at these x, as often as `stocked`."""
    shape = Shape()
    for z in heights:
        shape += box(width, depth * 0.8, 0.01, m.metal(rng), (0, 0, z))
        for x in places:
            if rng.random() < stocked:
                bottle = (x, -depth * 0.2, z + 0.01)
                shape += cylinder(0.032, rng.uniform(0.12, 0.24), m.printed(rng), bottle, segments=8)
    return shape


def _enamel(rng: np.random.Generator) -> m.Material:
    choice = rng.random()
    return m.painted(rng, True) if choice < 0.5 else m.metal(rng) if choice < 0.85 else m.painted(rng)


@construction("refrigerator", "two doors", weight=3)
def two_doors(rng: np.random.Generator) -> Assembly:
    cut = rng.choice([rng.uniform(0.3, 0.45), rng.uniform(0.62, 0.78)])
    return _fridge(
        rng.uniform(0.54, 0.8), rng.uniform(0.55, 0.75), rng.uniform(1.4, 2.05), [0, cut, 1], _enamel(rng), rng
    )


@construction("refrigerator", "one door", weight=1.5)
def one_door(rng: np.random.Generator) -> Assembly:
    return _fridge(
        rng.uniform(0.45, 0.65), rng.uniform(0.45, 0.65), rng.uniform(0.8, 1.9), [0.04, 1], _enamel(rng), rng
    )


@construction("refrigerator", "side by side", weight=1)
def side_by_side(rng: np.random.Generator) -> Assembly:
    return _fridge(
        rng.uniform(0.8, 1.0), rng.uniform(0.65, 0.8), rng.uniform(1.65, 1.9), [0.03, 1.0], _enamel(rng), rng, True
    )


@construction("refrigerator", "round retro", held_out=True)
def retro(rng: np.random.Generator) -> Assembly:
    width, depth, height, paint = rng.uniform(0.55, 0.65), rng.uniform(0.6, 0.7), rng.uniform(1.2, 1.6), m.painted(rng)
    shape = rounded_box(width, depth - 0.06, height, paint, 0.09).moved(y=0.03)
    shape += rounded_box(width * 0.97, 0.12, height * 0.9, paint, 0.05).moved(0, -depth / 2 + 0.03, height * 0.08)
    shape += tube([(width * 0.35, -depth / 2 - 0.03, height * 0.5), (width * 0.35, -depth / 2 - 0.08, height * 0.55),
                   (width * 0.35, -depth / 2 - 0.03, height * 0.62)], 0.012, m.metal(rng))  # fmt: skip
    return Assembly.of("refrigerator", shape, Surface(0, 0, height, 0.4, 0.4))


@construction("refrigerator", "french doors", weight=1)
def french(rng: np.random.Generator) -> Assembly:
    """A refrigerator with two leaves above one or two drawers."""
    width, depth, height, paint = rng.uniform(0.75, 0.95), rng.uniform(0.65, 0.8), rng.uniform(1.65, 1.85), _enamel(rng)
    cut, grip = rng.uniform(0.35, 0.5), m.metal(rng)
    shape = box(width, depth - 0.06, height, paint, (0, 0.03, 0))
    for side in (-1, 1):
        shape += rounded_box(width / 2 - 0.004, 0.06, (1 - cut) * height, paint, 0.01).moved(
            side * width / 4, -depth / 2 + 0.03, cut * height
        )
        x = side * 0.04
        shape += tube(
            [
                (x, -depth / 2, height * 0.6),
                (x, -depth / 2 - 0.05, height * 0.62),
                (x, -depth / 2 - 0.05, height * 0.88),
                (x, -depth / 2, height * 0.9),
            ],
            0.012,
            grip,
        )
    drawers = int(rng.integers(1, 3))
    for i in range(drawers):
        h = cut * height / drawers
        shape += rounded_box(width - 0.006, 0.06, h - 0.008, paint, 0.01).moved(0, -depth / 2 + 0.03, i * h)
        shape += _rod(depth, (-width * 0.35, (i + 0.85) * h), (width * 0.35, (i + 0.85) * h), grip)
    return Assembly.of("refrigerator", shape)


@construction("refrigerator", "drinks cooler", weight=0.7)
def cooler(rng: np.random.Generator) -> Assembly:
    """A glass door with bottles on racks behind it."""
    width, depth, height, paint = rng.uniform(0.45, 0.7), rng.uniform(0.5, 0.65), rng.uniform(0.8, 1.95), _enamel(rng)
    shape = carcass(width, depth, height, paint, t=0.05) + box(width, 0.04, 0.16, paint, (0, -depth / 2, height - 0.16))
    places = np.arange(-width * 0.36, width * 0.38, 0.085)
    shape += _racks(np.arange(0.1, height - 0.35, 0.3), width * 0.88, depth, places, 0.8, rng)
    pane = rng.random() < 0.6
    if pane:
        shape += box(width * 0.95, 0.02, height - 0.17, _PANE, (0, -depth / 2, 0))
    shape += _rod(depth, (width * 0.4, height * 0.4), (width * 0.4, height * 0.65), m.metal(rng))
    return Assembly.of("refrigerator", shape)


@construction("refrigerator", "chest freezer", held_out=True)
def chest_freezer(rng: np.random.Generator) -> Assembly:
    width, depth, height, paint = (
        rng.uniform(0.7, 1.4),
        rng.uniform(0.55, 0.7),
        rng.uniform(0.8, 0.9),
        m.painted(rng, True),
    )
    shape = rounded_box(width, depth, height, paint, 0.03) + rounded_box(
        width * 1.01, depth * 1.02, 0.07, paint, 0.02
    ).moved(z=height)
    return Assembly.of("refrigerator", shape + box(0.2, 0.03, 0.05, m.metal(rng), (0, -depth / 2 - 0.02, height)))


@construction("refrigerator", "small and plain", weight=1.2)
def small_plain(rng: np.random.Generator) -> Assembly:
    """A low cube for offices and hotel rooms: one flat leaf with soft or sharp edges, opened by a groove."""
    width, depth, height, paint = rng.uniform(0.38, 0.56), rng.uniform(0.4, 0.56), rng.uniform(0.48, 1.0), _enamel(rng)
    edge, foot = rng.uniform(0.003, 0.04), rng.uniform(0.01, 0.04)
    shape = rounded_box(width, depth - 0.05, height - foot, paint, edge).moved(0, 0.025, foot)
    door = rounded_box(width * 0.99, 0.05, height - foot - 0.02, paint, edge).moved(0, -depth / 2 + 0.025, foot + 0.01)
    groove = box(
        0.006,
        0.02,
        height * 0.8,
        m.Material((0.08, 0.08, 0.08)),
        (rng.choice([-1, 1]) * width / 2, -depth / 2 + 0.055, height * 0.1),
    )
    shape += (
        door
        + groove
        + join(
            cylinder(0.015, foot, m.metal(rng), (x * width * 0.4, y * depth * 0.35, 0))
            for x in (-1, 1)
            for y in (-1, 1)
        )
    )
    return Assembly.of("refrigerator", shape, Surface(0, 0, height, width * 0.9, depth * 0.8))


@construction("refrigerator", "catering", weight=0.7)
def catering(rng: np.random.Generator) -> Assembly:
    """A steel refrigerator on legs: one to three columns of leaves under a grille."""
    count, each = int(rng.integers(1, 4)), rng.uniform(0.55, 0.72)
    width, depth, height, steel = count * each, rng.uniform(0.65, 0.85), rng.uniform(1.8, 2.1), m.metal(rng)
    foot, grille, halves = rng.uniform(0.08, 0.18), rng.uniform(0.12, 0.25), int(rng.integers(1, 3))
    shape = box(width, depth - 0.06, height - foot, steel, (0, 0.03, foot))
    shape += join(
        cylinder(0.025, foot, steel, (x * width * 0.45, y * depth * 0.38, 0)) for x in (-1, 1) for y in (-1, 1)
    )
    shape += join(
        box(width * 0.95, 0.02, 0.012, steel, (0, -depth / 2 + 0.05, z))
        for z in np.arange(height - grille + 0.03, height - 0.02, 0.035)
    )
    for i in range(count):
        x, h = (i + 0.5 - count / 2) * each, (height - foot - grille) / halves
        for k in range(halves):
            shape += rounded_box(each - 0.02, 0.06, h - 0.02, steel, 0.01).moved(
                x, -depth / 2 + 0.03, foot + k * h + 0.01
            )
            grip = x + rng.choice([-1, 1]) * each * 0.42
            shape += _rod(depth, (grip, foot + (k + 0.4) * h), (grip, foot + (k + 0.7) * h), steel, 0.03)
    return Assembly.of("refrigerator", shape)


@construction("refrigerator", "family", weight=2)
def family(rng: np.random.Generator) -> Assembly:
    """A refrigerator with one or two leaves, notes and magnets, a dispenser, or boxes on top."""
    width, depth, height = rng.uniform(0.54, 0.92), rng.uniform(0.58, 0.78), rng.uniform(1.45, 1.95)
    made = _fridge(width, depth, height, [0, rng.uniform(0.3, 0.75), 1], _enamel(rng), rng, width > 0.8)
    shape, front = made.bodies[0].shape, -depth / 2 - 0.001
    for _ in range(int(rng.integers(0, 9))):
        x, z = rng.uniform(-0.4, 0.4) * width, rng.uniform(0.45, 0.92) * height
        shape += box(
            rng.uniform(0.03, 0.21), 0.006, rng.uniform(0.03, 0.3), m.printed(rng), (x, front - 0.002, z - 0.05)
        )
    if rng.random() < 0.35:
        dark = m.Material((0.07, 0.07, 0.08), gloss=0.7, infrared=0.5)
        x = rng.uniform(-0.25, 0.25) * width
        shape += box(0.24, 0.012, 0.38, dark, (x, front - 0.004, 0.95)) + box(
            0.18, 0.03, 0.03, m.metal(rng), (x, front - 0.02, 0.97)
        )
    loads = []
    for x in np.arange(-0.35, 0.4, 0.3) * width:
        if rng.random() < 0.35:
            high = rng.uniform(0.08, min(0.3, 2.25 - height))
            piece = rounded_box(rng.uniform(0.12, 0.28) * width, rng.uniform(0.2, 0.4), high, m.printed(rng), 0.01)
            loads.append(Body("object", piece.moved(x, rng.uniform(-0.05, 0.05), height), loose=True))
    return Assembly.of("refrigerator", shape).with_bodies(*loads)


@construction("refrigerator", "recessed grips", weight=2)
def recessed_grips(rng: np.random.Generator) -> Assembly:
    """A flat refrigerator: leaves with a groove along an edge as handle, sometimes with a band of another colour."""
    width, depth, height = rng.uniform(0.5, 0.95), rng.uniform(0.55, 0.75), rng.uniform(1.1, 2.05)
    paint, dark, foot = _enamel(rng), m.Material((0.06, 0.06, 0.06)), rng.uniform(0.02, 0.08)
    face = paint if rng.random() < 0.6 else _enamel(rng)
    cuts = [0.0, *np.sort(rng.uniform(0.2, 0.8, int(rng.integers(0, 3)))), 1.0]
    halves = 2 if width > 0.78 else 1
    shape = box(width, depth - 0.06, height - foot, paint, (0, 0.03, foot)) + box(
        width * 0.94, depth * 0.8, foot, dark, (0, 0.05, 0)
    )
    for low, high in itertools.pairwise(cuts):
        if high - low < 0.12:
            continue
        z, h = foot + low * (height - foot), (high - low) * (height - foot)
        for i in range(halves):
            x, w = (i + 0.5 - halves / 2) * width / halves, width / halves
            shape += rounded_box(w - 0.006, 0.06, h - 0.012, face, rng.uniform(0.002, 0.02)).moved(
                x, -depth / 2 + 0.03, z
            )
            shape += box(w * 0.96, 0.03, 0.012, dark, (x, -depth / 2 + 0.04, z + h - 0.012))
    return Assembly.of("refrigerator", shape, *([Surface(0, 0, height, width * 0.9, 0.5)] if height < 1.4 else []))


@construction("refrigerator", "bowed front", weight=1)
def bowed_front(rng: np.random.Generator) -> Assembly:
    """A refrigerator whose leaves bulge forwards, with a curved or straight handle."""
    width, depth, height = rng.uniform(0.5, 0.75), rng.uniform(0.5, 0.65), rng.uniform(0.85, 1.95)
    paint, bend, cut = _enamel(rng), rng.uniform(0.02, 0.07), rng.choice([0.0, rng.uniform(0.3, 0.75)])
    shape, side = box(width, depth, height, paint), int(rng.choice([-1, 1]))
    for low, high in itertools.pairwise([0.02, *([cut] if cut else []), 1.0]):
        z, h = low * height, (high - low) * height - 0.01
        shape += bent_box(width * 0.995, 0.05, h, -bend, paint).moved(0, -depth / 2 - 0.025, z)
        grip = handle(rng, m.metal(rng), rng.uniform(0.2, 0.5) * h).turned(np.pi / 2, 1).scaled(1.6, 1.6, 1)
        shape += grip.moved(side * width * 0.4, -depth / 2 - 0.05 - bend * 0.35, z + h * rng.uniform(0.4, 0.6))
    return Assembly.of("refrigerator", shape)


@construction("refrigerator", "open", weight=1)
def open_door(rng: np.random.Generator) -> Assembly:
    """An open refrigerator: boards, a drawer and food in a white interior."""
    width, depth, height = rng.uniform(0.5, 0.72), rng.uniform(0.52, 0.68), rng.uniform(0.8, 1.9)
    paint, white, side = _enamel(rng), m.painted(rng, True), int(rng.choice([-1, 1]))
    cut = rng.choice([0.0, rng.uniform(0.25, 0.4)]) * height
    shape = box(width, depth, cut, paint) if cut else Shape()
    shape += carcass(width, depth, height - cut, white, t=0.045).moved(z=cut)
    for z in np.arange(cut + 0.2, height - 0.2, rng.uniform(0.22, 0.34)):
        shape += box(width * 0.88, depth * 0.8, 0.008, white, (0, 0, z))
        for x in np.arange(-0.36, 0.38, 0.13) * width:
            if rng.random() < 0.6:
                size = rng.uniform(0.05, 0.1)
                shape += box(size, size * 1.5, rng.uniform(0.05, 0.19), m.printed(rng), (x, -depth * 0.1, z + 0.008))
    leaf = rounded_box(width, 0.06, height - cut, paint, 0.01).moved(width / 2, 0, 0)
    leaf += join(box(width * 0.8, 0.09, 0.07, white, (width / 2, 0.07, z)) for z in np.arange(0.1, height - cut, 0.3))
    leaf = leaf.turned(-rng.uniform(0.6, 1.9)).moved(-width / 2, -depth / 2 - 0.03, cut)
    return Assembly.of("refrigerator", shape + (leaf if side < 0 else leaf.affine(np.diag([-1, 1, 1]))))


@construction("refrigerator", "shop", weight=0.5)
def shop(rng: np.random.Generator) -> Assembly:
    """Two or three glass leaves in frames between a plinth with slots and a lit board above."""
    count, each = int(rng.integers(2, 4)), rng.uniform(0.5, 0.7)
    width, depth, height, paint = count * each, rng.uniform(0.6, 0.8), rng.uniform(1.8, 2.05), _enamel(rng)
    low, head = rng.uniform(0.12, 0.3), rng.uniform(0.15, 0.3)
    shape = box(width, depth, low, paint) + box(width, depth, head, m.printed(rng), (0, 0, height - head))
    shape += carcass(width, depth, height - low - head, paint, t=0.04).moved(z=low)
    places = np.arange(-0.46, 0.47, 0.09 / width) * width
    shape += _racks(np.arange(low + 0.05, height - head - 0.25, 0.3), width * 0.95, depth, places, 0.85, rng)
    frame = m.metal(rng)
    for i in range(count + 1):
        shape += box(0.05, 0.05, height - low - head, frame, ((i - count / 2) * each * 0.98, -depth / 2, low))
    if rng.random() < 0.6:
        shape += box(width * 0.97, 0.02, height - low - head, _PANE, (0, -depth / 2, low))
    return Assembly.of("refrigerator", shape)
