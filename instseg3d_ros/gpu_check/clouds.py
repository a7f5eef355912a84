"""The clouds for the checks: the demo's clouds and generated rooms. No data are downloaded."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.data.scene import Scene, scene_files
from instseg3d_ros.errors import InputError
from instseg3d_ros.gpu_check.card import FULL, Card
from instseg3d_ros.gpu_check.packed import packed
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.paths import share

SEED = 23  # seed of all generated data


def demo_clouds(most: int) -> list[Frame]:
    """The finite points of the demo's clouds in body axes, thinned to about `most` of them."""
    found = []
    with Bag(share("data") / "demo_bag") as bag:
        for number, cloud in enumerate(bag.clouds()):
            rows = np.flatnonzero(cloud.finite)
            rows = rows[:: max(1, len(rows) // most)]
            points = (cloud.points[rows] @ body_rotation(cloud).T).astype(np.float32)
            colors = np.full(points.shape, 128, np.uint8) if cloud.colors is None else cloud.colors[rows]
            found.append(Frame(f"demo cloud {number}", points, np.ascontiguousarray(colors)))
    return found


def rooms(card: Card) -> list[Frame]:
    """Generated frames of rooms."""
    sizes = card.sizes
    files = scene_files(scenes(card.folder, "val", sizes.frames, sizes.resolution), "val")
    found = []
    for number, scene in enumerate(map(Scene.read, files[: sizes.frames])):
        assert scene.colors is not None
        found.append(Frame(f"generated room {number}", scene.points, scene.colors))
    return found


def scenes(folder: Path, split: str, count: int, resolution: tuple[int, int]) -> Path:
    """A folder of `count` generated rooms: the packed folder, or `folder`, into which they are rendered with Open3D."""
    name = f"{split}_{resolution[0]}x{resolution[1]}"
    root = packed()
    for at in (root / "frames" if root else folder, folder):
        if len(list((at / name / split).glob("*.npz"))) >= count:
            return at / name
    if find_spec("open3d") is None:
        raise InputError(
            f"requirements/cuda does not contain {count} generated rooms of {resolution[0]}x{resolution[1]}, and"
            " rendering needs Open3D; install open3d, or pack again with requirements/pack_cuda.sh"
        )
    render(folder / name, split, count, resolution)
    return folder / name


def render(folder: Path, split: str, count: int, resolution: tuple[int, int]) -> None:
    """Write a view of each of `count` rooms with fixed seeds, with only the arrays that checks and training need."""
    from instseg3d_ros.data.synthetic.dataset import generate, plan
    from instseg3d_ros.data.synthetic.frames import SceneRecipe

    tasks = plan(SceneRecipe(seed=SEED, resolution=resolution), folder, {(split, "rooms"): count}, views=1)
    for path in generate(tasks, min(8, len(os.sched_getaffinity(0))), quiet=True):
        scene = Scene.read(path)
        scene.extras = {}
        scene.write(path)


def main() -> int:
    """Render the frames of a full check into a folder; `requirements/pack_cuda.sh` calls it."""
    import sys

    folder = Path(sys.argv[1])
    for split, count, resolution in (
        ("val", FULL.frames, FULL.resolution), ("train", FULL.train_frames, FULL.train_resolution),
    ):  # fmt: skip
        render(folder / f"{split}_{resolution[0]}x{resolution[1]}", split, count, resolution)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
