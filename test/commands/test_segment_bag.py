"""`segment` on bags: it writes the node's topics; malformed and empty clouds do not end a bag."""

import json

import numpy as np
import pytest
from segment_inputs import cloud, nothing

from instseg3d_ros.commands import segment
from instseg3d_ros.data.clouds import Cloud
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.messages import pointcloud2


def write_bag(path, clouds, broken=None, topic="/camera/points", more=None):
    """An mcap of (points, colours) clouds a tenth of a second apart, in the frame base_link; returns their stamps."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    stamps = [5 * 10**9 + number * 10**8 for number in range(len(clouds))]
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        points = writer.add_connection(topic, kind := "sensor_msgs/msg/PointCloud2", typestore=store)
        tf = writer.add_connection("/tf_static", "tf2_msgs/msg/TFMessage", typestore=store)
        writer.write(tf, 4 * 10**9, store.serialize_cdr(types["tf2_msgs/msg/TFMessage"]([]), tf.msgtype))
        if more is not None:
            more(writer, store)
        for number, (stamp, one) in enumerate(zip(stamps, clouds)):
            double = one.points.dtype == np.float64
            packed = pointcloud2.encode(one.points, one.colors, double=double)
            fields = [types["sensor_msgs/msg/PointField"](*entry, 1) for entry in packed.fields]
            header = types["std_msgs/msg/Header"](
                types["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9), "base_link"
            )
            width = packed.width + (1000 if number in (broken or ()) else 0)  # promises more than it holds
            message = types[kind](
                header, packed.height, width, fields, False, packed.point_step, packed.point_step * width,
                np.frombuffer(packed.data, np.uint8), True,
            )  # fmt: skip
            writer.write(points, stamp + 7, store.serialize_cdr(message, points.msgtype))
    return stamps


def test_a_bag_becomes_what_the_node_publishes(tmp_path, calls, capsys):
    from rosbags.highlevel import AnyReader

    stamps = write_bag(tmp_path / "run", [cloud(seed=number) for number in range(3)], broken=[1])
    out = tmp_path / "out"
    assert segment.main([str(tmp_path / "run"), "-o", str(out)]) == 1
    assert "1 of 3 clouds skipped" in capsys.readouterr().err
    assert sorted(p.name for p in out.iterdir()) == ["run.instances.json", "run.segmented", "run.segmented.png"]
    with AnyReader([out / "run.segmented"]) as reader:
        got = [(c.topic, time, reader.deserialize(data, c.msgtype)) for c, time, data in reader.messages()]
    first = [message for _, time, message in got if time == stamps[0] + 7]
    assert {topic for topic, time, _ in got if time == stamps[0] + 7} == {
        f"/instseg3d/{name}"
        for name in (
            "segmented_points",
            "colored_points",
            "markers",
            "detections",
            "labels",
            "debug/processing_time_ms",
        )
    }
    assert [time for topic, time, _ in got if topic == "/tf_static"] == [4 * 10**9]
    assert {time for topic, time, _ in got if topic != "/tf_static"} == {stamps[0] + 7, stamps[2] + 7}
    described = json.loads(next(m.data for topic, _, m in got if topic == "/instseg3d/labels"))
    assert described["classes"][SYNTHETIC.index("chair")]["name"] == "chair" and described["none"] == 65535
    segmented = next(m for m in first if hasattr(m, "fields") and any(f.name == "instance" for f in m.fields))
    assert segmented.header.stamp.sec == 5 and segmented.header.frame_id == "base_link"
    np.testing.assert_array_equal(pointcloud2.decode(segmented).points, cloud(seed=0).points)
    listing = json.loads((out / "run.instances.json").read_text())
    assert [frame["stamp"] for frame in listing["frames"]] == [stamps[0], stamps[2]]
    ids = [{one["class"]: one["id"] for one in frame["instances"]} for frame in listing["frames"]]
    assert ids[0] == ids[1]  # objects keep their ids
    segment.main([str(tmp_path / "run"), "-o", str(out)])
    assert len(calls) == 2  # done before: malformed clouds stay malformed


def test_all_topics_of_a_bag_are_copied_on_request(tmp_path, calls):
    """A topic whose type is not installed is copied; answers of an earlier run are not."""
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import get_types_from_msg

    def more(writer, store):
        store.register(get_types_from_msg("float32 level\nstring name", "gripper_msgs/msg/Grip"))
        grip = store.serialize_cdr(store.types["gripper_msgs/msg/Grip"](0.5, "left"), "gripper_msgs/msg/Grip")
        text = store.serialize_cdr(store.types["std_msgs/msg/String"]("old"), "std_msgs/msg/String")
        for topic, kind, data in (
            ("/grip", "gripper_msgs/msg/Grip", grip), ("/instseg3d/labels", "std_msgs/msg/String", text),
        ):  # fmt: skip
            writer.write(writer.add_connection(topic, kind, typestore=store), 4 * 10**9 + 1, data)

    write_bag(tmp_path / "run", [cloud()], more=more)
    for words, wanted in (([], False), (["--all-topics"], True)):
        assert segment.main([str(tmp_path / "run"), "-o", str(tmp_path / "out"), *words]) == 0
        with AnyReader([tmp_path / "out" / "run.segmented"]) as reader:
            got = {c.topic: (time, reader.deserialize(data, c.msgtype)) for c, time, data in reader.messages()}
        assert ("/grip" in got) == wanted and "/camera/points" not in got and "/tf_static" in got
        assert got["/instseg3d/labels"][1].data != "old"
    assert got["/grip"][0] == 4 * 10**9 + 1 and got["/grip"][1].name == "left"


def test_a_bag_with_empty_clouds_is_answered_cloud_by_cloud(tmp_path, calls):
    from instseg3d_ros.data.clouds.bags import Bag

    blind = Cloud(np.full((5, 3), np.nan, np.float32))
    write_bag(tmp_path / "run", [nothing(), cloud(), blind, cloud()])
    assert segment.main([str(tmp_path / "run"), "-o", str(tmp_path / "out")]) == 0
    with Bag(tmp_path / "out" / "run.segmented", "/instseg3d/segmented_points") as bag:
        assert [len(one) for one in bag.clouds()] == [0, 400, 5, 400]
    frames = json.loads((tmp_path / "out" / "run.instances.json").read_text())["frames"]
    assert [len(frame["instances"]) for frame in frames] == [0, 2, 0, 2]


def test_the_picture_of_a_bag_is_of_the_middle_one_that_can_be_read(tmp_path, calls, monkeypatch):
    from instseg3d_ros.offline import bag

    drawn = []
    monkeypatch.setattr(bag, "write_views", lambda stem, segmented, *rest: drawn.append((segmented, rest[-1])))
    clouds = [cloud(300 + number, seed=number) for number in range(9)]
    write_bag(tmp_path / "run", clouds, broken=[0, 4, 5, 6, 7, 8])
    assert segment.main([str(tmp_path / "run"), "-o", str(tmp_path / "out")]) == 1
    (segmented, title) = drawn[-1]
    np.testing.assert_array_equal(segmented.cloud.points, clouds[2].points)
    assert "cloud 2 of 3" in title
    frames = json.loads((tmp_path / "out" / "run.instances.json").read_text())["frames"]
    assert {one.id for one in segmented.result.instances} == {one["id"] for one in frames[1]["instances"]}


def test_a_bag_in_map_coordinates_keeps_them_and_the_ids(tmp_path, calls):
    from instseg3d_ros.data.clouds.bags import Bag

    far = np.array([432100.0, 5412345.0, 300.0])
    clouds = [cloud(), cloud()]
    for one, shift in zip(clouds, (0.499, 0.501)):  # the second has another whole metre as its origin
        one.points = one.points.astype(np.float64) + far + (0, 0, shift - one.points[:, 2].mean(dtype=np.float64))
    write_bag(tmp_path / "run", clouds)
    assert segment.main([str(tmp_path / "run"), "-o", str(tmp_path / "out"), "--max-range", "1e6"]) == 0
    with Bag(tmp_path / "out" / "run.segmented", "/instseg3d/segmented_points") as bag:
        for one, back in zip(clouds, bag.clouds()):
            np.testing.assert_allclose(back.points + back.origin, one.points, atol=1e-6)
    frames = json.loads((tmp_path / "out" / "run.instances.json").read_text())["frames"]
    assert [one["id"] for one in frames[0]["instances"]] == [one["id"] for one in frames[1]["instances"]]
    assert frames[0]["instances"][0]["box"]["center"][1] == pytest.approx(far[1], abs=2)


@pytest.mark.parametrize("broken", [[], [0, 1]])
def test_a_bag_without_a_single_point_is_answered_once(tmp_path, calls, broken, capsys):
    write_bag(tmp_path / "run", [nothing(), nothing()] if not broken else [cloud(), cloud()], broken=broken)
    words = [str(tmp_path / "run"), "-o", str(tmp_path / "out")]
    assert segment.main(words) == (1 if broken else 0)
    printed = capsys.readouterr()
    assert ("2 of 2 clouds skipped" in printed.err) == bool(broken)
    if not broken:
        assert segment.main(words) == 0 and "done before" in capsys.readouterr().out
