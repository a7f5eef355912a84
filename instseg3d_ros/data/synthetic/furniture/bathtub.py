"""Bathtubs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import oval, tap
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import legs
from instseg3d_ros.data.synthetic.primitives import box, grid, surface, tube
from instseg3d_ros.data.synthetic.registry import construction


def _hollow_block(
    width: float,
    depth: float,
    height: float,
    made: m.Material,
    inside: m.Material,
    wall: float,
    corner: float,
    floor: float = 0.08,
) -> Shape:
    """A block with an oval or square hollow, slopes inside."""
    outline = oval(1, 1, 8.0, 40)
    inner = oval(1, 1, corner, 40)
    rings = []
    for size, z in (((width, depth), 0), ((width, depth), height)):
        rings.append(np.concatenate([outline * size, np.full((40, 1), z)], 1))
    hole = np.array([width - 2 * wall, depth - 2 * wall])
    for share, z in ((1.0, height), (0.96, height - 0.05), (0.82, floor + 0.05), (0.7, floor), (0.0, floor)):
        rings.append(np.concatenate([inner * hole * share, np.full((40, 1), z)], 1))

    outer = surface(np.concatenate(rings[:3]), grid(3, 40, wrap=True), made)
    return outer + surface(np.concatenate(rings[2:]), grid(5, 40, wrap=True), inside)


@construction("bathtub", "built in", weight=3)
def built_in(rng: np.random.Generator) -> Assembly:
    width, depth, height, made = rng.uniform(1.35, 1.9), rng.uniform(0.65, 0.9), rng.uniform(0.42, 0.62), m.ceramic(rng)
    face = made if rng.random() < 0.5 else m.flooring(rng)
    shape = _hollow_block(width, depth, height, face, made, rng.uniform(0.05, 0.11), rng.uniform(0.3, 3.0))
    return Assembly.of(
        "bathtub", shape + tap(rng, m.metal(rng)).turned(rng.choice([np.pi / 2, 0])).moved(width * 0.45, 0, height)
    )


@construction("bathtub", "free standing", weight=1.5)
def free_standing(rng: np.random.Generator) -> Assembly:
    width, depth, height, made = rng.uniform(1.4, 1.85), rng.uniform(0.65, 0.85), rng.uniform(0.5, 0.65), m.ceramic(rng)
    s = np.linspace(0, 1, 7)
    foot, low = rng.uniform(0.6, 0.9), float(rng.choice([0, 0.1]))
    profile = np.stack([foot + (1 - foot) * s ** rng.uniform(0.6, 2), low + s * (height - low)], 1) * [width / 2, 1]
    shape = hollow(profile, 0.04, made, 36, squeeze=depth / width, corner=float(rng.choice([0, 0.2])))
    if low:
        shape += legs(width * 0.7, depth * 0.7, low + 0.05, m.metal(rng), rng, "round")
    return Assembly.of("bathtub", shape)


@construction("bathtub", "corner tub", held_out=True)
def corner_tub(rng: np.random.Generator) -> Assembly:
    size, height, made = rng.uniform(1.2, 1.5), rng.uniform(0.48, 0.6), m.ceramic(rng)
    shape = _hollow_block(size, size, height, made, made, rng.uniform(0.1, 0.16), 0.1)
    return Assembly.of("bathtub", shape)


@construction("bathtub", "claw foot", weight=0.8)
def claw_foot(rng: np.random.Generator) -> Assembly:
    """A tub on four feet with a rolled rim and a higher end."""
    width, depth, height, made = rng.uniform(1.4, 1.75), rng.uniform(0.68, 0.8), rng.uniform(0.5, 0.62), m.ceramic(rng)
    s = np.linspace(0, 1, 8)
    profile = np.stack([0.55 + 0.45 * s**0.6, 0.12 + s * (height - 0.12)], 1) * [width / 2, 1]
    shape = hollow([*profile, (width / 2 * 1.04, height - 0.01)], 0.03, made, 36, squeeze=depth / width)
    lift = rng.uniform(0, 0.18)
    tilted = []
    for part in shape.parts:
        v = part.vertices.copy()
        v[:, 2] += lift * np.clip(v[:, 2] / height, 0, 1) * np.clip(v[:, 0] / width, 0, 1) * 2
        tilted.append(replace(part, vertices=v))
    return Assembly.of(
        "bathtub", Shape(tuple(tilted)) + legs(width * 0.65, depth * 0.65, 0.17, m.metal(rng), rng, "tapered")
    )


@construction("bathtub", "with screen", weight=0.8)
def with_screen(rng: np.random.Generator) -> Assembly:
    """A built-in tub with a glass wing and a shower rod at one end."""
    width, depth, height, made = rng.uniform(1.4, 1.8), rng.uniform(0.7, 0.85), rng.uniform(0.45, 0.6), m.ceramic(rng)
    shape = _hollow_block(width, depth, height, made, made, rng.uniform(0.05, 0.09), rng.uniform(0.5, 3.0))
    pane = m.Material((0.7, 0.78, 0.78), gloss=0.9, infrared=0.5)
    if rng.random() < 0.6:
        shape += box(width * rng.uniform(0.3, 0.5), 0.008, 1.4, pane, (width * 0.28, -depth / 2 + 0.03, height))
    shape += tube(
        [(width / 2 - 0.05, 0, height), (width / 2 - 0.05, 0, height + 1.3), (width / 2 - 0.3, 0, height + 1.4)],
        0.012,
        m.metal(rng),
    )
    return Assembly.of("bathtub", shape)


@construction("bathtub", "deep and short", weight=0.6)
def deep_and_short(rng: np.random.Generator) -> Assembly:
    """A square or round tub to sit in, nearly as high as wide, of wood, stone or enamel."""
    width, depth, height = rng.uniform(0.9, 1.3), rng.uniform(0.7, 1.0), rng.uniform(0.6, 0.85)
    made = m.wood(rng) if rng.random() < 0.35 else m.ceramic(rng) if rng.random() < 0.6 else m.stone(rng)
    if rng.random() < 0.5:
        return Assembly.of("bathtub", _hollow_block(width, depth, height, made, made, rng.uniform(0.04, 0.1), 2.0))
    s, foot = np.linspace(0, 1, 7), rng.uniform(0.75, 1.0)
    profile = np.stack([(foot + (1 - foot) * s) * width / 2, s * height], 1)
    return Assembly.of("bathtub", hollow(profile, rng.uniform(0.03, 0.06), made, 32, squeeze=depth / width))


@construction("bathtub", "with a deck", weight=0.8)
def with_deck(rng: np.random.Generator) -> Assembly:
    """A tub in a tiled or boarded platform with ledges, often with a step in front."""
    width, depth, height = rng.uniform(1.5, 2.1), rng.uniform(0.8, 1.2), rng.uniform(0.45, 0.62)
    face, made = m.flooring(rng) if rng.random() < 0.6 else m.wood(rng), m.ceramic(rng)
    shape = _hollow_block(width, depth, height, face, made, rng.uniform(0.12, 0.24), rng.uniform(0.2, 3.0))
    if rng.random() < 0.3:
        shape += box(width * rng.uniform(0.5, 1), 0.28, height * 0.45, face, (0, -depth / 2 - 0.14, 0))
    return Assembly.of("bathtub", shape + tap(rng, m.metal(rng)).moved(0, depth / 2 - 0.08, height))
