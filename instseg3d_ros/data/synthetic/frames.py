"""Builds numbered worlds and views: the same seed gives the same frames, in any order and number of processes.

A world is a furnished room or a table with objects. Each world is rendered from several viewpoints, because building
it takes longer than rendering a view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.data.synthetic.camera import Camera
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.library import MeshLibrary
from instseg3d_ros.data.synthetic.mesh import Body, rotation
from instseg3d_ros.data.synthetic.render import Light, View, World
from instseg3d_ros.data.synthetic.rooms import Room, furnish_room, view_room, walk_room
from instseg3d_ros.data.synthetic.sensor import SEEN_SENSORS, SENSORS, Sensor, measure, vary
from instseg3d_ros.data.synthetic.tabletop import Setting, crop_table, set_table, view_table
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC, TABLETOP, LabelSet

# kind → function that furnishes a world, function that draws a camera pose in it, views per world
KINDS: dict[str, tuple[Callable[..., Any], Callable[..., np.ndarray], int]] = {
    "rooms": (furnish_room, view_room, 8),
    "tabletop": (set_table, view_table, 4),
}
SPLITS = ("train", "val")
FEWEST = 200  # smallest number of points after a crop; otherwise the frame is not cropped
ATTEMPTS = 12  # largest number of camera poses that are tried for a view


@dataclass(frozen=True)
class SceneRecipe:
    """Settings that, together with its number, determine a frame.

    crop: share of tabletop frames that are cropped to the table; labels: "synthetic", or "tabletop" for frames of
    tables with the classes object, support and background, and the camera at the origin; walk: share of room frames
    from the view of a driving robot; the other frames look at furniture.
    """

    seed: int = 0
    resolution: tuple[int, int] = (320, 240)
    sensors: tuple[str, ...] = SEEN_SENSORS
    meshes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    held_out: bool = False
    mesh_share: float = 0.25
    crop: float = 0.5
    labels: str = SYNTHETIC.name
    walk: float = 0.7

    def __post_init__(self) -> None:
        unknown = set(self.sensors) - SENSORS.keys()
        if unknown:
            raise InputError(f"unknown sensor '{sorted(unknown)[0]}'; one of: all, {', '.join(SENSORS)}")

    def catalogue(self) -> Catalogue:
        """The source of furniture and objects; reads the folders of meshes, if given."""
        folders = [Path(folder) for folder in self.meshes]
        meshes = MeshLibrary.scan(folders, self.without, self.only) if folders else MeshLibrary()
        return Catalogue(meshes, self.held_out, self.mesh_share)


def world_of(bodies: tuple[Body, ...]) -> World:
    """A world in which each body of a thing class is an instance; bodies of stuff get instance 0."""
    return _labelled(bodies, [body.label for body in bodies], SYNTHETIC)


def world_in(recipe: SceneRecipe, setting: Room | Setting) -> World:
    """The world of a setting, with the classes of the recipe's label set."""
    if recipe.labels != TABLETOP.name:
        return world_of(setting.bodies)
    assert isinstance(setting, Setting), "this label set is for tables"
    return table_of(setting)


def table_of(setting: Setting) -> World:
    """The world of a tabletop with the classes of `TABLETOP`: object, support, background."""
    parts = ["object" if body.label == "object" else "background" for body in setting.bodies]
    for i in setting.kept:
        if parts[i] == "background":
            parts[i] = "support"
    return _labelled(setting.bodies, parts, TABLETOP)


def _labelled(bodies: tuple[Body, ...], names: list[str], labels: LabelSet) -> World:
    semantic = np.array([labels.index(name) for name in names], np.int16)
    thing = np.array(labels.things)[semantic]
    return World(bodies, semantic, np.where(thing, np.arange(1, len(bodies) + 1), 0))


def scenes(recipe: SceneRecipe, catalogue: Catalogue, split: str, kind: str, group: int, views: int) -> Iterator[Scene]:
    """The first `views` frames of world number `group`."""
    furnish, pose_of, _ = KINDS[kind]
    key = [recipe.seed, SPLITS.index(split), list(KINDS).index(kind), group]
    setting = furnish(catalogue, np.random.default_rng([*key, 0]))
    world = world_in(recipe, setting)
    lights, ambient = lighting(setting, np.random.default_rng([*key, 1]))
    for number in range(views):
        rng = np.random.default_rng([*key, 2, number])
        sensor = SENSORS[recipe.sensors[int(rng.integers(len(recipe.sensors)))]]
        walks = kind == "rooms" and rng.random() < recipe.walk
        pose = partial(walk_room if walks else pose_of, setting, rng)
        draw = partial(_draw, sensor, recipe.resolution, pose, rng)
        best = most_worth(world, sensor, draw, ATTEMPTS, busy=not walks)
        cropped = kind == "tabletop" and rng.random() < recipe.crop
        crop = partial(crop_table, setting, rng=rng) if cropped else None
        view = world.look(best, lights, ambient)
        scene = to_scene(world, view, vary(sensor, rng), rng, f"{kind}_{recipe.seed}_{group:05d}_{number}", crop)
        yield from_camera(scene) if recipe.labels == TABLETOP.name else scene


def _draw(
    sensor: Sensor, resolution: tuple[int, int], pose: Callable[[], np.ndarray], rng: np.random.Generator
) -> Camera:
    return draw_camera(sensor, resolution, pose(), rng)


def draw_camera(sensor: Sensor, resolution: tuple[int, int], pose: np.ndarray, rng: np.random.Generator) -> Camera:
    """A camera of a sensor at a pose (4,4), with random focal length and principal point near the middle."""
    width, height = resolution
    f = rng.uniform(*sensor.f) * width / 640
    off = rng.normal(0, 0.01, 2) * width
    return Camera(pose, width, height, f, (width - 1) / 2 + off[0], (height - 1) / 2 + off[1])


def most_worth(world: World, sensor: Sensor, draw: Callable[[], Camera], attempts: int, busy: bool = True) -> Camera:
    """The first of `attempts` drawn cameras with a good view, otherwise the best; busy: things must be visible."""
    best, most = None, -np.inf
    for _ in range(attempts):
        camera = draw()
        worth = _worth(world, camera, sensor.range[0], busy)
        if best is None or worth > most:
            best, most = camera, worth
        if worth > 0.5:
            break
    assert best is not None, "at least one attempt"
    return best


def _worth(world: World, camera: Camera, near: float, busy: bool) -> float:
    """Quality 0 to 1 of a view, from a thumbnail: few rays without a hit, no near surface, visible things."""
    share = 16
    small = Camera(camera.pose, camera.width // share, camera.height // share, camera.f / share,
                   camera.cx / share, camera.cy / share)  # fmt: skip
    depth, triangle, _, _ = world.cast(small.rays())
    seen = np.isfinite(depth) & (depth < 8)
    blind = float((depth < max(near, 0.3)).mean())
    if blind > 0.08 or seen.mean() < 0.6 or np.median(depth[seen]) < 0.4:
        return 0.1 * float(seen.mean()) - blind
    if not busy:
        return 1.0
    instance = world.instance[world.body[triangle[seen]]]
    things = instance[instance > 0]
    return min(1.0, len(np.unique(things)) / 5) * min(1.0, len(things) / len(instance) / 0.25)


def to_scene(
    world: World, view: View, sensor: Sensor, rng: np.random.Generator, name: str,
    crop: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Scene:  # fmt: skip
    """Simulate the sensor for a view. `crop(points, body)` returns a mask of points to keep, unless few remain."""
    depth, source, color = measure(view, sensor, rng)
    pixel = np.flatnonzero(np.isfinite(depth))
    body = view.body[source[pixel]]
    pose = view.camera.pose
    optical = view.camera.directions()[pixel] * depth[pixel, None].astype(np.float64)
    points = (optical @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
    if crop is not None:
        kept = crop(points, body)
        if kept.sum() >= FEWEST:
            pixel, body, points = pixel[kept], body[kept], points[kept]
    extras = {
        "camera": pose.astype(np.float64),
        "pixel": pixel.astype(np.int32),
        "shape": np.array([view.camera.height, view.camera.width], np.int32),
    }
    return Scene(points, color[pixel], world.semantic[body], world.instance[body], name, extras)


def from_camera(scene: Scene) -> Scene:
    """The scene in the axes of a levelled camera: camera at the origin, looking along +x, z up.

    The object head uses distances from the camera, and occlusions are found from its position.
    """
    pose = scene.extras["camera"]
    turn = rotation(-float(np.arctan2(pose[1, 2], pose[0, 2])))
    moved = np.eye(4)
    moved[:3, :3] = turn @ pose[:3, :3]
    points = ((scene.points - pose[:3, 3]) @ turn.T).astype(np.float32)
    return replace(scene, points=points, extras={**scene.extras, "camera": moved})


def lighting(setting: Room | Setting, rng: np.random.Generator) -> tuple[list[Light], float]:
    """One to three lamps near the ceiling, warm or cold; one of them may cast shadows."""
    ambient = float(rng.uniform(0.3, 0.75))
    lights = []
    for index in range(int(rng.integers(1, 4))):
        spread = np.maximum(setting.size, 1.5)
        position = np.array([*(setting.focus[:2] + rng.uniform(-0.5, 0.5, 2) * spread), rng.uniform(1.9, 2.4)])
        warm = rng.normal(0, 0.06)
        shadows = index == 0 and rng.random() < 0.6
        lights.append(Light(position, float(rng.uniform(0.2, 0.7)), (1 + warm, 1.0, 1 - warm), shadows))
    return lights, ambient
