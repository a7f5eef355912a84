"""Lounge sofas: boxy, skirted, backless, on platforms, or with rounded lumps."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, join, leaning, legs, upholstered
from instseg3d_ros.data.synthetic.primitives import box, cushion, cylinder, ellipsoid, folded_sheet, rounded_box
from instseg3d_ros.data.synthetic.registry import construction


@construction("sofa", "tuxedo", weight=1.2)
def tuxedo(rng: np.random.Generator) -> Assembly:
    """A box that is open at the front: thin or thick arms as high as the back, on legs or a plinth."""
    width, depth, cloth = rng.uniform(1.2, 2.5), rng.uniform(0.7, 0.95), m.fabric(rng)
    if rng.random() < 0.25:
        cloth = m.painted(rng)
    high, thick, low = rng.uniform(0.6, 0.85), rng.uniform(0.06, 0.22), rng.uniform(0.02, 0.2)
    seat, edge = rng.uniform(0.36, 0.46), rng.uniform(0.005, 0.06)
    shape = rounded_box(width, thick, high - low, cloth, edge).moved(0, (depth - thick) / 2, low)
    shape += join(
        rounded_box(thick, depth, high - low, cloth, edge).moved(s * (width - thick) / 2, 0, low) for s in (-1, 1)
    )
    inner, count = width - 2 * thick, int(rng.integers(1, 4))
    shape += box(inner, depth - thick, (seat - low) * 0.55, cloth, (0, -thick / 2, low))
    for i in range(count):
        x = ((i + 0.5) / count - 0.5) * inner
        pad = upholstered(inner / count - 0.006, depth - thick, (seat - low) * 0.45, cloth, rng)
        shape += pad.moved(x, -thick / 2, low + (seat - low) * 0.55)
        if rng.random() < 0.5:
            back = cushion(inner / count * 0.95, high - seat, rng.uniform(0.12, 0.22), cloth)
            shape += leaning(back, 0.2).moved(x, depth / 2 - thick - 0.12, seat)
    shape += legs(width * 0.92, depth * 0.9, low + 0.02, body_material(rng), rng, str(rng.choice(["square", "round"])))
    return Assembly.of("sofa", shape, Surface(0, -thick, seat + 0.03, inner * 0.9, depth * 0.55, 0.4))


@construction("sofa", "skirted", weight=1)
def skirted(rng: np.random.Generator) -> Assembly:
    """A sofa with low rolled arms, a plain back, loose seat cushions, and pleated cloth down to the floor."""
    width, depth, cloth = rng.uniform(1.3, 2.3), rng.uniform(0.8, 1.0), m.fabric(rng)
    seat, arm, back, roll = (
        rng.uniform(0.42, 0.5),
        rng.uniform(0.52, 0.62),
        rng.uniform(0.75, 0.95),
        rng.uniform(0.06, 0.11),
    )
    shape = box(width * 0.97, depth * 0.95, seat - 0.14, cloth)
    shape += rounded_box(width * 0.97, 0.2, back, cloth, 0.09).moved(0, depth / 2 - 0.1)
    for side in (-1, 1):
        x = side * (width / 2 - roll)
        shape += box(roll * 1.5, depth * 0.9, arm - roll, cloth, (x, 0, 0))
        shape += cylinder(roll, depth * 0.85, cloth, segments=14).turned(np.pi / 2, 0).moved(x, depth * 0.4, arm - roll)
    count = int(rng.integers(1, 4))
    inner = width - 4 * roll
    for i in range(count):
        x = ((i + 0.5) / count - 0.5) * inner
        shape += upholstered(inner / count - 0.006, depth * 0.78, 0.16, cloth, rng).moved(x, -depth * 0.07, seat - 0.15)
        if rng.random() < 0.6:
            pad = cushion(inner / count * 0.95, back - seat + 0.04, 0.2, cloth)
            shape += leaning(pad, 0.25).moved(x, depth / 2 - 0.3, seat)
    skirt = folded_sheet(width, rng.uniform(0.15, 0.26), rng.uniform(4, 20), rng.uniform(0.004, 0.015), cloth, rng)
    shape += skirt.moved(0, -depth / 2) + join(
        skirt.scaled(depth / width, 1, 1).turned(np.pi / 2).moved(s * width / 2) for s in (-1, 1)
    )
    return Assembly.of("sofa", shape, Surface(0, -0.1, seat + 0.03, inner * 0.9, depth * 0.5, 0.4))


@construction("sofa", "chaise longue", weight=0.8)
def chaise_longue(rng: np.random.Generator) -> Assembly:
    """A long pad without arms that rises at the head in a slope or a scroll."""
    width, depth, cloth = rng.uniform(1.4, 1.9), rng.uniform(0.55, 0.8), m.fabric(rng)
    seat, low = rng.uniform(0.34, 0.46), rng.uniform(0.08, 0.26)
    shape = upholstered(width, depth, seat - low, cloth, rng).moved(z=low)
    head = rounded_box(rng.uniform(0.5, 0.75), depth * 0.97, rng.uniform(0.1, 0.2), cloth, 0.05)
    side = int(rng.choice([-1, 1]))
    head = head.moved(x=0.3).turned(-rng.uniform(0.5, 1.2), 1).moved(width / 2 - 0.45, 0, seat - 0.05)
    if rng.random() < 0.4:
        roll = cylinder(rng.uniform(0.07, 0.11), depth * 0.95, cloth).turned(np.pi / 2, 0)
        head += roll.moved(width / 2, depth * 0.475, head.bounds()[1][2] - 0.05)
    shape += head if side > 0 else head.affine(np.diag([-1, 1, 1]))
    frame = m.metal(rng) if rng.random() < 0.4 else m.wood(rng)
    shape += legs(width * 0.85, depth * 0.85, low + 0.02, frame, rng, str(rng.choice(["tapered", "frame", "splayed"])))
    return Assembly.of("sofa", shape, Surface(-side * 0.2, 0, seat + 0.02, width * 0.5, depth * 0.7, 0.4))


@construction("sofa", "pads on a platform", weight=1)
def platform(rng: np.random.Generator) -> Assembly:
    """A low platform of pallets, boards or a box, with a thick mat and a row of pillows as a back."""
    width, depth, cloth = rng.uniform(1.2, 2.4), rng.uniform(0.75, 1.1), m.fabric(rng)
    high, made, mat = rng.uniform(0.12, 0.32), body_material(rng), rng.uniform(0.1, 0.22)
    if rng.random() < 0.5:
        shape = join(
            box(width, depth / 7 * 0.7, 0.025, made, (0, (i - 3) * depth / 7, high - 0.025)) for i in range(7)
        ) + join(box(0.1, depth, high - 0.025, made, (x * width, 0, 0)) for x in (-0.45, 0, 0.45))
    else:
        shape = box(width, depth, high, made)
    count = int(rng.integers(1, 4))
    for i in range(count):
        x = ((i + 0.5) / count - 0.5) * width
        shape += upholstered(width / count - 0.01, depth * 0.97, mat, cloth, rng).moved(x, 0, high)
    back, other, x = rng.uniform(0.3, 0.5), m.fabric(rng), -width / 2
    while x < width / 2 - 0.3:
        w = min(rng.uniform(0.4, 0.8), width / 2 - x)
        pad = cushion(w, back, rng.uniform(0.15, 0.25), cloth if rng.random() < 0.6 else other)
        shape += leaning(pad, rng.uniform(0.1, 0.4)).moved(x + w / 2, depth / 2 - 0.15, high + mat)
        x += w
    if rng.random() < 0.4:
        shape += box(width, 0.04, high + mat + back * 0.8, made, (0, depth / 2 + 0.02, 0))
    return Assembly.of("sofa", shape, Surface(0, -0.1, high + mat + 0.02, width * 0.85, depth * 0.5, 0.4))


@construction("sofa", "boulders", weight=0.6)
def boulders(rng: np.random.Generator) -> Assembly:
    """Thick round seats and backs that merge into each other, without legs or edges."""
    count, size, cloth = int(rng.integers(2, 4)), rng.uniform(0.6, 0.85), m.fabric(rng)
    depth, seat, back, fill = (
        rng.uniform(0.8, 1.0),
        rng.uniform(0.36, 0.44),
        rng.uniform(0.62, 0.8),
        rng.uniform(0.15, 0.8),
    )
    shape = Shape()
    for i in range(count):
        x = (i + 0.5 - count / 2) * size
        shape += ellipsoid(size * 1.1, depth, seat, cloth, fill).moved(x)
        shape += ellipsoid(size * 1.1, depth * 0.42, back, cloth, fill).moved(x, depth * 0.32)
    if rng.random() < 0.7:
        width = count * size
        shape += join(
            ellipsoid(0.32, depth * 0.95, rng.uniform(0.5, 0.62), cloth, fill).moved(s * width / 2) for s in (-1, 1)
        )
    return Assembly.of("sofa", shape, Surface(0, -depth * 0.15, seat, count * size * 0.7, depth * 0.4, 0.4))
