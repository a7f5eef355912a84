"""Egg chairs, slung seats, chairs with a writing board, wheelchairs, children's chairs, stools with a back."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.chair.framed import arms, assemble
from instseg3d_ros.data.synthetic.mesh import Assembly
from instseg3d_ros.data.synthetic.parts import body_material, join, legs, upholstered, wheel
from instseg3d_ros.data.synthetic.primitives import bar, bent_box, box, cushion, cylinder, heightfield, revolve, tube
from instseg3d_ros.data.synthetic.registry import construction


@construction("chair", "egg", weight=0.6)
def egg(rng: np.random.Generator) -> Assembly:
    """A round or egg-shaped shell that opens forwards, on a ring, a cross or a column, padded inside."""
    r, deep, seat = rng.uniform(0.36, 0.5), rng.uniform(0.25, 0.45), rng.uniform(0.28, 0.4)
    skin, cloth = m.painted(rng) if rng.random() < 0.6 else m.wood(rng), m.fabric(rng)
    s = np.linspace(0, 1, 9)
    profile = np.stack([r * np.sin(s * np.pi / 2) ** 0.7, deep * (1 - np.cos(s * np.pi / 2))], 1)
    high = rng.uniform(1.0, 1.8)
    shell = revolve(profile, skin, 24).scaled(1, 1, high) + revolve(profile * 0.96, cloth, 24).scaled(1, 1, high).moved(
        z=0.03
    )
    shape = shell.turned(rng.uniform(0.35, 1.0), 0).moved(0, 0.05, seat)
    low = shape.bounds()[0][2]
    shape = shape.moved(z=max(0.1, seat - 0.1) - low)
    if rng.random() < 0.6:
        shape += cushion(r * 1.4, r * 1.4, 0.12, cloth).moved(0, -0.05, seat)
    return Assembly.of("chair", shape + legs(r * 1.5, r * 1.5, seat + 0.08, m.metal(rng), rng, "pedestal"))


@construction("chair", "slung", weight=0.7)
def slung(rng: np.random.Generator) -> Assembly:
    """A sheet of leather or cloth hung in a frame of rods: low and leaning back."""
    width, depth, seat = rng.uniform(0.5, 0.7), rng.uniform(0.55, 0.75), rng.uniform(0.28, 0.4)
    made, cloth, high = m.metal(rng) if rng.random() < 0.7 else m.wood(rng), m.fabric(rng), rng.uniform(0.75, 0.95)
    s, u = np.meshgrid(np.linspace(0, 1, 13), np.linspace(-1, 1, 7), indexing="ij")
    y = -depth / 2 + depth * s
    z = seat + 0.08 * (1 - s) + (high - seat) * s**2.2 - rng.uniform(0.02, 0.1) * np.sin(np.pi * s) * (1 - u**2)
    shape = heightfield(u * width / 2, y, z, cloth)
    t = rng.uniform(0.01, 0.018)
    for side in (-1, 1):
        x = side * width / 2
        shape += tube([(x, -depth / 2, seat + 0.08), (x, 0, seat), (x, depth / 2, high)], t, made)
        if rng.random() < 0.5:
            shape += bar((x, -depth / 2, seat + 0.08), (x, depth * 0.4, 0), 2 * t, 2 * t, made)
            shape += bar((x, depth / 2, high), (x, -depth * 0.45, 0), 2 * t, 2 * t, made)
        else:
            shape += tube(
                [(x, -depth / 2, seat + 0.08), (x, -depth / 2, t), (x, depth / 2, t), (x, depth / 2, high)], t, made
            )
    shape += join(bar((-width / 2, y, z), (width / 2, y, z), 2 * t, 2 * t, made)
                  for y, z in ((-depth / 2, seat + 0.08), (depth / 2, high)))  # fmt: skip
    return Assembly.of("chair", shape)


@construction("chair", "with a tablet", weight=0.6)
def with_a_tablet(rng: np.random.Generator) -> Assembly:
    """A plain chair of a lecture room with a small board over one arm, often a basket below."""
    width, depth, height = rng.uniform(0.4, 0.5), rng.uniform(0.38, 0.48), rng.uniform(0.4, 0.46)
    frame = m.metal(rng)
    base = legs(width, depth, height, frame, rng, str(rng.choice(["square", "round", "splayed"])))
    made = assemble(base, height, width, depth, rng, body_material(rng), m.fabric(rng), 0.3)
    side, up = int(rng.choice([-1, 1])), height + rng.uniform(0.2, 0.28)
    x = side * (width / 2 + 0.03)
    shape = made.bodies[0].shape + box(rng.uniform(0.25, 0.35), rng.uniform(0.3, 0.5), 0.018, body_material(rng),
                                       (x - side * 0.1, -depth * 0.35, up))  # fmt: skip
    shape += bar((x, depth * 0.3, height), (x, -depth * 0.1, up), 0.025, 0.025, frame)
    if rng.random() < 0.4:
        shape += box(width * 0.8, depth * 0.7, 0.1, frame, (0, 0, height * 0.35))
    return Assembly.of("chair", shape)


@construction("chair", "wheelchair", weight=0.5)
def wheelchair(rng: np.random.Generator) -> Assembly:
    """A wheelchair: large wheels beside a slung seat, small wheels in front, foot rests, push handles."""
    width, depth, seat, r = (
        rng.uniform(0.42, 0.52),
        rng.uniform(0.4, 0.46),
        rng.uniform(0.45, 0.52),
        rng.uniform(0.27, 0.31),
    )
    made, cloth, dark = m.metal(rng), m.fabric(rng), m.Material((0.07, 0.07, 0.07))
    high = rng.uniform(0.38, 0.5)
    shape = box(width, depth, 0.04, cloth, (0, 0, seat)) + box(width, 0.03, high, cloth, (0, depth / 2, seat))
    for side in (-1, 1):
        x = side * (width / 2 + 0.05)
        shape += wheel(r, dark, made, (x, depth * 0.25, r))
        shape += cylinder(0.07, 0.03, dark).turned(np.pi / 2, 1).moved(x - 0.015, -depth * 0.5, 0.07)
        shape += bar((x, -depth * 0.45, 0.1), (x, -depth * 0.45, seat + 0.2), 0.025, 0.025, made)
        shape += box(0.05, depth * 0.7, 0.03, dark, (x, -0.02, seat + 0.22))
        shape += bar((x, depth / 2, seat), (x, depth / 2 + 0.06, seat + high), 0.025, 0.025, made)
        shape += bar((x * 0.8, -depth * 0.5, seat), (x * 0.7, -depth * 0.9, 0.12), 0.022, 0.022, made)
        shape += box(0.14, 0.16, 0.015, dark, (x * 0.6, -depth * 0.95, 0.11))
    return Assembly.of("chair", shape)


@construction("chair", "for a child", weight=0.6)
def for_a_child(rng: np.random.Generator) -> Assembly:
    """A child's chair: high with a tray and a foot rest, or a small copy of a large chair."""
    if rng.random() < 0.5:
        width, depth, height = rng.uniform(0.26, 0.34), rng.uniform(0.25, 0.32), rng.uniform(0.22, 0.32)
        frame = body_material(rng)
        base = legs(width, depth, height, frame, rng, str(rng.choice(["square", "round", "splayed", "tapered"])))
        return assemble(base, height, width, depth, rng, frame, m.fabric(rng), 0.3)
    width, depth, height, made = (
        rng.uniform(0.32, 0.4),
        rng.uniform(0.3, 0.36),
        rng.uniform(0.5, 0.62),
        body_material(rng),
    )
    shape = legs(width * 1.3, depth * 1.5, height, made, rng, str(rng.choice(["splayed", "square", "tapered"])))
    shape += upholstered(width, depth, 0.04, m.fabric(rng), rng).moved(z=height)
    shape += bent_box(width, 0.03, rng.uniform(0.28, 0.4), rng.uniform(0.02, 0.08), made).moved(0, depth / 2, height)
    shape += box(width * 1.25, depth * 0.7, 0.025, m.painted(rng, True), (0, -depth * 0.55, height + 0.2))
    shape += arms(width, depth, 0.17, rng, made).moved(z=height) + box(
        width, 0.12, 0.02, made, (0, -depth * 0.65, height * 0.45)
    )
    return Assembly.of("chair", shape)


@construction("chair", "open hoop", weight=0.8)
def open_hoop(rng: np.random.Generator) -> Assembly:
    """A captain's or bentwood chair: a low curved rail over a few sticks forms back and arms."""
    width, depth, height = rng.uniform(0.48, 0.6), rng.uniform(0.44, 0.54), rng.uniform(0.4, 0.47)
    made = m.wood(rng) if rng.random() < 0.7 else m.metal(rng)
    up, t = rng.uniform(0.22, 0.34), rng.uniform(0.012, 0.03)
    shape = legs(width * 0.9, depth * 0.9, height, made, rng, str(rng.choice(["splayed", "tapered", "round"])))
    seat = made if rng.random() < 0.5 else m.fabric(rng)
    shape += upholstered(width * 0.92, depth, rng.uniform(0.03, 0.08), seat, rng).moved(z=height)
    s = np.linspace(-0.15, np.pi + 0.15, 15)
    rail = np.stack([np.cos(s) * width / 2, np.sin(s) * depth * 0.75 - depth * 0.25, height + up + 0.1 * np.sin(s)], 1)
    shape += tube(rail, t, made)
    ends = (1, 4, 7, 10, 13) if rng.random() < 0.5 else range(1, 14)
    shape += join(
        tube([(x * 0.9, y * 0.9, height + 0.02), (x, y, z)], t * 0.6, made, 6) for x, y, z in rail[list(ends)]
    )
    return Assembly.of("chair", shape)


@construction("chair", "stool with a back", weight=0.6)
def stool_with_a_back(rng: np.random.Generator) -> Assembly:
    """A stool of laboratories, bars and pianos: a round seat on a column or four sticks, with a short back rail."""
    r, height = rng.uniform(0.16, 0.22), rng.uniform(0.42, 0.78)
    made, cloth = m.metal(rng) if rng.random() < 0.6 else m.wood(rng), m.fabric(rng)
    style = str(rng.choice(["pedestal", "splayed", "round"]))
    shape = legs(2 * r, 2 * r, height, made, rng, style) + cylinder(r, rng.uniform(0.03, 0.09), cloth, (0, 0, height))
    if style != "pedestal" or rng.random() < 0.4:
        s = np.linspace(0, 2 * np.pi, 17)
        shape += tube(np.stack([np.cos(s) * r, np.sin(s) * r, np.full(17, height * 0.35)], 1), 0.01, made, 6)
    up = rng.uniform(0.15, 0.32)
    back = bent_box(2 * r, 0.03, rng.uniform(0.06, 0.16), rng.uniform(0.03, 0.1), cloth if rng.random() < 0.5 else made)
    shape += back.moved(0, r * 0.7, height + up)
    shape += join(bar((s * r * 0.5, r * 0.7, height), (s * r * 0.5, r * 0.95, height + up + 0.05), 0.018, 0.018, made)
                  for s in (-1, 1))  # fmt: skip
    return Assembly.of("chair", shape)
