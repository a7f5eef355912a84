"""The page: a single file that names omitted points and works in a browser."""

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image

from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.segmentation.result import Box, Instance, Result
from instseg3d_ros.viewing.colors import neighbor_colors
from instseg3d_ros.viewing.page import SIDES, pack, sample, wall_sides, write_page
from instseg3d_ros.viewing.surface import describe


def scene(seed=0, count=6000):
    """A floor with two boxes: a chair at x = -0.6, a table at x = 0.6."""
    rng = np.random.default_rng(seed)
    floor = rng.uniform((-1.2, -1.2, 0), (1.2, 1.2, 0.001), (count, 3))
    chair, table = (rng.uniform(-0.3, 0.3, (count // 2, 3)) + np.array((x, 0, 0.35)) for x in (-0.6, 0.6))
    points = np.concatenate((floor, chair, table)).astype(np.float32)
    instance = np.repeat([0, 5, 9], [count, count // 2, count // 2]).astype(np.int32)
    semantic = np.array([SYNTHETIC.index(name) for name in ("floor", "chair", "table")], np.int16)[
        np.repeat([0, 1, 2], [count, count // 2, count // 2])
    ]
    colors = rng.integers(0, 256, points.shape, np.uint8)
    boxes = [Box(np.array((x, 0, 0.35)), np.full(3, 0.6), np.eye(3)) for x in (-0.6, 0.6)]
    found = [Instance(5, "chair", 0.9, count // 2, boxes[0]), Instance(9, "table", 0.4, count // 2, boxes[1])]
    return points, colors, Result(semantic, instance, rng.random(len(points), np.float32), found, {"total": 10.0})


def content(path):
    text = path.read_text()
    meta = json.loads(re.search(r'<script type="application/json" id="meta">(.*?)</script>', text, re.S)[1])
    blob = zlib.decompress(base64.b64decode(re.search(r'id="data">(.*?)</script>', text, re.S)[1]))
    return text, meta, blob


def test_one_file_that_asks_for_nothing(tmp_path):
    points, colors, result = scene()
    points[7] = np.nan
    write_page(tmp_path / "a.html", points, colors, result, SYNTHETIC, "a </script><b> room", budget=4000)
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]
    text, meta, blob = content(tmp_path / "a.html")
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "{{" not in text.split('id="data"')[0].split("</style>")[0] and "<b> room" not in text.split("<body>")[0]
    assert 1000 < meta["count"] <= 4000 and meta["total"] == len(points) - 1
    assert len(blob) == meta["count"] * (3 * 2 + 3 + 1 + 2 + 2 + 1 + 1)
    assert [(o["id"], o["label"]) for o in meta["objects"]] == [(5, "chair"), (9, "table")]
    assert sum(o["points"] for o in meta["objects"]) == 6000


def test_what_is_packed_is_what_was_there():
    points, colors, result = scene(count=500)
    normals = describe(points)[0]
    rows = np.arange(len(points))
    walls = rows.astype(np.uint16)  # told apart by their number
    table = neighbor_colors(points, result.instance)
    meta, blob = pack(points, normals, walls, rows, len(points), colors, result, SYNTHETIC, table)
    n = meta["count"]
    numbers = np.frombuffer(blob, "<u2", 3 * n).reshape(3, n).T
    back = np.array(meta["low"]) + numbers / 65535 * np.array(meta["extent"])
    rest = blob[6 * n :]
    rgb = np.frombuffer(rest, np.uint8, 3 * n).reshape(3, n).T
    kind = np.frombuffer(rest, np.uint8, n, 3 * n)
    owner, order = np.frombuffer(rest, "<u2", n, 4 * n), np.frombuffer(rest, "<u2", n, 6 * n)
    assert sorted(order) == list(range(n))
    np.testing.assert_allclose(back, points[order], atol=2.4 / 65535)
    np.testing.assert_array_equal(rgb, colors[order])
    np.testing.assert_array_equal(kind, result.semantic[order])
    np.testing.assert_array_equal(np.array([0, 5, 9])[owner], result.instance[order])
    sure = np.frombuffer(rest, np.uint8, n, 8 * n)
    np.testing.assert_allclose(sure / 255, result.confidence[order], atol=0.5 / 255 + 1e-6)


def test_samples_are_even_and_within_budget():
    rng = np.random.default_rng(0)
    dense, sparse = rng.uniform(0, 1, (50_000, 3)), rng.uniform(0, 1, (2_000, 3)) + np.array((1, 0, 0))
    points = np.concatenate((dense, sparse)).astype(np.float32)
    rows = sample(points, 5_000)
    assert 4_000 < len(rows) <= 5_000 and len(np.unique(rows)) == len(rows)
    share = (rows >= 50_000).mean()
    assert share > 0.2  # of the volume's half; 0.04 of the points are there
    np.testing.assert_array_equal(sample(points, 10**6), np.arange(len(points)))


def test_walls_open_towards_the_one_who_looks():
    rng = np.random.default_rng(0)
    wall = np.c_[np.full(4000, 2.0), rng.uniform(-2, 2, 4000), rng.uniform(0, 2.5, 4000)]
    other = wall * (-1, 1, 1)
    points = np.concatenate((wall, other)).astype(np.float32)
    sides = wall_sides(points, describe(points)[0])
    assert (sides[:4000] & 1).mean() > 0.95 and (sides[4000:] & 1).mean() < 0.05
    assert (sides[4000:] >> SIDES // 2 & 1).mean() > 0.95


@pytest.mark.parametrize("kind", ["empty", "nan", "no objects"])
def test_odd_clouds(tmp_path, kind, browser):
    points, colors, result = scene(count=300)
    if kind == "nan":
        points[:] = np.nan
    if kind == "empty":
        points, colors = points[:0], colors[:0]
        result = Result(result.semantic[:0], result.instance[:0], result.confidence[:0])
    if kind == "no objects":
        result = Result(result.semantic, result.instance * 0, result.confidence)
    write_page(tmp_path / "a.html", points, None, result, SYNTHETIC)
    browser.open(tmp_path / "a.html")
    browser.wait_for("document.body.dataset.ready == 'true'")
    assert browser.errors == []


def share_of(picture, color, tolerance=0.995):
    """How much of a picture has a colour, however lit."""
    pixels = np.asarray(picture, float).reshape(-1, 3)
    cosine = pixels @ np.array(color, float) / np.maximum(np.linalg.norm(pixels, axis=1) * np.linalg.norm(color), 1)
    return float((cosine > tolerance).mean())


def settle(browser):
    """Wait until nothing moves any more, and look."""
    browser.evaluate("new Promise(done => setTimeout(done, 1200))")
    return Image.open(io.BytesIO(browser.screenshot())).convert("RGB")


def test_in_a_browser(tmp_path, browser):
    points, colors, result = scene()
    write_page(tmp_path / "a.html", points, colors, result, SYNTHETIC, "two things")
    browser.resize(1100, 700)
    browser.open(tmp_path / "a.html")
    browser.wait_for("document.body.dataset.ready == 'true'")
    assert browser.evaluate("document.querySelectorAll('#objects tr').length") == 2
    assert "12,000 points" in browser.evaluate("document.getElementById('facts').textContent")
    table = neighbor_colors(points, result.instance)
    stage = browser.evaluate("document.getElementById('stage').clientWidth")

    browser.evaluate("document.querySelector('[data-mode=instance]').click()")
    picture = settle(browser).crop((0, 0, stage, 700))
    assert share_of(picture, table[5]) > 0.01 and share_of(picture, table[9]) > 0.01  # the canvas shows the cloud
    browser.evaluate("document.querySelector('[data-mode=class]').click()")
    picture = settle(browser).crop((0, 0, stage, 700))
    assert share_of(picture, SYNTHETIC[SYNTHETIC.index("floor")].color) > 0.03

    # A click on a row: the camera flies there, the box is shown, the row is marked.
    browser.evaluate("document.querySelector('tr[data-id=\"9\"]').click()")
    settle(browser)
    assert browser.evaluate("instseg3d.controls.target.x") == pytest.approx(0.6, abs=0.02)
    assert browser.evaluate("instseg3d.objects.filter(o => o.box.visible).map(o => o.id)") == [9]
    assert browser.evaluate("document.querySelector('[aria-selected=true]').dataset.id") == "9"

    # A click on the other object in the picture, from the first view, chooses that.
    browser.evaluate("document.getElementById('home').click()")
    settle(browser)
    assert browser.evaluate("instseg3d.state.chosen") == 0
    x, y = browser.evaluate("""(() => {
        const p = instseg3d.controls.target.clone().set(-0.6, 0, 0.6).project(instseg3d.camera);
        const c = document.getElementById('canvas');
        return [(p.x * 0.5 + 0.5) * c.clientWidth, (0.5 - p.y * 0.5) * c.clientHeight];
    })()""")
    browser.click(x, y)
    browser.wait_for("instseg3d.state.chosen > 0")
    assert browser.evaluate("instseg3d.objects[instseg3d.state.chosen - 1].id") == 5

    # A hidden class leaves the picture.
    browser.evaluate("instseg3d.choose(0)")
    browser.evaluate("[...document.querySelectorAll('#legend button')].find(b => b.textContent == 'floor').click()")
    picture = settle(browser).crop((0, 0, stage, 700))
    assert share_of(picture, SYNTHETIC[SYNTHETIC.index("floor")].color) < 0.003
    assert browser.errors == []


def test_on_a_phone(tmp_path, browser):
    points, colors, result = scene()
    write_page(tmp_path / "a.html", points, colors, result, SYNTHETIC, "two things", from_camera=True)
    browser.resize(390, 780, mobile=True)
    browser.open(tmp_path / "a.html")
    browser.wait_for("document.body.dataset.ready == 'true'")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    height = browser.evaluate("document.getElementById('stage').clientHeight")
    assert height > 350
    browser.evaluate("document.getElementById('fold').click()")
    assert browser.evaluate("document.getElementById('stage').clientHeight") > height + 100
    assert browser.errors == []
    browser.resize(1280, 800)
