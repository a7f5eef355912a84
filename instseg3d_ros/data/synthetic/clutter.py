"""Places loose objects on a horizontal rectangle: separate, touching, stacked, leaning, in heaps, or in piles."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.mesh import Body, Shape
from instseg3d_ros.data.synthetic.piles import pile
from instseg3d_ros.data.synthetic.placement import Relief, fits, footprint, gap

LARGEST = 0.42  # metres; largest extent of a loose object
PILES = (0.0, 0.5, 0.8)  # probabilities of another pile before the single objects; one is drawn per clutter
PACKED = 0.2  # share of clutters with only boxes, books and tins, stacked and side by side, with hidden seams


@dataclass
class Placed:
    """The placed objects on a rectangle, their outlines (P, 2) from above, and their height map (`Relief`)."""

    relief: Relief
    bodies: list[Body] = field(default_factory=list)
    outlines: list[np.ndarray] = field(default_factory=list)


def clutter(
    catalogue: Catalogue, rng: np.random.Generator, width: float, depth: float, count: int, cell: float = 0.006
) -> list[Body]:
    """`count` objects, or fewer if the space is too small, on a horizontal rectangle about the origin at z = 0.

    Each call draws the density of the objects, and the probabilities that an object is stacked, leaning or in a heap.
    """
    relief = Relief(width, depth, cell)
    area = np.array([width, depth]) * (0.5 * rng.uniform(0.45, 1.0))  # objects are often placed at one end of a table
    centre = (np.array([width, depth]) / 2 - area) * rng.uniform(-1, 1, 2)
    packed = rng.random() < PACKED
    names = ("box", "book", "tin") if packed else None
    # apart, touching, stacked, leaning, heaped
    moods = rng.dirichlet([1.0, 2.0, 3.0, 0.8, 0.1] if packed else [2.0, 2.0, 1.2, 0.6, 0.5])
    placed = Placed(relief)
    kin = [_small(catalogue, rng, names) for _ in range(3)]  # models that occur several times
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
    """Place a pile on free space or beside placed objects; without space the pile is omitted."""
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
    """Move an object towards another until their footprints touch."""
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
    """Place an object on top of another if its middle is supported; in most cases their sides are parallel."""
    target = int(rng.integers(len(placed.bodies)))
    low, high = placed.bodies[target].shape.bounds()
    size = np.subtract(*shape.bounds()[::-1])
    if high[2] > 0.45 or (size[:2] > 1.6 * (high - low)[:2] + 0.02).any() or (high - low)[:2].min() < 0.04:
        return None
    spot = (low[:2] + high[:2]) / 2 + rng.normal(0, 0.18, 2) * (high - low)[:2]
    shape = shape.moved(*spot)
    return shape.moved(z=placed.relief.rest(shape))


def _leaning(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape:
    """Lean a flat object against a taller object."""
    low, high = shape.bounds()
    size = high - low
    if size[0] > size[2] * 0.6 and size[1] > size[2] * 0.6:  # a lying object is first turned onto its edge
        shape = shape.turned(np.pi / 2, 0).grounded()
    tilt = rng.uniform(0.12, 0.9)
    outer = shape.turned(tilt, 0).turned(rng.uniform(0, 2 * np.pi)).grounded()
    return _touching(outer, spot, placed, rng)


def _heaped(shape: Shape, spot: np.ndarray, placed: Placed, rng: np.random.Generator) -> Shape | None:
    """Place an object with a random rotation on top of the others."""
    goal = placed.outlines[int(rng.integers(len(placed.outlines)))].mean(0)
    shape = shape.moved(*(goal + rng.normal(0, 0.06, 2)))
    up = placed.relief.rest(shape)
    return None if up > 0.35 else shape.moved(z=up)


_TRICKS = (_apart, _touching, _stacked, _leaning, _heaped)
