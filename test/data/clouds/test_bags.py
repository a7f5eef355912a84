"""Bags: clouds of ROS 1 and ROS 2 recordings are read one at a time; other readers can open written bags."""

import tracemalloc

import numpy as np
import pytest
from bag_files import FIRST, write_bag

from instseg3d_ros.data.clouds import find_inputs, is_bag
from instseg3d_ros.data.clouds.bag_writer import BagWriter
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import pointcloud2
from instseg3d_ros.messages.colors import object_colors
from instseg3d_ros.messages.markers import object_markers
from instseg3d_ros.segmentation.result import Box, Instance

pytest.importorskip("rosbags")


@pytest.mark.parametrize("kind", ["mcap", "db3", "bag"])
def test_clouds_and_transforms_in_their_order(tmp_path, kind):
    path = write_bag(tmp_path / ("a.bag" if kind == "bag" else "a"), kind)
    assert is_bag(path) and find_inputs([tmp_path]) == [path]
    with Bag(path) as bag:
        assert (bag.topic, bag.count) == ("/points", 3)
        messages = list(bag.messages())
    clouds = [m for m in messages if m.cloud is not None]
    assert [m.time - FIRST for m in clouds] == [5, 10**8 + 5, 2 * 10**8 + 5]
    assert [m.cloud.stamp - FIRST for m in clouds] == [0, 10**8, 2 * 10**8]
    assert clouds[0].cloud.frame == "camera_optical_frame" and clouds[0].cloud.points.shape == (6, 3)
    assert [m.topic for m in messages] == ["/points", "/tf"] * 3

    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    moved = [store.deserialize_cdr(m.data, "tf2_msgs/msg/TFMessage").transforms[0] for m in messages if m.cloud is None]
    assert [m.transform.translation.x for m in moved] == [0, 1, 2]
    assert moved[1].header.frame_id == "map"


@pytest.mark.parametrize("kind", ["mcap", "db3"])
def test_a_storage_file_without_its_folder(tmp_path, kind):
    path = write_bag(tmp_path / "a", kind) / f"a.{kind}"
    with Bag(path) as bag:
        assert len(list(bag.clouds())) == 3


def test_topics(tmp_path):
    path = write_bag(tmp_path / "a", topics=("/left", "/right"))
    with pytest.raises(InputError, match="--topic: /left, /right"), Bag(path):
        pass
    with Bag(path, "/right") as bag:
        assert bag.count == 3
    with pytest.raises(InputError, match="no PointCloud2 on '/up'"), Bag(path, "/up"):
        pass
    with pytest.raises(InputError, match="no PointCloud2 in this bag"), Bag(write_bag(tmp_path / "b", topics=())):
        pass
    with pytest.raises(InputError, match="holds no messages"), Bag(write_bag(tmp_path / "c", clouds=0)):
        pass


@pytest.mark.parametrize("name", ["garbage.mcap", "garbage.db3", "garbage.bag", "empty.mcap", "empty.db3", "empty.bag"])
def test_what_is_no_bag(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(1, 250)) * 4 if name.startswith("garbage") else b"")
    with pytest.raises(InputError, match=r"cannot be read as a bag|is empty") as caught, Bag(tmp_path / name) as bag:
        list(bag.messages())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["mcap", "db3", "bag"])
def test_a_wrong_extension_is_named_with_the_right_one(tmp_path, kind):
    whole = write_bag(tmp_path / ("a.bag" if kind == "bag" else "a"), kind)
    whole = whole if kind == "bag" else whole / f"a.{kind}"
    for other in {"mcap", "db3", "bag"} - {kind}:
        (tmp_path / f"b.{other}").write_bytes(whole.read_bytes())
        with pytest.raises(InputError, match=rf"rename it to b\.{kind}"), Bag(tmp_path / f"b.{other}"):
            pass


@pytest.mark.parametrize("kind", ["mcap", "db3", "bag"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_recording_cut_off(tmp_path, kind, share):
    """Either all complete messages are read, or a message of one line names the place of the damage."""
    path = write_bag(tmp_path / ("a.bag" if kind == "bag" else "a"), kind, points=5000)
    path = path if kind == "bag" else path / f"a.{kind}"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    try:
        with Bag(path) as bag:
            assert all(len(cloud) == 5000 for cloud in bag.clouds())
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)


def test_memory_does_not_grow_with_the_bag(tmp_path):
    path = write_bag(tmp_path / "a", clouds=40, points=50_000, transforms=False)
    tracemalloc.start()
    with Bag(path) as bag:
        for cloud in bag.clouds():
            assert len(cloud) == 50_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 50_000 * 16  # a dozen clouds of the forty


def test_written_bag_opens_elsewhere(tmp_path):
    from rosbags.highlevel import AnyReader

    rng = np.random.default_rng(0)
    points, colors = rng.normal(size=(20, 3)).astype(np.float32), rng.integers(0, 256, (20, 3), np.uint8)
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    found = [Instance(4, "chair", 0.75, 9, Box(np.array([1.0, 2, 3]), np.array([0.5, 0.6, 0.7]), quarter))]
    with Bag(write_bag(tmp_path / "a")) as recording, BagWriter(tmp_path / "out") as bag:
        for recorded in recording.messages():
            if recorded.cloud is None:
                bag.copy(recorded)
        bag.cloud("/points", 10, "camera", 7_000_000_009, pointcloud2.encode(points, colors, (4, 5)))
        bag.markers("/markers", 11, "camera", 7_000_000_009, object_markers(found, np.array((0, 0, 1))))
        bag.detections("/detections", 11, "camera", 7_000_000_009, found)
        bag.number("/time", 12, 3.5)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["metadata.yaml", "out.mcap"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "out"]
    with AnyReader([tmp_path / "out"]) as reader:
        got = {c.topic: (time, reader.deserialize(data, c.msgtype)) for c, time, data in reader.messages()}
    time, cloud = got["/points"]
    arrays = pointcloud2.decode(cloud)
    np.testing.assert_array_equal(arrays.points, points)
    np.testing.assert_array_equal(arrays.colors, colors)
    assert (time, arrays.shape, cloud.header.frame_id) == (10, (4, 5), "camera")
    assert (cloud.header.stamp.sec, cloud.header.stamp.nanosec) == (7, 9)
    clear, box, name = got["/markers"][1].markers
    assert (clear.action, box.type, name.type, name.text) == (3, 5, 9, "chair #4 0.75")
    assert box.pose.position.x == 1
    np.testing.assert_allclose((box.color.r, box.color.g, box.color.b), object_colors(4) / 255)
    assert name.pose.position.z == pytest.approx(3 + 0.35 + 0.06)
    assert box.pose.orientation.z == pytest.approx(np.sqrt(0.5))
    detection = got["/detections"][1].detections[0]
    assert (detection.id, detection.results[0].hypothesis.class_id, detection.bbox.size.y) == ("4", "chair", 0.6)
    assert got["/time"][1].data == 3.5
    assert len(got["/tf"][1].transforms) == 1


def test_a_broken_run_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), BagWriter(tmp_path / "out") as bag:
        bag.number("/time", 1, 2.0)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_markers_are_those_of_the_node(tmp_path):
    pytest.importorskip("rclpy")
    from rosbags.highlevel import AnyReader
    from std_msgs.msg import Header

    from instseg3d_ros.ros.markers import instance_markers

    turn = np.array([[0.0, -0.6, 0.8], [1, 0, 0], [0, 0.8, 0.6]])
    found = [Instance(n, "sofa", 0.5, 9, Box(np.array([1.0, n, 3]), np.array([0.5, 0.6, 0.7]), turn)) for n in (3, 8)]
    up = np.array((0.0, -1, 0))
    theirs = instance_markers(Header(frame_id="camera"), found, 0.0, up).markers
    with BagWriter(tmp_path / "out") as bag:
        bag.markers("/m", 1, "camera", 0, object_markers(found, up))
    with AnyReader([tmp_path / "out"]) as reader:
        ours = next(reader.deserialize(data, c.msgtype) for c, _, data in reader.messages()).markers
    assert len(ours) == len(theirs) == 5

    def plain(value):
        """A message of either library as nested tuples of numbers and strings."""
        slots = getattr(value, "get_fields_and_field_types", None)
        names = slots() if slots else getattr(value, "__dataclass_fields__", None)
        if names:
            return tuple(plain(getattr(value, name)) for name in names if not name.startswith("__"))
        if isinstance(value, (str, bytes)):
            return value
        return tuple(plain(v) for v in value) if hasattr(value, "__len__") else round(float(value), 5)

    fields = ("ns", "id", "type", "action", "pose", "color", "points", "text")
    for mine, node in zip(ours, theirs):
        for name in fields:
            assert plain(getattr(mine, name)) == plain(getattr(node, name)), name
