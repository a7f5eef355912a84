"""Crockery and pots: bowls, cups, plates, pans, jars, vases, jugs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.objects.packaging import thing
from instseg3d_ros.data.synthetic.primitives import bar, cylinder, ellipsoid, revolve, tube
from instseg3d_ros.data.synthetic.registry import construction


def _made(rng: np.random.Generator) -> m.Material:
    choice = rng.random()
    return m.ceramic(rng) if choice < 0.5 else m.painted(rng) if choice < 0.8 else m.metal(rng)


def hollow(
    outer: Iterable[Sequence[float] | np.ndarray], wall: float, material: m.Material, segments: int = 28,
    inside: m.Material | None = None, **options: float,
) -> Shape:  # fmt: skip
    """An open vessel from its outer profile [(r, z), …] going up: turned at the rim and led back down inside."""
    profile = [(float(r), float(z)) for r, z in outer]
    floor = profile[0][1] + wall
    inner = [(max(r - wall, 0.0), max(z, floor)) for r, z in profile]
    shape = revolve([(0, profile[0][1]), *profile], material, segments, **options)
    return shape + revolve([profile[-1], *reversed(inner), (0, floor)], inside or material, segments, **options)


def loop(x: float, low: float, high: float, out: float, radius: float, material: m.Material) -> Shape:
    """A cup's handle in the plane y = 0, at distance x from the axis."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 9)
    z = (low + high) / 2 + np.sin(angle) * (high - low) / 2
    return tube(np.stack([x + np.cos(angle) * out, np.zeros(9), z], 1), radius, material, 7)


@construction("object", "bowl", weight=2)
def bowl(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.05, 0.16), rng.uniform(0.03, 0.12)
    s = np.linspace(0, 1, 8)
    power = rng.uniform(1.3, 3.5)
    foot = rng.uniform(0.3, 0.7)
    outer = np.stack([r * (foot + (1 - foot) * s ** (1 / power)), h * s], 1)
    shape = hollow(outer, rng.uniform(0.002, 0.006), _made(rng), inside=_made(rng) if rng.random() < 0.3 else None)
    if rng.random() < 0.12:
        shape = shape.turned(np.pi, 0)
    return thing(shape)


@construction("object", "cup", weight=2)
def cup(rng: np.random.Generator) -> Assembly:
    r, h, foot = rng.uniform(0.03, 0.05), rng.uniform(0.05, 0.13), rng.uniform(0.65, 1.05)
    made = m.printed(rng) if rng.random() < 0.25 else _made(rng)
    shape = hollow([(r * foot, 0), (r, h * 0.3), (r, h)], 0.004, made)
    if rng.random() < 0.75:
        shape += loop(r * 0.97, h * 0.2, h * 0.8, rng.uniform(0.015, 0.035), rng.uniform(0.003, 0.007), made)
    return thing(shape.turned(np.pi if rng.random() < 0.1 else 0, 0).turned(rng.uniform(0, 7)))


@construction("object", "glass")
def drinking_glass(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.025, 0.045), rng.uniform(0.07, 0.18)
    if rng.random() < 0.3:
        stem = h * rng.uniform(0.3, 0.5)
        outer = [(r * 0.9, 0), (0.005, 0.006), (0.005, stem), (r, stem + (h - stem) * 0.5), (r * 0.8, h)]
    else:
        outer = [(r * rng.uniform(0.7, 1), 0), (r, h)]
    return thing(hollow(outer, 0.002, m.glass(rng)))


@construction("object", "plate", weight=1.5)
def plate(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.07, 0.15), rng.uniform(0.012, 0.035)
    made = m.printed(rng) if rng.random() < 0.1 else _made(rng)
    profile = [(r * 0.6, 0), (r * 0.68, h * 0.3), (r, h)]
    shape = hollow(profile, 0.004, made, 32, corner=float(rng.choice([0, 0, 0, 0.8])))
    return thing(shape)


@construction("object", "pan", weight=1)
def pan(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.07, 0.15), rng.uniform(0.03, 0.14)
    made, grip = m.metal(rng), m.painted(rng, bright=False)
    shape = hollow([(r * rng.uniform(0.75, 1), 0), (r, h)], 0.004, made, 32)
    if h < 0.075 or rng.random() < 0.4:
        shape += bar(
            (r * 0.97, 0, h * 0.85), (r + rng.uniform(0.1, 0.2), 0, h * rng.uniform(0.8, 1.2)), 0.02, 0.012, grip
        )
    else:
        for side in (-1, 1):
            arc = [(side * r * 0.97, -0.04, h * 0.8), (side * (r + 0.035), -0.03, h * 0.8),
                   (side * (r + 0.035), 0.03, h * 0.8), (side * r * 0.97, 0.04, h * 0.8)]  # fmt: skip
            shape += tube(arc, 0.005, grip)
    if rng.random() < 0.3:
        shape += revolve(
            [(r, h), (r * 0.6, h + 0.015), (0.015, h + 0.025), (0.02, h + 0.045), (0, h + 0.047)], made, 32
        )
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "jar")
def jar(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.03, 0.065), rng.uniform(0.06, 0.2)
    body = revolve([(0, 0), (r, 0), (r, h * 0.85), (r * 0.85, h)], m.glass(rng) if rng.random() < 0.4 else _made(rng))
    return thing(body + cylinder(r * rng.uniform(0.88, 1.05), 0.02, m.painted(rng), (0, 0, h * 0.98), segments=24))


@construction("object", "vase")
def vase(rng: np.random.Generator) -> Assembly:
    h, count = rng.uniform(0.12, 0.4), 9
    z = np.linspace(0, h, count)
    knots = rng.uniform(0.25, 1.0, 4) * rng.uniform(0.05, 0.1)
    r = np.interp(z, np.linspace(0, h, 4), knots)
    r = np.convolve(np.pad(r, 1, "edge"), [0.25, 0.5, 0.25], "valid")
    return thing(hollow(np.stack([r, z], 1), 0.003, m.printed(rng) if rng.random() < 0.2 else _made(rng)))


@construction("object", "kettle")
def kettle(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.06, 0.09), rng.uniform(0.12, 0.22)
    made, grip = _made(rng), m.painted(rng, bright=False)
    shape = revolve([(0, 0), (r, 0), (r * rng.uniform(0.85, 1.1), h * 0.4), (r * 0.6, h), (0, h * 1.03)], made)
    shape += tube([(r * 0.7, 0, h * 0.6), (r * 1.2, 0, h * 0.75), (r * 1.4, 0, h * 0.95)], [0.018, 0.013, 0.01], made)
    shape += loop(-r * 0.7, h * 0.15, h * 0.95, -rng.uniform(0.04, 0.07), 0.009, grip)
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "plant pot")
def plant_pot(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.04, 0.1), rng.uniform(0.06, 0.16)
    shape = hollow([(r * 0.7, 0), (r, h)], 0.005, m.painted(rng))
    soil = m.Material((0.2, 0.13, 0.08), "speckle", (0.1, 0.07, 0.05), 0.01)
    shape += cylinder(r * 0.95, 0.01, soil, (0, 0, h * 0.85))
    green = m.Material(m.hsv(rng.uniform(0.2, 0.4), rng.uniform(0.3, 0.9), rng.uniform(0.25, 0.7)), "fabric",
                       (0.1, 0.25, 0.08), 0.02)  # fmt: skip
    for _ in range(int(rng.integers(4, 22))):
        size = np.array([rng.uniform(0.05, 0.16), rng.uniform(0.01, 0.05), rng.uniform(0.002, 0.02)])
        leaf = ellipsoid(size[0], size[1], size[2], green, segments=8).moved(size[0] / 2 + r * 0.1)
        shape += leaf.turned(-rng.uniform(0, 1.4), 1).turned(rng.uniform(0, 7)).moved(z=h * rng.uniform(0.9, 1.5))
    return thing(shape)


@construction("object", "teapot", held_out=True)
def teapot(rng: np.random.Generator) -> Assembly:
    r = rng.uniform(0.06, 0.1)
    h = r * rng.uniform(1.2, 1.8)
    made = _made(rng)
    shape = ellipsoid(2 * r, 2 * r, h, made)
    shape += tube([(r * 0.8, 0, h * 0.35), (r * 1.3, 0, h * 0.55), (r * 1.6, 0, h * 0.9)], [0.02, 0.014, 0.009], made)
    shape += loop(-r * 0.85, h * 0.2, h * 0.8, -r * 0.6, 0.007, made)
    shape += ellipsoid(r * 0.9, r * 0.9, h * 0.2, made).moved(z=h * 0.9) + ellipsoid(0.02, 0.02, 0.02, made).moved(
        z=h * 1.07
    )
    return thing(shape.turned(rng.uniform(0, 7)))
