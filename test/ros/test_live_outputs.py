"""All topics of an answer agree; labels are latched; nothing is computed without subscribers; several nodes."""

import json

import numpy as np
import pytest
from live_node import ask, repeat, stamp_of, wait_for
from make_clouds import make_cloud, two_boxes
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.messages import topics
from instseg3d_ros.ros.message_class import message_class

pytestmark = pytest.mark.live
ALL = (topics.SEGMENTED, topics.COLORED, topics.MARKERS, topics.OVERLAY)
_stamps = iter(range(1, 10**6))


def cloud(shape=(20, 30), **options):
    return make_cloud(*two_boxes(), shape, stamp=(next(_stamps), 7), **options)


def health(live, name):
    """The values of the node's last diagnostics; `levels` has all levels so far."""
    found = {}

    def hear(message):
        for status in message.status:
            if status.name.startswith(name):
                level = status.level[0]
                found.update({v.key: v.value for v in status.values}, level=level, message=status.message)
                found.setdefault("levels", set()).add(level)

    live.node.create_subscription(message_class(topics.DIAGNOSTICS), "/diagnostics", hear, 10)
    return found


def test_one_stamp_one_frame_one_set_of_ids_over_all_topics(live):
    node = live.start("points:=/all", name="all")
    camera, ear = live.camera("/all"), live.listen(node.path, *ALL, topics.PROCESSING_TIME, topics.PIPELINE_LATENCY)
    ear.matched()
    message = cloud(frame="lens")
    segmented = ask(camera, ear, topics.SEGMENTED, message, ALL[1:])
    answers = [ear.answer(topic, stamp_of(message)) for topic in ALL[1:]]
    headers = [segmented.header, answers[0].header, answers[1].markers[0].header, answers[2].header]
    assert all(header == message.header for header in headers)
    field = next(f for f in segmented.fields if f.name == "instance")
    table = np.frombuffer(segmented.data, np.uint8).reshape(-1, segmented.point_step)
    ids = set(table[:, field.offset : field.offset + 4].copy().view("<u4").ravel())
    assert {m.id for m in answers[1].markers[1:]} == ids
    assert (answers[2].height, answers[2].width) == (20, 30)
    wait_for(lambda: ear.messages[topics.PROCESSING_TIME], "times are published")
    assert ear.messages[topics.PROCESSING_TIME][0].data > 0
    late = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    live.node.create_subscription(String, f"{node.path}/labels", late.append, latched)
    wait_for(lambda: late, "a late listener gets the labels")
    content = json.loads(late[0].data)
    assert [c["name"] for c in content["classes"]] == list(SCANNET20.names)
    # A cloud that is no image has no overlay, and everything else.
    flat = cloud(None)
    ask(camera, ear, topics.SEGMENTED, flat, (topics.MARKERS,))
    assert stamp_of(flat) not in [stamp_of(m) for m in ear.messages[topics.OVERLAY]]


def test_ids_stay_and_a_class_that_nobody_asks_for_costs_nothing(live):
    node = live.start("points:=/lazy", name="lazy", latency_warn_ms=1e6)
    found = health(live, "lazy")
    camera = live.camera("/lazy")
    repeat(lambda: camera.publish(cloud()), lambda: int(found.get("clouds received", 0)) > 0, "clouds are counted")
    idle = ("idle: no output has a subscriber", 0)
    repeat(lambda: camera.publish(cloud()), lambda: (found["message"], found["level"]) == idle, "the node is idle")
    assert found["clouds answered"] == "0"
    ear = live.listen(node.path, topics.MARKERS).matched()
    first = {m.id: m.pose.position for m in ask(camera, ear, topics.MARKERS, cloud()).markers if m.ns == "boxes"}
    for _ in range(3):
        again = {m.id: m.pose.position for m in ask(camera, ear, topics.MARKERS, cloud()).markers if m.ns == "boxes"}
        assert again == first
    # The test's stamps are from 1970: said in diagnostics and once in the log.
    differ = "the clouds' stamps and the node's clock differ by "
    repeat(lambda: camera.publish(cloud()), lambda: found["message"].startswith(differ), f"diagnostics say {differ}")
    assert float(found["output rate (Hz)"]) > 0
    assert (found["device"], found["model"], found["input frame"]) == ("cpu", "fake", "camera")
    assert node.text.count("set use_sim_time to true") == 1
    assert (
        node.text.count("idle: no output has a subscriber") == 1
        and node.text.count("an output has a subscriber: clouds") == 1
    )
    assert {"stage decode (ms)", "stage cluster (ms)", "stage publish (ms)"} <= found.keys()


def test_two_nodes_in_two_namespaces_answer_their_own_camera(live):
    nodes = [live.start(namespace=f"/{side}", name="instseg3d") for side in ("left", "right")]
    cameras = [live.camera(f"/{side}/points") for side in ("left", "right")]
    ears = [live.listen(node.path, topics.SEGMENTED).matched() for node in nodes]
    for camera, ear, frame in zip(cameras, ears, ("left_lens", "right_lens")):
        answer = ask(camera, ear, topics.SEGMENTED, cloud(frame=frame))
        assert answer.header.frame_id == frame
    for ear, frame in zip(ears, ("left_lens", "right_lens")):
        assert {m.header.frame_id for m in ear.messages[topics.SEGMENTED]} == {frame}
