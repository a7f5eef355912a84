"""Piles of objects, as people arrange them: stacks, rows, bridges, leaning books, full bowls, objects behind others.

Each kind is a function of a random generator and of `pick(*names)`, which builds a small object by one of these
constructions (without names: by any). It returns the shapes of the objects, at rest on z = 0 about the origin. The
camera is most often on the side of −y.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.mesh import Shape
from instseg3d_ros.data.synthetic.objects.packaging import book
from instseg3d_ros.data.synthetic.placement import Relief
from instseg3d_ros.data.synthetic.primitives import box, cylinder, rounded_box

Pick = Callable[..., Shape]


def pile(rng: np.random.Generator, pick: Pick, held_out: bool = False) -> list[Shape]:
    """Objects of a random kind of pile. held_out: include the kinds that are reserved for tests, half of the time."""
    kinds = RESERVED if held_out and rng.random() < 0.5 else KINDS
    return [shape for shape in kinds[int(rng.integers(len(kinds)))](rng, pick) if len(shape.parts)]


class Wrapping:
    """The print of the packages in a pile: a repeated product, a single colour that hides seams, or any print."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.shared = m.printed(rng) if rng.random() < 0.5 else m.painted(rng)
        self.share = float(rng.choice([0.0, 0.5, 1.0], p=[0.45, 0.2, 0.35]))

    def __call__(self) -> m.Material:
        """The material of the next package."""
        if self.rng.random() < self.share:
            return self.shared
        return m.printed(self.rng) if self.rng.random() < 0.65 else m.painted(self.rng)


def package(size: tuple[float, float, float], wrapping: m.Material, rng: np.random.Generator) -> Shape:
    """A box of this size: with sharp edges, or worn, with rounded edges, a bulging top and skewed faces."""
    if rng.random() < 0.65:
        return box(*size, wrapping)
    shape = rounded_box(*size, wrapping, rng.uniform(0.002, 0.012), rng.uniform(0, 0.005))
    skew = np.eye(3) + np.triu(rng.normal(0, 0.02, (3, 3)), 1)
    return shape.affine(skew, (0, 0, 0)).grounded()


def stack(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """A stack of two to five boxes or books with equal or decreasing footprints, aligned or rotated."""
    wrapping, count = Wrapping(rng), int(rng.integers(2, 6))
    width, depth = np.exp(rng.uniform(np.log(0.06), np.log(0.28), 2))
    books = rng.random() < 0.3
    equal, aligned = rng.random() < 0.5, rng.random() < 0.55
    height = rng.uniform(0.02, 0.14)
    shapes, at, top = [], np.zeros(2), 0.0
    for number in range(count):
        if number and not equal:
            width, depth = np.array([width, depth]) * rng.uniform(0.6, 1.05, 2)
        tall = height if rng.random() < 0.4 else rng.uniform(0.015, 0.16)
        if books:
            shape = book(rng, width, depth, min(tall, rng.uniform(0.008, 0.05)))
        else:
            shape = package((width, depth, tall), wrapping(), rng)
        turn = rng.normal(0, 0.015) if aligned else rng.uniform(-0.6, 0.6)
        at = at + (rng.normal(0, 0.0015, 2) if aligned else rng.normal(0, 0.1, 2) * [width, depth])
        shapes.append(shape.turned(turn).moved(at[0], at[1], top))
        top = float(shapes[-1].bounds()[1][2])
        if top > 0.5:
            break
    return shapes


def tins(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """A stack of two to four tins or cans, mostly of the same width."""
    wrapping, count, radius = Wrapping(rng), int(rng.integers(2, 5)), rng.uniform(0.025, 0.07)
    height, shapes, top = rng.uniform(0.03, 0.13), [], 0.0
    for _ in range(count):
        r = radius if rng.random() < 0.7 else radius * rng.uniform(0.7, 1.0)
        tall = height if rng.random() < 0.6 else rng.uniform(0.03, 0.13)
        shape = cylinder(r, tall - 0.004, wrapping(), segments=28) + cylinder(
            r * rng.uniform(0.9, 1.0), 0.004, m.metal(rng), (0, 0, tall - 0.004), segments=28
        )
        x, y = rng.normal(0, 0.004, 2)
        shapes.append(shape.moved(x, y, top))
        top += tall
    return shapes


def row(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """Two to six boxes side by side with flush faces, mostly of the same height; sometimes in two rows or layers."""
    wrapping, count = Wrapping(rng), int(rng.integers(2, 7))
    depth, height = np.exp(rng.uniform(np.log(0.04), np.log(0.2), 2))
    width = np.exp(rng.uniform(np.log(0.03), np.log(0.14)))
    shapes: list[Shape] = []
    lines = 2 if rng.random() < 0.25 else 1
    layers = 2 if rng.random() < 0.25 and height < 0.14 else 1
    step = 0.0 if rng.random() < 0.6 else 0.02
    for layer in range(layers):
        for line in range(lines):
            x = -count * width / 2 + (rng.uniform(-0.5, 0.5) * width if layer else 0)
            for _ in range(count):
                wide = width if rng.random() < 0.6 else width * rng.uniform(0.6, 1.5)
                if layer and rng.random() < 0.3:
                    x += wide
                    continue
                tall = height + abs(rng.normal(0, step)) * (layer == layers - 1)
                shape = box(wide, depth, tall, wrapping())
                y = line * (depth + rng.uniform(0, 0.002)) + rng.normal(0, 0.0015 + step / 4)
                shapes.append(shape.moved(x + wide / 2, y, layer * height))
                x += wide + (0.0 if rng.random() < 0.5 else rng.uniform(0, 0.003))
    return shapes


def bridge(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """A box or book that lies across two others."""
    wrapping = Wrapping(rng)
    height, depth = rng.uniform(0.03, 0.16), rng.uniform(0.05, 0.18)
    widths, apart = rng.uniform(0.04, 0.14, 2), rng.uniform(0.0, 0.14)
    feet = [
        package((w, depth * rng.uniform(0.7, 1.2), height), wrapping(), rng).turned(rng.normal(0, 0.05)).moved(x)
        for w, x in zip(widths, (-apart / 2 - widths[0] / 2, apart / 2 + widths[1] / 2))
    ]
    span = apart + rng.uniform(0.3, 1.0) * widths.sum()
    over = box(span, depth * rng.uniform(0.5, 1.1), rng.uniform(0.01, 0.12), wrapping())
    high = max(float(foot.bounds()[1][2]) for foot in feet)
    return [*feet, over.turned(rng.normal(0, 0.1)).moved(rng.uniform(-0.01, 0.01), 0, high)]


def leaning(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """One to four books or flat boxes that lean against a box and against each other."""
    wrapping, width, high = Wrapping(rng), rng.uniform(0.08, 0.24), rng.uniform(0.06, 0.28)
    shapes = [package((width, rng.uniform(0.04, 0.2), high), wrapping(), rng)]
    shapes[0] = shapes[0].moved(y=-float(shapes[0].bounds()[0][1]))  # its front face at y = 0
    tilt, foot = rng.uniform(0.08, 0.75), None
    for _ in range(int(rng.integers(1, 5))):
        wide, thick, length = rng.uniform(0.08, 0.22), rng.uniform(0.008, 0.05), rng.uniform(0.1, 0.28)
        # The book stands upright with its back at y = 0; then its top tilts towards the box.
        flat = book(rng, wide, length, thick) if rng.random() < 0.6 else box(wide, length, thick, wrapping())
        upright = flat.turned(np.pi / 2, 0).grounded()
        upright = upright.moved(y=-float(upright.bounds()[1][1]))
        if foot is None:  # its face touches the box's upper edge, or its upper edge touches the box's face
            foot = -high * np.tan(tilt) if length * np.cos(tilt) > high else -length * np.sin(tilt)
        shapes.append(upright.turned(-tilt, 0).moved(rng.normal(0, 0.2) * width, foot))
        foot -= thick / np.cos(tilt) + rng.uniform(0, 0.002)
        if rng.random() < 0.3:
            break
    return [shape.moved(z=max(0.0, -float(shape.bounds()[0][2]))) for shape in shapes]


def filled(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """A bowl, pan, plate or tray with one to six objects in it, or a box with objects on its top."""
    holder = pick("bowl", "pan", "plate", "tray", "box", "cup")
    low, high = holder.bounds()
    size = float((high - low)[:2].min())
    relief = Relief(0.6, 0.6, 0.004)
    relief.add(holder)
    shapes = [holder]
    for _ in range(int(rng.integers(1, 7))):
        thing = (
            pick() if rng.random() < 0.5 else pick("fruit", "cup", "box", "can", "convex lump", "bowl", "ring and roll")
        )
        extent = float(np.ptp(thing.bounds(), axis=0).max())
        if extent > 0.8 * size:  # scaled to fit
            factor = rng.uniform(0.35, 0.8) * size / extent
            if factor < 0.3:
                continue
            thing = thing.scaled(factor, factor, factor)
        thing = thing.turned(rng.uniform(0, 7)).grounded().moved(*rng.uniform(-0.25, 0.25, 2) * size)
        up = relief.rest(thing)
        if up < 0.3:
            shapes.append(thing.moved(z=up))
            relief.add(shapes[-1])
    return shapes


def hidden(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """A wide object and a narrow object in front of its middle, which divides it into two visible parts."""
    wide = package((rng.uniform(0.14, 0.34), rng.uniform(0.03, 0.15), rng.uniform(0.05, 0.26)), Wrapping(rng)(), rng)
    if rng.random() < 0.3:
        wide = book(rng).turned(np.pi / 2, 0).grounded()
    front = pick("bottle", "can", "cup", "box", "jar", "spray bottle", "glass", "vase", "gable carton")
    reach = np.ptp(front.bounds(), axis=0)
    narrow = min(1.0, 0.6 * float(np.ptp(wide.bounds(), axis=0)[0]) / float(reach[:2].max()))
    front = front.scaled(narrow, narrow, max(narrow, 0.8)).grounded()
    y = float(wide.bounds()[0][1] - front.bounds()[1][1]) - rng.uniform(0.001, 0.15)
    return [wide, front.moved(rng.uniform(-0.3, 0.3) * float(wide.bounds()[1][0]), y)]


def pyramid(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """Tins in layers; each layer has one tin fewer than the layer below."""
    wrapping, base = Wrapping(rng), int(rng.integers(2, 4))
    radius, tall = rng.uniform(0.025, 0.05), rng.uniform(0.04, 0.12)
    pitch = 2 * radius + rng.uniform(0, 0.004)
    return [
        cylinder(radius, tall, wrapping(), ((i - (base - layer - 1) / 2) * pitch, 0, layer * tall), segments=28)
        for layer in range(base)
        for i in range(base - layer)
    ]


def crossed(rng: np.random.Generator, pick: Pick) -> list[Shape]:
    """Long boxes, two in each layer; the layers are crosswise."""
    wrapping, layers = Wrapping(rng), int(rng.integers(2, 4))
    length = rng.uniform(0.12, 0.26)
    width, tall = rng.uniform(0.02, 0.4) * length, rng.uniform(0.02, 0.06)
    shapes = []
    for layer in range(layers):
        for side in (-1, 1):
            block = box(length, width, tall, wrapping(), (0, side * (length - width) / 2, layer * tall))
            shapes.append(block.turned(layer * np.pi / 2 + rng.normal(0, 0.03)))
    return shapes


KINDS = (stack, stack, tins, row, row, bridge, leaning, filled, hidden)
RESERVED = (pyramid, crossed)  # for tests
