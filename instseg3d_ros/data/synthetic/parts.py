"""Parts that many constructions use: legs, frames, drawers, doors with handles, slats, cushions, rows of books."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.materials import Material
from instseg3d_ros.data.synthetic.mesh import Point, Shape
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, revolve, rounded_box, tube


def body_material(rng: np.random.Generator) -> Material:
    """A random material for cabinets, tables and frames."""
    return m.wood(rng) if rng.random() < 0.55 else m.painted(rng)


def join(shapes: Iterable[Shape]) -> Shape:
    """Combine shapes into one."""
    return sum(shapes, Shape())


def legs(
    width: float, depth: float, height: float, material: Material, rng: np.random.Generator, style: str | None = None
) -> Shape:
    """Legs for a top of this footprint: four legs in a random style, trestles, side panels, a frame or a pedestal."""
    style = style or str(
        rng.choice(["square", "round", "tapered", "splayed", "frame", "panels", "trestle", "pedestal"])
    )
    w = rng.uniform(0.025, 0.08) if height > 0.3 else rng.uniform(0.025, 0.05)
    x, y = width / 2 - w / 2, depth / 2 - w / 2
    corners = [(sx * x, sy * y) for sx in (-1, 1) for sy in (-1, 1)]
    if style == "square":
        return join(box(w, w, height, material, (*c, 0)) for c in corners)
    if style == "round":
        return join(cylinder(w / 2, height, material, (*c, 0), segments=10) for c in corners)
    if style == "tapered":
        return join(cylinder(w * 0.3, height, material, (*c, 0), w * 0.6, segments=10) for c in corners)
    if style == "splayed":
        inset = rng.uniform(0.1, 0.3)
        return join(tube([(*c, 0), (c[0] * (1 - inset), c[1] * (1 - inset), height)], [w * 0.3, w * 0.5], material)
                    for c in corners)  # fmt: skip
    if style == "frame":
        t = w * 0.6
        out = join(
            bar((sx * x, -y, z), (sx * x, y, z), t, t, material) for sx in (-1, 1) for z in (t / 2, height - t / 2)
        )
        out += join(box(t, t, height, material, (*c, 0)) for c in corners)
        return out + (
            bar((-x, y, height * 0.6), (x, y, height * 0.6), t, t, material) if rng.random() < 0.5 else Shape()
        )
    if style == "panels":
        t = rng.uniform(0.018, 0.04)
        out = box(t, depth * 0.96, height, material, (width / 2 - t, 0, 0)) + box(
            t, depth * 0.96, height, material, (t - width / 2, 0, 0)
        )
        back = rng.uniform(0.3, 0.9) * height
        return out + box(width * 0.96, 0.018, back, material, (0, depth * rng.uniform(0.1, 0.45), height - back))
    if style == "trestle":
        out = Shape()
        for sx in (-1, 1):
            for sy in (-1, 1):
                out += bar((sx * x * 0.85, sy * y, 0), (sx * x * 0.8, sy * y * 0.25, height), w, w * 0.7, material)
        return out + bar((-x * 0.8, 0, height * 0.35), (x * 0.8, 0, height * 0.35), w * 0.7, w * 0.7, material)
    r = rng.uniform(0.025, 0.07)
    foot = min(width, depth) * rng.uniform(0.25, 0.4)
    if rng.random() < 0.5:
        return revolve([(0, 0), (foot, 0), (foot, 0.015), (r, 0.04), (r, height)], material)
    out = cylinder(r, height, material)
    count = int(rng.integers(3, 6))
    return out + join(
        bar((0, 0, 0.06), (foot, 0, 0.02), 0.05, 0.04, material).turned(2 * np.pi * i / count) for i in range(count)
    )


def handle(rng: np.random.Generator, material: Material, length: float = 0.12) -> Shape:
    """A knob, bow, bar or recessed strip on a front at y = 0 that faces -y, centred at the origin."""
    kind = rng.integers(4)
    if kind == 0:
        return revolve([(0, 0), (0.006, 0), (0.006, 0.015), (0.015, 0.02), (0, 0.028)], material, 10).turned(
            np.pi / 2, 0
        )
    if kind == 1:
        x = length / 2
        return tube([(-x, 0, 0), (-x, -0.03, 0), (x, -0.03, 0), (x, 0, 0)], 0.005, material, 6)
    if kind == 2:
        return box(length, 0.025, 0.012, material, (0, -0.0125, -0.006))
    return box(length, 0.004, 0.02, material, (0, -0.002, -0.01))


def front(width: float, height: float, paint: Material, grip: Material, rng: np.random.Generator, kind: str) -> Shape:
    """A `drawer`, `door` or `glass` front with a handle: outside at y = 0, centred in x, bottom at z = 0."""
    gap, thick = 0.003, 0.018
    panel = box(width - 2 * gap, thick, height - 2 * gap, paint, (0, thick / 2, gap))
    if min(width, height) > 0.2 and rng.random() < 0.4:  # a raised frame
        rim = 0.05
        for sign in (-1, 1):
            panel += box(rim, 0.01, height - 2 * gap, paint, (sign * (width / 2 - rim / 2 - gap), -0.005, gap))
        for z in (gap, height - rim - gap):
            panel += box(width - 2 * gap, 0.01, rim, paint, (0, -0.005, z))
    if kind == "glass":
        panel += box(width * 0.75, 0.004, height * 0.75, m.glass(rng), (0, -0.004, height * 0.125))
    if kind == "drawer":
        return panel + handle(rng, grip, min(0.3, width * 0.35)).moved(0, -0.005, height * 0.55)
    side = rng.choice([-1, 1]) * (width / 2 - 0.04)
    grip_shape = handle(rng, grip, min(0.25, height * 0.3)).turned(np.pi / 2, 1)
    return panel + grip_shape.moved(side, -0.005, height * rng.choice([0.3, 0.5, 0.75]))


def carcass(
    width: float, depth: float, height: float, material: Material, back: bool = True, t: float = 0.018
) -> Shape:
    """An open box that stands on z = 0, with its opening towards -y."""
    shape = box(t, depth, height, material, (-width / 2 + t / 2, 0, 0)) + box(
        t, depth, height, material, (width / 2 - t / 2, 0, 0)
    )
    shape += box(width, depth, t, material, (0, 0, height - t)) + box(width, depth, t, material)
    return shape + box(width, 0.008, height, material, (0, depth / 2 - 0.004, 0)) if back else shape


def fronts(
    width: float,
    height: float,
    depth: float,
    rng: np.random.Generator,
    paint: Material,
    grip: Material,
    kinds: Sequence[str] | None = None,
) -> Shape:
    """A grid of drawers and doors on the -y side of a body of this size that stands on z = 0."""
    shape = Shape()
    columns = max(1, int(np.rint(width / rng.uniform(0.35, 0.7))))
    w = width / columns
    for i in range(columns):
        kind = str(
            rng.choice(kinds or ["drawer", "door", "glass", "mixed"], p=None if kinds else [0.35, 0.4, 0.05, 0.2])
        )
        cuts: list[float] | np.ndarray = [0.0, 1.0]
        if kind == "drawer":
            cuts = np.linspace(0, 1, max(1, int(np.rint(height / rng.uniform(0.15, 0.35)))) + 1)
        elif kind == "mixed":
            cuts = [0.0, rng.uniform(0.55, 0.8), 1.0]
        for j, (low, high) in enumerate(itertools.pairwise(cuts)):
            own = ("door" if j == 0 else "drawer") if kind == "mixed" else kind
            piece = front(w, (high - low) * height, paint, grip, rng, own)
            shape += piece.moved((i + 0.5) * w - width / 2, -depth / 2 - 0.018, low * height)
    return shape


def slats(width: float, height: float, count: int, material: Material, upright: bool, thick: float = 0.015) -> Shape:
    """Parallel bars in the plane y = 0 that fill width × height from z = 0."""
    shape = Shape()
    for i in range(count):
        s = (i + 0.5) / count
        if upright:
            shape += box(width / count * 0.45, thick, height, material, ((s - 0.5) * width, 0, 0))
        else:
            shape += box(width, thick, height / count * 0.5, material, (0, 0, (s - 0.25 / count) * height))
    return shape


def books(width: float, depth: float, height: float, rng: np.random.Generator) -> Shape:
    """A row of books that stand on z = 0 with their backs towards -y; some lean, and there are gaps."""
    shape, x = Shape(), -width / 2
    palette = [m.painted(rng) if rng.random() < 0.7 else m.printed(rng) for _ in range(5)]
    while x < width / 2 - 0.01:
        if rng.random() < 0.06:
            x += rng.uniform(0.03, 0.25)
            continue
        t = rng.uniform(0.012, 0.055)
        h, d = height * rng.uniform(0.6, 0.97), depth * rng.uniform(0.6, 0.95)
        if x + t > width / 2:
            break
        shape += box(t * 0.97, d, h, palette[rng.integers(5)], (x + t / 2, rng.uniform(-0.3, 0.3) * (depth - d), 0))
        x += t
    return shape


def leaning(pillow: Shape, angle: float) -> Shape:
    """A cushion that stands on z = 0 and leans backwards by `angle` radians."""
    return pillow.turned(np.pi / 2 - angle, 0).grounded()


def upholstered(
    width: float, depth: float, height: float, cloth: Material, rng: np.random.Generator, crown: float = 0.03
) -> Shape:
    return rounded_box(
        width, depth, height, cloth, min(0.06, rng.uniform(0.1, 0.45) * min(width, depth, height)), crown
    )


def wheel(radius: float, tyre: Material, spokes: Material, at: Point) -> Shape:
    """A wheel with a thin tyre and six spokes in the plane x = 0, with its middle at `at`."""
    s = np.linspace(0, 2 * np.pi, 19)
    rim = np.stack([0 * s, np.cos(s) * radius, np.sin(s) * radius], 1)
    return (
        tube(rim, 0.018, tyre, 6) + join(bar((0, 0, 0), rim[k], 0.008, 0.008, spokes) for k in range(0, 18, 3))
    ).moved(*at)
