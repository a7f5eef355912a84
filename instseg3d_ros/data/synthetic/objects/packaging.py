"""What groceries come in: boxes, cartons, cans, bottles, tins, books and bags."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.primitives import box, cylinder, ellipsoid, extrude, plate, revolve, rounded_box, tube
from instseg3d_ros.data.synthetic.registry import construction


def thing(shape: Shape) -> Assembly:
    return Assembly.of("object", shape.grounded())


def _wrapping(rng: np.random.Generator) -> m.Material:
    return m.printed(rng) if rng.random() < 0.7 else m.painted(rng)


@construction("object", "box", weight=4)
def carton_box(rng: np.random.Generator) -> Assembly:
    size = np.exp(rng.uniform(np.log([0.03, 0.03, 0.02]), np.log([0.32, 0.25, 0.34])))
    size = rng.permutation(size) if rng.random() < 0.5 else size
    if rng.random() < 0.15:
        return thing(rounded_box(size[0], size[1], size[2], _wrapping(rng), rng.uniform(0.003, 0.02)))
    return thing(box(size[0], size[1], size[2], _wrapping(rng)))


@construction("object", "gable carton")
def gable_carton(rng: np.random.Generator) -> Assembly:
    w, h, roof = rng.uniform(0.05, 0.1), rng.uniform(0.1, 0.22), rng.uniform(0.02, 0.05)
    paint = _wrapping(rng)
    body = box(w, w, h, paint)
    for side in (-1, 1):
        y, ridge = side * w / 2, h + roof
        body += plate([(-w / 2, y, h), (w / 2, y, h), (w / 2, 0, ridge), (-w / 2, 0, ridge)], 0.001, paint)
    body += box(w, 0.003, rng.uniform(0.01, 0.025), paint, (0, 0, h + roof))
    if rng.random() < 0.4:
        body += cylinder(0.012, 0.012, m.painted(rng), (0, -w / 4, h + roof * 0.6))
    return thing(body)


@construction("object", "can", weight=2)
def can(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.025, 0.055), rng.uniform(0.05, 0.2)
    rim = r * rng.uniform(0.8, 1.0)
    label = _wrapping(rng)
    top = m.metal(rng)
    body = revolve([(0, 0), (rim, 0), (r, 0.006), (r, h - 0.008), (rim, h)], label, 28)
    body += revolve([(rim, h), (rim - 0.003, h), (rim - 0.004, h - 0.004), (0, h - 0.004)], top, 28)
    return thing(_lying(body, rng, 0.2))


@construction("object", "tin")
def tin(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.05, 0.14), rng.uniform(0.03, 0.13)
    body = cylinder(r, h, _wrapping(rng), segments=32)
    lid = cylinder(r * 1.02, h * rng.uniform(0.15, 0.4), _wrapping(rng), (0, 0, h * 0.75), segments=32)
    return thing((body + lid).scaled(1, rng.uniform(0.7, 1.0), 1))


def _lying(shape: Shape, rng: np.random.Generator, chance: float) -> Shape:
    return shape.turned(np.pi / 2, 0).turned(rng.uniform(0, 7)) if rng.random() < chance else shape


@construction("object", "bottle", weight=2)
def bottle(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.025, 0.055), rng.uniform(0.14, 0.34)
    neck, shoulder = r * rng.uniform(0.25, 0.6), h * rng.uniform(0.5, 0.82)
    waist = rng.uniform(0.8, 1.0)
    bend = h * rng.uniform(0.03, 0.15)
    profile = [(0, 0), (r * 0.9, 0), (r, 0.01), (r * waist, shoulder * 0.5), (r, shoulder * 0.95)]
    profile += [(r * 0.85, shoulder + bend * 0.4), (neck, shoulder + bend), (neck, h), (0, h)]
    made = m.glass(rng) if rng.random() < 0.25 else _wrapping(rng)
    body = revolve(profile, made, 24, corner=rng.choice([0, 0, 0, 0.3]))
    body += cylinder(neck * 1.25, rng.uniform(0.012, 0.03), m.painted(rng), (0, 0, h))
    if rng.random() < 0.5:
        body += cylinder(r * 1.01, shoulder * 0.4, m.printed(rng), (0, 0, shoulder * 0.3), segments=24)
    return thing(_lying(body, rng, 0.12))


@construction("object", "handle jug")
def handle_jug(rng: np.random.Generator) -> Assembly:
    w, d, h = rng.uniform(0.08, 0.16), rng.uniform(0.05, 0.1), rng.uniform(0.16, 0.3)
    paint = m.painted(rng)
    body = ellipsoid(w, d, h * 0.85, paint, corner=rng.uniform(0.3, 0.8))
    x = w * 0.4
    arc = [(x, 0, h * 0.7), (x + w * 0.25, 0, h * 0.68), (x + w * 0.28, 0, h * 0.45), (x, 0, h * 0.3)]
    body += tube(arc, rng.uniform(0.008, 0.014), paint)
    body += cylinder(d * 0.25, h * 0.2, m.painted(rng), (-w * rng.uniform(0, 0.2), 0, h * 0.8))
    body += box(w * 0.55, d * 1.01, h * 0.3, m.printed(rng), (0, 0, h * 0.2))
    return thing(body)


@construction("object", "spray bottle")
def spray_bottle(rng: np.random.Generator) -> Assembly:
    w, d, h = rng.uniform(0.06, 0.1), rng.uniform(0.04, 0.07), rng.uniform(0.12, 0.2)
    paint = m.painted(rng)
    body = ellipsoid(w, d, h, _wrapping(rng), corner=0.6)
    body += cylinder(0.014, 0.05, paint, (0, 0, h * 0.95))
    body += box(0.03, 0.025, 0.025, paint, (0, 0, h + 0.03)) + box(0.06, 0.018, 0.015, paint, (-0.03, 0, h + 0.045))
    body += plate([(-0.02, 0.006, h + 0.03), (-0.02, -0.006, h + 0.03), (-0.04, -0.006, h - 0.01),
                   (-0.04, 0.006, h - 0.01)], 0.004, paint)  # fmt: skip
    return thing(body)


@construction("object", "tube pack")
def tube_pack(rng: np.random.Generator) -> Assembly:
    """Toothpaste and cream: round at the cap, flat at the end."""
    r, h = rng.uniform(0.015, 0.035), rng.uniform(0.09, 0.18)
    rings = []
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for s in np.linspace(0, 1, 6):
        rings.append(np.stack([np.cos(angle) * r * (1 + 0.3 * s), np.sin(angle) * r * (1 - 0.97 * s),
                               np.full(16, s * h)], 1))  # fmt: skip
    from instseg3d_ros.data.synthetic.primitives import grid, surface

    body = surface(np.concatenate(rings), grid(6, 16, wrap=True), m.printed(rng))
    body += cylinder(r * 0.7, 0.02, m.painted(rng), (0, 0, -0.02))
    return thing(body.turned(np.pi / 2, 0).turned(rng.uniform(0, 7)) if rng.random() < 0.6 else body)


def book(
    rng: np.random.Generator, width: float | None = None, depth: float | None = None, thickness: float | None = None
) -> Shape:
    """A closed book lying flat, spine towards -x."""
    width = width or rng.uniform(0.1, 0.22)
    depth = depth or width * rng.uniform(1.2, 1.55)
    thickness = thickness or rng.uniform(0.006, 0.055)
    cover, board = m.printed(rng) if rng.random() < 0.6 else m.painted(rng), 0.0025
    pages = m.Material((0.9, 0.87, 0.8), "stripes", (0.8, 0.77, 0.7), 0.004, 2)
    inset = rng.uniform(0.001, 0.004)
    return (
        box(width, depth, board, cover)
        + box(width - inset, depth - 2 * inset, thickness - 2 * board, pages, (-inset / 2, 0, board))
        + box(width, depth, board, cover, (0, 0, thickness - board))
        + box(board, depth, thickness, cover, (-width / 2, 0, 0))
    )


@construction("object", "book", weight=2)
def single_book(rng: np.random.Generator) -> Assembly:
    shape = book(rng)
    if rng.random() < 0.15:  # standing
        shape = shape.turned(np.pi / 2, 0) if rng.random() < 0.5 else shape.turned(np.pi / 2, 1)
    return thing(shape)


@construction("object", "open book")
def open_book(rng: np.random.Generator) -> Assembly:
    w, d = rng.uniform(0.12, 0.22), rng.uniform(0.17, 0.3)
    page = m.Material((0.93, 0.91, 0.86), "stripes", (0.7, 0.7, 0.7), rng.uniform(0.006, 0.012), 1)
    x = np.linspace(-w, w, 21)
    z = 0.006 + rng.uniform(0.006, 0.025) * np.sqrt(np.abs(x) / w) * (1 - (np.abs(x) / w) ** 3)
    from instseg3d_ros.data.synthetic.primitives import heightfield

    x, y, z = np.broadcast_arrays(x[:, None], np.array([-d / 2, d / 2]), z[:, None])
    shape = heightfield(x, y, z, page) + box(2 * w, d, 0.004, m.painted(rng))
    return thing(shape)


@construction("object", "bag")
def bag(rng: np.random.Generator) -> Assembly:
    """Crisps, coffee, sugar: a pouch that stands or lies, seams at the ends."""
    from instseg3d_ros.data.synthetic.primitives import cushion

    w, d, h = rng.uniform(0.08, 0.2), rng.uniform(0.12, 0.3), rng.uniform(0.03, 0.09)
    shape = cushion(w, d, h, m.printed(rng), rng.uniform(0.25, 0.6))
    return thing(shape.turned(np.pi / 2 - rng.uniform(0, 0.2), 0) if rng.random() < 0.4 else shape)


@construction("object", "hexagonal box", held_out=True)
def hexagonal_box(rng: np.random.Generator) -> Assembly:
    r, h, sides = rng.uniform(0.04, 0.11), rng.uniform(0.05, 0.2), int(rng.choice([5, 6, 8]))
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    return thing(extrude(np.stack([np.cos(angle), np.sin(angle)], 1) * r, h, _wrapping(rng)))
