"""What ScanNet calls otherfurniture: stools, benches, bins, stoves, washers, television sets, lamps, mirrors, wall shelves, radiators."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import body_material, join, legs, upholstered
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, ellipsoid, plate, revolve, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction

LABEL = "otherfurniture"


@construction(LABEL, "stool", weight=1.5)
def stool(rng):
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
    return Assembly.of(LABEL, shape)


@construction(LABEL, "bench")
def bench(rng):
    width, depth, height = rng.uniform(0.8, 1.6), rng.uniform(0.3, 0.45), rng.uniform(0.4, 0.5)
    top = body_material(rng)
    shape = box(width, depth, 0.04, top, (0, 0, height)) + legs(width * 0.95, depth * 0.9, height, top, rng)
    if rng.random() < 0.5:
        shape += upholstered(width, depth, 0.06, m.fabric(rng), rng).moved(z=height + 0.04)
    return Assembly.of(LABEL, shape)


@construction(LABEL, "ottoman")
def ottoman(rng):
    width, depth, height = rng.uniform(0.4, 0.95), rng.uniform(0.4, 0.7), rng.uniform(0.3, 0.46)
    shape = upholstered(width, depth, height, m.fabric(rng), rng)
    return Assembly.of(LABEL, shape if rng.random() < 0.6 else ellipsoid(width, width, height, m.fabric(rng), 0.5))


@construction(LABEL, "bin", weight=1.5)
def waste_bin(rng):
    r, h = rng.uniform(0.1, 0.22), rng.uniform(0.25, 0.7)
    made = m.metal(rng) if rng.random() < 0.3 else m.painted(rng)
    shape = hollow([(r * rng.uniform(0.7, 1), 0), (r, h)], 0.006, made, 24, corner=float(rng.choice([0, 0, 1])))
    if rng.random() < 0.35:
        shape += ellipsoid(2 * r, 2 * r, r * rng.uniform(0.3, 1), m.painted(rng)).moved(z=h - r * 0.2)
    return Assembly.of(LABEL, shape)


@construction(LABEL, "stove")
def stove(rng):
    width, depth, height, paint = (
        rng.uniform(0.5, 0.75),
        rng.uniform(0.55, 0.65),
        rng.uniform(0.82, 0.93),
        m.painted(rng, rng.random() < 0.5),
    )
    black = m.Material((0.05, 0.05, 0.06), gloss=0.7, infrared=0.5)
    shape = box(width, depth, height, paint) + box(
        width * 0.85, 0.02, height * 0.5, black, (0, -depth / 2 - 0.01, height * 0.2)
    )
    shape += tube([(-width * 0.4, -depth / 2, height * 0.74), (-width * 0.4, -depth / 2 - 0.05, height * 0.74),
                   (width * 0.4, -depth / 2 - 0.05, height * 0.74), (width * 0.4, -depth / 2, height * 0.74)], 0.01, m.metal(rng))  # fmt: skip
    for i in range(4):
        x, y = (i % 2 - 0.5) * width * 0.5, (i // 2 - 0.5) * depth * 0.5
        shape += cylinder(rng.uniform(0.07, 0.1), 0.015, black, (x, y, height))
        shape += (
            cylinder(0.02, 0.03, black).turned(np.pi / 2, 0).moved((i - 1.5) * width * 0.2, -depth / 2, height * 0.88)
        )
    if rng.random() < 0.4:
        shape += box(width, 0.05, rng.uniform(0.1, 0.25), paint, (0, depth / 2 - 0.03, height))
    return Assembly.of(LABEL, shape, Surface(0, 0, height + 0.015, width * 0.8, depth * 0.7, 0.6))


@construction(LABEL, "washer")
def washer(rng):
    width, depth, height, paint = (
        rng.uniform(0.55, 0.65),
        rng.uniform(0.5, 0.65),
        rng.uniform(0.8, 0.9),
        m.painted(rng, True),
    )
    shape = rounded_box(width, depth, height, paint, 0.01)
    r = rng.uniform(0.15, 0.22)
    ring = revolve([(r, 0), (r, 0.03), (r * 0.8, 0.04), (r * 0.7, 0.0), (0, -0.02)], m.metal(rng), 28)
    shape += ring.turned(np.pi / 2, 0).moved(0, -depth / 2, height * 0.45)
    shape += box(width * 0.3, 0.01, 0.08, m.painted(rng), (-width * 0.3, -depth / 2, height * 0.85))
    shape += cylinder(0.03, 0.03, m.metal(rng)).turned(np.pi / 2, 0).moved(width * 0.2, -depth / 2, height * 0.9)
    return Assembly.of(LABEL, shape, Surface(0, 0, height, width * 0.9, depth * 0.85))


@construction(LABEL, "floor lamp")
def floor_lamp(rng):
    h, r, foot = rng.uniform(1.2, 1.8), rng.uniform(0.12, 0.28), m.painted(rng)
    shade = m.Material(m._near(rng, (0.9, 0.85, 0.75)), "fabric", (0.8, 0.75, 0.65), 0.01)
    if rng.random() < 0.5:
        shape = cylinder(rng.uniform(0.1, 0.16), 0.025, foot, segments=24) + cylinder(0.012, h, foot)
    else:
        shape = join(
            tube([(0, 0, h * 0.7), (0.3 * np.cos(a), 0.3 * np.sin(a), 0)], 0.012, foot) for a in np.arange(3) * 2.1
        )
        shape += cylinder(0.012, h * 0.35, foot, (0, 0, h * 0.65))
    return Assembly.of(LABEL, shape + hollow([(r, h - 0.1), (r * rng.uniform(0.5, 1), h + 0.2)], 0.003, shade))


@construction(LABEL, "plant", weight=1.5)
def plant(rng):
    r, pot, h = rng.uniform(0.12, 0.24), rng.uniform(0.2, 0.4), rng.uniform(0.5, 1.6)
    shape = hollow([(r * 0.75, 0), (r, pot)], 0.01, m.painted(rng)) + cylinder(
        r * 0.95, 0.02, m.Material((0.2, 0.13, 0.08)), (0, 0, pot * 0.85)
    )
    green = m.Material(
        m._hsv(rng.uniform(0.2, 0.4), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.6)), "fabric", (0.1, 0.25, 0.08), 0.05
    )
    size = np.array([rng.uniform(0.15, 0.5), rng.uniform(0.03, 0.16), 0.01])
    if rng.random() < 0.5:
        shape += cylinder(0.015, h - pot * 0.5, m.wood(rng), (0, 0, pot * 0.8))
    for _ in range(int(rng.integers(8, 40))):
        leaf = ellipsoid(*size, green, segments=8).moved(size[0] / 2)
        shape += (
            leaf.turned(-rng.uniform(-0.4, 1.4), 1)
            .turned(rng.uniform(0, 7))
            .moved(z=rng.uniform(pot, max(h, pot + 0.1)))
        )
    return Assembly.of(LABEL, shape)


@construction(LABEL, "cardboard box", weight=2)
def cardboard_box(rng):
    width, depth, height = rng.uniform(0.25, 0.7), rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.55)
    brown = m.Material(m._near(rng, (0.65, 0.5, 0.35), 0.2), "fabric", (0.55, 0.42, 0.3), 0.05)
    if rng.random() < 0.6:
        shape = box(width, depth, height, brown) + box(0.05, depth, 0.001, m.painted(rng), (0, 0, height))
        return Assembly.of(LABEL, shape, Surface(0, 0, height, width * 0.9, depth * 0.9))
    t = 0.005
    shape = box(width, depth, t, brown)
    for axis, size, other in ((0, width, depth), (1, depth, width)):
        for side in (-1, 1):
            wall = box(t, other, height, brown) if axis == 0 else box(other, t, height, brown)
            at = np.array([side * size / 2, 0]) if axis == 0 else np.array([0, side * size / 2])
            shape += wall.moved(*at)
            flap = box(t, other, size * 0.45, brown) if axis == 0 else box(other, t, size * 0.45, brown)
            tilt = rng.uniform(-0.3, 2.3) * side
            shape += (flap.turned(tilt, 1) if axis == 0 else flap.turned(-tilt, 0)).moved(*at, height)
    return Assembly.of(LABEL, shape)


@construction(LABEL, "crate")
def crate(rng):
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
    return Assembly.of(LABEL, shape)


def _screen(width, height, rng) -> Shape:
    dark = m.Material((0.03, 0.03, 0.04), gloss=0.8, infrared=0.45)
    shown = m.Material(m.any_color(rng), "print", m.any_color(rng), 0.2, 0, 0.7, 0.6, int(rng.integers(1 << 16)))
    case = m.Material((0.08, 0.08, 0.08))
    shape = rounded_box(width, rng.uniform(0.03, 0.08), height, case, 0.01)
    return shape + box(
        width * 0.97,
        0.004,
        height * 0.95,
        dark if rng.random() < 0.7 else shown,
        (0, shape.bounds()[0][1], height * 0.025),
    )


@construction(LABEL, "television on stand")
def television(rng):
    width = rng.uniform(0.6, 1.4)
    up = rng.uniform(0.04, 0.1)
    shape = (
        _screen(width, width * 0.57, rng).moved(z=up)
        + box(width * 0.4, 0.2, 0.015, m.painted(rng))
        + box(0.1, 0.04, up + 0.05, m.painted(rng))
    )
    stand_w, stand_h = width * rng.uniform(0.9, 1.3), rng.uniform(0.35, 0.6)
    made = body_material(rng)
    stand = box(stand_w, 0.4, 0.03, made, (0, 0, stand_h - 0.03)) + legs(
        stand_w * 0.95, 0.36, stand_h - 0.03, made, rng, str(rng.choice(["square", "panels", "frame"]))
    )
    return Assembly.of(LABEL, shape.moved(z=stand_h) + stand)


@construction(LABEL, "night stand")
def night_stand(rng):
    from instseg3d_ros.data.synthetic.parts import fronts

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
        LABEL, shape + legs(width, depth, 0.1, made, rng, "square"), Surface(0, 0, height, width * 0.9, depth * 0.9)
    )


@construction(LABEL, "coat stand", weight=0.7)
def coat_stand(rng):
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
    return Assembly.of(LABEL, shape)


@construction(LABEL, "suitcase", weight=0.7)
def suitcase(rng):
    width, depth, height, made = rng.uniform(0.35, 0.5), rng.uniform(0.2, 0.3), rng.uniform(0.5, 0.75), m.painted(rng)
    shape = rounded_box(width, depth, height, made, 0.06).moved(z=0.04)
    shape += tube(
        [(-0.12, 0, height), (-0.12, 0, height + 0.35), (0.12, 0, height + 0.35), (0.12, 0, height)], 0.01, m.metal(rng)
    )
    return Assembly.of(LABEL, shape)


@construction(LABEL, "wall shelf", mount="wall")
def wall_shelf(rng):
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
    return Assembly.of(LABEL, shape, Surface(0, -depth / 2, 0.125, width * 0.95, depth * 0.8, 0.5))


@construction(LABEL, "mirror", mount="wall")
def mirror(rng):
    """A depth camera sees into it or not at all; here mostly not."""
    width, height = rng.uniform(0.3, 1.0), rng.uniform(0.4, 1.5)
    silver = m.Material(
        (0.6, 0.65, 0.68), "marble", (0.75, 0.75, 0.75), 0.8, gloss=0.95, infrared=rng.uniform(0.1, 0.5)
    )
    shape = box(width, 0.015, height, silver, (0, -0.015, 0))
    if rng.random() < 0.6:
        rim, made = rng.uniform(0.02, 0.08), body_material(rng)
        shape += join(box(rim, 0.03, height, made, (s * width / 2, -0.015, 0)) for s in (-1, 1))
        shape += join(box(width + rim, 0.03, rim, made, (0, -0.015, z)) for z in (-rim / 2, height - rim / 2))
    return Assembly.of(LABEL, shape)


@construction(LABEL, "radiator", mount="wall")
def radiator(rng):
    """Hung at knee height; ribs or a plate."""
    width, height, paint = rng.uniform(0.5, 1.6), rng.uniform(0.4, 0.7), m.painted(rng, True)
    if rng.random() < 0.5:
        return Assembly.of(LABEL, box(width, 0.08, height, paint, (0, -0.08, 0)))
    ribs = join(
        rounded_box(0.045, 0.1, height, paint, 0.02).moved(x, -0.08) for x in np.arange(-width / 2, width / 2, 0.06)
    )
    return Assembly.of(LABEL, ribs)


@construction(LABEL, "television on wall", mount="wall")
def wall_television(rng):
    width = rng.uniform(0.7, 1.6)
    return Assembly.of(LABEL, _screen(width, width * 0.57, rng).moved(y=-0.06))


@construction(LABEL, "whiteboard", mount="wall")
def whiteboard(rng):
    width, height = rng.uniform(0.8, 2.2), rng.uniform(0.7, 1.2)
    shape = box(width, 0.02, height, m.Material((0.95, 0.95, 0.95), gloss=0.5), (0, -0.01, 0)) + box(
        width * 0.5, 0.06, 0.02, m.metal(rng), (0, -0.04, -0.01)
    )
    shape += join(box(0.02, 0.03, height, m.metal(rng), (s * width / 2, -0.015, 0)) for s in (-1, 1))
    return Assembly.of(LABEL, shape)


@construction(LABEL, "hood", mount="wall", weight=0.5)
def hood(rng):
    """An extractor above a stove, hung."""
    width, made = rng.uniform(0.55, 0.9), m.metal(rng)
    shape = revolve([(0, 0), (0.5, 0), (0.5, 0.06), (0.2, 0.3), (0.2, 0.7), (0, 0.7)], made, 4).turned(np.pi / 4)
    return Assembly.of(LABEL, shape.scaled(width * 1.4, 0.68, 1).moved(y=-0.26))


@construction(LABEL, "ironing board", held_out=True)
def ironing_board(rng):
    length, width, h = rng.uniform(1.1, 1.4), rng.uniform(0.3, 0.4), rng.uniform(0.75, 0.9)
    shape = ellipsoid(length, width, 0.04, m.fabric(rng), 0.6).moved(z=h - 0.02)
    for side in (-1, 1):
        shape += bar((side * length * 0.35, 0, 0), (-side * length * 0.3, 0, h), 0.025, 0.2, m.metal(rng))
    return Assembly.of(LABEL, shape)


@construction(LABEL, "drying rack", held_out=True)
def drying_rack(rng):
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
    return Assembly.of(LABEL, shape)


@construction(LABEL, "guitar and stand", held_out=True, weight=0.5)
def guitar(rng):
    made = m.wood(rng)
    shape = ellipsoid(0.38, 0.1, 0.42, made).moved(z=0.1) + ellipsoid(0.3, 0.1, 0.34, made).moved(z=0.4)
    shape += box(0.05, 0.025, 0.5, made, (0, 0, 0.65)) + bar((-0.2, 0.15, 0), (0.2, 0.15, 0), 0.02, 0.02, m.metal(rng))
    return Assembly.of(
        LABEL, shape.turned(-0.2, 0).moved(z=0.05) + bar((0, 0.25, 0), (0, 0.05, 0.6), 0.02, 0.02, m.metal(rng))
    )


@construction(LABEL, "wall clock", mount="wall", held_out=True, weight=0.5)
def wall_clock(rng):
    r = rng.uniform(0.12, 0.3)
    disk = cylinder(r, 0.05, m.painted(rng), segments=28) + cylinder(
        r * 0.88, 0.004, m.painted(rng, True), (0, 0, 0.05), segments=28
    )
    return Assembly.of(LABEL, disk.turned(np.pi / 2, 0).moved(z=r))
