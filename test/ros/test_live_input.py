"""Clouds arrive for every start order and every offer of a camera, or the node reports the reason."""

import os
import subprocess
import sys

import pytest
from live_node import ROOT, ask, quality, wait_for
from make_clouds import make_cloud, two_boxes
from rclpy.qos import ReliabilityPolicy
from std_msgs.msg import String

from instseg3d_ros.messages import topics
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.transport import CHOSEN, MODE

pytestmark = pytest.mark.live
_stamps = iter(range(1, 10**6))


@pytest.fixture(scope="module")
def node(live):
    return live.start("points:=/camera")


def cloud():
    return make_cloud(*two_boxes(), stamp=(next(_stamps), 0))


def reliability(live, topic="/camera"):
    found = [i.qos_profile.reliability for i in live.node.get_subscriptions_info_by_topic(topic)]
    return found[0] if len(found) == 1 else None


def test_the_reader_follows_cameras_that_come_change_and_go(live, node):
    ear = live.listen(node.path, topics.SEGMENTED).matched()
    # One after the other on one topic, as a driver that is restarted with other settings.
    for reliable in (False, True, False, True):
        camera = live.camera("/camera", reliable=reliable)
        assert ask(camera, ear, topics.SEGMENTED, cloud()).width
        wanted = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        wait_for(lambda wanted=wanted: reliability(live) == wanted, f"the reader becomes {wanted.name}")
        assert ask(camera, ear, topics.SEGMENTED, cloud()).width
        live.node.destroy_publisher(camera)
        wait_for(lambda: live.node.count_publishers("/camera") == 0, "the camera is gone")


def test_with_two_cameras_of_both_kinds_both_are_heard(live, node):
    ear = live.listen(node.path, topics.SEGMENTED).matched()
    cameras = [live.camera("/camera", reliable=reliable) for reliable in (True, False)]
    wait_for(lambda: reliability(live) == ReliabilityPolicy.BEST_EFFORT, "the reader becomes best effort")
    for camera in cameras:
        assert ask(camera, ear, topics.SEGMENTED, cloud()).width
        live.node.destroy_publisher(camera)


def test_a_camera_that_was_there_first_is_heard(live):
    cameras = {reliable: live.camera(f"/first_{int(reliable)}", reliable=reliable) for reliable in (True, False)}
    for reliable, camera in cameras.items():
        late = live.start(f"points:=/first_{int(reliable)}", name=f"late_{int(reliable)}")
        ear = live.listen(late.path, topics.SEGMENTED).matched()
        assert ask(camera, ear, topics.SEGMENTED, cloud()).width
        late.kill()


def test_a_fixed_reliability_that_cannot_work_is_reported_in_words(live):
    fixed = live.start("points:=/strict", name="strict", reliability="reliable", silence_warn=0.5)
    status = []
    live.node.create_subscription(
        message_class(topics.DIAGNOSTICS), "/diagnostics",
        lambda m: status.extend(s for s in m.status if s.name.startswith("strict")), 10,
    )  # fmt: skip
    live.camera("/strict", reliable=False)
    fixed.expect("offers /strict best effort")
    assert "set reliability to auto" in fixed.text
    wait_for(lambda: any(s.level == b"\x02" and "best effort" in s.message for s in status), "diagnostics say it")
    (info,) = live.node.get_subscriptions_info_by_topic("/strict")
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_another_type_on_the_topic_is_reported_in_words(live):
    other = live.start("points:=/words", name="words")
    live.node.create_publisher(String, "/words", quality(True, 1))
    other.expect("publishes std_msgs/msg/String on /words; expected sensor_msgs/msg/PointCloud2")


def test_lost_clouds_are_named_with_the_line_to_export(live):
    """A best-effort camera of ten-megabyte clouds, in a process without the profile: most are lost on their way."""
    lossy = live.start("points:=/cloud", name="lossy")
    environment = {name: value for name, value in os.environ.items() if name not in (*CHOSEN, MODE)}
    environment.update(ROS_DOMAIN_ID=str(live.domain), PYTHONPATH=str(ROOT))
    words = [sys.executable, "-m", "instseg3d_ros.ros.tools.lost_messages", "--role", "write", "0", "9.8", "1000"]
    writer = subprocess.Popen(words, env=environment)
    try:
        lossy.expect("best-effort clouds are lost unless the camera's driver was started with export FASTRTPS_DEFAULT_")
    finally:
        writer.kill()
        writer.wait()
    assert "fastdds.xml" in lossy.text
