"""Loose things on a level rectangle: apart, touching, stacked, leaning, heaped, or in piles."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.mesh import Body, Shape
from instseg3d_ros.data.synthetic.piles import pile
from instseg3d_ros.data.synthetic.placement import Relief, fits, footprint, gap

LARGEST = 0.42  # metres: what counts as small enough to lie about
PILES = (0.0, 0.5, 0.8)  # one of these per clutter: how often another pile is tried before the single things
PACKED = 0.2  # share of clutters of boxes, books and tins alone, stacked and side by side: flat faces hide the seam


@dataclass
class Placed:
    """The objects on a rectangle so far, their outlines (P, 2) from above, and the relief that they form."""

    relief: Relief
    bodies: list[Body] = field(default_factory=list)
    outlines: list[np.ndarray] = field(default_factory=list)


def clutter(
    catalogue: Catalogue, rng: np.random.Generator, width: float, depth: float, count: int, cell: float = 0.006
) -> list[Body]:
    """`count` things (fewer where no room is left) on a level rectangle about the origin at z = 0.

    A mood is drawn per call: how close together things stand and how often they are stacked, leaning or heaped.
    """
    relief = Relief(width, depth, cell)
    area = np.array([width, depth]) * (0.5 * rng.uniform(0.45, 1.0))  # people crowd one end of a table
    centre = (np.array([width, depth]) / 2 - area) * rng.uniform(-1, 1, 2)
    packed = rng.random() < PACKED
    names = ("box", "book", "tin") if packed else None
    # apart, touching, stacked, leaning, heaped
    moods = rng.dirichlet([1.0, 2.0, 3.0, 0.8, 0.1] if packed else [2.0, 2.0, 1.2, 0.6, 0.5])
    placed = Placed(relief)
    kin = [_small(catalogue, rng, names) for _ in range(3)]  # the same product several times
    piles = float(rng.choice(PILES))
    while len(placed.bodies) < count and piles and rng.random() < piles:
        together = pile(rng, lambda *names: _small(catalogue, rng, names or None).shape, catalogue.held_out)
        _place_pile(together, area, centre, placed, rng)
    for _ in range(count - len(placed.bodies)):
        thing = kin[rng.integers(3)] if rng.random() < 0.2 else _small(catalogue, rng, names)
        shape = thing.shape.turned(rng.uniform(0, 2 * np.pi)).grounded()
        mood = int(rng.choice(5, p=moods)) if placed.bodies else 0
        for _attempt in range(8):
            spot = centre + area * rng.uniform(-1, 1, 2)
            if mood == 4:
                shape = shape.turned(rng.uniform(0, 7), int(rng.integers(2))).turned(rng.uniform(0, 7)).grounded()
            trial = _TRICKS[mood](shape, spot, placed, rng)
            if trial is None:
                mood = int(rng.integers(2))
                continue
            outline = footprint(trial)
            inside = (np.abs(outline) < [width / 2 + 0.03, depth / 2 + 0.03]).all()
            if inside and (mood in (2, 4) or fits(outline, placed.outlines)):
                relief.add(trial)
                placed.outlines.append(outline)
                placed.bodies.append(Body(thing.label, trial, loose=True))
                break
    return placed.bodies


def _place_pile(
    shapes: list[Shape], area: np.ndarray, centre: np.ndarray, placed: Placed, rng: np.random.Generator
) -> None:
    """Put a pile where nothing stands, or against what stands there; it is left out where no room is."""
    together = sum(shapes, Shape())
    for _attempt in range(6):
        turn = int(rng.integers(4)) * np.pi / 2 + rng.normal(0, 0.15) if rng.random() < 0.5 else rng.normal(0, 0.5)
        whole = together.turned(turn)
        low = whole.bounds()[0]
        spot = centre + area * rng.uniform(-1, 1, 2)
        moved = whole.moved(*spot)
        if placed.outlines and rng.random() < 0.5:
            moved = _touching(whole, spot, placed, rng)
        outline = footprint(moved)
        if (np.abs(outline) < placed.relief.reach + 0.02).all() and fits(outline, placed.outlines):
            shift = moved.bounds()[0] - low
            for shape in shapes:
                body = shape.turned(turn).moved(*shift)
                placed.relief.add(body)
                placed.bodies.append(Body("object", body, loose=True))
            placed.outlines.append(outline)
            return


def _small(catalogue: Catalogue, rng: np.random.Generator, names: tuple[str, ...] | None) -> Body:
    for _ in range(10):
        thing = catalogue.build("object", rng, "table", names)
        low, high = thing.bounds()
        if (high - low).max() < LARGEST or rng.random() < 0.1:
            break
    return Body("object", sum((b.shape for b in thing.bodies), Shape()).grounded())


def _apart(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape:
    return shape.moved(*spot)


def _touching(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape:
    """Slide towards another thing until the footprints meet."""
    target = placed.outlines[int(rng.integers(len(placed.outlines)))]
    angle = rng.uniform(0, 2 * np.pi)
    toward = -np.array([np.cos(angle), np.sin(angle)])
    goal = target.mean(0)
    outline = footprint(shape)
    near, far = 0.0, 0.8
    for _ in range(12):
        middle = (near + far) / 2
        if gap(outline + goal - toward * middle, target) < 0.0005:
            near = middle
        else:
            far = middle
    return shape.moved(*(goal - toward * (far + (rng.random() < 0.3) * rng.uniform(0, 0.01))))


def _stacked(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape | None:
    """On top of another thing, if its middle is supported; square to it more often than not."""
    target = int(rng.integers(len(placed.bodies)))
    low, high = placed.bodies[target].shape.bounds()
    size = np.subtract(*shape.bounds()[::-1])
    if high[2] > 0.45 or (size[:2] > 1.6 * (high - low)[:2] + 0.02).any() or (high - low)[:2].min() < 0.04:
        return None
    spot = (low[:2] + high[:2]) / 2 + rng.normal(0, 0.18, 2) * (high - low)[:2]
    shape = shape.moved(*spot)
    return shape.moved(z=placed.relief.rest(shape))


def _leaning(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape:
    """A flat thing tipped over its lower edge against something taller."""
    low, high = shape.bounds()
    size = high - low
    if size[0] > size[2] * 0.6 and size[1] > size[2] * 0.6:  # lying: stand it on its edge first
        shape = shape.turned(np.pi / 2, 0).grounded()
    tilt = rng.uniform(0.12, 0.9)
    outer = shape.turned(tilt, 0).turned(rng.uniform(0, 2 * np.pi)).grounded()
    return _touching(outer, spot, placed, rng)


def _heaped(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape | None:
    """Dropped anyhow onto the heap."""
    goal = placed.outlines[int(rng.integers(len(placed.outlines)))].mean(0)
    shape = shape.moved(*(goal + rng.normal(0, 0.06, 2)))
    up = placed.relief.rest(shape)
    return None if up > 0.35 else shape.moved(z=up)


_TRICKS = (_apart, _touching, _stacked, _leaning, _heaped)
