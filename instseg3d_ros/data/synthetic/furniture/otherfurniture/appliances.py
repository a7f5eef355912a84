"""Appliances: stoves, washers, television sets, lamps, printers, fans."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.parts import body_material, join, legs
from instseg3d_ros.data.synthetic.primitives import box, cylinder, revolve, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


@construction("otherfurniture", "stove")
def stove(rng: np.random.Generator) -> Assembly:
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
    x, y, z = width * 0.4, -depth / 2, height * 0.74
    shape += tube([(-x, y, z), (-x, y - 0.05, z), (x, y - 0.05, z), (x, y, z)], 0.01, m.metal(rng))
    for i in range(4):
        x, y = (i % 2 - 0.5) * width * 0.5, (i // 2 - 0.5) * depth * 0.5
        shape += cylinder(rng.uniform(0.07, 0.1), 0.015, black, (x, y, height))
        shape += (
            cylinder(0.02, 0.03, black).turned(np.pi / 2, 0).moved((i - 1.5) * width * 0.2, -depth / 2, height * 0.88)
        )
    if rng.random() < 0.4:
        shape += box(width, 0.05, rng.uniform(0.1, 0.25), paint, (0, depth / 2 - 0.03, height))
    return Assembly.of("otherfurniture", shape, Surface(0, 0, height + 0.015, width * 0.8, depth * 0.7, 0.6))


@construction("otherfurniture", "washer")
def washer(rng: np.random.Generator) -> Assembly:
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
    return Assembly.of("otherfurniture", shape, Surface(0, 0, height, width * 0.9, depth * 0.85))


@construction("otherfurniture", "floor lamp")
def floor_lamp(rng: np.random.Generator) -> Assembly:
    h, r, foot = rng.uniform(1.2, 1.8), rng.uniform(0.12, 0.28), m.painted(rng)
    shade = m.Material(m.near(rng, (0.9, 0.85, 0.75)), "fabric", (0.8, 0.75, 0.65), 0.01)
    if rng.random() < 0.5:
        shape = cylinder(rng.uniform(0.1, 0.16), 0.025, foot, segments=24) + cylinder(0.012, h, foot)
    else:
        shape = join(
            tube([(0, 0, h * 0.7), (0.3 * np.cos(a), 0.3 * np.sin(a), 0)], 0.012, foot) for a in np.arange(3) * 2.1
        )
        shape += cylinder(0.012, h * 0.35, foot, (0, 0, h * 0.65))
    return Assembly.of(
        "otherfurniture", shape + hollow([(r, h - 0.1), (r * rng.uniform(0.5, 1), h + 0.2)], 0.003, shade)
    )


def screen(width: float, height: float, rng: np.random.Generator) -> Shape:
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


@construction("otherfurniture", "television on stand")
def television(rng: np.random.Generator) -> Assembly:
    width = rng.uniform(0.6, 1.4)
    up = rng.uniform(0.04, 0.1)
    shape = (
        screen(width, width * 0.57, rng).moved(z=up)
        + box(width * 0.4, 0.2, 0.015, m.painted(rng))
        + box(0.1, 0.04, up + 0.05, m.painted(rng))
    )
    stand_w, stand_h = width * rng.uniform(0.9, 1.3), rng.uniform(0.35, 0.6)
    made = body_material(rng)
    stand = box(stand_w, 0.4, 0.03, made, (0, 0, stand_h - 0.03)) + legs(
        stand_w * 0.95, 0.36, stand_h - 0.03, made, rng, str(rng.choice(["square", "panels", "frame"]))
    )
    return Assembly.of("otherfurniture", shape.moved(z=stand_h) + stand)


@construction("otherfurniture", "printer")
def printer(rng: np.random.Generator) -> Assembly:
    """An office copier on its own feet, or a printer on a stand."""
    width, depth, height = rng.uniform(0.4, 0.65), rng.uniform(0.4, 0.65), rng.uniform(0.6, 1.1)
    case, dark = m.painted(rng, rng.random() < 0.6), m.painted(rng, False)
    shape = box(width, depth, height * 0.55, case) + rounded_box(width, depth, height * 0.3, case, 0.02).moved(
        z=height * 0.6
    )
    shape += box(width * 0.8, depth * 0.6, 0.02, dark, (0, -depth * 0.3, height * 0.58)) + box(
        width * 0.98, depth * 0.95, 0.06, dark, (0, 0, height * 0.9)
    )
    for z in np.arange(0.1, height * 0.5, 0.15):
        shape += box(width * 0.9, 0.01, 0.12, dark, (0, -depth / 2 - 0.004, z))
    return Assembly.of("otherfurniture", shape, Surface(0, 0, height * 0.9 + 0.06, width * 0.8, depth * 0.7))


@construction("otherfurniture", "water cooler", weight=0.6)
def water_cooler(rng: np.random.Generator) -> Assembly:
    size, height = rng.uniform(0.28, 0.36), rng.uniform(0.85, 1.05)
    shape = rounded_box(size, size, height, m.painted(rng, True), 0.03) + box(
        size * 0.7, 0.06, 0.02, m.painted(rng), (0, -size / 2, height * 0.65)
    )
    bottle = revolve(
        [(0.03, 0), (size * 0.42, 0.06), (size * 0.42, 0.4), (0, 0.42)],
        m.Material((0.6, 0.75, 0.9), gloss=0.9, infrared=0.4),
        24,
    )
    return Assembly.of("otherfurniture", shape + bottle.moved(z=height))


@construction("otherfurniture", "fan", weight=0.6)
def fan(rng: np.random.Generator) -> Assembly:
    """A standing fan: foot, pole, cage."""
    h, r, case = rng.uniform(0.6, 1.3), rng.uniform(0.16, 0.24), m.painted(rng)
    shape = cylinder(r, 0.03, case, segments=20) + cylinder(0.015, h, case)
    cage = join(
        tube(
            [(0, 0, 0), (r * 0.7 * np.cos(a), r * 0.7 * np.sin(a), -0.04), (r * np.cos(a), r * np.sin(a), 0)],
            0.003,
            case,
            5,
        )
        for a in np.arange(20) * np.pi / 10
    )
    cage += revolve([(r, -0.01), (r + 0.012, 0), (r, 0.01)], case, 24) + cylinder(0.06, 0.1, case)
    return Assembly.of(
        "otherfurniture", shape + cage.turned(np.pi / 2 + rng.normal(0, 0.15), 0).moved(0, -0.03, h + r * 0.8)
    )


@construction("otherfurniture", "heater and cooler", weight=0.6)
def heater(rng: np.random.Generator) -> Assembly:
    """A tall or square box with slats: portable heaters, air conditioners, dehumidifiers."""
    width, depth, height, case = rng.uniform(0.25, 0.5), rng.uniform(0.2, 0.4), rng.uniform(0.4, 0.85), m.painted(rng)
    shape = rounded_box(width, depth, height, case, 0.03)
    shape += join(
        box(width * 0.8, 0.02, 0.012, m.painted(rng, False), (0, -depth / 2, z))
        for z in np.arange(height * 0.4, height * 0.85, 0.035)
    )
    return Assembly.of("otherfurniture", shape)
