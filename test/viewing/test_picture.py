"""The picture of three panels: it is written atomically, shows the result, and accepts any cloud."""

import os

import numpy as np
import pytest
from PIL import Image

from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.segmentation.result import Box, Instance, Result
from instseg3d_ros.viewing import picture
from instseg3d_ros.viewing.colors import neighbor_colors
from instseg3d_ros.viewing.picture import three_panels


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(picture, "PANEL", 300)  # small pictures are quick


def made_up(points, seed=0):
    """Halves of the cloud are two objects."""
    semantic = np.full(len(points), SYNTHETIC.index("floor"), np.int16)
    instance = np.zeros(len(points), np.int32)
    objects = []
    for number, label in ((1, "chair"), (2, "table")):
        mask = (points[:, 1] > 0.1) if number == 1 else (points[:, 1] < -0.1)
        instance[mask] = number
        semantic[mask] = SYNTHETIC.index(label)
        if mask.any():
            center = points[mask].mean(axis=0)
            objects.append(Instance(number, label, 0.8, int(mask.sum()), Box(center, np.ones(3), np.eye(3))))
    return Result(semantic, instance, np.ones(len(points), np.float32), objects, {"total": 12.0})


def wall(rows=90, columns=120):
    y, z = np.meshgrid(np.linspace(0.6, -0.6, columns), np.linspace(0.45, -0.45, rows))
    return np.stack((np.full(y.size, 2.0), y.ravel(), z.ravel()), axis=1).astype(np.float32)


def test_panels_show_the_result(tmp_path, small):
    points = wall()
    colors = np.tile(np.uint8((200, 30, 30)), (len(points), 1))
    result = made_up(points)
    drawing = three_panels(points, colors, result, SYNTHETIC, tmp_path / "a.png", (90, 120), "a wall")
    assert os.listdir(tmp_path) == ["a.png"]
    image = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    assert image.shape[1] > 2 * image.shape[0]
    thirds = np.array_split(image, 3, axis=1)

    def has(third, color, least=0.15):
        """A colour, however lit: about its hue, in a fair share of the panel."""
        norm = np.linalg.norm(third, axis=2, keepdims=True) * np.linalg.norm(color)
        return ((third @ np.array(color))[..., None] / np.maximum(norm, 1) > 0.997).mean() > least

    assert has(thirds[0], (200, 30, 30), 0.5)
    assert has(thirds[1], SYNTHETIC.classes[SYNTHETIC.index("chair")].color)
    assert has(thirds[1], SYNTHETIC.classes[SYNTHETIC.index("table")].color)
    table = neighbor_colors(points, result.instance)
    assert has(thirds[2], table[1]) and has(thirds[2], table[2])
    # What is seen left in the panel is what lies left (y > 0).
    seen = drawing.pixels(result.instance)
    assert (seen[:, : seen.shape[1] // 3] == 1).mean() > 0.9 and (seen[:, -seen.shape[1] // 3 :] == 2).mean() > 0.9


@pytest.mark.parametrize("kind", ["empty", "nan", "no colour", "no objects"])
def test_odd_clouds(tmp_path, kind, small):
    points = wall(20, 30)
    if kind == "empty":
        points = points[:0]
    if kind == "nan":
        points[:] = np.nan
    result = made_up(points)
    if kind == "no objects":
        result = Result(result.semantic, result.instance * 0, result.confidence)
    three_panels(points, None, result, SYNTHETIC, tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size[0] > 500
