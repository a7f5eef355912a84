"""Racks and things on wheels or thin legs: rails of clothes, screens, cycles, prams, tanks, speakers."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, join, legs, wheel
from instseg3d_ros.data.synthetic.primitives import (
    bar,
    box,
    cylinder,
    ellipsoid,
    folded_sheet,
    revolve,
    rounded_box,
    tube,
)
from instseg3d_ros.data.synthetic.registry import construction


@construction("otherfurniture", "rail of clothes", weight=1)
def rail_of_clothes(rng: np.random.Generator) -> Assembly:
    """Coats and shirts on a bar between two posts."""
    width, height, steel = rng.uniform(0.7, 1.5), rng.uniform(1.3, 1.7), m.metal(rng)
    shape = tube([(-width / 2, 0, height), (width / 2, 0, height)], 0.014, steel)
    for side in (-1, 1):
        x = side * width / 2
        shape += tube([(x, 0, 0.05), (x, 0, height)], 0.014, steel) + box(0.03, 0.45, 0.03, steel, (x, 0, 0.03))
    for x in np.arange(-width * 0.45, width * 0.45, rng.uniform(0.05, 0.16)):
        if rng.random() < 0.8:
            long, wide = rng.uniform(0.5, min(1.1, height - 0.15)), rng.uniform(0.36, 0.5)
            cloth = folded_sheet(wide, long, 3, 0.015, m.fabric(rng), rng) + rounded_box(
                wide, 0.04, long * 0.9, m.fabric(rng), 0.02
            )
            shape += cloth.turned(np.pi / 2 + rng.normal(0, 0.15)).moved(x, 0, height - long - 0.03)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "folding screen", weight=0.6)
def folding_screen(rng: np.random.Generator) -> Assembly:
    """Three to five leaves that stand zigzag."""
    count, w, height = int(rng.integers(3, 6)), rng.uniform(0.35, 0.55), rng.uniform(1.3, 1.9)
    made, cloth, angle = body_material(rng), m.fabric(rng), rng.uniform(0.2, 0.7)
    shape, x = Shape(), 0.0
    for i in range(count):
        leaf = box(w * 0.9, 0.012, height * 0.9, cloth, (0, 0, height * 0.06)) + join(
            box(0.035, 0.03, height, made, (s * (w - 0.035) / 2, 0, 0)) for s in (-1, 1)
        )
        leaf += join(box(w, 0.028, 0.035, made, (0, 0, z)) for z in (height * 0.04, height - 0.035))
        turn = angle if i % 2 else -angle
        shape += leaf.turned(turn).moved(x)
        x += w * np.cos(angle)
    return Assembly.of("otherfurniture", shape.grounded())


@construction("otherfurniture", "rack of bottles or shoes", weight=0.6)
def low_rack(rng: np.random.Generator) -> Assembly:
    """A rack for shoes or bottles: sloping bars between two side panels."""
    width, depth, height = rng.uniform(0.4, 1.0), rng.uniform(0.22, 0.34), rng.uniform(0.3, 1.0)
    made = body_material(rng)
    shape = join(box(0.02, depth, height, made, (s * width / 2, 0, 0)) for s in (-1, 1))
    bottles = rng.random() < 0.4
    for z in np.arange(0.06, height - 0.05, rng.uniform(0.14, 0.22)):
        shape += join(
            bar((-width / 2, y * depth, z + y * 0.08), (width / 2, y * depth, z + y * 0.08), 0.02, 0.02, made)
            for y in (-0.4, 0.0, 0.4)
        )
        for x in np.arange(-0.42, 0.44, 0.12 if bottles else 0.22) * width:
            if rng.random() < 0.7:
                if bottles:
                    bottle = cylinder(0.038, 0.26, m.painted(rng, False), segments=8).turned(np.pi / 2, 0)
                    shape += bottle.moved(x, 0.13, z + 0.05)
                else:
                    pair = ellipsoid(0.09, 0.26, rng.uniform(0.06, 0.12), m.painted(rng), 0.3)
                    shape += join(pair.turned(rng.normal(0, 0.1)).moved(x + s, 0, z + 0.02) for s in (-0.05, 0.05))
    if rng.random() >= 0.5:
        return Assembly.of("otherfurniture", shape)
    shape += box(width, depth, 0.02, made, (0, 0, height - 0.02))
    return Assembly.of("otherfurniture", shape, Surface(0, 0, height, width * 0.9, depth * 0.85))


@construction("otherfurniture", "cycle", weight=0.6)
def cycle(rng: np.random.Generator) -> Assembly:
    """A bicycle on its stand, or an exercise bicycle."""
    paint, dark, r = m.painted(rng), m.Material((0.07, 0.07, 0.07)), rng.uniform(0.24, 0.34)
    reach, seat = rng.uniform(0.42, 0.55), rng.uniform(0.75, 1.0)
    crank, head = (0, 0.0, r * 0.9), (0, -reach * 0.75, seat * 0.95)
    if rng.random() < 0.65:
        shape = wheel(r, dark, dark, (0, reach, r)) + wheel(r, dark, dark, (0, -reach, r))
        ends = [((0, reach, r), crank), (head, (0, -reach, r)), ((0, reach, r), (0, reach * 0.35, seat * 0.9))]
    else:
        shape = cylinder(r * 0.8, 0.1, dark).turned(np.pi / 2, 1).moved(-0.05, -reach * 0.6, r)
        shape += join(box(0.45, 0.06, 0.04, dark, (0, s * reach, 0)) for s in (-1, 1))
        ends = [((0, reach, 0.04), crank), ((0, -reach, 0.04), crank), (head, (0, -reach * 0.5, 0.05))]
    ends += [(crank, (0, reach * 0.4, seat)), (crank, head), (head, (0, reach * 0.35, seat * 0.85))]
    shape += join(bar(a, b, 0.035, 0.035, paint) for a, b in ends)
    shape += ellipsoid(0.17, 0.26, 0.07, dark, 0.2).moved(0, reach * 0.4, seat)
    grips = [(x, -reach * (0.6 if x else 0.78), seat + (0.12 if x else 0.06)) for x in (-0.27, 0.0, 0.27)]
    shape += tube(grips, 0.014, dark)
    shape += join(bar(crank, (s * 0.1, s * 0.1, r * 0.9 + s * 0.1), 0.02, 0.02, dark) for s in (-1, 1))
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "tank", weight=0.4)
def tank(rng: np.random.Generator) -> Assembly:
    """An aquarium or terrarium on a stand."""
    width, depth, up, height = (
        rng.uniform(0.5, 1.2),
        rng.uniform(0.3, 0.45),
        rng.uniform(0.5, 0.8),
        rng.uniform(0.3, 0.5),
    )
    made, dark = body_material(rng), m.Material((0.06, 0.06, 0.07))
    shape = box(width, depth, up, made) if rng.random() < 0.6 else legs(width, depth, up, made, rng, "frame")
    shape += box(width, depth, 0.04, dark, (0, 0, up)) + box(
        width * 0.97, depth * 0.95, 0.07, m.stone(rng), (0, 0, up + 0.04)
    )
    water = m.Material((0.35, 0.6, 0.6), gloss=0.9, infrared=0.4)
    shape += box(width * 0.98, depth * 0.97, height, water, (0, 0, up + 0.04)) + box(
        width, depth, 0.05, dark, (0, 0, up + 0.04 + height)
    )
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "speaker", weight=0.6)
def speaker(rng: np.random.Generator) -> Assembly:
    """A loudspeaker: a slim case with round drivers, on the floor or on a post."""
    width, depth, height = rng.uniform(0.16, 0.35), rng.uniform(0.2, 0.4), rng.uniform(0.3, 1.1)
    made, dark = body_material(rng), m.Material((0.06, 0.06, 0.06), infrared=0.5)
    shape = rounded_box(width, depth, height, made, 0.015)
    count = max(1, int(height / (width * 1.3)))
    for i in range(count):
        cone = revolve([(0, 0.02), (width * 0.2, 0.005), (width * 0.38, 0.02), (width * 0.42, 0.0)], dark, 16)
        shape += cone.turned(np.pi / 2, 0).moved(0, -depth / 2, (i + 0.5) * height / count)
    if height < 0.6:
        up = rng.uniform(0.4, 0.8)
        shape = shape.moved(z=up) + cylinder(0.03, up, dark) + box(width, depth, 0.03, dark)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "pram", weight=0.4)
def pram(rng: np.random.Generator) -> Assembly:
    """A pram: a tub or a seat under a hood on a frame with wheels and a push bar."""
    long, width, made, cloth = rng.uniform(0.6, 0.85), rng.uniform(0.4, 0.5), m.metal(rng), m.fabric(rng)
    up, r = rng.uniform(0.4, 0.6), rng.uniform(0.08, 0.16)
    shape = ellipsoid(width, long, 0.3, cloth, 0.5).moved(z=up)
    if rng.random() < 0.75:
        shape += ellipsoid(width, long * 0.6, 0.55, cloth, 0.3).moved(0, long * 0.22, up)
    for side in (-1, 1):
        x = side * width * 0.48
        shape += bar((x, -long * 0.45, r), (x, long * 0.3, up + 0.1), 0.025, 0.025, made)
        shape += bar((x, long * 0.45, r), (x, -long * 0.6, up + 0.45), 0.025, 0.025, made)
        shape += join(
            cylinder(r, 0.04, m.Material((0.1, 0.1, 0.1))).turned(np.pi / 2, 1).moved(x - 0.02, s * long * 0.45, r)
            for s in (-1, 1)
        )
    shape += bar((-width * 0.48, -long * 0.6, up + 0.45), (width * 0.48, -long * 0.6, up + 0.45), 0.03, 0.03, made)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "vacuum cleaner", weight=0.4)
def vacuum_cleaner(rng: np.random.Generator) -> Assembly:
    """A vacuum cleaner: a body on wheels with a hose and a pipe, or a stick with a foot."""
    paint, dark = m.painted(rng), m.Material((0.1, 0.1, 0.1))
    height = rng.uniform(0.9, 1.2)
    pipe = bar((0, -0.25, 0.04), (0, 0.15, height), 0.035, 0.035, m.metal(rng))
    shape = pipe + rounded_box(0.28, 0.12, 0.06, dark, 0.02).moved(0, -0.27)
    if rng.random() < 0.5:
        shape += cylinder(0.07, 0.35, paint, segments=12).turned(-0.37, 0).moved(0, -0.05, height * 0.35)
        return Assembly.of("otherfurniture", shape)
    shape += ellipsoid(0.28, 0.4, 0.26, paint, 0.3).moved(0.3, 0.1)
    s = np.linspace(0, 1, 9)
    hose = np.stack([0.3 * (1 - s), 0.1 + 0.25 * np.sin(np.pi * s), 0.2 + (height - 0.2) * s**2], 1)
    return Assembly.of("otherfurniture", shape + tube(hose, 0.02, dark))


@construction("otherfurniture", "tree for cats", weight=0.4)
def tree_for_cats(rng: np.random.Generator) -> Assembly:
    """A cat tree: posts wound with rope, boards and a box at different heights."""
    size, cloth, rope = rng.uniform(0.4, 0.6), m.fabric(rng), m.fabric(rng)
    shape, z = box(size, size, 0.04, cloth), 0.04
    for _ in range(int(rng.integers(2, 5))):
        up, (x, y) = rng.uniform(0.25, 0.5), rng.uniform(-0.3, 0.3, 2) * size
        shape += cylinder(0.045, z + up, rope, (x, y, 0), segments=10)
        z += up
        if rng.random() < 0.35:
            shape += box(size * 0.6, size * 0.6, 0.28, cloth, (x, y, z))
            z += 0.28
        else:
            shape += box(size * rng.uniform(0.5, 0.9), size * rng.uniform(0.5, 0.9), 0.03, cloth, (x, y, z))
            z += 0.03
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "stand for notes", weight=0.3)
def stand_for_notes(rng: np.random.Generator) -> Assembly:
    """A stand for music, menus or tablets: a sloping plate on a post with three feet."""
    height, made = rng.uniform(0.9, 1.4), m.metal(rng)
    face = made if rng.random() < 0.5 else m.printed(rng)
    shape = cylinder(0.012, height, made, segments=8)
    feet = (bar((0, 0, 0.2), (0.25, 0, 0.01), 0.018, 0.018, made).turned(2 * np.pi * i / 3) for i in range(3))
    board = box(rng.uniform(0.3, 0.5), 0.012, rng.uniform(0.22, 0.4), face).turned(-rng.uniform(0.2, 0.6), 0)
    return Assembly.of("otherfurniture", shape + join(feet) + board.moved(z=height - 0.05))
