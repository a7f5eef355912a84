"""Raw types match generated types in both directions and transport bytes unchanged."""

import pytest
from geometry_msgs.msg import Pose, PoseArray
from live_node import repeat, wait_for
from rclpy.serialization import deserialize_message, serialize_message

from instseg3d_ros.ros.standalone.raw_types import raw_type

pytestmark = pytest.mark.live


def message():
    array = PoseArray(poses=[Pose(), Pose()])
    array.header.frame_id = "map"
    array.poses[1].position.y = 2.5
    return array


def test_a_generated_reader_hears_a_raw_writer_and_a_raw_reader_a_generated_writer(other_process):
    live, echo = other_process
    heard, raw = [], []
    kind = raw_type("geometry_msgs", "PoseArray")
    live.node.create_subscription(PoseArray, "/echo", heard.append, 10)
    # The echo process reads /poses with the generated type and writes /echo and /raw_echo with it.
    publisher = live.node.create_publisher(kind, "/poses", 10)
    live.node.create_subscription(raw_type("std_msgs", "String"), "/text", raw.append, 10, raw=True)
    repeat(lambda: publisher.publish(serialize_message(message())), lambda: heard and raw, f"an echo: {echo.text}")
    assert heard[0] == message()
    from std_msgs.msg import String

    assert deserialize_message(raw[0], String).data == "2 poses"


@pytest.fixture
def other_process(live, tmp_path):
    import sys

    from live_node import NodeProcess

    program = """
import rclpy
from geometry_msgs.msg import PoseArray
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node("echo")
echo, text = node.create_publisher(PoseArray, "/echo", 10), node.create_publisher(String, "/text", 10)
def hear(message):
    echo.publish(message)
    text.publish(String(data=f"{len(message.poses)} poses"))
node.create_subscription(PoseArray, "/poses", hear, 10)
rclpy.spin(node)
"""
    path = tmp_path / "echo.py"
    path.write_text(program)
    process = NodeProcess([sys.executable, str(path)], live.domain)
    yield live, process
    process.kill()


def test_a_type_that_nobody_has_installed_is_listed_by_its_name_and_hash(live):
    digits = "0123456789abcdef" * 4
    live.node.create_publisher(raw_type("some_msgs", "Thing", digits), "/things", 1)
    wait_for(lambda: live.node.count_publishers("/things"), "the publisher is discovered")
    (info,) = live.node.get_publishers_info_by_topic("/things")
    assert info.topic_type == "some_msgs/msg/Thing"
    assert str(info.topic_type_hash).endswith(digits)


def test_the_same_type_is_made_once():
    assert raw_type("a_msgs", "B") is raw_type("a_msgs", "B")
    assert raw_type("a_msgs", "B") is not raw_type("a_msgs", "C")


def test_another_release_or_middleware_is_refused_in_words(monkeypatch):
    import rclpy

    from instseg3d_ros.ros.standalone import raw_types

    assert raw_types.supported() == ""
    monkeypatch.setattr(raw_types.metadata, "version", lambda name: "3.3.17")
    assert "rclpy has version 3.3.17; tested versions: 7 (Jazzy)" in raw_types.supported()
    monkeypatch.setattr(rclpy, "get_rmw_implementation_identifier", lambda: "rmw_zenoh_cpp")
    assert "rmw_zenoh_cpp, not Fast DDS" in raw_types.supported()
