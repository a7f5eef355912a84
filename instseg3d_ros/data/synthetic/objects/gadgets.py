"""Tools and electronics: what lies on desks, benches and shelves."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.objects.packaging import book, thing
from instseg3d_ros.data.synthetic.objects.vessels import hollow
from instseg3d_ros.data.synthetic.primitives import (
    bar,
    box,
    cushion,
    cylinder,
    ellipsoid,
    plate,
    revolve,
    rounded_box,
    tube,
)
from instseg3d_ros.data.synthetic.registry import construction


def _screen(rng: np.random.Generator) -> m.Material:
    if rng.random() < 0.5:
        return m.Material((0.03, 0.03, 0.04), gloss=0.8, infrared=0.45)
    return m.Material(m.any_color(rng), "print", m.any_color(rng), rng.uniform(0.03, 0.15), 0, 0.6, 0.6,
                      int(rng.integers(1 << 16)))  # fmt: skip


@construction("object", "flat device")
def flat_device(rng: np.random.Generator) -> Assembly:
    """Phones, tablets, remotes, calculators, wallets, soap."""
    w = rng.uniform(0.04, 0.18)
    size = (w, w * rng.uniform(1.2, 3.5) if w < 0.1 else w * rng.uniform(1.2, 1.6), rng.uniform(0.008, 0.03))
    shape = rounded_box(*size, m.painted(rng), rng.uniform(0.002, 0.015))
    if rng.random() < 0.6:
        shape += box(size[0] * 0.85, size[1] * rng.uniform(0.5, 0.85), 0.001, _screen(rng), (0, 0, size[2]))
    return thing(shape)


@construction("object", "laptop")
def laptop(rng: np.random.Generator) -> Assembly:
    w, d, t = rng.uniform(0.26, 0.4), rng.uniform(0.18, 0.27), rng.uniform(0.012, 0.025)
    case = m.painted(rng) if rng.random() < 0.5 else m.metal(rng)
    keys = m.Material((0.06, 0.06, 0.07), "tiles", (0.3, 0.3, 0.3), 0.018)
    shape = box(w, d, t, case) + box(w * 0.9, d * 0.5, 0.001, keys, (0, d * 0.15, t))
    lid = box(w, d, 0.007, case, (0, -d / 2, 0)) + box(w * 0.93, d * 0.9, 0.001, _screen(rng), (0, -d / 2, -0.001))
    lid = lid.turned(-rng.uniform(1.2, 2.3), 0).moved(y=d / 2, z=t)  # hinged at the back, opening towards -y
    return thing((shape + lid).turned(rng.uniform(-0.5, 0.5)))


@construction("object", "monitor")
def monitor(rng: np.random.Generator) -> Assembly:
    w, h = rng.uniform(0.38, 0.75), rng.uniform(0.24, 0.4)
    case, stand = m.painted(rng), rng.uniform(0.06, 0.16)
    shape = rounded_box(w, rng.uniform(0.02, 0.06), h, case, 0.006).moved(z=stand)
    shape += box(w * 0.95, 0.004, h * 0.92, _screen(rng), (0, -0.031, stand + h * 0.04))
    shape += box(0.05, 0.02, stand + h * 0.3, case, (0, 0.035, 0))
    base = (
        box(w * 0.4, 0.18, 0.012, case, (0, 0.03, 0))
        if rng.random() < 0.5
        else cylinder(0.11, 0.012, case, (0, 0.03, 0))
    )
    return thing((shape + base).turned(rng.normal(0, 0.25)))


@construction("object", "keyboard")
def keyboard(rng: np.random.Generator) -> Assembly:
    w, d = rng.uniform(0.27, 0.46), rng.uniform(0.11, 0.18)
    keys = m.Material(m.any_color(rng), "tiles", m.any_color(rng), 0.019)
    return thing(rounded_box(w, d, 0.014, m.painted(rng), 0.006) + box(w * 0.94, d * 0.82, 0.008, keys, (0, 0, 0.012)))


@construction("object", "mouse")
def mouse(rng: np.random.Generator) -> Assembly:
    return thing(
        ellipsoid(rng.uniform(0.05, 0.07), rng.uniform(0.09, 0.12), rng.uniform(0.03, 0.045), m.painted(rng), 0.25)
    )


@construction("object", "appliance")
def appliance(rng: np.random.Generator) -> Assembly:
    """Toasters, coffee machines, radios, speakers, microwaves: a rounded block with something on it."""
    size = np.array([rng.uniform(0.12, 0.48), rng.uniform(0.1, 0.35), rng.uniform(0.1, 0.36)])
    made = m.metal(rng) if rng.random() < 0.3 else m.painted(rng)
    shape = rounded_box(size[0], size[1], size[2], made, rng.uniform(0.005, 0.04))
    front = -size[1] / 2
    for _ in range(int(rng.integers(0, 4))):
        w, h = size[0] * rng.uniform(0.1, 0.8), size[2] * rng.uniform(0.1, 0.7)
        x, z = rng.uniform(-0.5, 0.5) * (size[0] - w), rng.uniform(0.05, 0.95) * (size[2] - h)
        shape += box(
            w, rng.uniform(0.002, 0.02), h, _screen(rng) if rng.random() < 0.5 else m.painted(rng), (x, front, z)
        )
    for _ in range(int(rng.integers(0, 4))):
        knob = cylinder(rng.uniform(0.008, 0.025), 0.02, m.painted(rng)).turned(np.pi / 2, 0)
        shape += knob.moved(rng.uniform(-0.4, 0.4) * size[0], front, size[2] * rng.uniform(0.15, 0.85))
    return thing(shape)


@construction("object", "screwdriver", weight=0.7)
def screwdriver(rng: np.random.Generator) -> Assembly:
    grip, shaft = rng.uniform(0.07, 0.12), rng.uniform(0.06, 0.2)
    r = rng.uniform(0.01, 0.018)
    profile = [(0, 0), (r, 0.004), (r, grip * 0.3), (r * 0.8, grip * 0.6), (r, grip * 0.85), (r * 0.5, grip), (0, grip)]
    shape = revolve(profile, m.painted(rng), 10) + cylinder(
        rng.uniform(0.002, 0.005), shaft, m.metal(rng), (0, 0, grip)
    )
    return thing(shape.turned(np.pi / 2, 0).turned(rng.uniform(0, 7)))


@construction("object", "hammer", weight=0.7)
def hammer(rng: np.random.Generator) -> Assembly:
    length, head = rng.uniform(0.22, 0.36), rng.uniform(0.07, 0.13)
    thick = rng.uniform(0.02, 0.035)
    handle = m.wood(rng) if rng.random() < 0.5 else m.painted(rng)
    shape = bar((0, 0, 0), (0, length, 0), thick * 0.9, thick * 0.7, handle)
    shape += box(head, thick, thick, m.metal(rng), (rng.uniform(-0.02, 0.02), length, -thick / 2))
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "tongs and scissors", weight=0.7)
def scissors(rng: np.random.Generator) -> Assembly:
    length, spread = rng.uniform(0.13, 0.24), rng.uniform(0.05, 0.5)
    made, grip = m.metal(rng), m.painted(rng)
    shape = Shape()
    for side in (-1, 1):
        half = bar((0, 0, 0), (0, length * 0.55, 0), 0.012, 0.004, made) + bar(
            (0, 0, 0), (0, -length * 0.3, 0), 0.012, 0.008, grip
        )
        ring = np.linspace(0, 2 * np.pi, 12)
        path = np.stack([0.018 * np.cos(ring), -length * 0.3 - 0.02 + 0.024 * np.sin(ring), 0 * ring], 1)
        shape += (half + tube(path, 0.005, grip, 6)).turned(side * spread / 2)
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "wrench and cutlery", weight=1.0)
def wrench(rng: np.random.Generator) -> Assembly:
    length = rng.uniform(0.12, 0.26)
    made = m.metal(rng)
    shape = bar((0, 0, 0), (0, length, 0), rng.uniform(0.008, 0.025), rng.uniform(0.003, 0.008), made)
    for y, chance in ((0, 0.6), (length, 1.0)):
        if rng.random() < chance:
            shape += ellipsoid(rng.uniform(0.02, 0.05), rng.uniform(0.03, 0.07), rng.uniform(0.005, 0.014), made).moved(
                y=y, z=-0.004
            )
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "drill", weight=0.7)
def drill(rng: np.random.Generator) -> Assembly:
    paint, dark = m.painted(rng), m.Material((0.07, 0.07, 0.08))
    l, r, h = rng.uniform(0.12, 0.2), rng.uniform(0.025, 0.04), rng.uniform(0.12, 0.18)  # noqa: E741
    shape = cylinder(r, l, paint).turned(np.pi / 2, 1).moved(z=h) + cylinder(r * 0.6, 0.06, dark, top=0.01).turned(
        np.pi / 2, 1
    ).moved(l, 0, h)
    shape += bar((l * 0.25, 0, 0.03), (l * 0.4, 0, h), r * 1.1, r * 1.4, dark) + box(
        0.09, 0.06, 0.05, paint, (l * 0.25, 0, 0)
    )
    shape = shape.turned(np.pi / 2, 0) if rng.random() < 0.5 else shape
    return thing(shape.turned(rng.uniform(0, 7)))


@construction("object", "table lamp", weight=0.7)
def table_lamp(rng: np.random.Generator) -> Assembly:
    h, r = rng.uniform(0.25, 0.5), rng.uniform(0.08, 0.17)
    foot = m.painted(rng)
    shape = cylinder(rng.uniform(0.05, 0.1), 0.02, foot, segments=24) + cylinder(
        rng.uniform(0.006, 0.03), h * 0.75, foot
    )
    shade = m.Material(m.near(rng, (0.9, 0.85, 0.75)), "fabric", (0.8, 0.75, 0.65), 0.01)
    shape += hollow([(r, h * 0.6), (r * rng.uniform(0.4, 1), h)], 0.002, shade)
    return thing(shape)


@construction("object", "pen cup", weight=0.7)
def pen_cup(rng: np.random.Generator) -> Assembly:
    r, h = rng.uniform(0.03, 0.05), rng.uniform(0.08, 0.12)
    shape = hollow([(r, 0), (r, h)], 0.003, m.painted(rng))
    for _ in range(int(rng.integers(1, 7))):
        angle = rng.uniform(0, 7)
        tilt = np.array([np.cos(angle), np.sin(angle)]) * r * 0.8
        shape += tube([(*(-tilt * 0.5), 0.01), (*(tilt * 1.2), h * rng.uniform(1.3, 1.7))], 0.004, m.painted(rng), 5)
    return thing(shape)


@construction("object", "pile of books")
def paper_stack(rng: np.random.Generator) -> Assembly:
    """Sheets of paper or a file: thin and wide."""
    return thing(
        box(
            0.21,
            0.297,
            rng.uniform(0.002, 0.05),
            m.Material((0.93, 0.93, 0.92), "stripes", (0.85, 0.85, 0.85), 0.01, 2),
        )
    )


@construction("object", "ring binder")
def ring_binder(rng: np.random.Generator) -> Assembly:
    shape = book(rng, 0.28, 0.31, rng.uniform(0.03, 0.08))
    return thing(shape.turned(np.pi / 2, 0) if rng.random() < 0.5 else shape)


@construction("object", "pillow")
def pillow(rng: np.random.Generator) -> Assembly:
    w = rng.uniform(0.3, 0.6)
    shape = cushion(w, w * rng.uniform(0.6, 1), rng.uniform(0.08, 0.18), m.fabric(rng), rng.uniform(0.25, 0.5))
    return thing(shape)


@construction("object", "folded cloth")
def folded_cloth(rng: np.random.Generator) -> Assembly:
    w, d = rng.uniform(0.12, 0.4), rng.uniform(0.1, 0.35)
    layers, cloth = int(rng.integers(1, 5)), m.fabric(rng)
    shape = Shape()
    for i in range(layers):
        shape += rounded_box(w * rng.uniform(0.95, 1), d * rng.uniform(0.95, 1), 0.022, cloth, 0.01).moved(z=0.018 * i)
    return thing(shape)


@construction("object", "tray", weight=0.7)
def tray(rng: np.random.Generator) -> Assembly:
    w, d, h = rng.uniform(0.18, 0.42), rng.uniform(0.14, 0.32), rng.uniform(0.015, 0.16)
    made, t = m.wood(rng) if rng.random() < 0.4 else m.painted(rng), 0.006
    shape = box(w, d, t, made)
    for sx, sy, lx, ly in ((0, -1, w, t), (0, 1, w, t), (-1, 0, t, d), (1, 0, t, d)):
        shape += box(lx, ly, h, made, (sx * (w - t) / 2, sy * (d - t) / 2, 0))
    return thing(shape)


@construction("object", "desk phone", held_out=True)
def desk_phone(rng: np.random.Generator) -> Assembly:
    w, d, h = rng.uniform(0.15, 0.22), rng.uniform(0.18, 0.24), rng.uniform(0.05, 0.09)
    case = m.painted(rng)
    wedge = plate(
        [(-w / 2, -d / 2, h * 0.3), (w / 2, -d / 2, h * 0.3), (w / 2, d / 2, h), (-w / 2, d / 2, h)], 0.02, case
    )
    shape = (
        wedge
        + box(w, d * 0.98, h * 0.3, case)
        + bar((-w * 0.3, -d * 0.4, h * 0.75), (-w * 0.3, d * 0.42, h * 1.3), 0.05, 0.03, case)
    )
    return thing(shape + box(w * 0.4, d * 0.3, 0.012, _screen(rng), (w * 0.2, d * 0.2, h * 0.85)))
