"""A depth camera that moves through several furnished rooms and back; objects may move half-way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.synthetic.camera import Camera
from instseg3d_ros.data.synthetic.drive import Shot, shoot
from instseg3d_ros.data.synthetic.frames import SceneRecipe, draw_camera, lighting, world_of
from instseg3d_ros.data.synthetic.mesh import Body
from instseg3d_ros.data.synthetic.path import GRID, Ground, ground_of, poses_along, way_through
from instseg3d_ros.data.synthetic.rooms import Room, furnish_room
from instseg3d_ros.data.synthetic.sensor import SENSORS, Film, vary
from instseg3d_ros.errors import InputError

MOVABLE = ("chair", "otherfurniture", "table", "object")
LARGEST = 0.8  # largest width and depth of an object that moves, metres
ASIDE = (0.7, 2.5)  # distance by which it moves, metres
MOST_ROOMS = 8
TRIES = 12  # flats that are drawn until all rooms of a flat can be reached


@dataclass(frozen=True)
class Walk:
    """Rooms, and the path `way` (K, 2) through them of a camera at a height of `height` metres."""

    room: Room
    ground: Ground
    way: np.ndarray
    height: float


def plan_walk(recipe: SceneRecipe, rooms: int) -> Walk:
    """A flat of `rooms` rooms from the recipe's seed, and a path through all of them."""
    if not 1 <= rooms <= MOST_ROOMS:
        raise InputError(f"--rooms {rooms}: expected 1 to {MOST_ROOMS} rooms")
    catalogue = recipe.catalogue()
    for attempt in range(TRIES):
        rng = np.random.default_rng([recipe.seed, 77, attempt])
        height = float(rng.uniform(0.9, 1.4))
        room = furnish_room(catalogue, rng, rooms=rooms)
        if len(room.spaces) < rooms:
            continue
        ground = ground_of(room, height + 0.2)
        way = way_through(ground, room, rng)
        if all((np.abs(way - space.center) < space.size / 2).all(axis=1).any() for space in room.spaces):
            return Walk(room, ground, way, height)
    raise InputError(f"--rooms {rooms}: no path through all rooms with --seed {recipe.seed}; choose another seed")


def walk(
    recipe: SceneRecipe, frames: int, rooms: int = 3, moved: int = 0
) -> tuple[Iterator[Shot], dict[str, np.ndarray]]:
    """`frames` shots at equal distances on the path; half-way, up to `moved` objects change their places.

    Returns the shots and, for the truth, the ids `moved` (K,) of these objects and `moved_at`, the first frame after
    the move.
    """
    plan = plan_walk(recipe, rooms)
    rng = np.random.default_rng([recipe.seed, 78])
    sensor = SENSORS[recipe.sensors[int(rng.integers(len(recipe.sensors)))]]
    specimen = vary(sensor, rng)
    film = replace(Film.draw(specimen, rng), brightness=0.55)  # the exposure stays the same during the walk
    lights, ambient = lighting(plan.room, rng)
    poses = poses_along(plan.way, frames, plan.height, rng)
    lens: Camera = draw_camera(sensor, recipe.resolution, poses[0], rng)
    world = world_of(plan.room.bodies)
    bodies, which = move_things(plan, moved, rng)
    later = world_of(bodies) if which else world

    def shots() -> Iterator[Shot]:
        for number, pose in enumerate(poses):
            now = world if number < frames // 2 else later
            noise = np.random.default_rng([recipe.seed, 79, number])
            yield shoot(now, replace(lens, pose=pose), lights, ambient, specimen, film, noise)

    return shots(), {"moved": world.instance[which].astype(np.int32), "moved_at": np.array(frames // 2)}


def move_things(plan: Walk, count: int, rng: np.random.Generator) -> tuple[tuple[Body, ...], list[int]]:
    """The rooms' bodies, up to `count` of them at other places on the floor beside the path, and the rows of these."""
    from scipy.ndimage import distance_transform_edt

    bodies = list(plan.room.bodies)
    bounds = np.array([body.shape.bounds() for body in bodies])  # (B, 2, 3)
    size = bounds[:, 1] - bounds[:, 0]
    which: list[int] = []
    clear = GRID * distance_transform_edt(plan.ground.open)
    middles = plan.ground.place(np.argwhere(np.ones(plan.ground.open.shape, bool))).reshape(*clear.shape, 2)
    for index in rng.permutation(len(bodies)):
        low, high = bounds[index]
        fits = size[index, :2].max() < LARGEST and 0.25 < size[index, 2] < 1.3 and abs(low[2]) < 0.05
        if len(which) == count or bodies[index].label not in MOVABLE or not fits or _bears_something(bounds, index):
            continue
        radius, middle = float(np.hypot(*size[index, :2])) / 2, (low + high)[:2] / 2
        distance = np.linalg.norm(middles - middle, axis=-1)
        good = (clear > radius + 0.05) & (distance > ASIDE[0] + radius) & (distance < ASIDE[1])
        good &= np.linalg.norm(middles[..., None, :] - plan.way[::4], axis=-1).min(axis=-1) > radius + 0.35
        places = np.argwhere(good)
        if not len(places):
            continue
        spot = plan.ground.place(places[int(rng.integers(len(places)))])
        bodies[index] = replace(bodies[index], shape=bodies[index].shape.moved(*(spot - middle)))
        clear = np.minimum(clear, np.maximum(np.linalg.norm(middles - spot, axis=-1) - radius, 0))
        which.append(int(index))
    return tuple(bodies), which


def _bears_something(bounds: np.ndarray, index: int) -> bool:
    """Whether another body lies on top of this body or inside its box."""
    low, high = bounds[index]
    over = ((bounds[:, 0, :2] < high[:2]) & (bounds[:, 1, :2] > low[:2])).all(axis=1)
    over &= (bounds[:, 0, 2] > low[2] + 0.05) & (bounds[:, 0, 2] < high[2] + 0.1)
    over[index] = False
    return bool(over.any())
