"""Figures and the report show the values of the outcome and omit undefined values."""

import io
import math
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from instseg3d_ros.evaluation import charts, figures, report
from instseg3d_ros.evaluation.calibration import reliability
from instseg3d_ros.evaluation.outcome import Curve, Example, Outcome, SceneOutcome, Scores
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.viewing.colors import color_contrast

pytestmark = pytest.mark.usefixtures("small")
CHAIR, TABLE, FLOOR = (SYNTHETIC.index(name) for name in ("chair", "table", "floor"))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(figures, "WIDTH", 150)  # small pictures are quick


def example(name="scene_a", seed=0):
    """A floor and three boxes. Predicted: two right under other ids, the third missed, a false one on the floor."""
    rng = np.random.default_rng(seed)
    floor = rng.uniform((0, 0, 0), (3, 3, 0.01), (3000, 3))
    boxes = [rng.uniform(0, 0.5, (700, 3)) + np.array((0.3 + 0.9 * n, 1.2, 0)) for n in range(3)]
    points = np.concatenate([floor, *boxes]).astype(np.float32)
    true = np.repeat([0, 1, 2, 3], [3000, 700, 700, 700]).astype(np.int32)
    predicted = np.select([true == 1, true == 2], [20, 10], 0).astype(np.int32)
    predicted[:500] = 5
    semantic = np.array([FLOOR, CHAIR, TABLE, CHAIR])[true].astype(np.int16)
    colors = rng.integers(0, 255, points.shape).astype(np.uint8)
    return Example(Path(f"{name}.npz"), points, colors, semantic, true, semantic.copy(), predicted)


def outcome(method="unet", class_aware=True, examples=True):
    rng = np.random.default_rng(0)
    score = rng.random(200)
    curve = Curve(np.array([0.4, 0.8, 1.0]), np.array([0.9, 0.5, 0.0]), np.array([0.1, 0.6, np.inf]))
    found = Outcome(method, "rooms", "val", SYNTHETIC, class_aware=class_aware)
    found.agnostic = Scores(0.31, 0.52, 0.73)
    found.curves = {"": curve}
    found.reliability = reliability(score, rng.random(200) < score)
    found.scenes = [
        SceneOutcome("scene_a", 1000, 3, 2, Scores(0.5, 0.9, 0.95), 0.6, 12.0),
        SceneOutcome("scene_b", 1000, 3, 2, Scores(0.1, 0.2, 0.3), 0.4, 14.0),
        SceneOutcome("scene_c", 1000, 0, 0, Scores(), math.nan, math.nan),
    ]
    if class_aware:
        found.mean, found.iou = Scores(0.21, 0.42, 0.63), 0.5
        found.classes = {"chair": Scores(0.2, 0.345, 0.5), "table": Scores(0, 0, 0), "bed": Scores()}
        found.class_iou = {"floor": 0.9, "chair": 0.4}
        found.curves["chair"] = curve
        found.confusion = np.zeros((len(SYNTHETIC), len(SYNTHETIC) + 1), np.int64)
        found.confusion[CHAIR, [CHAIR, TABLE]] = 30, 10
        found.confusion[FLOOR, FLOOR] = 50
    if examples:
        found.examples = [example("scene_a"), example("scene_b", 1)]
    return found


def test_matched_objects_share_a_colour_and_others_stand_out():
    true, predicted = figures.matched_colors(example())
    assert sorted(true) == [1, 2, 3] and sorted(predicted) == [5, 10, 20]
    np.testing.assert_array_equal(predicted[20], true[1])
    np.testing.assert_array_equal(predicted[10], true[2])
    assert min(color_contrast(np.array([predicted[5], color]))[0, 1] for color in true.values()) > 10


def test_nothing_predicted_nothing_true():
    one = example()
    one.instance[:] = 0
    assert figures.matched_colors(one)[1] == {}
    one.true_instance[:] = 0
    assert figures.matched_colors(one) == ({}, {})


def test_the_five_columns_show_what_they_say():
    one = example()
    pictures, classes = figures.panels(one, SYNTHETIC)
    assert len(pictures) == 5 and len({picture.shape for picture in pictures}) == 1
    assert set(classes) == {FLOOR, CHAIR, TABLE}
    true, predicted = figures.matched_colors(one)

    def share(picture, color):
        pixels = picture.reshape(-1, 3).astype(float)
        norms = np.linalg.norm(pixels, axis=1) * np.linalg.norm(color)
        return ((pixels @ np.asarray(color, float) / np.maximum(norms, 1)) > 0.997).mean()

    assert share(pictures[2], SYNTHETIC[TABLE].color) > 0.01
    for color in true.values():
        assert share(pictures[4], color) > 0.005
    assert share(pictures[3], predicted[5]) > 0.005 and share(pictures[4], predicted[5]) < 0.002
    # Things alone are coloured: the floor is grey in the last two, its class's colour in the two before.
    assert share(pictures[2], SYNTHETIC[FLOOR].color) > 0.1 > share(pictures[4], SYNTHETIC[FLOOR].color)


def test_a_known_camera_is_looked_through():
    one = example()
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # optical: looks along +y, z is up
    pose[:3, 3] = (1.5, -3, 0.5)
    one.extras["camera"] = pose
    camera = figures.view(one).raster.camera
    np.testing.assert_allclose(camera.position, pose[:3, 3])
    np.testing.assert_allclose(camera.rotation, pose[:3, :3].T)


@pytest.mark.parametrize("class_aware", [True, False])
def test_all_figures_are_written(tmp_path, class_aware):
    written = figures.draw([outcome(class_aware=class_aware), outcome("euclidean", False)], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
    names = {path.name for path in written}
    assert {
        "classes.png",
        "precision_recall.png",
        "calibration.png",
        "scenes_unet.png",
        "scenes_euclidean.png",
    } <= names
    assert ("confusion_unet.png" in names) == class_aware
    wide = Image.open(tmp_path / "scenes_unet.png").size[0]
    assert (wide > 700) == class_aware  # five columns, or three


def test_an_empty_outcome_draws_nothing(tmp_path):
    assert figures.draw([Outcome("none", "rooms", "val", SYNTHETIC)], tmp_path) == []


def test_bars_name_classes_that_are_defined(tmp_path):
    charts.class_bars([outcome()], tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert ">chair<" in text and ">table<" in text and ">bed<" not in text
    assert ">0.34<" in text or ">0.35<" in text


def test_the_report_holds_it_all(tmp_path):
    path = report.write([outcome(), outcome("euclidean", False)], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"] and path == tmp_path / "index.html"
    text = path.read_text()
    assert "{{" not in text and not re.search(r'(src|href)="(?!data:|#)', text)
    assert "0.345" in text and "unet and euclidean on rooms" in text
    assert "bed" not in re.findall(r'<th scope="row">(.*?)</th>', text)
    # Scenes stand worst first, undefined last; pictures too.
    order = [name for name in re.findall(r'<th scope="row">(.*?)</th>', text) if name.startswith("scene_")]
    assert order == ["scene_b", "scene_a", "scene_c"]
    assert re.findall(r"<h3>(scene_.)", text) == ["scene_b", "scene_a"]
    images = re.findall(r"data:image/jpeg;base64,([^\"]*)", text)
    assert len(images) == 2 * 6  # input, two truths, two of the first method, one of the second
    assert Image.open(io.BytesIO(b64decode(images[0]))).size[0] == figures.WIDTH
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert re.search(r'class="(up|down|same)"', text)


def test_the_report_says_nothing_of_what_is_not_there(tmp_path):
    text = report.write([Outcome("none", "rooms", "val", SYNTHETIC)], tmp_path).read_text()
    assert "<h2>Curves" not in text and "<h2>Pictures" not in text and "<h2>Summary" in text
