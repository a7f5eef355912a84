"""Doors in a wall whose surface is y = 0."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import frame_around
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import body_material, join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, extrude, revolve, tube
from instseg3d_ros.data.synthetic.registry import construction


def _door_handle(rng: np.random.Generator, made: m.Material) -> Shape:
    if rng.random() < 0.7:
        side = rng.choice([-1, 1])
        return tube([(0, 0, 0), (0, -0.05, 0), (side * 0.12, -0.05, 0)], 0.009, made) + box(
            0.04, 0.01, 0.2, made, (0, -0.005, -0.1)
        )
    return revolve([(0, 0), (0.012, 0.0), (0.012, 0.03), (0.03, 0.04), (0.02, 0.065), (0, 0.07)], made, 12).turned(
        np.pi / 2, 0
    )


def _leaf(width: float, height: float, rng: np.random.Generator, paint: m.Material) -> Shape:
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
def hinged_door(rng: np.random.Generator) -> Assembly:
    """A leaf in a frame, shut or open into the room."""
    width, height = rng.uniform(0.7, 1.0), rng.uniform(1.95, 2.15)
    paint = m.wood(rng) if rng.random() < 0.4 else m.painted(rng, bright=rng.random() < 0.6)
    trim = paint if rng.random() < 0.6 else m.painted(rng, True)
    shape = frame_around(width, height, rng.uniform(0.04, 0.1), rng.uniform(0.02, 0.05), trim, sill=False)
    angle = 0.0 if rng.random() < 0.7 else rng.uniform(0.2, 1.8)
    leaf = _leaf(width, height, rng, paint).turned(-angle).moved(-width / 2, -0.03)
    if rng.random() < 0.5:
        leaf = leaf.affine(np.diag([-1, 1, 1]))
    if angle > 0:  # the dark opening behind it
        shape += box(width, 0.01, height, m.Material((0.12, 0.12, 0.13), infrared=0.3), (0, -0.006, 0))
    return Assembly.of("door", shape + leaf)


@construction("door", "double", weight=1)
def double_door(rng: np.random.Generator) -> Assembly:
    width, height = rng.uniform(0.6, 0.9), rng.uniform(2.0, 2.3)
    paint = body_material(rng)
    shape = frame_around(2 * width, height, rng.uniform(0.05, 0.1), 0.03, paint, sill=False)
    leaf = _leaf(width, height, rng, paint).moved(-width, -0.03)
    return Assembly.of("door", shape + leaf + leaf.affine(np.diag([-1, 1, 1])))


@construction("door", "sliding", weight=1)
def sliding_door(rng: np.random.Generator) -> Assembly:
    """A sliding leaf that hangs from a rail in front of the wall."""
    width, height, paint, steel = rng.uniform(0.8, 1.2), rng.uniform(1.95, 2.2), body_material(rng), m.metal(rng)
    shape = box(width, 0.035, height, paint, (0, -0.06, 0.01)) + box(
        width * 2, 0.02, 0.05, steel, (width * 0.4, -0.05, height + 0.05)
    )
    if rng.random() < 0.5:
        shape += bar((-width / 2 + 0.05, -0.085, 0.1), (width / 2 - 0.05, -0.085, height - 0.1), 0.1, 0.015, paint)
    shape += box(0.03, 0.03, rng.uniform(0.2, 0.6), steel, (width * 0.42, -0.09, 0.9))
    return Assembly.of("door", shape)


@construction("door", "glass door", held_out=True)
def glass_door(rng: np.random.Generator) -> Assembly:
    width, height, frame = rng.uniform(0.8, 1.0), rng.uniform(2.0, 2.2), m.metal(rng)
    pane = m.Material((0.6, 0.68, 0.7), gloss=0.8, infrared=0.6)
    shape = frame_around(width, height, 0.05, 0.05, frame, sill=False) + box(width, 0.012, height, pane, (0, -0.02, 0))
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


@construction("door", "with transom", weight=0.8)
def transom(rng: np.random.Generator) -> Assembly:
    """A door with panes above, and sometimes beside, the leaf."""
    width, height, over = rng.uniform(0.75, 0.95), rng.uniform(1.95, 2.05), rng.uniform(0.2, 0.35)
    paint = body_material(rng)
    shape = frame_around(width, height + over, 0.06, 0.05, paint, sill=False) + box(
        width, 0.04, 0.05, paint, (0, -0.025, height)
    )
    shape += box(width, 0.008, over, m.glass(rng), (0, -0.02, height)) + _leaf(width, height, rng, paint).moved(
        -width / 2, -0.03
    )
    return Assembly.of("door", shape)


@construction("door", "balcony door", weight=0.8)
def balcony(rng: np.random.Generator) -> Assembly:
    """A large pane in a plastic or wooden leaf down to the floor."""
    width, height, frame = rng.uniform(0.7, 1.0), rng.uniform(2.0, 2.2), m.painted(rng, rng.random() < 0.7)
    shape = frame_around(width, height, 0.06, 0.05, frame, sill=False)
    leaf = frame_around(width - 0.16, height - 0.2, 0.08, 0.05, frame).moved(0, 0, 0.1) + box(
        width - 0.1, 0.01, height - 0.1, m.glass(rng), (0, -0.02, 0.05)
    )
    leaf += _door_handle(rng, m.metal(rng)).moved(width * 0.42, -0.05, 1.05)
    if rng.random() < 0.3:
        leaf = leaf.moved(width / 2).turned(-rng.uniform(0.2, 1.4)).moved(-width / 2)
    return Assembly.of("door", shape + leaf)


@construction("door", "folding door", held_out=True)
def folding_door(rng: np.random.Generator) -> Assembly:
    """A folding door of narrow leaves."""
    width, height, paint = rng.uniform(0.8, 1.4), rng.uniform(1.95, 2.1), body_material(rng)
    count, bend = int(rng.integers(4, 9)), rng.uniform(0.05, 0.6)
    shape = frame_around(width, height, 0.05, 0.03, paint, sill=False)
    w = width / count
    for i in range(count):
        leaf = box(w / np.cos(bend) * 0.98, 0.02, height - 0.03, paint).turned(bend if i % 2 else -bend)
        shape += leaf.moved((i + 0.5 - count / 2) * w, -0.05, 0.01)
    return Assembly.of("door", shape)


@construction("door", "lattice of panes", weight=0.8)
def pane_lattice(rng: np.random.Generator) -> Assembly:
    """One or two leaves of small panes between bars, above a closed field or down to the floor."""
    width, height = rng.uniform(0.65, 0.95), rng.uniform(1.95, 2.2)
    paint, double = body_material(rng), rng.random() < 0.4
    low, rows, columns = rng.uniform(0.1, 0.9), int(rng.integers(2, 6)), int(rng.integers(1, 4))
    leaf = box(width, 0.04, low, paint) + join(
        box(0.09, 0.04, height, paint, (s * (width / 2 - 0.045), 0, 0)) for s in (-1, 1)
    )
    leaf += box(width, 0.04, 0.1, paint, (0, 0, height - 0.1)) + box(
        width - 0.1, 0.008, height - low - 0.1, m.glass(rng), (0, 0, low)
    )
    w, h = (width - 0.18) / columns, (height - 0.1 - low) / rows
    leaf += join(box(0.025, 0.03, height - low, paint, ((i - columns / 2) * w, 0, low)) for i in range(1, columns))
    leaf += join(box(width, 0.03, 0.025, paint, (0, 0, low + i * h)) for i in range(1, rows))
    leaf += _door_handle(rng, m.metal(rng)).moved(width / 2 - 0.05, -0.02, 1.03)
    if double:
        leaf = leaf.moved(-width / 2) + leaf.affine(np.diag([-1, 1, 1])).moved(width / 2)
    shape = frame_around(
        width * (1 + double), height, rng.uniform(0.04, 0.1), rng.uniform(0.03, 0.06), paint, sill=False
    )
    return Assembly.of("door", shape + leaf.moved(y=-0.03))


@construction("door", "of boards", weight=0.8)
def of_boards(rng: np.random.Generator) -> Assembly:
    """Vertical boards with cross pieces and long hinges, or a steel leaf with a push bar."""
    width, height = rng.uniform(0.75, 1.1), rng.uniform(1.9, 2.15)
    steel, t = m.metal(rng), 0.035
    if rng.random() < 0.5:
        made, count = m.wood(rng) if rng.random() < 0.7 else m.painted(rng), int(rng.integers(4, 9))
        w = width / count
        shape = join(box(w * 0.95, t, height, made, ((i + 0.5 - count / 2) * w, -t / 2, 0.01)) for i in range(count))
        shape += join(box(width * 0.96, 0.025, 0.1, made, (0, -t - 0.012, z * height)) for z in (0.12, 0.82))
        shape += join(box(width * 0.5, 0.008, 0.035, steel, (-width / 4, -t - 0.03, z * height)) for z in (0.14, 0.84))
    else:
        made = m.painted(rng)
        shape = box(width, t, height, made, (0, -t / 2, 0.01)) + box(
            width * 0.8, 0.06, 0.05, steel, (0, -t - 0.04, 1.0)
        )
        shape += frame_around(width, height, 0.05, 0.02, made, sill=False)
        if rng.random() < 0.5:
            shape += box(width * 0.8, 0.006, 0.25, steel, (0, -t - 0.003, 0.03))
    return Assembly.of("door", shape + _door_handle(rng, steel).moved(width / 2 - 0.07, -t, 1.03))


@construction("door", "arched", weight=0.6)
def arched(rng: np.random.Generator) -> Assembly:
    """One or two leaves under a round or flat arch, boards or fields, sometimes with a small pane."""
    width, height, made = rng.uniform(0.8, 1.4), rng.uniform(1.7, 1.95), body_material(rng)
    rise, rim, deep = rng.uniform(0.15, 0.5) * width / 2, rng.uniform(0.05, 0.12), rng.uniform(0.02, 0.06)
    u = np.linspace(-1, 1, 17)
    outline = np.concatenate([[(-width / 2, 0)], np.stack([u * width / 2, height + rise * np.sqrt(1 - u**2)], 1),
                              [(width / 2, 0)]])  # fmt: skip
    trim = made if rng.random() < 0.5 else m.stone(rng)
    around = np.array([1 + 2 * rim / width, 1 + rim / height])
    shape = extrude(outline * around, deep * 0.5, trim).turned(np.pi / 2, 0)
    shape += extrude(outline, deep, made).turned(np.pi / 2, 0)
    for x in (0.0,) if width > 1.05 else (-width / 6, width / 6):
        shape += box(0.012, deep * 2.2, height, m.Material((0.1, 0.1, 0.1)), (x, 0, 0.02))
    if rng.random() < 0.4:
        shape += box(width * 0.25, deep * 2.2, 0.3, m.glass(rng), (width * 0.22, 0, height * 0.75))
    return Assembly.of("door", shape + _door_handle(rng, m.metal(rng)).moved(width * 0.4, -deep, 1.03))


@construction("door", "of a lift", weight=0.5)
def of_a_lift(rng: np.random.Generator) -> Assembly:
    """The two steel leaves of a lift, in a deep frame, with buttons beside it."""
    width, height, steel = rng.uniform(0.8, 1.3), rng.uniform(1.95, 2.2), m.metal(rng)
    shape = frame_around(width, height, rng.uniform(0.06, 0.2), rng.uniform(0.04, 0.1), m.metal(rng), sill=False)
    shape += join(box(width / 2 - 0.004, 0.012, height, steel, (s * width / 4, -0.008, 0)) for s in (-1, 1))
    return Assembly.of("door", shape + box(0.08, 0.02, 0.2, steel, (width / 2 + 0.3, -0.01, 1.0)))


@construction("door", "roller", weight=0.5)
def roller(rng: np.random.Generator) -> Assembly:
    """A roller shutter under a box: garages, shops, closets."""
    width, height, made = rng.uniform(0.9, 2.2), rng.uniform(1.8, 2.1), m.painted(rng)
    step, low = rng.uniform(0.05, 0.12), rng.choice([0.0, rng.uniform(0.2, 1.0)])
    shape = join(box(0.05, 0.06, height, made, (s * width / 2, -0.03, 0)) for s in (-1, 1))
    shape += box(width + 0.1, 0.22, 0.22, made, (0, -0.11, height))
    shape += join(box(width, 0.02, step * 0.85, made, (0, -0.03, z)) for z in np.arange(low, height, step))
    if low:
        shape += box(width, 0.01, low, m.Material((0.12, 0.12, 0.13), infrared=0.3), (0, -0.006, 0))
    return Assembly.of("door", shape)


@construction("door", "swing", weight=0.6)
def swing(rng: np.random.Generator) -> Assembly:
    """A pair of leaves with round or tall panes, kick plates and push plates: kitchens, wards, corridors."""
    width, height, paint = rng.uniform(0.6, 0.85), rng.uniform(1.95, 2.15), m.painted(rng)
    steel, leaves = m.metal(rng), (-1, 1) if rng.random() < 0.75 else (1,)
    shape = frame_around(
        width * len(leaves), height, rng.uniform(0.04, 0.09), rng.uniform(0.02, 0.06), paint, sill=False
    )
    tall, round_pane = rng.uniform(0.4, 0.9), rng.random() < 0.4
    for side in leaves:
        x = side * width / 2 if len(leaves) == 2 else 0.0
        leaf = box(width - 0.008, 0.04, height - 0.01, paint, (0, -0.03, 0.01))
        if round_pane:
            leaf += cylinder(0.16, 0.05, m.glass(rng), segments=20).turned(np.pi / 2, 0).moved(0, -0.005, 1.5)
        else:
            leaf += box(0.14, 0.046, tall, m.glass(rng), (-side * width * 0.25, -0.03, 1.65 - tall))
        leaf += box(width * 0.92, 0.044, 0.25, steel, (0, -0.03, 0.03))
        leaf += box(0.1, 0.05, 0.3, steel, (-side * width * 0.36, -0.03, 0.95))
        shape += leaf.moved(x)
    return Assembly.of("door", shape)
