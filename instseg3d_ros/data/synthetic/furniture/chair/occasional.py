"""Rocking chairs, garden chairs, director's chairs, and chairs with tall backs."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.chair.framed import arms, assemble
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import body_material, join, legs, slats, upholstered
from instseg3d_ros.data.synthetic.primitives import bar, bent_box, box, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


@construction("chair", "rocking", weight=0.6)
def rocking(rng: np.random.Generator) -> Assembly:
    """A rocking chair: runners that curve up at the front and back."""
    width, depth, height = rng.uniform(0.46, 0.58), rng.uniform(0.44, 0.54), rng.uniform(0.34, 0.44)
    made = m.wood(rng) if rng.random() < 0.7 else m.metal(rng)
    s, base = np.linspace(-1, 1, 11), Shape()
    for side in (-1, 1):
        x = side * (width / 2 - 0.02)
        path = np.stack([np.full(11, x), s * depth * 0.85 + 0.05, 0.02 + 0.12 * s**2], 1)
        base += tube(path, rng.uniform(0.014, 0.022), made)
        base += join(bar((x, y, 0.04), (x, y * 0.9, height), 0.03, 0.03, made) for y in (-depth * 0.42, depth * 0.42))
    return assemble(base, height, width, depth, rng, body_material(rng), m.fabric(rng), 0.8)


@construction("chair", "garden", weight=0.8)
def garden(rng: np.random.Generator) -> Assembly:
    """A plastic garden chair: a slotted or plain back that continues into the arms, four tapered channel legs."""
    width, depth, seat, made = rng.uniform(0.48, 0.6), rng.uniform(0.44, 0.54), rng.uniform(0.36, 0.44), m.painted(rng)
    high, bend, lean = rng.uniform(0.34, 0.5), rng.uniform(0.04, 0.14), -rng.uniform(0.1, 0.35)
    shape = rounded_box(width * 0.9, depth, 0.03, made, 0.012).moved(z=seat)
    if rng.random() < 0.5:
        back = bent_box(width * 0.9, 0.012, high, bend, made)
    else:
        back = slats(width * 0.85, high, int(rng.integers(4, 9)), made, rng.random() < 0.7) + bent_box(
            width * 0.92, 0.02, 0.06, bend * 0.3, made
        ).moved(z=high - 0.05)
    shape += back.turned(lean, 0).moved(0, depth / 2 - bend, seat + 0.02)
    shape += legs(width, depth * 0.95, seat, made, rng, str(rng.choice(["splayed", "tapered"])))
    if rng.random() < 0.75:
        for side in (-1, 1):
            x, z = side * width / 2, seat + rng.uniform(0.18, 0.26)
            shape += bar((x, -depth * 0.45, z), (x, depth * 0.45, z + 0.03), 0.06, 0.02, made)
            shape += bar((x, -depth * 0.45, 0.0), (x, -depth * 0.4, z), 0.045, 0.02, made)
    return Assembly.of("chair", shape)


@construction("chair", "director", weight=0.5)
def director(rng: np.random.Generator) -> Assembly:
    """A director's chair: canvas seat and back between crossed sticks."""
    width, depth, seat = rng.uniform(0.48, 0.6), rng.uniform(0.38, 0.48), rng.uniform(0.4, 0.5)
    made, cloth, t = m.wood(rng), m.fabric(rng), 0.025
    shape, arm = Shape(), seat + rng.uniform(0.17, 0.24)
    for y in (-depth * 0.42, depth * 0.42):
        for side in (-1, 1):
            shape += bar((-side * width * 0.46, y, 0.02), (side * width * 0.46, y, seat), t, t, made)
            shape += bar((side * width * 0.48, y, seat * 0.9), (side * width * 0.48, y, arm), t, t, made)
    for side in (-1, 1):
        x = side * width * 0.48
        shape += box(0.05, depth, 0.02, made, (x, 0, arm)) + bar(
            (x, depth * 0.42, arm), (x, depth * 0.5, arm + 0.22), t, t, made
        )
        shape += box(t, depth, t, made, (x, 0, 0.01))
    shape += (
        bent_box(depth * 0.9, width * 0.0 + 0.012, width * 0.94, -0.03, cloth)
        .turned(np.pi / 2, 0)
        .turned(np.pi / 2)
        .grounded()
        .moved(z=seat - 0.02)
    )
    shape += box(width * 0.96, 0.012, rng.uniform(0.14, 0.2), cloth, (0, depth * 0.48, arm + 0.04))
    return Assembly.of("chair", shape)


@construction("chair", "throne", weight=0.6)
def throne(rng: np.random.Generator) -> Assembly:
    """A padded chair with a tall straight framed back on turned legs, with or without arms."""
    width, depth, seat = rng.uniform(0.44, 0.6), rng.uniform(0.42, 0.55), rng.uniform(0.4, 0.48)
    made, cloth, high = m.wood(rng), m.fabric(rng), rng.uniform(0.5, 0.8)
    base = legs(width, depth, seat - 0.06, made, rng, str(rng.choice(["tapered", "round", "square"])))
    shape = (
        base
        + box(width, depth, 0.06, made, (0, 0, seat - 0.06))
        + upholstered(width * 0.9, depth * 0.9, 0.06, cloth, rng).moved(z=seat)
    )
    post = rng.uniform(0.03, 0.05)
    back = join(box(post, post, high, made, (s * (width - post) / 2, 0, 0)) for s in (-1, 1))
    back += box(width, post, post, made, (0, 0, high - post)) + box(
        width - 2 * post, 0.03, high * 0.75, cloth, (0, 0, high * 0.15)
    )
    shape += back.turned(-rng.uniform(0.02, 0.12), 0).moved(0, depth / 2 - post / 2, seat)
    return Assembly.of(
        "chair", shape + (arms(width, depth, 0.24, rng, made).moved(z=seat) if rng.random() < 0.5 else Shape())
    )
