"""Clouds levelled through /tf: moving and fixed frames; late, missing and future transforms; /clock."""

import numpy as np
import pytest
from live_node import ask, repeat, stamp_of, wait_for
from make_clouds import make_cloud, two_boxes
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool
from test_live_load import set_parameters
from test_live_outputs import health
from tf_bytes import SECOND, edge, serialized

from instseg3d_ros.messages import topics
from instseg3d_ros.messages.rotations import inverse, rigid
from instseg3d_ros.messages.tf_message import TYPE_HASH
from instseg3d_ros.ros.clouds import read_cloud
from instseg3d_ros.ros.standalone.raw_types import raw_type
from instseg3d_ros.sparse.rigid import transform_points

pytestmark = pytest.mark.live
TFMESSAGE = raw_type("tf2_msgs", "TFMessage", TYPE_HASH)
TILT = (0.0, 0.38, 0.0, 0.92)


class Frames:
    """Publishes base → mount on /tf and mount → lens on /tf_static."""

    def __init__(self, live):
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._moving = live.node.create_publisher(TFMESSAGE, "/tf", 100)
        self._fixed = live.node.create_publisher(TFMESSAGE, "/tf_static", latched)
        self._fixed.publish(serialized([edge("mount", "lens", 0, (0, 0, 0.1), TILT)])[0])
        self.lens = rigid((0, 0, 0.1), np.array(TILT) / np.linalg.norm(TILT))
        self._live = live

    def move(self, second, place):
        self._moving.publish(serialized([edge("base", "mount", round(second * SECOND), place, (0, 0, 0, 1))])[0])

    def heard(self, name):
        """Wait until the node with this name and all other listeners to /tf are matched."""

        def matched():
            listeners = self._live.node.get_subscriptions_info_by_topic("/tf")
            named = any(listener.node_name == name for listener in listeners)
            return named and self._moving.get_subscription_count() >= len(listeners)

        wait_for(matched, f"{name} listens to /tf")
        return self


@pytest.fixture(scope="module")
def tf(live):
    frames = Frames(live)
    node = live.start("points:=/tf_points", name="tf", target_frame="base", tf_timeout=0.3, track=False)
    return node, frames.heard("tf"), live.camera("/tf_points"), live.listen(node.path, topics.MARKERS).matched()


def seen_from(second, place, lens):
    """Two boxes 2 m ahead of base as the lens sees them when the mount stands at `place`."""
    base_from_lens = rigid(place, (0, 0, 0, 1)) @ lens
    points, colors = two_boxes()
    cloud = make_cloud(transform_points(points, inverse(base_from_lens)), colors, frame="lens", stamp=second)
    return cloud, base_from_lens


def centers(markers, base_from_lens):
    boxes = [m.pose.position for m in markers if m.ns == "boxes"]
    return sorted(tuple(transform_points(np.array([[p.x, p.y, p.z]]), base_from_lens)[0]) for p in boxes)


def test_a_cloud_between_two_transforms_is_levelled_at_its_own_stamp(tf):
    _, frames, camera, ear = tf

    def move():
        frames.move(10.0, (0, 0, 1))
        frames.move(11.0, (0, 2, 1))

    cloud, base_from_lens = seen_from((10, 250_000_000), (0, 0.5, 1), frames.lens)
    answer = ask(camera, ear, topics.MARKERS, cloud, before=move)
    assert answer.markers[1].header.frame_id == "lens"  # one frame over all topics: the cloud's
    np.testing.assert_allclose(centers(answer.markers, base_from_lens), [(2, -1, 0), (2, 1, 0)], atol=0.05)
    box = next(m for m in answer.markers if m.ns == "boxes")
    q = box.pose.orientation
    up = (base_from_lens @ rigid((0, 0, 0), (q.x, q.y, q.z, q.w)))[:3, :3] @ (0, 0, 1)
    np.testing.assert_allclose(up, (0, 0, 1), atol=1e-6)  # upright in base


def test_a_transform_that_comes_a_little_late_is_waited_for(live, tf):
    """The transform is published once the cloud was read, which diagnostics tell."""
    node, frames, camera, ear = tf
    found = health(live, "tf")
    wait_for(lambda: found.get("clouds received"), "diagnostics arrive")
    assert set_parameters(live, node, tf_timeout=5.0)[0].successful
    for second in range(12, 22):  # the first cloud is answered, unless the machine stands still for seconds
        before = int(found["clouds received"])
        cloud, base_from_lens = seen_from((second, 0), (0, 0, 1), frames.lens)
        camera.publish(cloud)
        wait_for(lambda before=before: int(found["clouds received"]) > before, "the cloud was read")
        assert not ear.answered((topics.MARKERS,), (second, 0), 0)
        for late in (second + 0.1, second - 0.1):
            frames.move(late, (0, 0, 1))
        if ear.answered((topics.MARKERS,), (second, 0), 6.0):
            break
    markers = ear.answer(topics.MARKERS, (second, 0), 0).markers
    np.testing.assert_allclose(centers(markers, base_from_lens), [(2, -1, 0), (2, 1, 0)], atol=0.05)
    assert set_parameters(live, node, tf_timeout=0.3)[0].successful


@pytest.mark.parametrize(
    ("stamp", "frame", "word"),
    [
        ((99, 0), "lens", " s older"),
        ((2, 0), "lens", " s newer"),
        ((30, 7), "elsewhere", "frame 'elsewhere' is not published"),
    ],
)
def test_a_missing_transform_drops_the_cloud_with_both_frames_in_the_reason(tf, stamp, frame, word):
    node, frames, camera, ear = tf
    cloud = make_cloud(*two_boxes(), frame=frame, stamp=stamp)

    def move():
        for second in (29.9, 30.5):
            frames.move(second, (0, 0, 1))

    def publish():
        move()  # this may be the first test of its process
        camera.publish(cloud)

    repeat(publish, lambda: word in node.text, f"'{word}' is logged")
    line = next(line for line in node.lines if word in line)
    assert f"from {frame} to base" in line
    # A cloud with a transform is answered afterwards.
    good, _ = seen_from((30, 1), (0, 0, 1), frames.lens)
    ask(camera, ear, topics.MARKERS, good, before=move)
    assert stamp_of(cloud) not in [stamp_of(m) for m in ear.messages[topics.MARKERS]]


def test_simulated_time_stands_still_and_jumps_back(live):
    frames = Frames(live)
    clock = live.node.create_publisher(Clock, "/clock", 10)
    node = live.start("points:=/sim_points", name="sim", use_sim_time=True, target_frame="base", tf_timeout=0.2)
    frames.heard("sim")
    camera = live.camera("/sim_points")
    ear = live.listen(node.path, topics.MARKERS, topics.PIPELINE_LATENCY).matched()

    now = Clock()
    timer = live.node.create_timer(0.05, lambda: clock.publish(now))  # best effort: again and again

    def at(second):
        now.clock.sec = second

    wait_for(lambda: clock.get_subscription_count() > 0, "the node hears /clock")
    at(100)
    status = health(live, "sim")

    def move():
        for second in (now.clock.sec - 1.0, now.clock.sec + 1.0):
            frames.move(second, (0, 0, 1))

    first, _ = seen_from((100, 0), (0, 0, 1), frames.lens)
    ids = {m.id for m in ask(camera, ear, topics.MARKERS, first, before=move).markers[1:]}
    # The clock stands; clouds without a transform must be dropped all the same, and others answered.
    early = make_cloud(*two_boxes(), frame="lens", stamp=(150, 0))
    repeat(lambda: camera.publish(early), lambda: "is 49.000 s older" in node.text, "the cloud is dropped")
    again, _ = seen_from((100, 500), (0, 0, 1), frames.lens)
    assert {m.id for m in ask(camera, ear, topics.MARKERS, again).markers[1:]} == ids
    wait_for(lambda: status.get("pipeline latency (ms)") not in (None, ""), "diagnostics go on")
    latencies = ear.messages[topics.PIPELINE_LATENCY]
    repeat(
        lambda: camera.publish(again),
        lambda: latencies and abs(latencies[-1].data) < 1000,  # by /clock, which stands at 100 s
        "the latency is a difference of simulated times",
    )
    # It jumps back, as a bag that begins anew: old transforms are forgotten, ids are new, nothing hangs.
    at(50)
    node.expect("time has jumped back")
    back, base_from_lens = seen_from((50, 0), (0, 0, 1), frames.lens)
    markers = ask(camera, ear, topics.MARKERS, back, before=move).markers
    np.testing.assert_allclose(centers(markers, base_from_lens), [(2, -1, 0), (2, 1, 0)], atol=0.05)
    assert not ids & {m.id for m in markers[1:]}
    assert live.call(f"{node.path}/enable", SetBool, SetBool.Request(data=True)).success
    live.node.destroy_timer(timer)


def test_ids_stay_in_a_fixed_frame_while_the_camera_moves(live):
    frames = Frames(live)
    node = live.start("points:=/moving", name="moving", fixed_frame="base", axes="body", tf_timeout=0.5)
    frames.heard("moving")
    camera, ear = live.camera("/moving"), live.listen(node.path, topics.MARKERS, topics.SEGMENTED).matched()
    seen = []
    for step in range(6):  # half a metre a step: far more than an object may move
        place = (0, 0.5 * step, 1)
        cloud, base_from_lens = seen_from((200 + step, 0), place, frames.lens)
        answer = ask(
            camera, ear, topics.MARKERS, cloud, (topics.SEGMENTED,),
            before=lambda step=step, place=place: [frames.move(200 + step + d, place) for d in (-0.1, 0.1)],
        )  # fmt: skip
        markers = [m for m in answer.markers if m.ns == "boxes"]
        where = {m.id: centers([m], base_from_lens)[0][1] for m in markers}
        seen.append({number: round(float(y)) for number, y in where.items()})
    assert all(one == seen[0] for one in seen) and sorted(seen[0].values()) == [-1, 1]
    assert read_cloud(ear.messages[topics.SEGMENTED][-1], 10**6).size == (1, 600)
