"""Pictures on a wall whose surface is y = 0."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import frame_around
from instseg3d_ros.data.synthetic.mesh import Assembly
from instseg3d_ros.data.synthetic.parts import body_material, join
from instseg3d_ros.data.synthetic.primitives import box, cylinder, extrude, heightfield, revolve
from instseg3d_ros.data.synthetic.registry import construction


@construction("picture", "framed", weight=3)
def framed(rng: np.random.Generator) -> Assembly:
    width, height = np.exp(rng.uniform(np.log(0.2), np.log(1.2), 2))
    rim, deep = rng.uniform(0.01, 0.07), rng.uniform(0.012, 0.045)
    made = m.wood(rng) if rng.random() < 0.4 else m.painted(rng)
    art = m.art(rng, "print", "marble", "speckle", "stripes")
    shape = frame_around(width, height, rim, deep, made) + box(width, deep * 0.5, height, art, (0, -deep * 0.25, 0))
    if rng.random() < 0.35:
        mat = rng.uniform(0.1, 0.2) * min(width, height)
        shape += frame_around(width - 2 * mat, height - 2 * mat, mat, deep * 0.6, m.painted(rng, True)).moved(z=mat)
    return Assembly.of("picture", shape)


@construction("picture", "canvas", weight=1.5)
def canvas(rng: np.random.Generator) -> Assembly:
    width, height = np.exp(rng.uniform(np.log(0.25), np.log(1.5), 2))
    art = m.art(rng, "print", "marble", "plain")
    return Assembly.of("picture", box(width, rng.uniform(0.006, 0.05), height, art, (0, -0.02, 0)))


@construction("picture", "round picture", held_out=True)
def round_picture(rng: np.random.Generator) -> Assembly:
    r = rng.uniform(0.15, 0.45)
    art = m.art(rng, "print")
    disk = cylinder(r * 0.9, 0.02, art, segments=32) + revolve(
        [(r, 0), (r, 0.04), (r * 0.88, 0.04), (r * 0.88, 0)], body_material(rng), 32
    )
    return Assembly.of("picture", disk.turned(np.pi / 2, 0).moved(z=r))


@construction("picture", "poster", weight=1)
def poster(rng: np.random.Generator) -> Assembly:
    """A sheet on the wall, edges curling a little."""
    width, height = rng.uniform(0.3, 0.9), rng.uniform(0.4, 1.2)
    art = m.art(rng, "print")
    u, v = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(0, 1, 7), indexing="ij")
    curl = rng.uniform(0, 0.02) * np.abs(u) ** 4 + rng.uniform(0, 0.02) * (1 - v) ** 4
    return Assembly.of("picture", heightfield(u * width / 2, -0.003 - curl, v * height, art))


@construction("picture", "triptych", weight=0.6)
def triptych(rng: np.random.Generator) -> Assembly:
    """Several panels that belong together."""
    count, width, height = int(rng.integers(2, 5)), rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.9)
    art = m.art(rng, "marble")
    gap = rng.uniform(0.02, 0.06)
    shape = join(box(width, 0.03, height, art, ((i + 0.5 - count / 2) * (width + gap), -0.02, 0)) for i in range(count))
    return Assembly.of("picture", shape)


@construction("picture", "deep frame", weight=0.8)
def deep_frame(rng: np.random.Generator) -> Assembly:
    """A heavy moulding in two steps, or a shallow box with things behind glass."""
    width, height = np.exp(rng.uniform(np.log(0.25), np.log(1.0), 2))
    made = m.wood(rng) if rng.random() < 0.6 else m.metal(rng)
    rim, deep = rng.uniform(0.04, 0.12), rng.uniform(0.04, 0.09)
    shape = frame_around(width, height, rim, deep, made) + frame_around(width, height, rim * 0.5, deep * 1.3, made)
    shape += box(width, 0.01, height, m.art(rng, "print", "marble", "speckle"), (0, -0.012, 0))
    for _ in range(int(rng.integers(0, 6))):
        x, z = rng.uniform(-0.35, 0.35) * width, rng.uniform(0.15, 0.75) * height
        shape += box(0.12 * width, deep * 0.6, 0.12 * height, m.printed(rng), (x, -deep * 0.3, z))
    return Assembly.of("picture", shape)


@construction("picture", "corners or leaning", weight=0.6)
def corners_or_leaning(rng: np.random.Generator) -> Assembly:
    """An outline of five to eight corners, or a rectangle whose top leans off the wall."""
    art, made = m.art(rng, "print", "marble", "plain"), body_material(rng)
    r, deep = rng.uniform(0.15, 0.45), rng.uniform(0.015, 0.05)
    if rng.random() < 0.5:
        s = np.linspace(0, 2 * np.pi, int(rng.integers(5, 9)), endpoint=False) + rng.uniform(0, 1)
        outline = np.stack([np.cos(s), np.sin(s)], 1) * r
        shape = extrude(outline * 1.1, deep, made).turned(np.pi / 2, 0) + extrude(outline, deep * 1.2, art).turned(
            np.pi / 2, 0
        )
        return Assembly.of("picture", shape.moved(z=-shape.bounds()[0][2]))
    width, height = 2 * r, 2 * r * rng.uniform(0.6, 1.6)
    shape = frame_around(width, height, 0.04, deep, made) + box(width, deep * 0.5, height, art, (0, -deep * 0.25, 0))
    return Assembly.of("picture", shape.turned(rng.uniform(0.03, 0.12), 0))
