"""All kinds of bags reach live readers unchanged; keys, loop, clock; wrong input gives a message of one line."""

import os
import pty
import select
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from live_node import NodeProcess, wait_for
from make_clouds import make_cloud, two_boxes
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import serialize_message
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import PointCloud2
from test_live_outputs import health
from tf_bytes import SECOND, edge, serialized, typestore

from instseg3d_ros.commands import play
from instseg3d_ros.commands.table import run
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.tf_message import TYPE_HASH, decode_transforms
from instseg3d_ros.ros.standalone.raw_types import raw_type
from instseg3d_ros.ros.standalone.recording import Recording

STEP = SECOND // 20
COUNT = 8
REAL = Path(__file__).parents[3] / "shared" / "data" / "real" / "moveit_perception_x30_mcap"


def clouds():
    points, colors = two_boxes()
    return [make_cloud(points, colors, stamp=(100 + i, 5), frame="lens") for i in range(COUNT)]


def write_ros2(path, storage):
    """Clouds on /points, transforms on /tf_static, and a type that no package of this machine has."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg("float32 level\nstring name", "gripper_msgs/msg/Grip"))
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    with Writer2(path, version=9, storage_plugin=plugin) as bag:
        points = bag.add_connection("/points", "sensor_msgs/msg/PointCloud2", typestore=store)
        frames = bag.add_connection("/tf_static", "tf2_msgs/msg/TFMessage", typestore=store)
        grips = bag.add_connection("/grip", "gripper_msgs/msg/Grip", typestore=store)
        bag.write(frames, 100 * SECOND, serialized([edge("base", "lens", 0)])[0])
        for number, cloud in enumerate(clouds()):
            bag.write(points, 100 * SECOND + number * STEP, serialize_message(cloud))
        grip = store.types["gripper_msgs/msg/Grip"](level=0.5, name="left")
        bag.write(grips, 100 * SECOND + STEP, store.serialize_cdr(grip, "gripper_msgs/msg/Grip"))
    return path


def write_ros1(path):
    store = get_typestore(Stores.ROS1_NOETIC)
    store.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", "tf/msg/tfMessage"))
    cloud_type, frames_type = "sensor_msgs/msg/PointCloud2", "tf/msg/tfMessage"
    with Writer1(path) as bag:
        points = bag.add_connection("/points", cloud_type, typestore=store)
        frames = bag.add_connection("/tf", frames_type, typestore=store)
        kind = store.types[cloud_type]
        header, field = store.types["std_msgs/msg/Header"], store.types["sensor_msgs/msg/PointField"]
        moment = store.types["builtin_interfaces/msg/Time"]
        for number, cloud in enumerate(clouds()):
            message = kind(
                header=header(seq=number, stamp=moment(sec=100 + number, nanosec=5), frame_id="lens"),
                height=cloud.height, width=cloud.width,
                fields=[field(name=f.name, offset=f.offset, datatype=f.datatype, count=f.count) for f in cloud.fields],
                is_bigendian=False, point_step=cloud.point_step, row_step=cloud.row_step,
                data=np.frombuffer(cloud.data, np.uint8), is_dense=cloud.is_dense,
            )  # fmt: skip
            bag.write(
                points, 100 * SECOND + number * STEP, store.serialize_ros1(message, "sensor_msgs/msg/PointCloud2")
            )
        bag.write(frames, 101 * SECOND, store.serialize_ros1(store.types[frames_type](transforms=[]), frames_type))
    return path


@pytest.fixture(scope="module", params=["mcap", "db3", "ros1"])
def bag(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return write_ros1(folder / "old.bag") if request.param == "ros1" else write_ros2(folder / "bag", request.param)


def test_recording_gives_the_messages_as_ros2_serializes_them(bag):
    with Recording(bag) as recording:
        tracks = {track.topic: track for track in recording.tracks}
        assert tracks["/points"].count == COUNT and tracks["/points"].type == "sensor_msgs/msg/PointCloud2"
        assert f"RIHS01_{tracks['/points'].hash}" == typestore().hash_rihs01("sensor_msgs/msg/PointCloud2")
        found = [(time, data) for topic, time, data in recording.messages(recording.start) if topic == "/points"]
        assert [time for time, _ in found] == [100 * SECOND + i * STEP for i in range(COUNT)]
        from rclpy.serialization import deserialize_message

        assert [deserialize_message(data, PointCloud2) for _, data in found] == clouds()
        kinds = {topic: track.type for topic, track in tracks.items() if topic.startswith("/tf")}
        assert set(kinds.values()) == {"tf2_msgs/msg/TFMessage"}  # whatever ROS 1 called it
        later = [time for topic, time, _ in recording.messages(100 * SECOND + 3 * STEP) if topic == "/points"]
        assert len(later) == COUNT - 3
    with Recording(bag, ["/points"]) as recording:
        assert [track.topic for track in recording.tracks] == ["/points"]


def test_tf_static_is_latched(bag):
    with Recording(bag) as recording:
        latched = {track.topic for track in recording.tracks if track.latched}
        assert latched == {"/tf_static"} & {track.topic for track in recording.tracks}


@pytest.mark.parametrize("damage", ["missing", "garbage", "truncated", "empty", "topic", "no messages"])
def test_a_wrong_bag_is_one_line(damage, tmp_path, capsys):
    path, extra = tmp_path / "bag", []
    if damage == "garbage":
        path = tmp_path / "bag.mcap"
        path.write_bytes(os.urandom(500))
    elif damage == "truncated":
        whole = next(write_ros2(tmp_path / "whole", "mcap").glob("*.mcap"))
        path = tmp_path / "bag.mcap"
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    elif damage == "empty":
        path = tmp_path / "bag.db3"
        path.write_bytes(b"")
    elif damage == "topic":
        write_ros2(path, "mcap")
        extra = ["--topics", "/nowhere"]
    elif damage == "no messages":
        with Writer2(path, version=9) as bag:
            bag.add_connection("/points", "sensor_msgs/msg/PointCloud2", typestore=typestore())
    assert run("play", [str(path), *extra]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("play: ") and "\n" not in error and str(path) in error


@pytest.mark.parametrize(
    "words", [["x", "--rate", "0"], ["x", "--rate", "fast"], ["x", "--start", "-1"], ["x", "--nonsense"], []]
)
def test_wrong_arguments_are_one_line(words):
    with pytest.raises(InputError) as error:
        play.main(words)
    assert "\n" not in str(error.value)


def test_start_behind_the_end(tmp_path):
    with pytest.raises(InputError, match="after the end"):
        play.main([str(write_ros2(tmp_path / "bag", "mcap")), "--start", "1000"])


class Reader:
    def __init__(self, live):
        self.clouds, self.grips, self.clock, self.frames = [], [], [], []
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node = live.node
        self.subscriptions = [
            node.create_subscription(PointCloud2, "/points", self.clouds.append, 50),
            node.create_subscription(raw_type("gripper_msgs", "Grip"), "/grip", self.grips.append, 50, raw=True),
            node.create_subscription(Clock, "/clock", self.clock.append, 1000),
            node.create_subscription(
                raw_type("tf2_msgs", "TFMessage", TYPE_HASH), "/tf_static", self.frames.append, latched, raw=True
            ),
        ]  # fmt: skip


@pytest.mark.live
def test_all_topics_reach_a_reader_unchanged_and_the_clock_runs(live, tmp_path):
    reader = Reader(live)
    bag = write_ros2(tmp_path / "bag", "mcap")
    command = [sys.executable, "-m", "instseg3d_ros", "play", str(bag), "--clock", "--loop", "--wait", "10"]
    process = NodeProcess(command, live.domain)

    def times():
        return [c.clock.sec + c.clock.nanosec / 1e9 for c in reader.clock]

    def two_rounds():
        heard = len(reader.clouds) >= 2 * COUNT and reader.grips and reader.frames
        return heard and min(times(), default=0) < 100.2 and any(b < a for a, b in pairwise(times()))

    wait_for(two_rounds, "two rounds are heard, and the clock of both")
    process.signal()
    assert process.wait() == 0
    assert "gripper_msgs/msg/Grip   1 messages" in process.text and "played" in process.lines[-1]
    assert all(cloud in clouds() for cloud in reader.clouds)
    stamps = [cloud.header.stamp.sec for cloud in reader.clouds]
    assert stamps[-COUNT:] != sorted(stamps[-COUNT:]) or stamps.count(100) >= 2  # it began anew
    assert reader.grips[0][-5:] == b"left\0" or b"left" in reader.grips[0]
    assert decode_transforms(reader.frames[0])[0].parent == "base"
    assert min(times()) >= 100 and max(times()) <= 100 + COUNT * STEP / SECOND


@pytest.mark.live
def test_keys_pause_step_and_end(live, tmp_path, monkeypatch):
    reader = Reader(live)
    bag = write_ros2(tmp_path / "bag", "mcap")
    monkeypatch.setenv("ROS_DOMAIN_ID", str(live.domain))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(
            sys.executable,
            [sys.executable, "-m", "instseg3d_ros", "play", str(bag), "--loop", "--wait", "10", "--topics", "/points"],
        )
    try:
        wait_for(lambda: reader.clouds, "it plays")
        os.write(terminal, b" ")
        wait_for(lambda: b"paused" in read(terminal), "it pauses")
        seen = []

        def still():  # no cloud is on its way any more
            seen.append(len(reader.clouds))
            time.sleep(0.2)
            return len(seen) > 2 and seen[-1] == seen[-3]

        wait_for(still, "all published clouds arrive")
        before = len(reader.clouds)
        os.write(terminal, b"s")
        wait_for(lambda: len(reader.clouds) == before + 1, "one message is played")
        os.write(terminal, b" ")
        wait_for(lambda: len(reader.clouds) > before + COUNT, "it goes on")
        os.write(terminal, b"q")
        drain = []
        wait_for(lambda: ended(pid, terminal, drain), "it ends")
        assert drain[-1] == 0
    finally:
        os.close(terminal)


def read(terminal):
    """The output of the program since the last call; the program blocks if its output is not read."""
    if select.select([terminal], [], [], 0)[0]:
        with suppress(OSError):
            return os.read(terminal, 10_000)
    return b""


def ended(pid, terminal, codes):
    read(terminal)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        codes.append(os.waitstatus_to_exitcode(status))
    return bool(done)


@pytest.mark.live
@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded clouds of ten megabytes are not here")
def test_recorded_clouds_of_ten_megabytes_arrive(live):
    node = live.start("points:=/camera/depth_registered/points", name="real", model="fake:queue=10", track=False)
    found = health(live, "real")
    ear = live.listen(node.path, topics.MARKERS).matched()
    process = NodeProcess(
        [sys.executable, "-m", "instseg3d_ros", "play", str(REAL), "--wait", "10"], live.domain
    )  # fmt: skip
    assert process.wait(60) == 0
    assert "played 30 messages" in process.text
    # With the transport as it comes seven of twenty did; a busy machine may lose a few.
    wait_for(lambda: int(found.get("clouds received", 0)) >= 20, f"nearly all arrive: {found}")
    assert ear.messages[topics.MARKERS] and node.running()
    assert int(found.get("dropped: malformed cloud", 0)) == 0
