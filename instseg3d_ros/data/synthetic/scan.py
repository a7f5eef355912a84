"""Scans of whole rooms, as from a scanner or a mapping robot: points spread evenly over the visible surfaces."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.frames import KINDS, SPLITS, SceneRecipe, lighting, world_of
from instseg3d_ros.data.synthetic.render import World
from instseg3d_ros.data.synthetic.rooms import furnish_room, view_room

STATIONS = 14  # number of positions from which the room is scanned
CHUNK = 200_000


def scan_room(recipe: SceneRecipe, catalogue: Catalogue, split: str, number: int, count: int) -> Scene:
    """A scan of room `number` with about `count` points and some millimetres of noise. The floor is at z = 0."""
    key = [recipe.seed, SPLITS.index(split), len(KINDS), number]
    room = furnish_room(catalogue, np.random.default_rng([*key, 0]))
    world = world_of(room.bodies)
    lights, ambient = lighting(room, np.random.default_rng([*key, 1]))
    rng = np.random.default_rng([*key, 2])
    stations = np.array([view_room(room, rng)[:3, 3] for _ in range(STATIONS)])
    found, total = [], 0
    for _ in range(200):  # more than half of the surface is hidden, rarely more than 90 %
        triangle, uv = _spread(world, CHUNK, rng)
        points, normal = world.surface(triangle, uv)
        seen = _visible(world, points, normal, stations)
        found.append((triangle[seen], uv[seen]))
        total += int(seen.sum())
        if total >= count:
            break
    triangle, uv = (np.concatenate(column)[:count] for column in zip(*found))
    points, normal = world.surface(triangle, uv)
    color = world.surface_color(triangle, uv) * world.light(points, normal, lights, ambient)
    color = color * np.float32(0.5 / max(float(color.mean()), 0.05)) + rng.normal(0, 0.01, color.shape)
    points = points + normal * rng.normal(0, 0.002, (len(points), 1)) + rng.normal(0, 0.001, points.shape)
    body = world.body[triangle]
    return Scene(
        points.astype(np.float32),
        (np.clip(color, 0, 1) * 255).astype(np.uint8),
        world.semantic[body],
        world.instance[body],
        f"scan_{recipe.seed}_{number:05d}",
    )


def _spread(world: World, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random points, uniform over the surface: triangle (N,) and barycentric uv (N,2)."""
    a, b, c = (world.vertices[world.triangles[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    triangle = np.searchsorted(np.cumsum(area) / area.sum(), rng.random(count)).clip(max=len(area) - 1)
    uv = rng.random((count, 2), np.float32)
    outside = uv.sum(1) > 1
    uv[outside] = 1 - uv[outside]
    return triangle, uv


def _visible(world: World, points: np.ndarray, normal: np.ndarray, stations: np.ndarray) -> np.ndarray:
    """(N,) bool: whether a point is visible from a station, on either side of its surface."""
    seen = np.zeros(len(points), bool)
    for station in stations:
        open_ = np.flatnonzero(~seen)
        way = station - points[open_]
        side = np.sign(np.einsum("ij,ij->i", way, normal[open_]))[:, None]
        start = points[open_] + normal[open_] * side * 2e-3
        seen[open_] = ~world.blocked(start, np.broadcast_to(station, start.shape))
    return seen
