"""Refrigerators."""

from __future__ import annotations

import itertools

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Surface
from instseg3d_ros.data.synthetic.parts import carcass, handle
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
        shape += bar(
            (-width * 0.35, -depth / 2 - 0.04, (i + 0.85) * h),
            (width * 0.35, -depth / 2 - 0.04, (i + 0.85) * h),
            0.02,
            0.02,
            grip,
        )
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
    shape += bar(
        (width * 0.4, -depth / 2 - 0.04, height * 0.4),
        (width * 0.4, -depth / 2 - 0.04, height * 0.65),
        0.02,
        0.02,
        m.metal(rng),
    )
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
