"""Shower curtains."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly
from instseg3d_ros.data.synthetic.parts import join
from instseg3d_ros.data.synthetic.primitives import box, cylinder, folded_sheet, heightfield, tube
from instseg3d_ros.data.synthetic.registry import construction


@construction("shower curtain", "on a rod", weight=2)
def shower_rod(rng: np.random.Generator) -> Assembly:
    """A sheet on rings in front of a tub or shower, not against a wall: the plane of the rod is y = 0."""
    width, height, made = (
        rng.uniform(0.8, 1.8),
        rng.uniform(1.5, 1.95),
        m.fabric(rng) if rng.random() < 0.6 else m.painted(rng, True),
    )
    share = rng.uniform(0.25, 1.0)
    cloth = folded_sheet(width * share, height, max(3, 9 * width), rng.uniform(0.015, 0.05), made, rng)
    x = (1 - share) * width / 2 * rng.choice([-1, 1])
    rod = cylinder(0.012, width, m.metal(rng), segments=8).turned(np.pi / 2, 1).moved(-width / 2, 0, height + 0.04)
    steel = m.metal(rng)
    places = x + np.linspace(-1, 1, 9) * share * width / 2
    rings = join(tube([(at, 0, height), (at, 0, height + 0.06)], 0.004, steel, 5) for at in places)
    return Assembly.of("shower curtain", cloth.moved(x) + rod + rings)


@construction("shower curtain", "round the corner", weight=1)
def shower_corner(rng: np.random.Generator) -> Assembly:
    """Two sheets at a right angle."""
    width, depth, height = rng.uniform(0.8, 1.2), rng.uniform(0.7, 1.0), rng.uniform(1.6, 1.95)
    made = m.fabric(rng)
    first = folded_sheet(width, height, 8, 0.03, made, rng)
    second = folded_sheet(depth, height, 7, 0.03, made, rng).turned(np.pi / 2).moved(width / 2, depth / 2)
    return Assembly.of("shower curtain", first + second)


@construction("shower curtain", "oval rail", held_out=True)
def shower_oval(rng: np.random.Generator) -> Assembly:
    height, made, r = rng.uniform(1.6, 1.9), m.fabric(rng), rng.uniform(0.5, 0.75)
    angle = np.linspace(0, np.pi * rng.uniform(0.7, 1.2), 90)
    wave = r + 0.03 * np.sin(angle * 26)

    z = np.linspace(0, height, 6)
    x, y, z = np.broadcast_arrays(
        (np.cos(angle) * wave * 1.3)[:, None], (-np.sin(angle) * wave)[:, None] + r * 0.5, z[None]
    )
    return Assembly.of("shower curtain", heightfield(x, y, z, made))


@construction("shower curtain", "plain sheet", weight=1.2)
def plain_sheet(rng: np.random.Generator) -> Assembly:
    """A nearly flat sheet along a rail under the ceiling, often patterned."""
    width, height = rng.uniform(0.7, 1.6), rng.uniform(1.6, 2.0)
    made = m.printed(rng) if rng.random() < 0.4 else m.fabric(rng)
    cloth = folded_sheet(width, height, max(2.0, width * rng.uniform(2, 6)), rng.uniform(0.01, 0.04), made, rng)
    return Assembly.of("shower curtain", cloth + box(width * 1.1, 0.03, 0.02, m.metal(rng), (0, 0, height)))
