"""What is in or on a wall: doors, windows, pictures, curtains. The wall's surface is y = 0, the room lies towards -y.

Doors stand on z = 0; everything else has its lower edge there and is lifted by the layout.
"""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import body_material, join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, ellipsoid, folded_sheet, revolve, tube
from instseg3d_ros.data.synthetic.registry import construction


def _frame(width, height, rim, thick, made, sill: bool = True) -> Shape:
    """A frame around an opening, proud of the wall by `thick`."""
    shape = join(box(rim, thick, height + rim, made, (s * (width + rim) / 2, -thick / 2, 0)) for s in (-1, 1))
    shape += box(width + 2 * rim, thick, rim, made, (0, -thick / 2, height))
    return shape + box(width + 2 * rim, thick, rim, made, (0, -thick / 2, -rim)) if sill else shape


def _door_handle(rng, made) -> Shape:
    if rng.random() < 0.7:
        side = rng.choice([-1, 1])
        return tube([(0, 0, 0), (0, -0.05, 0), (side * 0.12, -0.05, 0)], 0.009, made) + box(
            0.04, 0.01, 0.2, made, (0, -0.005, -0.1)
        )
    return revolve([(0, 0), (0.012, 0.0), (0.012, 0.03), (0.03, 0.04), (0.02, 0.065), (0, 0.07)], made, 12).turned(
        np.pi / 2, 0
    )


def _leaf(width, height, rng, paint) -> Shape:
    """A door leaf whose hinge is at the origin, reaching to +x, its face towards -y."""
    t = 0.04
    shape = box(width, t, height, paint, (width / 2, 0, 0.008))
    kind = rng.integers(4)
    if kind == 1:  # panels
        rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        for i in range(columns):
            for j in range(rows):
                w, h = (width - 0.12) / columns, (height - 0.14) / rows
                at = (0.06 + (i + 0.5) * w, 0, 0.07 + j * h + 0.04)
                shape += box(w - 0.08, t + rng.choice([0.016, 0.024]), h - 0.08, paint, at)
    elif kind == 2:  # a pane
        w, h = width * rng.uniform(0.15, 0.7), height * rng.uniform(0.25, 0.5)
        shape += box(w, t + 0.006, h, m.glass(rng), (width / 2, 0, height * 0.45))
    grip = _door_handle(rng, m.metal(rng))
    shape += grip.moved(width - 0.07, -t / 2, 1.03) + grip.affine(np.diag([1, -1, 1])).moved(width - 0.07, t / 2, 1.03)
    return shape


@construction("door", "hinged", weight=3)
def hinged_door(rng):
    """A leaf in a frame, shut or open into the room."""
    width, height = rng.uniform(0.7, 1.0), rng.uniform(1.95, 2.15)
    paint = m.wood(rng) if rng.random() < 0.4 else m.painted(rng, bright=rng.random() < 0.6)
    trim = paint if rng.random() < 0.6 else m.painted(rng, True)
    shape = _frame(width, height, rng.uniform(0.04, 0.1), rng.uniform(0.02, 0.05), trim, sill=False)
    angle = 0.0 if rng.random() < 0.7 else rng.uniform(0.2, 1.8)
    leaf = _leaf(width, height, rng, paint).turned(-angle).moved(-width / 2, -0.03)
    if rng.random() < 0.5:
        leaf = leaf.affine(np.diag([-1, 1, 1]))
    if angle > 0:  # the dark opening behind it
        shape += box(width, 0.01, height, m.Material((0.12, 0.12, 0.13), infrared=0.3), (0, -0.006, 0))
    return Assembly.of("door", shape + leaf)


@construction("door", "double", weight=1)
def double_door(rng):
    width, height = rng.uniform(0.6, 0.9), rng.uniform(2.0, 2.3)
    paint = body_material(rng)
    shape = _frame(2 * width, height, rng.uniform(0.05, 0.1), 0.03, paint, sill=False)
    leaf = _leaf(width, height, rng, paint).moved(-width, -0.03)
    return Assembly.of("door", shape + leaf + leaf.affine(np.diag([-1, 1, 1])))


@construction("door", "sliding", weight=1)
def sliding_door(rng):
    """A leaf hanging before the wall from a rail."""
    width, height, paint, steel = rng.uniform(0.8, 1.2), rng.uniform(1.95, 2.2), body_material(rng), m.metal(rng)
    shape = box(width, 0.035, height, paint, (0, -0.06, 0.01)) + box(
        width * 2, 0.02, 0.05, steel, (width * 0.4, -0.05, height + 0.05)
    )
    if rng.random() < 0.5:
        shape += bar((-width / 2 + 0.05, -0.085, 0.1), (width / 2 - 0.05, -0.085, height - 0.1), 0.1, 0.015, paint)
    shape += box(0.03, 0.03, rng.uniform(0.2, 0.6), steel, (width * 0.42, -0.09, 0.9))
    return Assembly.of("door", shape)


@construction("door", "glass door", held_out=True)
def glass_door(rng):
    width, height, frame = rng.uniform(0.8, 1.0), rng.uniform(2.0, 2.2), m.metal(rng)
    pane = m.Material((0.6, 0.68, 0.7), gloss=0.8, infrared=0.6)
    shape = _frame(width, height, 0.05, 0.05, frame, sill=False) + box(width, 0.012, height, pane, (0, -0.02, 0))
    shape += box(width, 0.03, 0.25, frame, (0, -0.02, 0)) + tube(
        [
            (width * 0.38, -0.03, 0.8),
            (width * 0.38, -0.08, 0.8),
            (width * 0.38, -0.08, 1.3),
            (width * 0.38, -0.03, 1.3),
        ],
        0.012,
        frame,
    )
    return Assembly.of("door", shape)


def _pane(rng) -> m.Material:
    """Daylight, a garden, the night: what a window shows."""
    view = rng.random()
    color = (0.9, 0.95, 1.0) if view < 0.5 else (0.55, 0.7, 0.55) if view < 0.8 else (0.08, 0.1, 0.15)
    return m.Material(m._near(rng, color), "marble" if rng.random() < 0.5 else "plain", m._near(rng, (0.7, 0.8, 0.9), 0.4),
                      rng.uniform(0.2, 1.0), gloss=0.7, infrared=rng.uniform(0.35, 0.75), seed=int(rng.integers(1 << 16)))  # fmt: skip


def _window(width, height, rng, columns, rows) -> Shape:
    frame, rim, deep = m.painted(rng, rng.random() < 0.7), rng.uniform(0.03, 0.08), rng.uniform(0.02, 0.07)
    if rng.random() < 0.25:
        frame = m.wood(rng)
    shape = box(width, 0.006, height, _pane(rng), (0, -0.004, 0)) + _frame(width, height, rim, deep, frame)
    t = rng.uniform(0.025, 0.06)
    shape += join(
        box(t, deep * 0.7, height, frame, (width * (c / columns - 0.5), -deep * 0.35, 0)) for c in range(1, columns)
    )
    shape += join(box(width, deep * 0.7, t, frame, (0, -deep * 0.35, height * r / rows)) for r in range(1, rows))
    if rng.random() < 0.5:
        shape += box(width + 0.2, rng.uniform(0.08, 0.25), 0.03, frame, (0, -0.06, -rim - 0.02))
    if rng.random() < 0.5:
        shape += box(0.02, 0.03, 0.1, m.metal(rng), (0, -deep - 0.01, height * 0.45))
    return shape


@construction("window", "casement", weight=3)
def casement(rng):
    width, height = rng.uniform(0.5, 2.2), rng.uniform(0.6, 1.6)
    columns = max(1, int(np.rint(width / rng.uniform(0.5, 0.9))))
    return Assembly.of("window", _window(width, height, rng, columns, int(rng.choice([1, 1, 2]))))


@construction("window", "with blind", weight=1.5)
def with_blind(rng):
    """A roller blind or slats cover the upper part."""
    width, height = rng.uniform(0.6, 1.8), rng.uniform(0.8, 1.6)
    shape, down = _window(width, height, rng, 2, 1), rng.uniform(0.2, 0.8) * height
    cloth = m.fabric(rng)
    if rng.random() < 0.5:
        shape += box(width, 0.01, down, cloth, (0, -0.08, height - down)) + cylinder(0.03, width, cloth).turned(
            np.pi / 2, 1
        ).moved(-width / 2, -0.08, height)
    else:
        for z in np.arange(0, down, 0.05):
            shape += box(width, 0.025, 0.004, cloth).turned(0.5, 0).moved(0, -0.09, height - z)
    return Assembly.of("window", shape)


@construction("window", "lattice", held_out=True)
def lattice(rng):
    width, height = rng.uniform(0.6, 1.4), rng.uniform(0.8, 1.5)
    return Assembly.of("window", _window(width, height, rng, int(rng.integers(3, 5)), int(rng.integers(3, 6))))


@construction("picture", "framed", weight=3)
def framed(rng):
    width, height = np.exp(rng.uniform(np.log(0.2), np.log(1.2), 2))
    rim, deep = rng.uniform(0.01, 0.07), rng.uniform(0.012, 0.045)
    made = m.wood(rng) if rng.random() < 0.4 else m.painted(rng)
    art = m.Material(m.any_color(rng), str(rng.choice(["print", "marble", "speckle", "stripes"])), m.any_color(rng),
                     rng.uniform(0.05, 0.5), int(rng.choice([0, 2])), rng.uniform(0, 0.6), 0.8, int(rng.integers(1 << 16)))  # fmt: skip
    shape = _frame(width, height, rim, deep, made) + box(width, deep * 0.5, height, art, (0, -deep * 0.25, 0))
    if rng.random() < 0.35:
        mat = rng.uniform(0.1, 0.2) * min(width, height)
        shape += _frame(width - 2 * mat, height - 2 * mat, mat, deep * 0.6, m.painted(rng, True)).moved(z=mat)
    return Assembly.of("picture", shape)


@construction("picture", "canvas", weight=1.5)
def canvas(rng):
    width, height = np.exp(rng.uniform(np.log(0.25), np.log(1.5), 2))
    art = m.Material(m.any_color(rng), str(rng.choice(["print", "marble", "plain"])), m.any_color(rng), rng.uniform(0.05, 0.6),
                     2, 0.1, 0.85, int(rng.integers(1 << 16)))  # fmt: skip
    return Assembly.of("picture", box(width, rng.uniform(0.006, 0.05), height, art, (0, -0.02, 0)))


@construction("picture", "round picture", held_out=True)
def round_picture(rng):
    r = rng.uniform(0.15, 0.45)
    art = m.Material(
        m.any_color(rng), "print", m.any_color(rng), rng.uniform(0.05, 0.3), 2, seed=int(rng.integers(1 << 16))
    )
    disk = cylinder(r * 0.9, 0.02, art, segments=32) + revolve(
        [(r, 0), (r, 0.04), (r * 0.88, 0.04), (r * 0.88, 0)], body_material(rng), 32
    )
    return Assembly.of("picture", disk.turned(np.pi / 2, 0).moved(z=r))


def _cloth(width, height, rng, made) -> Shape:
    shape = folded_sheet(width, height, max(2.0, width * rng.uniform(4, 14)), rng.uniform(0.015, 0.06), made, rng)
    return shape.moved(y=-rng.uniform(0.07, 0.12))


def _rail(width, height, rng) -> Shape:
    steel = m.metal(rng) if rng.random() < 0.6 else m.wood(rng)
    rail = (
        cylinder(rng.uniform(0.008, 0.02), width, steel, segments=8)
        .turned(np.pi / 2, 1)
        .moved(-width / 2, -0.09, height + 0.02)
    )
    return rail + join(
        ellipsoid(0.05, 0.05, 0.05, steel, segments=8).moved(s * width / 2, -0.09, height) for s in (-1, 1)
    )


def _hangings(width, height, rng, made) -> Shape:
    """One sheet, or one at each side, drawn to some degree."""
    if rng.random() < 0.45:
        return _cloth(width * rng.uniform(0.8, 1.0), height, rng, made)
    share = rng.uniform(0.12, 0.48) * width
    left = _cloth(share, height, rng, made).moved((share - width) / 2)
    return left if rng.random() < 0.25 else left + _cloth(share, height, rng, made).moved((width - share) / 2)


def _curtain_cloth(rng):
    """Curtains are of one weave or striped, seldom dark."""
    return m.painted(rng, True) if rng.random() < 0.25 else m.fabric(rng)


@construction("curtain", "on a rail", weight=3)
def on_rail(rng):
    width, height = rng.uniform(0.6, 2.8), rng.uniform(1.1, 2.4)
    shape = _hangings(width, height, rng, _curtain_cloth(rng))
    return Assembly.of("curtain", shape + _rail(width * 1.08, height, rng) if rng.random() < 0.7 else shape)


@construction("curtain", "with valance", weight=1)
def with_valance(rng):
    width, height, made = rng.uniform(0.8, 2.4), rng.uniform(1.2, 2.3), _curtain_cloth(rng)
    shape = _hangings(width, height, rng, made) + box(
        width * 1.05, 0.16, rng.uniform(0.08, 0.3), made, (0, -0.09, height - 0.1)
    )
    return Assembly.of("curtain", shape)


@construction("curtain", "tied back", held_out=True)
def tied_back(rng):
    """Gathered to a waist at each side."""
    width, height, made = rng.uniform(1.0, 2.2), rng.uniform(1.5, 2.3), _curtain_cloth(rng)
    shape = Shape()
    for side in (-1, 1):
        part = folded_sheet(0.5 * width, height, 6, 0.03, made, rng).parts[0]
        v = part.vertices.copy()
        waist = 1 - 0.75 * np.exp(-(((v[:, 2] - height * 0.4) / (0.3 * height)) ** 2))
        v[:, 0] = (v[:, 0] + 0.25 * width) * waist
        if side > 0:
            v[:, 0] *= -1
        from dataclasses import replace

        shape += Shape((replace(part, vertices=v),)).moved(-side * -width / 2, -0.09)
    return Assembly.of("curtain", shape + _rail(width * 1.05, height, rng))


@construction("shower curtain", "on a rod", weight=2)
def shower_rod(rng):
    """A sheet on rings in front of a tub or shower, not against a wall: the plane of the rod is y = 0."""
    width, height, made = (
        rng.uniform(0.8, 1.8),
        rng.uniform(1.5, 1.95),
        m.fabric(rng) if rng.random() < 0.6 else m.painted(rng, True),
    )
    share = rng.uniform(0.25, 1.0)
    cloth = folded_sheet(width * share, height, max(3, 9 * width), rng.uniform(0.015, 0.05), made, rng)
    x = (1 - share) * width / 2 * rng.choice([-1, 1])
    rod = cylinder(0.012, width, m.metal(rng), segments=8).turned(np.pi / 2, 1).moved(-width / 2, 0, height + 0.04)
    steel = m.metal(rng)
    rings = join(tube([(x + s * share * width / 2, 0, height), (x + s * share * width / 2, 0, height + 0.06)], 0.004, steel, 5)
                 for s in np.linspace(-1, 1, 9))  # fmt: skip
    return Assembly.of("shower curtain", cloth.moved(x) + rod + rings)


@construction("shower curtain", "round the corner", weight=1)
def shower_corner(rng):
    """Two sheets at a right angle."""
    width, depth, height = rng.uniform(0.8, 1.2), rng.uniform(0.7, 1.0), rng.uniform(1.6, 1.95)
    made = m.fabric(rng)
    first = folded_sheet(width, height, 8, 0.03, made, rng)
    second = folded_sheet(depth, height, 7, 0.03, made, rng).turned(np.pi / 2).moved(width / 2, depth / 2)
    return Assembly.of("shower curtain", first + second)


@construction("shower curtain", "oval rail", held_out=True)
def shower_oval(rng):
    height, made, r = rng.uniform(1.6, 1.9), m.fabric(rng), rng.uniform(0.5, 0.75)
    angle = np.linspace(0, np.pi * rng.uniform(0.7, 1.2), 90)
    wave = r + 0.03 * np.sin(angle * 26)
    from instseg3d_ros.data.synthetic.primitives import heightfield

    z = np.linspace(0, height, 6)
    grids = np.broadcast_arrays(
        (np.cos(angle) * wave * 1.3)[:, None], (-np.sin(angle) * wave)[:, None] + r * 0.5, z[None]
    )
    return Assembly.of("shower curtain", heightfield(*grids, made))
