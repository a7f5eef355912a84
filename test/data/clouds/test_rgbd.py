"""Depth image, colour image and intrinsics become one organised cloud."""

import json

import numpy as np
import pytest
from PIL import Image

from instseg3d_ros.data.clouds import find_inputs, read_cloud
from instseg3d_ros.data.clouds.rgbd import Intrinsics
from instseg3d_ros.errors import InputError

MATRIX = [[4.0, 0, 1.5], [0, 5, 1], [0, 0, 1]]


@pytest.fixture
def pair(tmp_path):
    rng = np.random.default_rng(0)
    depth = rng.integers(500, 3000, (3, 4)).astype(np.uint16)
    depth[1, 2] = 0
    color = rng.integers(0, 256, (3, 4, 3), np.uint8)
    Image.fromarray(depth).save(tmp_path / "01_depth.png")
    Image.fromarray(color).save(tmp_path / "01_color.png")
    (tmp_path / "intrinsics.json").write_text(json.dumps({"fx": 4, "fy": 5, "cx": 1.5, "cy": 1}))
    return tmp_path, depth, color


def test_a_pair_is_found_and_back_projected(pair):
    folder, depth, color = pair
    assert find_inputs([folder]) == [folder / "01_depth.png"]
    cloud = read_cloud(folder / "01_depth.png")
    assert cloud.shape == (3, 4) and "optical" in cloud.frame
    np.testing.assert_array_equal(cloud.colors.reshape(3, 4, 3), color)
    for row in range(3):
        for column in range(4):
            x, y, z = cloud.points.reshape(3, 4, 3)[row, column]
            if depth[row, column] == 0:
                assert np.isnan((x, y, z)).all()
                continue
            assert z == pytest.approx(depth[row, column] / 1000)
            # Projected again, the point falls on its pixel.
            assert (4 * x / z + 1.5, 5 * y / z + 1) == (pytest.approx(column, abs=1e-4), pytest.approx(row, abs=1e-4))


@pytest.mark.parametrize("layout", ["depth/01.png color/01.png", "depth/01.png rgb/01.jpg", "depth.png rgb.png"])
def test_layouts(pair, layout):
    folder, _, _ = pair
    depth, color = (folder / "other" / name for name in layout.split())
    depth.parent.mkdir(parents=True)
    color.parent.mkdir(parents=True, exist_ok=True)
    (folder / "01_depth.png").rename(depth)
    Image.open(folder / "01_color.png").save(color)
    (folder / "intrinsics.json").rename(folder / "other" / "intrinsics.json")
    assert find_inputs([folder / "other"]) == [depth]
    assert read_cloud(depth).colors is not None


@pytest.mark.parametrize("name, content", [
    ("a.json", json.dumps({"intrinsic_matrix": np.transpose(MATRIX).ravel().tolist()})),
    ("a.json", json.dumps({"K": np.ravel(MATRIX).tolist()})),
    ("a.yaml", "camera_matrix:\n  rows: 3\n  cols: 3\n  data: [4, 0, 1.5, 0, 5, 1, 0, 0, 1]\n"),
    ("a.yaml", "k: [4, 0, 1.5, 0, 5, 1, 0, 0, 1]\n"),
    ("a.txt", "4 0 1.5\n0 5 1\n0 0 1\n"),
    ("a.txt", "4 0 1.5 0\n0 5 1 0\n0 0 1 0\n0 0 0 1\n"),
])  # fmt: skip
def test_every_form_of_intrinsics(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert Intrinsics.parse(str(tmp_path / name)) == Intrinsics(4, 5, 1.5, 1)
    assert Intrinsics.parse("4,5,1.5,1") == Intrinsics(4, 5, 1.5, 1)


@pytest.mark.parametrize("text", ["4,5,1.5,x", "0,5,1,1", "nan,5,1,1", "nowhere.json"])
def test_bad_intrinsics(text):
    with pytest.raises(InputError):
        Intrinsics.parse(text)


def test_bad_pairs(pair):
    folder, depth, _ = pair
    with pytest.raises(InputError, match="median depth"):
        read_cloud(folder / "01_depth.png", scale=1)
    Image.fromarray(depth.astype(np.uint8)).save(folder / "02_depth.png")
    with pytest.raises(InputError, match="16 bits"):
        read_cloud(folder / "02_depth.png")
    (folder / "01_depth.png").write_bytes((folder / "01_depth.png").read_bytes()[:60])
    with pytest.raises(InputError, match="depth image"):
        read_cloud(folder / "01_depth.png")
    (folder / "intrinsics.json").write_text("{")
    with pytest.raises(InputError, match="intrinsics"):
        read_cloud(folder / "01_depth.png")
    (folder / "intrinsics.json").unlink()
    with pytest.raises(InputError, match="--intrinsics"):
        read_cloud(folder / "01_depth.png")
