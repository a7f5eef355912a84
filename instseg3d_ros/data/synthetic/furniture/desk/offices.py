"""Desks of offices, schools and homes."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.table import standing, top_material
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape, Surface
from instseg3d_ros.data.synthetic.parts import body_material, carcass, fronts, join, legs
from instseg3d_ros.data.synthetic.primitives import bar, bent_box, box, cylinder, tube
from instseg3d_ros.data.synthetic.registry import construction


def _desk_seats(width: float, depth: float) -> list[tuple[float, float, float]]:
    return [(0.0, -depth / 2, np.pi)]


@construction("desk", "plain desk", weight=2)
def plain_desk(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(0.9, 1.9), rng.uniform(0.5, 0.9), rng.uniform(0.68, 0.8)
    style = str(rng.choice(["square", "frame", "panels", "trestle", "splayed"]))
    made = standing("desk", width, depth, height, rng, style)
    shape = made.bodies[0].shape
    if rng.random() < 0.35:  # a modesty panel
        shape += box(
            width * 0.9, 0.018, height * rng.uniform(0.3, 0.6), body_material(rng), (0, depth * 0.42, height * 0.35)
        )
    return Assembly.of("desk", shape, *made.surfaces, seats=_desk_seats(width, depth))


@construction("desk", "pedestal desk", weight=2)
def pedestal_desk(rng: np.random.Generator) -> Assembly:
    """A top on one or two blocks of drawers."""
    width, depth, height = rng.uniform(1.0, 1.9), rng.uniform(0.55, 0.9), rng.uniform(0.7, 0.78)
    paint, grip = body_material(rng), m.metal(rng)
    top = top_material(rng) if rng.random() < 0.5 else paint
    shape = box(width, depth, 0.03, top, (0, 0, height - 0.03))
    block = rng.uniform(0.3, 0.5)
    sides = (-1, 1) if rng.random() < 0.4 else (int(rng.choice([-1, 1])),)
    for side in (-1, 1):
        x = side * (width / 2 - block / 2 - 0.02)
        if side in sides:
            shape += (
                box(block, depth * 0.9, height - 0.03, paint)
                + fronts(block, height - 0.05, depth * 0.9, rng, paint, grip, ["drawer"])
            ).moved(x)
        else:
            shape += box(0.03, depth * 0.9, height - 0.03, paint, (side * (width / 2 - 0.03), 0, 0))
    return Assembly.of("desk", shape, Surface(0, 0, height, width * 0.95, depth * 0.9), seats=_desk_seats(width, depth))


@construction("desk", "corner desk", weight=1)
def corner_desk(rng: np.random.Generator) -> Assembly:
    width, depth, height = rng.uniform(1.2, 1.8), rng.uniform(0.5, 0.75), rng.uniform(0.7, 0.78)
    arm, top, frame = rng.uniform(0.9, 1.6), top_material(rng), body_material(rng)
    side = int(rng.choice([-1, 1]))
    x = side * (width / 2 - depth / 2)
    shape = box(width, depth, 0.03, top, (0, 0, height - 0.03)) + box(
        depth, arm, 0.03, top, (x, -depth / 2 - arm / 2, height - 0.03)
    )
    for px, py in (
        (-width / 2 + 0.05, depth / 2 - 0.05),
        (width / 2 - 0.05, depth / 2 - 0.05),
        (-side * (width / 2 - 0.05), -depth / 2 + 0.05),
        (x, -depth / 2 - arm + 0.05),
    ):
        shape += box(0.05, 0.05, height - 0.03, frame, (px, py, 0))
    surfaces = (
        Surface(0, 0, height, width * 0.95, depth * 0.9),
        Surface(x, -depth / 2 - arm / 2, height, depth * 0.9, arm * 0.9),
    )
    return Assembly.of("desk", shape, *surfaces, seats=[(-side * 0.2, -depth / 2, np.pi)])


@construction("desk", "secretary", held_out=True)
def secretary(rng: np.random.Generator) -> Assembly:
    """A desk with a hutch of pigeon holes at its back."""
    width, depth, height = rng.uniform(0.8, 1.4), rng.uniform(0.45, 0.65), rng.uniform(0.7, 0.78)
    made = body_material(rng)
    shape = box(width, depth, 0.03, made, (0, 0, height - 0.03)) + legs(
        width * 0.96, depth * 0.96, height - 0.03, made, rng, "tapered"
    )
    hutch = carcass(width, 0.24, rng.uniform(0.25, 0.5), made)
    for x in np.linspace(-0.5, 0.5, int(rng.integers(3, 6)))[1:-1]:
        hutch += box(0.015, 0.23, hutch.bounds()[1][2], made, (x * width, 0, 0))
    shape += hutch.moved(0, depth / 2 - 0.12, height)
    return Assembly.of(
        "desk", shape, Surface(0, -0.1, height, width * 0.9, depth - 0.28), seats=_desk_seats(width, depth)
    )


@construction("desk", "desk with shelf", weight=1)
def shelf_desk(rng: np.random.Generator) -> Assembly:
    """A raised shelf for the monitor over the back of the top."""
    width, depth, height = rng.uniform(0.9, 1.6), rng.uniform(0.55, 0.75), rng.uniform(0.7, 0.78)
    made = standing("desk", width, depth, height, rng, str(rng.choice(["square", "frame", "panels"])))
    board, up, deep = body_material(rng), rng.uniform(0.12, 0.5), rng.uniform(0.2, 0.3)
    y = depth / 2 - deep / 2
    shape = made.bodies[0].shape + box(width, deep, 0.02, board, (0, y, height + up))
    shape += join(
        box(0.02, deep, up, board, (x * width, y, height))
        for x in (-0.49, 0.49, *rng.uniform(-0.3, 0.3, int(rng.integers(0, 3))))
    )
    surfaces = (
        Surface(0, -deep / 2, height, width * 0.9, depth - deep - 0.05),
        Surface(0, y, height + up + 0.02, width * 0.9, deep * 0.85),
    )
    return Assembly.of("desk", shape, *surfaces, seats=_desk_seats(width, depth))


@construction("desk", "workstation", weight=1.2)
def workstation(rng: np.random.Generator) -> Assembly:
    """An office desk with a screen panel behind, cable tray, steel legs, often a drawer unit below."""
    width, depth, height = rng.uniform(1.2, 1.8), rng.uniform(0.65, 0.85), rng.uniform(0.68, 1.05)
    steel, top = m.metal(rng), top_material(rng)
    shape = box(width, depth, 0.025, top, (0, 0, height - 0.025))
    for side in (-1, 1):
        x = side * width * rng.uniform(0.38, 0.46)
        shape += box(0.07, 0.09, height - 0.025, steel, (x, 0.05, 0)) + box(0.06, depth * 0.9, 0.03, steel, (x, 0, 0))
    if rng.random() < 0.6:
        shape += box(width, 0.03, rng.uniform(0.3, 0.5), m.fabric(rng), (0, depth / 2, height - 0.05))
    if rng.random() < 0.6:
        block = box(0.42, 0.55, 0.55, m.painted(rng)) + fronts(0.42, 0.55, 0.55, rng, m.painted(rng), steel, ["drawer"])
        shape += block.moved(rng.choice([-1, 1]) * (width / 2 - 0.28))
    return Assembly.of(
        "desk", shape, Surface(0, -0.02, height, width * 0.93, depth * 0.85), seats=_desk_seats(width, depth)
    )


@construction("desk", "school desk", held_out=True)
def school_desk(rng: np.random.Generator) -> Assembly:
    """A small sloping lid over a box on tube legs."""
    width, depth, height, steel = rng.uniform(0.6, 0.8), rng.uniform(0.45, 0.55), rng.uniform(0.62, 0.76), m.metal(rng)
    made = m.wood(rng)
    shape = box(width, depth, 0.12, made, (0, 0, height - 0.12)) + box(width, depth, 0.02, made).turned(0.12, 0).moved(
        z=height + 0.02
    )
    for side in (-1, 1):
        x = side * width * 0.46
        shape += tube([(x, -depth / 2, 0.015), (x, depth / 2, 0.015), (x, 0, 0.02), (x, 0, height - 0.1)], 0.015, steel)
    return Assembly.of("desk", shape, seats=_desk_seats(width, depth))


@construction("desk", "height adjustable", weight=1.2)
def height_adjustable(rng: np.random.Generator) -> Assembly:
    """Two telescopic columns on long feet; the board at sitting or standing height."""
    width, depth, height = (
        rng.uniform(1.1, 1.8),
        rng.uniform(0.6, 0.85),
        rng.choice([rng.uniform(0.66, 0.8), rng.uniform(0.95, 1.2)]),
    )
    steel, top = m.metal(rng) if rng.random() < 0.6 else m.painted(rng), top_material(rng)
    thick, y = rng.uniform(0.02, 0.035), rng.uniform(-0.02, 0.12)
    shape = box(width, depth, thick, top, (0, 0, height - thick)) + box(
        width * 0.75, 0.06, 0.05, steel, (0, y, height - thick - 0.05)
    )
    for side in (-1, 1):
        x = side * width * rng.uniform(0.3, 0.44)
        shape += box(0.08, 0.06, height * 0.6, steel, (x, y, 0.03)) + box(0.06, 0.045, height - thick, steel, (x, y, 0))
        shape += box(0.07, depth * rng.uniform(0.8, 0.95), 0.03, steel, (x, 0, 0))
    if rng.random() < 0.3:
        shape += box(width * 0.96, 0.025, rng.uniform(0.3, 0.45), m.fabric(rng), (0, depth / 2 + 0.015, height - 0.05))
    return Assembly.of(
        "desk", shape, Surface(0, 0, height, width * 0.93, depth * 0.88), seats=_desk_seats(width, depth)
    )


@construction("desk", "bench of desks", weight=0.8)
def bench_of_desks(rng: np.random.Generator) -> Assembly:
    """Two work places face to face with a screen between them."""
    width, depth, height = rng.uniform(1.1, 1.7), rng.uniform(0.65, 0.8), rng.uniform(0.7, 0.76)
    top, frame, t = top_material(rng), m.metal(rng), rng.uniform(0.03, 0.06)
    shape, surfaces = Shape(), []
    for side in (-1, 1):
        y = side * (depth / 2 + 0.02)
        shape += box(width, depth, 0.025, top, (0, y, height - 0.025))
        surfaces.append(Surface(0, y, height, width * 0.93, depth * 0.85, 1.0))
        x = side * (width / 2 - t)
        shape += box(t, 2 * depth, t, frame, (x, 0, height - 0.025 - t))
        shape += join(box(t, t, height - 0.03, frame, (x, s * (depth - 0.06), 0)) for s in (-1, 1))
    if rng.random() < 0.8:
        shape += box(width, 0.03, rng.uniform(0.3, 0.6), m.fabric(rng), (0, 0, height - 0.1))
    return Assembly.of("desk", shape, *surfaces, seats=[(0, -depth, np.pi), (0, depth, 0.0)])


@construction("desk", "writing desk", weight=1)
def writing_desk(rng: np.random.Generator) -> Assembly:
    """A slender board over a box of flat drawers on four legs, sometimes with a mirror or a gallery."""
    width, depth, height = rng.uniform(0.8, 1.4), rng.uniform(0.42, 0.62), rng.uniform(0.72, 0.8)
    made, chest = body_material(rng), rng.uniform(0.09, 0.2)
    frame = made if rng.random() < 0.6 else m.metal(rng)
    shape = box(width, depth, 0.022, made, (0, 0, height - 0.022))
    body = box(width * 0.95, depth * 0.92, chest, made) + fronts(
        width * 0.95, chest, depth * 0.92, rng, made, m.metal(rng), ["drawer"]
    )
    shape += body.moved(z=height - 0.022 - chest)
    shape += legs(
        width * 0.95,
        depth * 0.92,
        height - chest,
        frame,
        rng,
        str(rng.choice(["tapered", "square", "splayed", "frame", "round"])),
    )
    if rng.random() < 0.35:
        w, h = width * rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.8)
        shape += box(
            w, 0.025, h, m.Material((0.6, 0.65, 0.68), gloss=0.95, infrared=0.4), (0, depth / 2 - 0.02, height)
        )
    elif rng.random() < 0.4:
        shape += box(width, 0.018, rng.uniform(0.08, 0.2), made, (0, depth / 2 - 0.01, height))
    return Assembly.of(
        "desk", shape, Surface(0, -0.03, height, width * 0.93, depth * 0.8), seats=_desk_seats(width, depth)
    )


@construction("desk", "between shelves", weight=0.8)
def between_shelves(rng: np.random.Generator) -> Assembly:
    """The board rests on an open shelf at one end, or both, and on legs at the other."""
    width, depth, height = rng.uniform(1.0, 1.7), rng.uniform(0.5, 0.7), rng.uniform(0.71, 0.78)
    made, t = body_material(rng), 0.02
    shape, w = box(width, depth, t, made, (0, 0, height - t)), rng.uniform(0.25, 0.45)
    ends = [1, 1] if rng.random() < 0.4 else [1, 0]
    turn = int(rng.choice([-1, 1]))
    for side, shelf in zip((turn, -turn), ends):
        x = side * (width - w) / 2
        if shelf:
            shape += carcass(w, depth, height - t, made).moved(x)
            shape += join(
                box(w, depth * 0.97, t, made, (x, 0, z)) for z in np.linspace(0, height, int(rng.integers(3, 5)))[1:-1]
            )
        else:
            shape += join(
                box(0.045, 0.045, height - t, made, (side * (width / 2 - 0.03), s * depth * 0.45, 0)) for s in (-1, 1)
            )
    surfaces = [Surface(0, 0, height, width * 0.93, depth * 0.88)]
    if rng.random() < 0.35:  # shelves go on upwards at the end
        up = rng.uniform(0.5, 1.0)
        shape += carcass(w, depth * 0.6, up, made).moved(turn * (width - w) / 2, depth * 0.2, height)
        shape += box(w, depth * 0.55, t, made, (turn * (width - w) / 2, depth * 0.2, height + up / 2))
        surfaces = [Surface(-turn * w / 2, 0, height, (width - w) * 0.9, depth * 0.88)]
    return Assembly.of("desk", shape, *surfaces, seats=_desk_seats(width, depth))


@construction("desk", "executive", weight=1)
def executive(rng: np.random.Generator) -> Assembly:
    """A broad heavy desk: two blocks, a closed front panel, a top that overhangs on all sides."""
    width, depth, height = rng.uniform(1.3, 2.1), rng.uniform(0.7, 1.0), rng.uniform(0.72, 0.8)
    made, thick, over = body_material(rng), rng.uniform(0.03, 0.07), rng.uniform(0.0, 0.12)
    top = made if rng.random() < 0.6 else top_material(rng)
    w, d, block, high = width - 2 * over, depth - 2 * over, rng.uniform(0.34, 0.5), height - thick
    shape = box(width, depth, thick, top, (0, 0, high))
    shape += box(w, 0.03, high * rng.uniform(0.5, 1.0), made, (0, d / 2 - 0.015, 0))
    for side in (-1, 1):
        kind = ["drawer"] if rng.random() < 0.7 else ["door"]
        piece = box(block, d * 0.97, high, made) + fronts(block, high, d * 0.97, rng, made, m.metal(rng), kind)
        shape += piece.moved(side * (w - block) / 2)
    return Assembly.of(
        "desk", shape, Surface(0, 0, height, width * 0.93, depth * 0.88), seats=_desk_seats(width, depth)
    )


@construction("desk", "computer cart", weight=0.8)
def computer_cart(rng: np.random.Generator) -> Assembly:
    """A small tall computer desk: a keyboard tray under the top, a low board for the computer, often a shelf above."""
    width, depth, height = rng.uniform(0.55, 1.0), rng.uniform(0.42, 0.6), rng.uniform(0.72, 0.85)
    made, frame, t = body_material(rng), m.metal(rng) if rng.random() < 0.5 else body_material(rng), 0.02
    shape = box(width, depth, t, made, (0, 0, height - t))
    shape += box(
        width * 0.9, depth * 0.6, t, made, (0, -depth * rng.uniform(0.1, 0.45), height - rng.uniform(0.1, 0.16))
    )
    shape += box(width * 0.95, depth * 0.8, t, made, (0, 0.03, rng.uniform(0.06, 0.2)))
    above = rng.uniform(0.25, 0.5) if rng.random() < 0.6 else 0.0
    for side in (-1, 1):
        x = side * (width / 2 - t / 2)
        if rng.random() < 0.5:
            shape += box(t, depth * 0.85, height - t, made, (x, 0.02, 0))
        else:
            shape += join(box(0.03, 0.03, height - t, frame, (x, s * depth * 0.4, 0)) for s in (-1, 1))
        if above:
            shape += box(t, 0.2, above, made, (x, depth / 2 - 0.12, height))
    surfaces = [Surface(0, -0.08, height, width * 0.85, depth * 0.55, above or 1.0)]
    if above:
        shape += box(width, 0.25, t, made, (0, depth / 2 - 0.125, height + above))
        surfaces.append(Surface(0, depth / 2 - 0.125, height + above + t, width * 0.9, 0.2))
    return Assembly.of("desk", shape, *surfaces, seats=_desk_seats(width, depth))


@construction("desk", "drawing board", weight=0.6)
def drawing_board(rng: np.random.Generator) -> Assembly:
    """A large board that tilts on a frame, with a ledge at its lower edge."""
    width, depth, height = rng.uniform(0.8, 1.4), rng.uniform(0.6, 0.9), rng.uniform(0.75, 1.0)
    steel, top, tilt = m.metal(rng) if rng.random() < 0.6 else m.wood(rng), top_material(rng), rng.uniform(0.1, 0.9)
    board = box(width, depth, 0.025, top) + box(width * 0.9, 0.05, 0.04, steel, (0, -depth / 2 - 0.01, 0.0))
    shape = board.turned(tilt, 0).moved(z=height)
    for side in (-1, 1):
        x = side * width * rng.uniform(0.32, 0.45)
        if rng.random() < 0.5:
            shape += bar((x, -0.3, 0.02), (x, 0.1, height), 0.04, 0.03, steel)
            shape += bar((x, 0.3, 0.02), (x, -0.1, height), 0.04, 0.03, steel)
        else:
            shape += box(0.06, 0.05, height, steel, (x, 0, 0)) + box(0.06, 0.6, 0.03, steel, (x, 0, 0))
    shape += bar((-width * 0.38, 0, 0.2), (width * 0.38, 0, 0.2), 0.03, 0.03, steel)
    return Assembly.of("desk", shape, seats=_desk_seats(width, depth))


@construction("desk", "curved", weight=0.9)
def curved(rng: np.random.Generator) -> Assembly:
    """A top that curves in towards the sitter or sweeps round one side; panels, drums or sticks below."""
    width, depth, height = rng.uniform(1.2, 1.9), rng.uniform(0.6, 0.85), rng.uniform(0.7, 0.77)
    top, made, bend = top_material(rng), body_material(rng), rng.uniform(0.08, 0.3)
    shape = bent_box(width, depth, 0.03, bend, top).moved(z=height - 0.03)
    for side in (-1, 1):
        x = side * width * rng.uniform(0.36, 0.44)
        kind = rng.integers(3)
        if kind == 0:
            shape += box(0.03, depth * 0.8, height - 0.03, made, (x, bend * 0.3, 0))
        elif kind == 1:
            shape += cylinder(rng.uniform(0.04, 0.2), height - 0.03, made, (x, bend * 0.3, 0))
        else:
            shape += join(box(0.05, 0.05, height - 0.03, made, (x, s * depth * 0.3 + bend * 0.3, 0)) for s in (-1, 1))
    if rng.random() < 0.5:
        panel = bent_box(width * 0.8, 0.02, height * rng.uniform(0.4, 0.8), bend * 0.7, made)
        shape += panel.moved(0, depth * 0.35 + bend * 0.2, height * 0.15)
    return Assembly.of(
        "desk", shape, Surface(0, bend * 0.7, height, width * 0.75, depth * 0.7), seats=_desk_seats(width, depth)
    )
