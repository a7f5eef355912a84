"""The clouds for the measurements: generated frames, or files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.paths import share
from instseg3d_ros.sparse.rigid import transform_points

FEWEST = 1000


@dataclass(frozen=True)
class Frame:
    """points (N, 3) float32 metres, z up, finite; colors (N, 3) uint8."""

    name: str
    points: np.ndarray
    colors: np.ndarray

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(self.points), torch.from_numpy(self.colors).float()

    def of_size(self, count: int, seed: int = 0) -> Frame:
        """`count` points of the same density: those around a random point, or copies side by side with new noise."""
        rng = np.random.default_rng(seed)
        if count <= len(self.points):
            center = self.points[rng.integers(len(self.points))]
            chosen = np.argsort(((self.points - center) ** 2).sum(1))[:count]
            return Frame(self.name, self.points[chosen], self.colors[chosen])
        copies = -(-count // len(self.points))
        width = float(np.ptp(self.points[:, 0])) + 1.0
        side = int(np.ceil(np.sqrt(copies)))
        depth = float(np.ptp(self.points[:, 1])) + 1.0
        shifts = np.array([(i % side * width, i // side * depth, 0) for i in range(copies)], np.float32)
        points = (self.points + shifts[:, None]).reshape(-1, 3)[:count]
        noise = rng.normal(0, 0.001, points.shape).astype(np.float32)
        return Frame(self.name, points + noise, np.tile(self.colors, (copies, 1))[:count])


def load(path: Path | None, seed: int = 1) -> Frame:
    """A cloud file or the first cloud of a bag, or without a path a generated 640 × 480 frame of a room."""
    if path is None:
        return next(_generated(seed, "rooms", 1))
    cloud = _read(path)
    finite = np.isfinite(cloud.points).all(axis=1)
    if finite.sum() < FEWEST:
        raise InputError(f"{path}: {int(finite.sum())} finite points; at least {FEWEST} are needed to measure anything")
    points = transform_points(cloud.points[finite], body_rotation(cloud, "auto"))
    colors = np.full(points.shape, 128, np.uint8) if cloud.colors is None else cloud.colors[finite]
    return Frame(Path(path).name, points, np.ascontiguousarray(colors))


def _read(path: Path) -> Cloud:
    from instseg3d_ros.data.clouds.files import is_bag, read_cloud

    if not is_bag(path):
        return read_cloud(path)
    from instseg3d_ros.data.clouds.bags import Bag

    with Bag(path) as bag:
        for cloud in bag.clouds():
            return cloud
    raise InputError(f"{path}: the bag has no cloud; name a bag with a PointCloud2 topic")


def kinds() -> list[Frame]:
    """Frames of several kinds: a generated room, a generated table, and the demo's cloud if it is installed."""
    demo = share("data/demo_bag") / "demo_bag.mcap"
    return [*_generated(1, "rooms", 1), *_generated(1, "tabletop", 1), *([load(demo)] if demo.is_file() else [])]


def rooms(count: int, views: int = 4) -> list[Frame]:
    """`count` frames of generated rooms, `views` of each room."""
    groups = range(-(-count // views))
    return [frame for group in groups for frame in _generated(2, "rooms", views, group)][:count]


def _generated(seed: int, kind: str, views: int, group: int = 0) -> Iterator[Frame]:
    from instseg3d_ros.data.synthetic.frames import SceneRecipe, scenes

    recipe = SceneRecipe(seed=seed, resolution=(640, 480))
    for scene in scenes(recipe, recipe.catalogue(), "val", kind, group, views):
        assert scene.colors is not None
        name = {"rooms": "room", "tabletop": "table"}[kind]
        yield Frame(f"generated {name}, seed {seed}", scene.points, scene.colors)
