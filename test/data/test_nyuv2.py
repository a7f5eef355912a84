import numpy as np
import pytest
from nyuv2_files import BIN, CHAIR, NAMES, NIGHT_STAND, SOFA, WALL, frame, write_nyuv2

from instseg3d_ros.data import nyuv2
from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import NYUV2_19


@pytest.fixture
def jobs(tmp_path):
    result = nyuv2.jobs(*write_nyuv2(tmp_path / "raw"), tmp_path / "out")
    for part in ("train", "val"):
        (tmp_path / "out" / part).mkdir(parents=True)
    return result


def test_parts_and_names(jobs):
    assert [(job.name, job.target.parent.name, job.index) for job in jobs] == [
        ("nyuv2_0001", "train", 0), ("nyuv2_0002", "train", 1),
        ("nyuv2_0003", "val", 2), ("nyuv2_0004", "val", 3), ("nyuv2_0005", "val", 4),
    ]  # fmt: skip
    names = [NYUV2_19.names[index] if index >= 0 else None for index in jobs[0].classes]
    assert names == [None, "background", "chair", "night stand", "background", "garbage bin", "sofa"]


def test_frame_comes_back_from_its_reversed_axes(jobs):
    jobs[3].run()
    scene = Scene.read(jobs[3].target)
    image, depth, label, instance = frame(3)
    row, column = np.nonzero(depth > 0)
    assert (scene.extras["pixel"] == row * 80 + column).all() and scene.extras["shape"].tolist() == [60, 80]
    assert (scene.colors == image[row, column]).all()
    # the projection of every point, by the calibration, is its pixel
    x, y, z = -scene.points[:, 1], -scene.points[:, 2], scene.points[:, 0]
    assert np.allclose(z, depth[row, column])
    assert np.allclose(x / z * nyuv2.FX + nyuv2.CX, column, atol=1e-3)
    assert np.allclose(y / z * nyuv2.FY + nyuv2.CY, row, atol=1e-3)
    optical = np.stack([x, y, z], 1)
    camera = scene.extras["camera"]
    assert np.allclose(optical @ camera[:3, :3].T + camera[:3, 3], scene.points, atol=1e-6)

    truth = label[row, column]
    names = np.array([*NYUV2_19.names, ""])[scene.semantic]
    for number, name in ((0, ""), (WALL, "background"), (CHAIR, "chair"), (SOFA, "sofa")):
        assert (names[truth == number] == name).all()
    pairs = {(int(a), int(b)) for a, b in zip(truth, instance[row, column])}
    ids = {pair: set(scene.instance[(truth == pair[0]) & (instance[row, column] == pair[1])]) for pair in pairs}
    assert ids[WALL, 1] == ids[0, 0] == ids[CHAIR, 0] == {0}
    assert sorted(map(tuple, (ids[CHAIR, 1], ids[CHAIR, 2], ids[SOFA, 1]))) == [(1,), (2,), (3,)]


def test_names_are_matched_whatever_their_case():
    indices = nyuv2.class_indices([*NAMES, "night_stand", "coffee table"])
    assert indices[BIN] == NYUV2_19.index("garbage bin")
    assert indices[NIGHT_STAND] == indices[7] == NYUV2_19.index("night stand")
    assert indices[8] == nyuv2.BACKGROUND


def test_damage_is_named(tmp_path, jobs):
    mat, splits = tmp_path / "raw" / "nyu_depth_v2_labeled.mat", tmp_path / "raw" / "splits.mat"
    with pytest.raises(InputError, match="no such file"):
        nyuv2.jobs(tmp_path / "none.mat", splits, tmp_path)
    with pytest.raises(InputError, match=r"splits\.mat"):
        nyuv2.jobs(mat, tmp_path / "none.mat", tmp_path)
    with pytest.raises(InputError, match="nyu_depth_v2_labeled"):
        nyuv2.jobs(splits, splits, tmp_path)  # the two files in each other's place
    with pytest.raises(InputError, match="trainNdxs"):
        nyuv2.jobs(mat, mat, tmp_path)
    image, depth, label, instance = frame(0)
    classes = np.array(jobs[0].classes)
    with pytest.raises(InputError, match="no pixel has depth"):
        nyuv2.frame_scene(image, depth * np.nan, label, instance, classes, "x")
    with pytest.raises(InputError, match="label 77"):
        nyuv2.frame_scene(image, depth, np.full_like(label, 77), instance, classes, "x")
    with pytest.raises(InputError, match="must agree"):
        nyuv2.frame_scene(image[:-1], depth, label, instance, classes, "x")


def test_frames_beyond_the_file_are_refused(tmp_path):
    mat, _ = write_nyuv2(tmp_path / "a", frames=2)
    _, splits = write_nyuv2(tmp_path / "b", frames=4)
    with pytest.raises(InputError, match="frame 3"):
        nyuv2.jobs(mat, splits, tmp_path)
