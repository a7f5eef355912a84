"""Furnished worlds of one or several rooms, and the views of a robot in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.synthetic.camera import look
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.flat import MOST, Plot, draw_plots, furnish_plot
from instseg3d_ros.data.synthetic.layouts import LAYOUTS
from instseg3d_ros.data.synthetic.mesh import Body, rotation
from instseg3d_ros.data.synthetic.placement import fits, rectangle
from instseg3d_ros.data.synthetic.shell import WALL_YAW

SEVERAL = 0.5  # share of the worlds with several rooms


@dataclass(frozen=True)
class Space:
    """A room of a world: its middle (2,), its extent (2,) and the middles (2,) of its doorways."""

    center: np.ndarray
    size: np.ndarray
    doorways: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Room:
    """A world of rooms: bodies, extent in x and y, middle, pieces (outline, lowest, highest) that a camera must avoid,
    and the single rooms."""

    bodies: tuple[Body, ...]
    size: tuple[float, float]
    focus: np.ndarray
    taken: tuple[tuple[np.ndarray, float, float], ...]
    layout: str = ""
    spaces: tuple[Space, ...] = ()


def furnish_room(
    catalogue: Catalogue, rng: np.random.Generator, name: str | None = None, rooms: int | None = None
) -> Room:
    """A room of the layout `name`; without a name, one or several rooms joined by doorways, `rooms` at most."""
    if rooms is not None:
        plots = draw_plots(rng, rooms)
    elif name is None:
        plots = draw_plots(rng, int(rng.integers(2, MOST + 1)) if rng.random() < SEVERAL else 1)
    else:
        plots = [Plot.draw(rng, LAYOUTS[name])]
    low = np.min([plot.center - np.array(plot.size) / 2 for plot in plots], axis=0)
    high = np.max([plot.center + np.array(plot.size) / 2 for plot in plots], axis=0)
    bodies: list[Body] = []
    taken: list[tuple[np.ndarray, float, float]] = []
    spaces = []
    ceiling = rng.random() < 0.8
    for plot in plots:
        plan, (x, y) = furnish_plot(catalogue, rng, plot, ceiling), plot.center - (low + high) / 2
        bodies += [replace(body, shape=body.shape.moved(x, y)) for body in plan.bodies]
        taken += [(outline + np.array([x, y]), a, b) for outline, a, b in plan.taken]
        doorways = (rotation(WALL_YAW[d.wall])[:2, :2] @ (d.along, plot.reach(d.wall)) + (x, y) for d in plot.doorways)
        spaces.append(Space(np.array([x, y]), np.array(plot.size), tuple(doorways)))
    layout = next(key for key, value in LAYOUTS.items() if value is plots[0].layout)
    extent = high - low
    return Room(
        tuple(bodies), (float(extent[0]), float(extent[1])), np.array([0, 0, 1.0]), tuple(taken), layout, tuple(spaces)
    )


def view_room(room: Room, rng: np.random.Generator) -> np.ndarray:
    """A camera pose (4,4): 0.3 to 1.8 m high, pitched -10 to 60 degrees down, towards furniture or anywhere."""
    space = _some(room, rng)
    height = rng.uniform(0.3, 1.8)
    x, y = _spot(room, space, height, rng)
    aim = space.center + rng.uniform(-0.5, 0.5, 2) * space.size * 0.8
    near = [o.mean(0) for o, _, _ in room.taken if (np.abs(o.mean(0) - space.center) < space.size / 2).all()]
    if rng.random() < 0.6 and near:
        aim = near[int(rng.integers(len(near)))]
    yaw = float(np.arctan2(aim[1] - y, aim[0] - x)) + rng.normal(0, 0.25)
    # A low robot looks ahead; a tall one looks down.
    pitch = np.deg2rad(np.clip(rng.normal(4 + 14 * height, 13), -10, 60))
    return look((x, y, height), yaw, float(pitch), float(np.deg2rad(rng.normal(0, 2.5))))


def walk_room(room: Room, rng: np.random.Generator) -> np.ndarray:
    """A camera pose (4,4) of a driving robot: it looks across the room, through a doorway, from a doorway into a room,
    at a wall, or in a random direction. The camera is level or pitched slightly down."""
    space = _some(room, rng)
    height = rng.uniform(0.25, 0.6) if rng.random() < 0.3 else rng.uniform(0.6, 1.5)
    way = rng.random()
    if way < 0.65:
        target = space.center + rng.uniform(-0.5, 0.5, 2) * space.size
        if space.doorways and rng.random() < 0.6:
            target = space.doorways[int(rng.integers(len(space.doorways)))]
        eyes = np.array([_spot(room, space, height, rng) for _ in range(8)])
        eye = eyes[np.linalg.norm(eyes - target, axis=1).argmax()]
    elif way < 0.82:
        wall = int(rng.integers(4))
        inward = rotation(WALL_YAW[wall])[:2, :2] @ (0, -1)
        eye = space.center - inward * (space.size[1 - wall % 2] / 2 - 0.3)
        if space.doorways:
            eye = space.doorways[int(rng.integers(len(space.doorways)))]
        target = space.center + rng.uniform(-0.3, 0.3, 2) * space.size
    elif way < 0.92:
        wall = int(rng.integers(4))
        outward = rotation(WALL_YAW[wall])[:2, :2] @ (0, 1)
        eye = _spot(room, space, height, rng)
        apart = (space.center - eye) @ outward + space.size[1 - wall % 2] / 2
        eye = eye + outward * max(0.0, apart - rng.uniform(0.8, 2.2))
        target = eye + outward
    else:
        eye, angle = _spot(room, space, height, rng), rng.uniform(0, 2 * np.pi)
        target = eye + np.array([np.cos(angle), np.sin(angle)])
    yaw = float(np.arctan2(*(target - eye)[::-1])) + rng.normal(0, 0.2)
    pitch = np.deg2rad(np.clip(rng.normal(6 * height, 6), -10, 35))
    return look((*eye, height), yaw, float(pitch), float(np.deg2rad(rng.normal(0, 1.5))))


def _some(room: Room, rng: np.random.Generator) -> Space:
    """A random room, with a probability proportional to its area."""
    area = np.array([space.size.prod() for space in room.spaces])
    return room.spaces[rng.choice(len(area), p=area / area.sum())]


def _spot(room: Room, space: Space, height: float, rng: np.random.Generator) -> np.ndarray:
    """A free position (2,) for a camera of this height; any position if the room is too full."""
    for _ in range(30):
        x, y = space.center + rng.uniform(-0.5, 0.5, 2) * (space.size - 0.4)
        if fits(rectangle(x, y, 0.3, 0.3), [outline for outline, _, high in room.taken if high > height - 0.2]):
            break
    return np.array([x, y])
