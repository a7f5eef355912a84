"""Refrigerators."""

from __future__ import annotations

import itertools

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Shape, Surface
from instseg3d_ros.data.synthetic.parts import carcass, handle, join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


def _fridge(width, depth, height, cuts, paint, rng, side_by_side=False) -> Assembly:
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


def _rod(depth: float, start, end, made, thick: float = 0.02) -> Shape:
    """A straight handle before a front at y = −depth / 2, from one (x, z) to the other."""
    y = -depth / 2 - 0.04
    return bar((start[0], y, start[1]), (end[0], y, end[1]), thick, thick, made)


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


@construction("refrigerator", "french doors", weight=1)
def french(rng):
    """Two leaves above one or two drawers."""
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
def cooler(rng):
    """A glass door with bottles on racks behind it."""
    width, depth, height, paint = rng.uniform(0.45, 0.7), rng.uniform(0.5, 0.65), rng.uniform(0.8, 1.95), _enamel(rng)
    shape = carcass(width, depth, height, paint, t=0.05) + box(width, 0.04, 0.16, paint, (0, -depth / 2, height - 0.16))
    for z in np.arange(0.1, height - 0.35, 0.3):
        shape += box(width * 0.88, depth * 0.8, 0.01, m.metal(rng), (0, 0, z))
        for x in np.arange(-width * 0.36, width * 0.38, 0.085):
            if rng.random() < 0.8:
                shape += cylinder(
                    0.032, rng.uniform(0.12, 0.24), m.printed(rng), (x, -depth * 0.2, z + 0.01), segments=8
                )
    pane = rng.random() < 0.6
    if pane:
        shape += box(
            width * 0.95,
            0.02,
            height - 0.17,
            m.Material((0.3, 0.36, 0.38), gloss=0.9, infrared=0.45),
            (0, -depth / 2, 0),
        )
    shape += _rod(depth, (width * 0.4, height * 0.4), (width * 0.4, height * 0.65), m.metal(rng))
    return Assembly.of("refrigerator", shape)


@construction("refrigerator", "chest freezer", held_out=True)
def chest_freezer(rng):
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
def small_plain(rng):
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
def catering(rng):
    """Steel on legs: one to three columns of leaves under a grille."""
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
def family(rng):
    """One or two leaves with what a kitchen adds: notes and magnets, a dispenser, boxes on top."""
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
