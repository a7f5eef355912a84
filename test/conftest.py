"""Fixtures of several folders of tests, and the division of the tests between processes."""

from pathlib import Path

import numpy as np
import pytest

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.labels import LabelClass, LabelSet

TOY = LabelSet(
    "toy",
    (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("box", 2, (255, 0, 0)), LabelClass("ball", 3, (0, 255, 0))),
)
BOX, BALL = 1, 2


ROS = Path(__file__).parent / "ros"


def pytest_collection_modifyitems(config, items):
    """`make test` runs files side by side, the longest first.

    Tests of ROS nodes share a process: they mostly wait, and some look at what all nodes of this machine leave behind.
    """
    if not hasattr(config, "workerinput"):  # a single process keeps the order of the files
        return
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (ROS not in item.path.parents, item.path not in slow))
    for item in items:
        item.add_marker(pytest.mark.xdist_group("ros" if ROS in item.path.parents else str(item.path)))


def toy_scene(seed: int) -> Scene:
    """A floor of 2 m with two to five boxes and balls on it; about 6,000 points."""
    rng = np.random.default_rng(seed)
    floor = rng.uniform(-1, 1, (3000, 3)) * (1, 1, 0)
    points, semantic, instance = [floor], [np.zeros(3000)], [np.zeros(3000)]
    for number in range(1, 1 + rng.integers(2, 6)):
        kind = rng.integers(1, 3)
        shape = rng.normal(size=(700, 3))
        norm = np.linalg.norm if kind == BALL else lambda x, **_: np.abs(x).max(axis=1, keepdims=True)
        shape *= rng.uniform(0.08, 0.18, 3 if kind == BOX else 1) / norm(shape, axis=1, keepdims=True)
        points.append(shape - (0, 0, shape[:, 2].min()) + (*rng.uniform(-0.8, 0.8, 2), 0))
        semantic.append(np.full(700, kind))
        instance.append(np.full(700, number))
    points = np.concatenate(points).astype(np.float32)
    colors = rng.integers(0, 255, points.shape).astype(np.uint8)
    return Scene(points, colors, np.concatenate(semantic).astype(np.int16), np.concatenate(instance).astype(np.int32))


@pytest.fixture(scope="session")
def toy_dataset(tmp_path_factory):
    """A folder of scenes, 12 to train on and 4 to validate, made of floors, boxes and balls."""
    root = tmp_path_factory.mktemp("toy")
    TOY.write(root / "labels.yaml")
    for split, seeds in (("train", range(12)), ("val", range(100, 104))):
        (root / split).mkdir()
        for seed in seeds:
            toy_scene(seed).write(root / split / f"{seed:03}.npz")
    return root
