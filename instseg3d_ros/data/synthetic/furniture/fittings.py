"""Fittings that several classes share: taps, basins, ovals, frames."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic.materials import Material
from instseg3d_ros.data.synthetic.mesh import Shape
from instseg3d_ros.data.synthetic.parts import join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, tube


def tap(rng: np.random.Generator, made: Material) -> Shape:
    """A tap whose spout points to -y, standing on z = 0."""
    h, reach, r = rng.uniform(0.1, 0.32), rng.uniform(0.1, 0.2), rng.uniform(0.008, 0.014)
    if rng.random() < 0.5:
        angle = np.linspace(0, np.pi, 9)
        arc = np.stack([0 * angle, -reach / 2 * (1 - np.cos(angle)), h + np.sin(angle) * reach / 2], 1)
        return tube([(0, 0, 0), *arc, (0, -reach, h - 0.05)], r, made) + cylinder(r * 2, 0.03, made)
    return (
        cylinder(r * 1.6, h, made)
        + bar((0, 0, h * 0.85), (0, -reach, h), r * 2, r * 1.6, made)
        + bar((0, 0, h), (0, 0.01, h + 0.05), 0.012, 0.02, made)
    )


def basin(width: float, depth: float, deep: float, made: Material, t: float = 0.008) -> Shape:
    """An open tub below z = 0 with a rim on it."""
    shape = box(width, depth, t, made, (0, 0, -deep))
    for sx, sy, lx, ly in ((0, -1, width, t), (0, 1, width, t), (-1, 0, t, depth), (1, 0, t, depth)):
        shape += box(lx, ly, deep + 0.004, made, (sx * (width - t) / 2, sy * (depth - t) / 2, -deep))
    for sx, sy, lx, ly in (
        (0, -1, width + 0.04, 0.025),
        (0, 1, width + 0.04, 0.025),
        (-1, 0, 0.025, depth),
        (1, 0, 0.025, depth),
    ):
        shape += box(lx, ly, 0.006, made, (sx * (width + 0.02) / 2, sy * (depth + 0.02) / 2, 0))
    return shape


def oval(width: float, depth: float, square: float, count: int = 28) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    power = 1 / (1 + square)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([np.sign(c) * np.abs(c) ** power * width / 2, np.sign(s) * np.abs(s) ** power * depth / 2], 1)


def frame_around(width: float, height: float, rim: float, thick: float, made: Material, sill: bool = True) -> Shape:
    """A frame around an opening that stands out from the wall by `thick`."""
    shape = join(box(rim, thick, height + rim, made, (s * (width + rim) / 2, -thick / 2, 0)) for s in (-1, 1))
    shape += box(width + 2 * rim, thick, rim, made, (0, -thick / 2, height))
    return shape + box(width + 2 * rim, thick, rim, made, (0, -thick / 2, -rim)) if sill else shape
