"""Windows in a wall whose surface is y = 0; their lower edge is at z = 0."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.furniture.fittings import frame_around
from instseg3d_ros.data.synthetic.mesh import Assembly, Shape
from instseg3d_ros.data.synthetic.parts import join
from instseg3d_ros.data.synthetic.primitives import bar, box, cylinder, extrude, revolve, tube
from instseg3d_ros.data.synthetic.registry import construction


def _pane(rng: np.random.Generator) -> m.Material:
    """The view through a window: daylight, a garden or night. A depth camera measures no depth at half of the panes."""
    view = rng.random()
    color = (0.9, 0.95, 1.0) if view < 0.5 else (0.55, 0.7, 0.55) if view < 0.8 else (0.08, 0.1, 0.15)
    kind = "marble" if rng.random() < 0.5 else "plain"
    sky = m.near(rng, (0.7, 0.8, 0.9), 0.4)
    infrared, seed = (rng.uniform(0.35, 0.75) if rng.random() < 0.5 else 0.0), int(rng.integers(1 << 16))
    return m.Material(m.near(rng, color), kind, sky, rng.uniform(0.2, 1.0), gloss=0.7, infrared=infrared, seed=seed)


def _window(width: float, height: float, rng: np.random.Generator, columns: int, rows: int) -> Shape:
    frame, rim, deep = m.painted(rng, rng.random() < 0.7), rng.uniform(0.03, 0.08), rng.uniform(0.02, 0.07)
    if rng.random() < 0.25:
        frame = m.wood(rng)
    shape = box(width, 0.006, height, _pane(rng), (0, -0.004, 0)) + frame_around(width, height, rim, deep, frame)
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
def casement(rng: np.random.Generator) -> Assembly:
    width, height = rng.uniform(0.5, 2.2), rng.uniform(0.6, 1.6)
    columns = max(1, int(np.rint(width / rng.uniform(0.5, 0.9))))
    return Assembly.of("window", _window(width, height, rng, columns, int(rng.choice([1, 1, 2]))))


@construction("window", "with blind", weight=1.5)
def with_blind(rng: np.random.Generator) -> Assembly:
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
def lattice(rng: np.random.Generator) -> Assembly:
    width, height = rng.uniform(0.6, 1.4), rng.uniform(0.8, 1.5)
    return Assembly.of("window", _window(width, height, rng, int(rng.integers(3, 5)), int(rng.integers(3, 6))))


@construction("window", "panorama", weight=1)
def panorama(rng: np.random.Generator) -> Assembly:
    """A window with thin frames from knee height or lower to the ceiling."""
    width, height = rng.uniform(1.2, 3.2), rng.uniform(1.5, 2.0)
    return Assembly.of("window", _window(width, height, rng, max(1, int(width / 0.9)), int(rng.choice([1, 1, 2]))))


@construction("window", "strip", weight=0.7)
def strip(rng: np.random.Generator) -> Assembly:
    """A wide and low or a narrow and high window, as in bathrooms and stairways."""
    width, height = (
        (rng.uniform(0.8, 2.4), rng.uniform(0.3, 0.5))
        if rng.random() < 0.6
        else (rng.uniform(0.25, 0.45), rng.uniform(0.8, 1.4))
    )
    return Assembly.of("window", _window(width, height, rng, max(1, int(width / 0.8)), 1))


@construction("window", "deep reveal", weight=0.8)
def reveal(rng: np.random.Generator) -> Assembly:
    """A window in a box that stands out from the wall, with a deep sill."""
    width, height, deep = rng.uniform(0.6, 1.6), rng.uniform(0.8, 1.4), rng.uniform(0.08, 0.2)
    lining = m.painted(rng, True)
    shape = _window(width, height, rng, int(rng.integers(1, 4)), 1) + frame_around(
        width + 0.1, height + 0.1, 0.03, deep, lining
    )
    return Assembly.of("window", shape)


@construction("window", "round window", held_out=True)
def porthole(rng: np.random.Generator) -> Assembly:
    r, frame = rng.uniform(0.25, 0.5), m.painted(rng, True)
    disk = cylinder(r, 0.01, _pane(rng), segments=32) + revolve(
        [(r, 0), (r * 1.12, 0), (r * 1.12, 0.05), (r, 0.05)], frame, 32
    )
    disk += bar((-r, 0, 0.02), (r, 0, 0.02), 0.03, 0.03, frame) + bar((0, -r, 0.02), (0, r, 0.02), 0.03, 0.03, frame)
    return Assembly.of("window", disk.turned(np.pi / 2, 0).moved(z=r * 1.12))


@construction("window", "with shutters", weight=0.6)
def with_shutters(rng: np.random.Generator) -> Assembly:
    """Leaves of slats folded back at both sides, or half closed before the pane."""
    width, height = rng.uniform(0.6, 1.3), rng.uniform(0.8, 1.5)
    shape, made = _window(width, height, rng, int(rng.integers(1, 3)), 1), m.painted(rng)
    leaf = frame_around(width / 2 - 0.06, height - 0.06, 0.03, 0.03, made) + join(
        box(width / 2 - 0.05, 0.012, 0.045, made).turned(0.5, 0).moved(0, -0.02, z)
        for z in np.arange(0.05, height - 0.08, 0.06)
    )
    shut = rng.uniform(0, 2.4)
    for side in (-1, 1):
        turned = leaf.moved(-side * width / 4).turned(side * shut).moved(side * width / 2, -0.08, 0.03)
        shape += turned if shut < 1.4 else leaf.moved(side * width * 0.75, -0.02, 0.03)
    return Assembly.of("window", shape)


@construction("window", "arched", weight=0.6)
def arched(rng: np.random.Generator) -> Assembly:
    """A window with a round upper edge, a vertical and a horizontal bar."""
    width, height = rng.uniform(0.5, 1.2), rng.uniform(0.6, 1.2)
    frame, rim, deep = m.painted(rng, rng.random() < 0.7), rng.uniform(0.03, 0.07), rng.uniform(0.03, 0.07)
    u = np.linspace(-1, 1, 17)
    arch = np.stack([u * width / 2, height + rng.uniform(0.4, 1.0) * width / 2 * np.sqrt(1 - u**2)], 1)
    outline = np.concatenate([[(-width / 2, 0)], arch, [(width / 2, 0)]])
    around = 1 + 2 * rim / width
    shape = extrude(outline * around, deep * 0.4, frame).turned(np.pi / 2, 0)
    shape += extrude(outline, deep * 0.5, _pane(rng)).turned(np.pi / 2, 0)
    edge = np.stack([outline[:, 0], np.full(len(outline), -deep / 2), outline[:, 1]], 1)
    shape += tube(edge, rim / 2, frame, 6)
    if rng.random() < 0.7:
        shape += box(rim, deep, height, frame, (0, -deep / 2, 0)) + box(width, deep, rim, frame, (0, -deep / 2, height))
    return Assembly.of("window", shape)


@construction("window", "open leaf", weight=0.8)
def open_leaf(rng: np.random.Generator) -> Assembly:
    """One leaf is turned in, or tilted in at the top."""
    width, height = rng.uniform(0.5, 1.0), rng.uniform(0.8, 1.5)
    frame = m.painted(rng, rng.random() < 0.7)
    shape = box(width, 0.006, height, _pane(rng), (0, -0.004, 0)) + frame_around(width, height, 0.05, 0.04, frame)
    leaf = frame_around(width - 0.1, height - 0.1, 0.05, 0.045, frame) + box(
        width - 0.1, 0.006, height - 0.1, m.glass(rng), (0, -0.02, 0)
    )
    leaf = leaf.moved(0, 0, 0.05)
    if rng.random() < 0.5:
        leaf = leaf.turned(rng.uniform(0.08, 0.2), 0).moved(y=-0.04)
    else:
        leaf = leaf.moved(width / 2).turned(-rng.uniform(0.2, 1.7)).moved(-width / 2, -0.04)
    if rng.random() < 0.4:
        side = _window(width, height, rng, 1, 1).moved(width + 0.08)
        shape += side
    return Assembly.of("window", shape + leaf)
