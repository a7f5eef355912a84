"""Household pieces on the floor: stools, benches, bins, boxes, plants, baskets, a piano."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import body_material, fronts, join, legs, upholstered
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, ellipsoid, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


@construction("otherfurniture", "stool", weight=1.5)
def stool(rng: np.random.Generator) -> Assembly:
    size, height, top = rng.uniform(0.28, 0.42), rng.uniform(0.4, 0.8), body_material(rng)
    frame = m.metal(rng) if rng.random() < 0.5 else top
    shape = legs(
        size * 0.85,
        size * 0.85,
        height,
        frame,
        rng,
        str(rng.choice(["square", "splayed", "round", "pedestal", "frame"])),
    )
    if rng.random() < 0.5:
        shape += cylinder(
            size / 2, rng.uniform(0.02, 0.08), m.fabric(rng) if rng.random() < 0.4 else top, (0, 0, height), segments=24
        )
    else:
        shape += upholstered(size, size, 0.05, m.fabric(rng) if rng.random() < 0.5 else top, rng).moved(z=height)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "bench")
def bench(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.8, 1.6), rng.uniform(0.3, 0.45), rng.uniform(0.4, 0.5)
    top = body_material(rng)
    shape = box(width, depth, 0.04, top, (0, 0, height)) + legs(width * 0.95, depth * 0.9, height, top, rng)
    if rng.random() < 0.5:
        shape += upholstered(width, depth, 0.06, m.fabric(rng), rng).moved(z=height + 0.04)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "ottoman")
def ottoman(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.4, 0.95), rng.uniform(0.4, 0.7), rng.uniform(0.3, 0.46)
    shape = upholstered(width, depth, height, m.fabric(rng), rng)
    return Assembly.of(
        "otherfurniture", shape if rng.random() < 0.6 else ellipsoid(width, width, height, m.fabric(rng), 0.5)
    )


@construction("otherfurniture", "bin", weight=1.5)
def waste_bin(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.1, 0.22), rng.uniform(0.25, 0.7)
    made = m.metal(rng) if rng.random() < 0.3 else m.painted(rng)
    shape = hollow([(r * rng.uniform(0.7, 1), 0), (r, h)], 0.006, made, 24, corner=float(rng.choice([0, 0, 1])))
    if rng.random() < 0.35:
        shape += ellipsoid(2 * r, 2 * r, r * rng.uniform(0.3, 1), m.painted(rng)).moved(z=h - r * 0.2)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "plant", weight=1.5)
def plant(rng: np.random.Generator) -> Assembly:
    r, pot, h = rng.uniform(0.12, 0.24), rng.uniform(0.2, 0.4), rng.uniform(0.5, 1.6)
    shape = hollow([(r * 0.75, 0), (r, pot)], 0.01, m.painted(rng)) + cylinder(
        r * 0.95, 0.02, m.Material((0.2, 0.13, 0.08)), (0, 0, pot * 0.85)
    )
    green = m.Material(
        m.hsv(rng.uniform(0.2, 0.4), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.6)), "fabric", (0.1, 0.25, 0.08), 0.05
    )
    size = np.array([rng.uniform(0.15, 0.5), rng.uniform(0.03, 0.16), 0.01])
    if rng.random() < 0.5:
        shape += cylinder(0.015, h - pot * 0.5, m.wood(rng), (0, 0, pot * 0.8))
    for _ in range(int(rng.integers(8, 40))):
        leaf = ellipsoid(size[0], size[1], size[2], green, segments=8).moved(size[0] / 2)
        shape += (
            leaf.turned(-rng.uniform(-0.4, 1.4), 1)
            .turned(rng.uniform(0, 7))
            .moved(z=rng.uniform(pot, max(h, pot + 0.1)))
        )
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "cardboard box", weight=2)
def cardboard_box(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.25, 0.7), rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.55)
    brown = m.Material(m.near(rng, (0.65, 0.5, 0.35), 0.2), "fabric", (0.55, 0.42, 0.3), 0.05)
    if rng.random() < 0.6:
        shape = box(width, depth, height, brown) + box(0.05, depth, 0.001, m.painted(rng), (0, 0, height))
        return Assembly.of("otherfurniture", shape, Surface(0, 0, height, width * 0.9, depth * 0.9))
    t = 0.005
    shape = box(width, depth, t, brown)
    for axis, size, other in ((0, width, depth), (1, depth, width)):
        for side in (-1, 1):
            wall = box(t, other, height, brown) if axis == 0 else box(other, t, height, brown)
            x, y = (side * size / 2, 0.0) if axis == 0 else (0.0, side * size / 2)
            shape += wall.moved(x, y)
            flap = box(t, other, size * 0.45, brown) if axis == 0 else box(other, t, size * 0.45, brown)
            tilt = rng.uniform(-0.3, 2.3) * side
            shape += (flap.turned(tilt, 1) if axis == 0 else flap.turned(-tilt, 0)).moved(x, y, height)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "crate")
def crate(rng: np.random.Generator) -> Assembly:
    width, depth, height, made = (
        rng.uniform(0.3, 0.6),
        rng.uniform(0.25, 0.4),
        rng.uniform(0.15, 0.35),
        body_material(rng),
    )
    shape = box(width, depth, 0.012, made)
    count = int(rng.integers(2, 5))
    for i in range(count):
        z, h = i * height / count, height / count * 0.75
        for sx, sy, lx, ly in (
            (0, -1, width, 0.012),
            (0, 1, width, 0.012),
            (-1, 0, 0.012, depth),
            (1, 0, 0.012, depth),
        ):
            shape += box(lx, ly, h, made, (sx * width / 2, sy * depth / 2, z))
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "night stand")
def night_stand(rng: np.random.Generator) -> Assembly:

    width, depth, height, made = (
        rng.uniform(0.35, 0.55),
        rng.uniform(0.3, 0.45),
        rng.uniform(0.4, 0.65),
        body_material(rng),
    )
    shape = box(width, depth, height - 0.1, made, (0, 0, 0.1)) + fronts(
        width, height - 0.1, depth, rng, made, m.metal(rng), ["drawer"]
    ).moved(z=0.1)
    return Assembly.of(
        "otherfurniture",
        shape + legs(width, depth, 0.1, made, rng, "square"),
        Surface(0, 0, height, width * 0.9, depth * 0.9),
    )


@construction("otherfurniture", "coat stand", weight=0.7)
def coat_stand(rng: np.random.Generator) -> Assembly:
    h, made = rng.uniform(1.5, 1.9), body_material(rng)
    shape = cylinder(0.025, h, made)
    for a in np.arange(4) * np.pi / 2:
        shape += bar((0, 0, 0.15), (0.25 * np.cos(a), 0.25 * np.sin(a), 0.0), 0.03, 0.03, made)
        shape += tube(
            [(0, 0, h - 0.15), (0.12 * np.cos(a), 0.12 * np.sin(a), h - 0.1), (0.15 * np.cos(a), 0.15 * np.sin(a), h)],
            0.01,
            made,
        )
    for a in np.arange(4) * np.pi / 2:
        if rng.random() < 0.5:
            coat = ellipsoid(0.4, 0.16, rng.uniform(0.5, 0.9), m.fabric(rng), 0.3)
            shape += coat.turned(a).moved(0.15 * np.cos(a), 0.15 * np.sin(a), h - 0.9)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "suitcase", weight=0.7)
def suitcase(rng: np.random.Generator) -> Assembly:
    width, depth, height, made = rng.uniform(0.35, 0.5), rng.uniform(0.2, 0.3), rng.uniform(0.5, 0.75), m.painted(rng)
    shape = rounded_box(width, depth, height, made, 0.06).moved(z=0.04)
    shape += tube(
        [(-0.12, 0, height), (-0.12, 0, height + 0.35), (0.12, 0, height + 0.35), (0.12, 0, height)], 0.01, m.metal(rng)
    )
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "ironing board", held_out=True)
def ironing_board(rng: np.random.Generator) -> Assembly:
    length, width, h = rng.uniform(1.1, 1.4), rng.uniform(0.3, 0.4), rng.uniform(0.75, 0.9)
    shape = ellipsoid(length, width, 0.04, m.fabric(rng), 0.6).moved(z=h - 0.02)
    for side in (-1, 1):
        shape += bar((side * length * 0.35, 0, 0), (-side * length * 0.3, 0, h), 0.025, 0.2, m.metal(rng))
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "drying rack", held_out=True)
def drying_rack(rng: np.random.Generator) -> Assembly:
    width, depth, h, wire = rng.uniform(0.8, 1.3), rng.uniform(0.5, 0.6), rng.uniform(0.8, 1.0), m.metal(rng)
    shape = join(
        tube([(-width / 2, y, h), (width / 2, y, h)], 0.006, wire, 5) for y in np.linspace(-depth / 2, depth / 2, 8)
    )
    for side in (-1, 1):
        shape += bar((side * width / 2, -depth / 2, 0), (side * width / 2, depth / 2, h), 0.02, 0.02, wire)
        shape += bar((side * width / 2, depth / 2, 0), (side * width / 2, -depth / 2, h), 0.02, 0.02, wire)
    for y in np.linspace(-depth / 2, depth / 2, 8):
        if rng.random() < 0.5:
            shape += box(rng.uniform(0.2, width), 0.012, rng.uniform(0.2, 0.5), m.fabric(rng)).moved(0, y, h - 0.4)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "guitar and stand", held_out=True, weight=0.5)
def guitar(rng: np.random.Generator) -> Assembly:
    made = m.wood(rng)
    shape = ellipsoid(0.38, 0.1, 0.42, made).moved(z=0.1) + ellipsoid(0.3, 0.1, 0.34, made).moved(z=0.4)
    shape += box(0.05, 0.025, 0.5, made, (0, 0, 0.65)) + bar((-0.2, 0.15, 0), (0.2, 0.15, 0), 0.02, 0.02, m.metal(rng))
    return Assembly.of(
        "otherfurniture",
        shape.turned(-0.2, 0).moved(z=0.05) + bar((0, 0.25, 0), (0, 0.05, 0.6), 0.02, 0.02, m.metal(rng)),
    )


@construction("otherfurniture", "stack of boxes", weight=1)
def stack_of_boxes(rng: np.random.Generator) -> Assembly:
    """A stack of cartons, labelled as a single object."""
    shape, z, size = Shape(), 0.0, rng.uniform(0.35, 0.6)
    for _ in range(int(rng.integers(2, 5))):
        brown = m.Material(m.near(rng, (0.65, 0.5, 0.35), 0.2), "fabric", (0.55, 0.42, 0.3), 0.05)
        one = box(size, size * rng.uniform(0.7, 1), rng.uniform(0.18, 0.4), brown).turned(rng.normal(0, 0.15))
        x, y = rng.normal(0, 0.03, 2)
        shape += one.moved(x, y, z)
        z, size = z + one.bounds()[1][2], size * rng.uniform(0.75, 1.0)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "trolley", weight=1)
def trolley(rng: np.random.Generator) -> Assembly:
    """Two or three trays on wheels."""
    width, depth, height, frame = rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.5), rng.uniform(0.65, 0.95), m.metal(rng)
    shape, tray = Shape(), body_material(rng)
    levels = np.linspace(0.12, height - 0.05, int(rng.integers(2, 4)))
    for z in levels:
        shape += (
            box(width, depth, 0.015, tray, (0, 0, z))
            + box(width, 0.01, 0.06, tray, (0, depth / 2, z))
            + box(width, 0.01, 0.06, tray, (0, -depth / 2, z))
        )
    for sx in (-1, 1):
        for sy in (-1, 1):
            shape += cylinder(0.012, height, frame, (sx * width / 2, sy * depth / 2, 0.05))
            shape += (
                cylinder(0.04, 0.02, m.painted(rng, False))
                .turned(np.pi / 2, 0)
                .moved(sx * width / 2, sy * depth / 2, 0.04)
            )
    surfaces = [Surface(0, 0, float(z) + 0.015, width * 0.85, depth * 0.8, 0.28) for z in levels]
    return Assembly.of("otherfurniture", shape, *surfaces)


@construction("otherfurniture", "basket", weight=0.8)
def basket(rng: np.random.Generator) -> Assembly:
    """Laundry baskets and hampers of cloth or wicker."""
    r, h = rng.uniform(0.18, 0.3), rng.uniform(0.3, 0.65)
    weave = m.fabric(rng)
    shape = hollow([(r * rng.uniform(0.75, 1), 0), (r, h)], 0.015, weave, 24, corner=float(rng.choice([0, 0.5, 1])))
    if rng.random() < 0.6:
        shape += ellipsoid(1.7 * r, 1.7 * r, r, m.fabric(rng)).moved(z=h - r * rng.uniform(0.4, 0.9))
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "ladder and easel", weight=0.6)
def step_ladder(rng: np.random.Generator) -> Assembly:
    width, depth, h, made = (
        rng.uniform(0.35, 0.55),
        rng.uniform(0.4, 0.8),
        rng.uniform(0.6, 1.8),
        m.metal(rng) if rng.random() < 0.6 else m.wood(rng),
    )
    shape = Shape()
    for side in (-1, 1):
        shape += bar((side * width / 2, -depth / 2, 0), (side * width * 0.4, 0, h), 0.03, 0.05, made)
        shape += bar((side * width / 2, depth / 2, 0), (side * width * 0.4, 0.02, h), 0.03, 0.03, made)
    for z in np.arange(0.22, h, 0.23):
        shape += box(width * (1 - 0.2 * z / h), 0.09, 0.025, made, (0, -depth / 2 * (1 - z / h), z))
    if rng.random() < 0.3:
        shape += box(width * 1.6, 0.02, h * 0.6, m.printed(rng)).turned(-0.25, 0).moved(0, -depth * 0.4, h * 0.35)
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "sack and heap", weight=0.7)
def sack(rng: np.random.Generator) -> Assembly:
    """A bag of clothes, a bin liner or a rucksack on the floor."""
    w, h = rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.6)
    cloth = m.fabric(rng) if rng.random() < 0.5 else m.painted(rng, False)
    shape = ellipsoid(w, w * rng.uniform(0.6, 1), h, cloth, rng.uniform(0.1, 0.5))
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(-0.3, 0.3, 2) * w
        shape += ellipsoid(w * 0.5, w * 0.4, h * 0.4, cloth).moved(x, y, rng.uniform(0, h * 0.6))
    if rng.random() < 0.4:
        shape += tube(
            [(-0.08, 0, h * 0.9), (-0.06, 0, h * 1.15), (0.06, 0, h * 1.15), (0.08, 0, h * 0.9)], 0.012, cloth
        )
    return Assembly.of("otherfurniture", shape)


@construction("otherfurniture", "fireplace", weight=0.6)
def fireplace(rng: np.random.Generator) -> Assembly:
    width, depth, height, made = rng.uniform(0.9, 1.5), rng.uniform(0.25, 0.45), rng.uniform(0.9, 1.2), m.stone(rng)
    shape = join(box(width * 0.22, depth, height, made, (s * width * 0.39, 0, 0)) for s in (-1, 1)) + box(
        width, depth, height * 0.3, made, (0, 0, height * 0.7)
    )
    shape += box(
        width * 0.6, 0.02, height * 0.7, m.Material((0.08, 0.07, 0.06), infrared=0.4), (0, depth / 2 - 0.02, 0)
    )
    return Assembly.of(
        "otherfurniture",
        shape + box(width * 1.1, depth * 1.15, 0.05, made, (0, 0, height)),
        Surface(0, 0, height + 0.05, width, depth),
    )


@construction("otherfurniture", "piano", held_out=True, weight=0.5)
def piano(rng: np.random.Generator) -> Assembly:
    width, made = rng.uniform(1.3, 1.5), m.painted(rng, False) if rng.random() < 0.6 else m.wood(rng)
    keys = m.Material((0.95, 0.95, 0.93), "stripes", (0.05, 0.05, 0.05), 0.05, 0)
    shape = (
        box(width, 0.35, 1.15, made, (0, 0.1, 0))
        + box(width, 0.35, 0.12, made, (0, -0.2, 0.6))
        + box(width * 0.9, 0.15, 0.01, keys, (0, -0.26, 0.72))
    )
    return Assembly.of(
        "otherfurniture", shape + join(box(0.06, 0.06, 0.6, made, (s * width * 0.46, -0.32, 0)) for s in (-1, 1))
    )
