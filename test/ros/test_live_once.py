"""`segment_once`, `save`, and the clouds for manipulation and navigation, while streaming and paused."""

import json

import numpy as np
import pytest
from live_node import ask, repeat, stamp_of, wait_for
from make_clouds import make_cloud, two_boxes
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import SetBool, Trigger
from test_live_load import set_parameters

from instseg3d_ros.data.clouds import read_cloud
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.pointcloud2 import decode, read_fields

pytestmark = pytest.mark.live
_stamps = iter(range(1, 10**6))
CLOUDS = (topics.OBJECT_POINTS, topics.REMAINING_POINTS, topics.OBSTACLE_POINTS)


def cloud():
    return make_cloud(*two_boxes(nan=100), (20, 30), stamp=(next(_stamps), 0), frame="lens")


@pytest.fixture(scope="module")
def wire(live):
    node = live.start("points:=/once", name="once", once_timeout=20.0)
    return live, node, live.camera("/once")


def once(live, node, camera=None):
    """Call ~/segment_once; publish clouds until it answers."""
    future = live.client(f"{node.path}/segment_once", Trigger).call_async(Trigger.Request())
    repeat(lambda: camera and camera.publish(cloud()), future.done, "segment_once answers", period=0.1)
    return future.result()


def test_one_shot_while_nobody_subscribes_while_streaming_and_while_paused(wire):
    live, node, camera = wire
    answer = once(live, node, camera)  # nobody subscribes
    assert answer.success, answer.message
    content = json.loads(answer.message)
    assert content["frame"] == "lens" and content["stamp"] % 10**9 == 0
    assert [one["class"] for one in content["instances"]] == ["table", "table"]
    ear = live.listen(node.path, topics.MARKERS).matched()
    ask(camera, ear, topics.MARKERS, cloud())
    assert once(live, node, camera).success
    assert live.call(f"{node.path}/enable", SetBool, SetBool.Request(data=False)).message == "paused"
    wait_for(lambda: camera.get_subscription_count() == 0, "the input is closed")
    answer = once(live, node, camera)
    assert answer.success
    stamp = json.loads(answer.message)["stamp"] // 10**9
    ear.answer(topics.MARKERS, (stamp, 0))  # published as usual
    wait_for(lambda: camera.get_subscription_count() == 0, "the input is closed again")
    assert live.call(f"{node.path}/enable", SetBool, SetBool.Request(data=True)).message == "running"
    ask(camera, ear, topics.MARKERS, cloud())


def test_one_shot_without_a_cloud_says_why(wire):
    live, node, _ = wire
    (changed,) = set_parameters(live, node, once_timeout=0.3)
    assert changed.successful
    answer = once(live, node)
    assert not answer.success and answer.message.startswith("no answer within 0.3 s: ")
    assert set_parameters(live, node, once_timeout=20.0)[0].successful


def test_save_writes_what_segment_writes(wire, tmp_path):
    live, node, camera = wire
    answer = live.call(f"{node.path}/save", Trigger, Trigger.Request())
    assert not answer.success and "save_folder is empty" in answer.message
    assert once(live, node, camera).success
    assert set_parameters(live, node, save_folder=str(tmp_path / "new"))[0].successful
    answer = live.call(f"{node.path}/save", Trigger, Trigger.Request())
    assert answer.success, answer.message
    paths = sorted((tmp_path / "new").iterdir())
    assert [path.suffix for path in paths] == [".json", ".ply", ".png"] and str(paths[1]) in answer.message
    content = json.loads(paths[0].read_text())
    labelled = read_cloud(paths[1])
    assert {one["id"] for one in content["instances"]} == set(labelled.columns["instance"]) - {0}
    assert len(labelled) == content["points"] == 600
    (tmp_path / "file").write_text("")
    assert set_parameters(live, node, save_folder=str(tmp_path / "file" / "x"))[0].successful
    answer = live.call(f"{node.path}/save", Trigger, Trigger.Request())
    assert not answer.success and "name a folder that can be written" in answer.message


def test_clouds_of_objects_of_the_rest_and_of_obstacles(wire):
    live, node, camera = wire
    ear = live.listen(node.path, *CLOUDS, topics.SUPPORTS).matched()
    message = cloud()
    objects = ask(camera, ear, topics.OBJECT_POINTS, message, (*CLOUDS[1:], topics.SUPPORTS))
    others = [ear.answer(topic, stamp_of(message)) for topic in (*CLOUDS[1:], topics.SUPPORTS)]
    assert objects.header == message.header and (objects.width, others[0].width, others[1].width) == (500, 0, 500)
    (ids,) = read_fields(objects, ("instance",))
    first, second = np.unique(ids)
    # Naming one object publishes the last answer's part at once, without a new cloud.
    assert set_parameters(live, node, select=str(first))[0].successful
    wait_for(lambda: ear.messages[topics.OBJECT_POINTS][-1].width < 500, "the one object is published")
    wait_for(lambda: ear.messages[topics.REMAINING_POINTS][-1].width > 0, "so is the rest")
    part, rest = ear.messages[topics.OBJECT_POINTS][-1], ear.messages[topics.REMAINING_POINTS][-1]
    assert part.header == message.header
    assert set(read_fields(part, ("instance",))[0].ravel()) == {first}
    assert set(read_fields(rest, ("instance",))[0].ravel()) == {second}
    assert decode(part).colors is not None
    (refused,) = set_parameters(live, node, select="spoon")
    assert not refused.successful and "no class 'spoon'" in refused.reason
    assert set_parameters(live, node, select="")[0].successful


def test_every_offer_of_a_publisher_is_read(live):
    """Successive publishers on a topic; a latched cloud is sent once, before the node has discovered its publisher."""
    node = live.start("points:=/offers", name="offers", lazy=False)
    ear = live.listen(node.path, topics.MARKERS).matched()
    for reliable in (True, False):
        for latched in (False, True):  # the first is asked, and so the node has discovered `ear` before the second
            qos = QoSProfile(
                depth=1,
                reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
                durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
            )
            camera = live.node.create_publisher(PointCloud2, "/offers", qos)
            message = cloud()
            camera.publish(message)
            if latched and reliable:
                ear.answer(topics.MARKERS, stamp_of(message))
                again = once(live, node)  # read once more, although it was sent before the call
                assert again.success and json.loads(again.message)["stamp"] == stamp_of(message)[0] * 10**9
            else:  # DDS keeps nothing for best-effort readers
                assert ask(camera, ear, topics.MARKERS, cloud()).markers

            def followed(qos=qos):
                found = [info.qos_profile for info in live.node.get_subscriptions_info_by_topic("/offers")]
                return [(q.reliability, q.durability) for q in found] == [(qos.reliability, qos.durability)]

            wait_for(followed, "the reader asks for what is offered")
            live.node.destroy_publisher(camera)
            wait_for(lambda: live.node.count_publishers("/offers") == 0, "the publisher is gone")
