"""`segment --map`: bags through their TF, folders through their trajectories, with a stand-in for the network."""

import json

import numpy as np
import pytest

from instseg3d_ros import ObjectMap
from instseg3d_ros.data.clouds import read_cloud
from instseg3d_ros.data.clouds.trajectory import read_trajectory
from instseg3d_ros.data.synthetic.drive import drive, write_bag
from instseg3d_ros.data.synthetic.frames import SceneRecipe
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.offline.mapping import map_input, upright, views_of_folder
from instseg3d_ros.offline.settings import Settings
from instseg3d_ros.segmentation.result import Box, Instance, Result

pytest.importorskip("rosbags")
RECIPE = SceneRecipe(seed=3, resolution=(64, 48), sensors=("kinect",))
K = "55,55,31.5,23.5"


class Halves:
    """Calls the upper half of each cloud a chair."""

    labels = SYNTHETIC

    def __call__(self, points, colors):
        finite = np.isfinite(points).all(axis=1)
        upper = finite & (points[:, 2] > np.nanmedian(points[finite, 2]))
        one = Instance(1, "chair", 0.9, int(upper.sum()), Box(np.zeros(3), np.ones(3), np.eye(3)))
        semantic = np.where(finite, np.where(upper, SYNTHETIC.index("chair"), 1), -1).astype(np.int16)
        return Result(semantic, upper.astype(np.int32), np.full(len(points), 0.9, np.float32), [one])


@pytest.fixture(scope="module")
def shots():
    return list(drive(RECIPE, "tabletop", 4))


def quiet(done, of):
    assert 1 <= done <= of


def test_a_bag_becomes_one_map_through_its_tf(shots, tmp_path):
    write_bag(tmp_path / "drive", iter(shots), 10.0, truth=False, tf=True)
    settings = Settings(out=tmp_path, html=True)
    counts = map_input(tmp_path / "drive", tmp_path / "drive.map", Halves(), "map", settings, quiet)
    assert counts["clouds"] == 4 and not counts["left_out"]
    world = ObjectMap.load(tmp_path / "drive.map.npz")
    assert world.views == 4
    scene = np.concatenate([s.points @ s.camera.pose[:3, :3].T + s.camera.pose[:3, 3] for s in shots])
    scene = scene[np.isfinite(scene).all(axis=1)]
    low, high = np.percentile(scene, (2, 98), axis=0)
    points = world.result().points
    assert ((points > low - 0.5) & (points < high + 0.5)).all(axis=1).mean() > 0.9, "in the scene's frame"
    cloud = read_cloud(tmp_path / "drive.map.ply")
    assert len(cloud) == counts["points"] and {"label", "instance"} <= set(cloud.columns)
    content = json.loads((tmp_path / "drive.map.json").read_text())
    assert content["frame"] == "map" and len(content["objects"]) == counts["objects"] > 0
    (first, *_) = content["objects"]
    assert {"views", "first_seen", "last_seen", "cells", "class", "box"} <= set(first) and first["views"] >= 1
    page = (tmp_path / "drive.map.html").read_text()
    assert "seen in" in page and (tmp_path / "drive.map.png").stat().st_size > 1000


def test_a_bag_without_frame_or_transforms_is_refused_in_a_line(shots, tmp_path):
    write_bag(tmp_path / "drive", iter(shots[:1]), 10.0, truth=False, tf=False)
    settings = Settings(out=tmp_path)
    with pytest.raises(InputError, match="--fixed-frame"):
        map_input(tmp_path / "drive", tmp_path / "m", Halves(), "", settings, quiet)
    with pytest.raises(InputError, match="no transform"):
        map_input(tmp_path / "drive", tmp_path / "m", Halves(), "odom", settings, quiet)


def _folder(path, shots, tum):
    from PIL import Image
    from scipy.spatial.transform import Rotation

    lines = []
    (path / "depth").mkdir(parents=True)
    for number, shot in enumerate(shots):
        depth = np.nan_to_num(shot.points[:, 2].reshape(48, 64) * 1000).astype(np.uint16)
        stamp = 1_300_000_000 + 0.05 * number
        name = path / "depth" / f"{stamp:.6f}.png" if tum else path / f"frame-{number:06d}.depth.png"
        Image.fromarray(depth).save(name)
        pose = shot.camera.pose
        lines.append(f"{stamp:.4f} {' '.join(map(str, [*pose[:3, 3], *Rotation.from_matrix(pose[:3, :3]).as_quat()]))}")
        if not tum:
            np.savetxt(path / f"frame-{number:06d}.pose.txt", pose)
    if tum:
        (path / "groundtruth.txt").write_text("# stamp x y z qx qy qz qw\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize("tum", [True, False])
def test_a_folder_gives_views_by_its_trajectory(shots, tmp_path, tum):
    _folder(tmp_path / "rgbd", shots, tum)
    found = read_trajectory(tmp_path / "rgbd")
    expected = shots[1:] if tum else shots  # nothing lies before the first stamp to interpolate from
    assert len(found) == len(expected)
    for one, shot in zip(found, expected):
        assert np.allclose(one.pose, shot.camera.pose, atol=1e-4)
    views, count = views_of_folder(tmp_path / "rgbd", Settings(out=tmp_path, intrinsics=K))
    views = list(views)
    assert count == len(views) == len(expected)
    turn = views[0].pose @ np.linalg.inv(expected[0].camera.pose)
    for view, shot in zip(views, expected):
        assert np.allclose(view.pose, turn @ shot.camera.pose, atol=1e-4), "one turn for all"
        assert np.isfinite(view.cloud.points).all(axis=1).sum() == np.isfinite(shot.points).all(axis=1).sum()


def test_folders_without_poses_or_images_are_refused(shots, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no depth images"):
        read_trajectory(tmp_path / "empty")
    _folder(tmp_path / "rgbd", shots[:2], True)
    (tmp_path / "rgbd" / "groundtruth.txt").write_text("1 2 three\n")
    with pytest.raises(InputError, match=r"groundtruth\.txt:1"):
        read_trajectory(tmp_path / "rgbd")
    (tmp_path / "rgbd" / "groundtruth.txt").unlink()
    with pytest.raises(InputError, match="no image has a pose"):
        read_trajectory(tmp_path / "rgbd")


def test_upright_turns_up_to_z():
    rng = np.random.default_rng(0)
    for up in (*rng.normal(size=(5, 3)), (0, 0, 1.0), (0, 0, -1.0)):
        up = np.array(up) / np.linalg.norm(up)
        turn = upright(up)
        assert np.allclose(turn @ up, (0, 0, 1)) and np.linalg.det(turn) == pytest.approx(1)


def test_the_command_says_what_it_lacks(tmp_path):
    from instseg3d_ros.commands.segment import main

    with pytest.raises(InputError, match="--map"):
        main([str(tmp_path), "-o", str(tmp_path / "out"), "--fixed-frame", "odom"])
    with pytest.raises(InputError, match="no such"):
        main([str(tmp_path / "nothing"), "-o", str(tmp_path / "out"), "--map"])
