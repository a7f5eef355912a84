"""Curtains before a wall whose surface is y = 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import join
from instseg3d_ros.data.synthetic.primitives import box, cylinder, ellipsoid, folded_sheet, heightfield
from instseg3d_ros.data.synthetic.registry import construction


def _cloth(width: float, height: float, rng: np.random.Generator, made: m.Material) -> Shape:
    shape = folded_sheet(width, height, max(2.0, width * rng.uniform(4, 14)), rng.uniform(0.015, 0.06), made, rng)
    return shape.moved(y=-rng.uniform(0.07, 0.12))


def _rail(width: float, height: float, rng: np.random.Generator) -> Shape:
    steel = m.metal(rng) if rng.random() < 0.6 else m.wood(rng)
    rail = (
        cylinder(rng.uniform(0.008, 0.02), width, steel, segments=8)
        .turned(np.pi / 2, 1)
        .moved(-width / 2, -0.09, height + 0.02)
    )
    return rail + join(
        ellipsoid(0.05, 0.05, 0.05, steel, segments=8).moved(s * width / 2, -0.09, height) for s in (-1, 1)
    )


def _hangings(width: float, height: float, rng: np.random.Generator, made: m.Material) -> Shape:
    """A sheet, or a sheet at each side, partly drawn."""
    if rng.random() < 0.45:
        return _cloth(width * rng.uniform(0.8, 1.0), height, rng, made)
    share = rng.uniform(0.12, 0.48) * width
    left = _cloth(share, height, rng, made).moved((share - width) / 2)
    return left if rng.random() < 0.25 else left + _cloth(share, height, rng, made).moved((width - share) / 2)


def _curtain_cloth(rng: np.random.Generator) -> m.Material:
    """The colour of a curtain: plain or striped, seldom dark."""
    return m.painted(rng, True) if rng.random() < 0.25 else m.fabric(rng)


@construction("curtain", "on a rail", weight=3)
def on_rail(rng: np.random.Generator) -> Assembly:
    width, height = rng.uniform(0.6, 2.8), rng.uniform(1.1, 2.4)
    shape = _hangings(width, height, rng, _curtain_cloth(rng))
    return Assembly.of("curtain", shape + _rail(width * 1.08, height, rng) if rng.random() < 0.7 else shape)


@construction("curtain", "with valance", weight=1)
def with_valance(rng: np.random.Generator) -> Assembly:
    width, height, made = rng.uniform(0.8, 2.4), rng.uniform(1.2, 2.3), _curtain_cloth(rng)
    shape = _hangings(width, height, rng, made) + box(
        width * 1.05, 0.16, rng.uniform(0.08, 0.3), made, (0, -0.09, height - 0.1)
    )
    return Assembly.of("curtain", shape)


@construction("curtain", "tied back", held_out=True)
def tied_back(rng: np.random.Generator) -> Assembly:
    """A curtain at each side, tied back at half height."""
    width, height, made = rng.uniform(1.0, 2.2), rng.uniform(1.5, 2.3), _curtain_cloth(rng)
    shape = Shape()
    for side in (-1, 1):
        part = folded_sheet(0.5 * width, height, 6, 0.03, made, rng).parts[0]
        v = part.vertices.copy()
        waist = 1 - 0.75 * np.exp(-(((v[:, 2] - height * 0.4) / (0.3 * height)) ** 2))
        v[:, 0] = (v[:, 0] + 0.25 * width) * waist
        if side > 0:
            v[:, 0] *= -1

        shape += Shape((replace(part, vertices=v),)).moved(-side * -width / 2, -0.09)
    return Assembly.of("curtain", shape + _rail(width * 1.05, height, rng))


@construction("curtain", "half curtain", weight=0.7)
def half_curtain(rng: np.random.Generator) -> Assembly:
    """Short curtains: café curtains and roman blinds."""
    width, height, made = rng.uniform(0.5, 1.6), rng.uniform(0.5, 1.1), _curtain_cloth(rng)
    shape = _hangings(width, height, rng, made)
    return Assembly.of("curtain", shape + _rail(width * 1.05, height, rng))


@construction("curtain", "layers", weight=0.8)
def layers(rng: np.random.Generator) -> Assembly:
    """A thin sheet behind, a heavy one drawn aside in front."""
    width, height = rng.uniform(0.8, 2.6), rng.uniform(1.3, 2.4)
    sheer = _cloth(width, height, rng, m.painted(rng, True))
    return Assembly.of(
        "curtain",
        sheer.moved(y=0.06)
        + _hangings(width * 1.1, height, rng, _curtain_cloth(rng))
        + _rail(width * 1.15, height, rng),
    )


@construction("curtain", "flat panels", weight=0.8)
def flat_panels(rng: np.random.Generator) -> Assembly:
    """Broad strips without folds, side by side or shifted one behind the other."""
    width, height, made = rng.uniform(0.6, 2.4), rng.uniform(1.2, 2.4), _curtain_cloth(rng)
    count = max(1, int(np.rint(width / rng.uniform(0.35, 0.7))))
    w, shift = width / count, rng.uniform(0.6, 1.05)
    other = made if rng.random() < 0.7 else _curtain_cloth(rng)
    sheets = (
        box(w, 0.006, height, made if i % 2 else other, ((i + 0.5 - count / 2) * w * shift, -0.07 - 0.02 * (i % 3), 0))
        for i in range(count)
    )
    return Assembly.of("curtain", join(sheets) + box(width * 1.05, 0.07, 0.04, m.metal(rng), (0, -0.08, height)))


@construction("curtain", "swag", weight=0.5)
def swag(rng: np.random.Generator) -> Assembly:
    """Cloth hung in bows along the top, tails or plain sheets at the sides."""
    width, height, made = rng.uniform(0.9, 2.2), rng.uniform(1.4, 2.3), _curtain_cloth(rng)
    bows, drop = int(rng.integers(1, 4)), rng.uniform(0.2, 0.45)
    u, v = np.meshgrid(np.linspace(0, 1, 8 * bows + 1), np.linspace(0, 1, 9), indexing="ij")
    low = drop * (0.25 + 0.75 * np.abs(np.sin(np.pi * bows * u)))
    y = -0.1 - 0.05 * np.sin(np.pi * bows * u) ** 2 * np.sin(v * rng.uniform(6, 14)) - 0.04 * v
    shape = heightfield((u - 0.5) * width, y, height - v * low, made)
    share = rng.uniform(0.1, 0.3) * width
    for side in (-1, 1):
        tail = rng.uniform(0.5, 1.0) * height
        shape += _cloth(share, tail, rng, made).moved(side * (width - share) / 2, 0, height - tail)
    return Assembly.of("curtain", shape + _rail(width * 1.05, height, rng))


@construction("curtain", "of strings", weight=0.4)
def of_strings(rng: np.random.Generator) -> Assembly:
    """Cords, beads or strips that hang apart."""
    width, height, made = rng.uniform(0.6, 1.4), rng.uniform(1.4, 2.2), _curtain_cloth(rng)
    step = rng.uniform(0.025, 0.09)
    shape = join(
        box(
            step * rng.uniform(0.3, 0.8),
            0.01,
            height * rng.uniform(0.9, 1.0),
            made,
            (x, -0.08 + rng.normal(0, 0.008), 0),
        )
        for x in np.arange(-width / 2, width / 2, step)
    )
    return Assembly.of("curtain", shape + _rail(width * 1.05, height, rng))
