"""Bags of a moving camera: organised clouds that read back, and truth that belongs to them."""

import numpy as np
import pytest

from instseg3d_ros.data.synthetic.drive import FRAME, TOPIC, drive, write_bag
from instseg3d_ros.data.synthetic.frames import SceneRecipe

pytest.importorskip("rosbags")
RECIPE = SceneRecipe(seed=3, resolution=(64, 48), sensors=("kinect",))


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp("bags") / "drive"
    shots = list(drive(RECIPE, "tabletop", 3))
    assert write_bag(path, iter(shots), 10.0, truth=True, tf=True) == 3
    return path, shots


def _messages(path, topic):
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_typestore

    with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
        chosen = [c for c in reader.connections if c.topic == topic]
        return [(time, reader.deserialize(raw, c.msgtype)) for c, time, raw in reader.messages(connections=chosen)]


def test_clouds_are_organised_in_optical_axes(bag):
    from instseg3d_ros.messages.pointcloud2 import decode

    path, shots = bag
    messages = _messages(path, TOPIC)
    assert len(messages) == 3
    for (time, message), shot in zip(messages, shots):
        stamp = message.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == time and message.header.frame_id == FRAME
        assert (message.height, message.width, message.is_dense) == (48, 64, False)
        cloud = decode(message)
        assert np.array_equal(cloud.points, shot.points, equal_nan=True) and np.array_equal(cloud.colors, shot.colors)
        finite = np.isfinite(cloud.points).all(1)
        assert 0.2 < finite.mean() < 1 and (cloud.points[finite, 2] > 0.3).all()
        u = np.arange(48 * 64) % 64
        assert np.corrcoef(cloud.points[finite, 0] / cloud.points[finite, 2], u[finite])[0, 1] > 0.999


def test_truth_keeps_ids_over_frames(bag):
    path, shots = bag
    with np.load(path / "truth.npz") as truth:
        assert truth["instance"].shape == truth["semantic"].shape == (3, 48, 64)
        for number, shot in enumerate(shots):
            lost = np.isnan(shot.points).any(1).reshape(48, 64)
            assert (truth["instance"][number][lost] == 0).all() and (truth["semantic"][number][lost] == -1).all()
            assert (truth["semantic"][number][~lost] >= 0).all()
        ids = [set(np.unique(frame)) - {0} for frame in truth["instance"]]
        assert ids[0] & ids[1] & ids[2]
        assert np.diff(truth["stamp"]).tolist() == [10**8, 10**8]


def test_transform_takes_clouds_to_one_scene(bag):
    from scipy.spatial.transform import Rotation

    path, shots = bag
    for (_, message), shot in zip(_messages(path, "/tf"), shots):
        (one,) = message.transforms
        assert (one.header.frame_id, one.child_frame_id) == ("map", FRAME)
        turn, place = one.transform.rotation, one.transform.translation
        matrix = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
        assert np.allclose(matrix, shot.camera.pose[:3, :3], atol=1e-6)
        assert np.allclose([place.x, place.y, place.z], shot.camera.pose[:3, 3])


def test_camera_moves_and_the_scene_stays(bag):
    _, shots = bag
    scene = [(shot.points @ shot.camera.pose[:3, :3].T + shot.camera.pose[:3, 3]) for shot in shots]
    assert not np.allclose(shots[0].camera.pose, shots[2].camera.pose)
    for number in np.unique(shots[0].instance)[1:]:
        own = [points[(shot.instance == number) & np.isfinite(points).all(1)] for points, shot in zip(scene, shots)]
        if min(map(len, own)) > 60:
            assert np.abs(np.median(own[0], 0) - np.median(own[2], 0)).max() < 0.1


def test_same_seed_same_drive(bag):
    for first, second in zip(bag[1], drive(RECIPE, "tabletop", 3)):
        assert np.array_equal(first.points, second.points, equal_nan=True)
        assert np.array_equal(first.instance, second.instance)
