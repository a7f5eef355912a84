"""Depth image, colour image and intrinsics become one organised cloud."""

import json

import numpy as np
import pytest
from PIL import Image

from instseg3d_ros.data.clouds import find_inputs, read_cloud
from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.data.clouds.rgbd import back_project, find_color
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


NINE = [4, 0, 1.5, 0, 5, 1, 0, 0, 1]
OPENCV = """%YAML:1.0
---
calibration_time: "Mon 1 Jan"
image_width: 4
image_height: 3
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 4., 0., 1.5, 0., 5., 1., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 2
   dt: d
   data: [ -.25, 0. ]
"""
ECHO = """header:
  stamp: {sec: 1, nanosec: 0}
  frame_id: camera_depth_optical_frame
height: 3
width: 4
distortion_model: plumb_bob
d:
- -0.25
- 0.0
k:
- 4.0
- 0.0
- 1.5
- 0.0
- 5.0
- 1.0
- 0.0
- 0.0
- 1.0
r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
---
header:
  stamp: {sec: 2, nanosec: 0}
---
"""
CALIBRATION = """image_width: 4
image_height: 3
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [4, 0, 1.5, 0, 5, 1, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.25, 0, 0, 0, 0]
"""
FOUR = {"fx": 4, "fy": 5, "cx": 1.5, "cy": 1}
REALSENSE = {"width": 4, "height": 3, "ppx": 1.5, "ppy": 1, "fx": 4, "fy": 5, "model": 4, "coeffs": [-0.25, 0, 0, 0, 0]}
OTHER = {"width": 8, "height": 6, "fx": 9, "fy": 9, "cx": 4, "cy": 3}
PLAIN = [
    ("a.json", json.dumps({"intrinsic_matrix": np.transpose(MATRIX).ravel().tolist()})),
    ("a.json", json.dumps({"K": NINE})),
    ("a.json", json.dumps(FOUR)),
    ("a.json", json.dumps({"cam_K": NINE, "depth_scale": 1.0})),  # BOP
    ("a.json", json.dumps({"0": {"cam_K": NINE}})),
    ("a.json", json.dumps(MATRIX)),
    ("a.yaml", "k: [4, 0, 1.5, 0, 5, 1, 0, 0, 1]\n"),
    ("a.yml", "K: [4, 0, 1.5, 0, 5, 1, 0, 0, 1]\nD: []\n"),
    ("a.yaml", "%YAML:1.0\nCamera.fx: 4.0\nCamera.fy: 5.0\nCamera.cx: 1.5\nCamera.cy: 1.0\n"),  # ORB-SLAM
    ("a.txt", "4 0 1.5\n0 5 1\n0 0 1\n"),
    ("a.txt", "4 0 1.5 0\n0 5 1 0\n0 0 1 0\n0 0 0 1\n"),
    ("a.txt", "4 0 1.5 0\n0 5 1 0\n0 0 1 0\n"),
    ("a.txt", "4 5 1.5 1\n"),
    ("a.csv", "4.0,0.0,1.5\n0.0,5.0,1.0\n0.0,0.0,1.0\n"),
    ("a.txt", "colorHeight = 9\nfx_depth = 4\nfy_depth = 5\nmx_depth = 1.5\nmy_depth = 1\n"),  # ScanNet
]
SIZED = [
    ("a.yaml", OPENCV, 0.25), ("a.yaml", ECHO, 0.25), ("a.yaml", CALIBRATION, 0.25),
    ("a.json", json.dumps(REALSENSE), 0.25),
    ("a.json", json.dumps({"color": OTHER, "depth": REALSENSE}), 0.25),
    ("a.json", json.dumps({"K": np.transpose(MATRIX).ravel().tolist(), "w": 4, "h": 3, "fps": 60}), 0),  # Record3D
    ("a.json", json.dumps({"fl_x": 4, "fl_y": 5, "cx": 1.5, "cy": 1, "w": 4, "h": 3, "frames": [MATRIX]}), 0),
    ("a.yaml", "cam0:\n  intrinsics: [4, 5, 1.5, 1]\n  resolution: [4, 3]\n", 0),  # Kalibr
    ("a.json", json.dumps({"camera_matrix": {"type_id": "opencv-matrix", "rows": 3, "cols": 3, "dt": "d", "data": NINE},
                           "image_size": [4, 3]}), 0),
]  # fmt: skip


@pytest.mark.parametrize("name, content", PLAIN)
def test_every_form_of_intrinsics(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert Intrinsics.parse(str(tmp_path / name)) == Intrinsics(4, 5, 1.5, 1)
    assert Intrinsics.parse("4,5,1.5,1") == Intrinsics(4, 5, 1.5, 1)


@pytest.mark.parametrize("name, content, distortion", SIZED)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_form_of_intrinsics_with_a_size(tmp_path, name, content, distortion, mark):
    (tmp_path / name).write_text(mark + content)
    assert Intrinsics.read(tmp_path / name) == Intrinsics(4, 5, 1.5, 1, 4, 3, distortion)


def test_of_several_cameras_the_one_of_the_images_size_is_meant(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"depth": OTHER, "color": REALSENSE}))
    assert Intrinsics.read(tmp_path / "a.json", (4, 3)).fx == 4
    assert Intrinsics.read(tmp_path / "a.json").fx == 9


@pytest.mark.parametrize("content", ["{}", "[1, 2]", '"K"', '{"K": "no"}', '{"fx": 1, "fy": 2}', "null"])
def test_a_file_without_a_camera_is_named(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=r"a\.json: .*docs/files\.md"):
        Intrinsics.read(tmp_path / "a.json")


def wall(folder, size=(8, 6), color=None):
    """A wall at a distance of 2 m; the camera's file has the content that `test` needs."""
    Image.fromarray(np.full(size[::-1], 2000, np.uint16)).save(folder / "depth.png")
    if color:
        Image.fromarray(np.full((*color[::-1], 3), 9, np.uint8)).save(folder / "color.png")
    return folder / "depth.png"


@pytest.mark.parametrize("factor", [1, 2, 4, 0.5])
def test_intrinsics_of_another_size_are_scaled(tmp_path, factor):
    right = Intrinsics(10, 11, 3.5, 2.5, 8, 6)
    camera = {"width": int(8 * factor), "height": int(6 * factor), "fx": 10 * factor, "fy": 11 * factor,
              "cx": 4 * factor - 0.5, "cy": 3 * factor - 0.5}  # fmt: skip
    (tmp_path / "intrinsics.json").write_text(json.dumps(camera))
    points = read_cloud(wall(tmp_path)).points
    np.testing.assert_allclose(points, back_project(np.full((6, 8), 2.0), right), atol=1e-6)
    np.testing.assert_allclose(points.mean(axis=0), (0, 0, 2), atol=1e-6)


@pytest.mark.parametrize("camera, words", [
    ({"width": 16, "height": 9, "fx": 10, "fy": 10, "cx": 8, "cy": 4.5}, "16 × 9 pixels, but the depth image"),
    ({"fx": 10, "fy": 10, "cx": 8, "cy": 6}, "principal point 8, 6 is far"),
    ({"fx": 10, "fy": 10, "cx": 7.5, "cy": 5.5}, "principal point 7.5, 5.5 is far"),
    ({"fx": 10, "fy": 10, "cx": 0, "cy": 0}, "principal point 0, 0 is far"),
])  # fmt: skip
def test_intrinsics_of_another_image_are_refused(tmp_path, camera, words):
    (tmp_path / "intrinsics.json").write_text(json.dumps(camera))
    with pytest.raises(InputError, match=words) as caught:
        read_cloud(wall(tmp_path))
    assert "depth.png" in str(caught.value)


SHAPES = [((8, 6), True), ((16, 12), True), ((4, 3), True), ((16, 9), False), ((6, 8), False)]


@pytest.mark.parametrize("color, kept", SHAPES)
def test_a_picture_of_another_shape_is_left_out_with_a_word(tmp_path, color, kept):
    (tmp_path / "intrinsics.json").write_text(json.dumps({"fx": 10, "fy": 10, "cx": 3.5, "cy": 2.5}))
    cloud = read_cloud(wall(tmp_path, color=color))
    assert (cloud.colors is not None) == kept and len(cloud.remarks) == (not kept)


@pytest.mark.parametrize("lost", [0, 65535])
def test_no_depth_in_every_way_it_is_written(tmp_path, lost):
    (tmp_path / "intrinsics.json").write_text(json.dumps({"fx": 10, "fy": 10, "cx": 3.5, "cy": 2.5}))
    depth = np.full((6, 8), 2000, np.uint16)
    depth[2, 3] = lost
    Image.fromarray(depth).save(tmp_path / "depth.png")
    assert np.flatnonzero(~read_cloud(tmp_path / "depth.png").finite).tolist() == [19]
    metres = np.full((6, 8), 2.0, np.float32)
    for number, value in enumerate((np.inf, -np.inf, np.nan, -1.0, 0.0)):
        metres[number] = value
    np.savez(tmp_path / "a.npz", depth=metres, K=np.array([[10, 0, 3.5], [0, 10, 2.5], [0, 0, 1]]))
    assert read_cloud(tmp_path / "a.npz").finite.sum() == 8


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
def test_images_with_different_stamps_go_by_the_nearest_in_time(tmp_path, unit):
    """The layout of TUM's data sets, with stamps in seconds as there, or in finer units."""
    for folder in ("depth", "rgb"):
        (tmp_path / folder).mkdir()

    def name(seconds):
        return f"{seconds:.6f}.png" if unit == 1 else f"{int(seconds * unit)}.png"

    (tmp_path / "intrinsics.json").write_text(json.dumps({"fx": 10, "fy": 10, "cx": 3.5, "cy": 2.5}))
    for number in range(5):
        Image.fromarray(np.full((6, 8, 3), number, np.uint8)).save(tmp_path / "rgb" / name(1305031102.2 + number / 30))
    depth = [tmp_path / "depth" / name(1305031102.2 + number / 30 + 0.012) for number in range(5)]
    late = tmp_path / "depth" / name(1305031110.0)
    for path in (*depth, late):
        Image.fromarray(np.full((6, 8), 2000, np.uint16)).save(path)
    assert [int(read_cloud(path).colors[0, 0]) for path in depth] == [0, 1, 2, 3, 4]
    assert read_cloud(late).colors is None
    for listing in ("depth.txt", "rgb.txt"):
        (tmp_path / listing).write_text("# maps\n")
    assert "--depth-scale 5000" in read_cloud(depth[0]).remarks[0]


def test_a_number_is_no_stamp(tmp_path):
    for folder, number in (("depth", "000007"), ("color", "000008")):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.full((6, 8), 2000, np.uint16)).save(tmp_path / folder / f"{number}.png")
    assert find_color(tmp_path / "depth" / "000007.png") is None


def test_a_folder_of_depth_images_with_a_camera_given(tmp_path):
    folder = tmp_path / "alone" / "deep" / "frames"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(np.full((6, 8), 2000, np.uint16)).save(folder / f"frame-{number:06}.depth.png")
        Image.fromarray(np.full((6, 8, 3), number, np.uint8)).save(folder / f"frame-{number:06}.color.png")
    with pytest.raises(InputError, match="3 depth images without intrinsics; give --intrinsics"):
        find_inputs([folder])
    found = find_inputs([folder], camera_known=True)
    assert [path.name for path in found] == [f"frame-{number:06}.depth.png" for number in range(3)]
    clouds = [read_cloud(path, camera=Intrinsics.parse("10,10,3.5,2.5")) for path in found]
    assert [int(cloud.colors[0, 0]) for cloud in clouds] == [0, 1, 2]


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
