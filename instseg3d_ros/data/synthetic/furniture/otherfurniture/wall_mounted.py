"""Furniture on walls: shelves, mirrors, radiators, screens, boards, hoods."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.otherfurniture.appliances import screen
from instseg3d_ros.data.synthetic.mesh import Assembly, Surface
from instseg3d_ros.data.synthetic.parts import body_material, join
from instseg3d_ros.data.synthetic.primitives import box, cylinder, plate, revolve, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


@construction("otherfurniture", "wall shelf", mount="wall")
def wall_shelf(rng: np.random.Generator) -> Assembly:
    """A board on the wall, the wall at y = 0."""
    width, depth, made = rng.uniform(0.4, 1.4), rng.uniform(0.15, 0.3), body_material(rng)
    shape = box(width, depth, 0.025, made, (0, -depth / 2, 0.1))
    for side in (-1, 1):
        shape += plate(
            [
                (side * width * 0.4, 0, 0),
                (side * width * 0.4, -0.01, 0),
                (side * width * 0.4, -depth * 0.8, 0.1),
                (side * width * 0.4, 0, 0.1),
            ],
            0.02,
            made,
        )
    return Assembly.of("otherfurniture", shape, Surface(0, -depth / 2, 0.125, width * 0.95, depth * 0.8, 0.5))


@construction("otherfurniture", "mirror", mount="wall")
def mirror(rng: np.random.Generator) -> Assembly:
    """A mirror. A depth camera measures either the reflected room or nothing; here mostly nothing."""
    width, height = rng.uniform(0.3, 1.0), rng.uniform(0.4, 1.5)
    silver = m.Material(
        (0.6, 0.65, 0.68), "marble", (0.75, 0.75, 0.75), 0.8, gloss=0.95, infrared=rng.uniform(0.1, 0.5)
    )
    shape = box(width, 0.015, height, silver, (0, -0.015, 0))
    if rng.random() < 0.6:
        rim, made = rng.uniform(0.02, 0.08), body_material(rng)
        shape += join(box(rim, 0.03, height, made, (s * width / 2, -0.015, 0)) for s in (-1, 1))
        shape += join(box(width + rim, 0.03, rim, made, (0, -0.015, z)) for z in (-rim / 2, height - rim / 2))
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "radiator", mount="wall")
def radiator(rng: np.random.Generator) -> Assembly:
    """A radiator at knee height: ribs or a plate."""
    width, height, paint = rng.uniform(0.5, 1.6), rng.uniform(0.4, 0.7), m.painted(rng, True)
    if rng.random() < 0.5:
        return Assembly.of("otherfurniture", box(width, 0.08, height, paint, (0, -0.08, 0)))
    ribs = join(
        rounded_box(0.045, 0.1, height, paint, 0.02).moved(x, -0.08) for x in np.arange(-width / 2, width / 2, 0.06)
    )
    return Assembly.of("otherfurniture", ribs)


@construction("otherfurniture", "television on wall", mount="wall")
def wall_television(rng: np.random.Generator) -> Assembly:
    width = rng.uniform(0.7, 1.6)
    return Assembly.of("otherfurniture", screen(width, width * 0.57, rng).moved(y=-0.06))


@construction("otherfurniture", "whiteboard", mount="wall")
def whiteboard(rng: np.random.Generator) -> Assembly:
    width, height = rng.uniform(0.8, 2.2), rng.uniform(0.7, 1.2)
    shape = box(width, 0.02, height, m.Material((0.95, 0.95, 0.95), gloss=0.5), (0, -0.01, 0)) + box(
        width * 0.5, 0.06, 0.02, m.metal(rng), (0, -0.04, -0.01)
    )
    shape += join(box(0.02, 0.03, height, m.metal(rng), (s * width / 2, -0.015, 0)) for s in (-1, 1))
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "hood", mount="wall", weight=0.5)
def hood(rng: np.random.Generator) -> Assembly:
    """The extractor hood above a stove."""
    width, made = rng.uniform(0.55, 0.9), m.metal(rng)
    shape = revolve([(0, 0), (0.5, 0), (0.5, 0.06), (0.2, 0.3), (0.2, 0.7), (0, 0.7)], made, 4).turned(np.pi / 4)
    return Assembly.of("otherfurniture", shape.scaled(width * 1.4, 0.68, 1).moved(y=-0.26))


@construction("otherfurniture", "wall clock", mount="wall", held_out=True, weight=0.5)
def wall_clock(rng: np.random.Generator) -> Assembly:
    r = rng.uniform(0.12, 0.3)
    disk = cylinder(r, 0.05, m.painted(rng), segments=28) + cylinder(
        r * 0.88, 0.004, m.painted(rng, True), (0, 0, 0.05), segments=28
    )
    return Assembly.of("otherfurniture", disk.turned(np.pi / 2, 0).moved(z=r))
