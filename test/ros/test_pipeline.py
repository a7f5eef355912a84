"""One cloud through the node without a wire: frames, ids, what is dropped and why."""

from dataclasses import replace

import numpy as np
import pytest
from fake_segmenter import FakeSegmenter
from make_clouds import make_cloud, two_boxes
from rclpy.serialization import serialize_message

from instseg3d_ros.messages.rotations import inverse, rigid
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Dropped, Pipeline
from instseg3d_ros.ros.standalone.tf_buffer import Unavailable
from instseg3d_ros.sparse.rigid import transform_points

PLAIN = replace(Parameters(), track=False)


class Recorder:
    """A tracker that adds 100 to every id and keeps what it was given."""

    def __init__(self):
        self.seen, self.resets = [], 0

    def reset(self):
        self.resets += 1

    def update(self, result, points, stamp):
        self.seen.append((result, points, stamp))
        instance = np.where(result.instance > 0, result.instance + 100, 0)
        return replace(result, instance=instance, instances=[replace(i, id=i.id + 100) for i in result.instances])


class FixedTransforms:
    def __init__(self, **known):
        self.known, self.asked = known, []

    def lookup(self, target, source, stamp, timeout):
        self.asked.append((target, source, stamp, timeout))
        if target not in self.known:
            raise Unavailable(f"no transform from {source} to {target}: nobody publishes frame '{target}'")
        return self.known[target]


def pipeline(tracker=None, **known):
    made = Pipeline(FakeSegmenter("fake"), tracker or Recorder())
    made.transforms = FixedTransforms(**known)
    return made


def data(points, colors, **options):
    return serialize_message(make_cloud(points, colors, **options))


TILTED = rigid((0.3, -0.2, 1.2), (0.1, 0.35, -0.2, 0.9))  # base ← camera


def test_answers_are_in_the_clouds_frame_however_the_network_saw_it():
    points, colors = two_boxes()
    seen_by_camera = transform_points(points, inverse(TILTED))
    found = pipeline(base=TILTED).answer(
        data(seen_by_camera, colors, frame="camera", stamp=(9, 5)), replace(PLAIN, target_frame="base")
    )
    assert len(found.result.instances) == 2
    np.testing.assert_allclose(found.up, inverse(TILTED)[:3, :3] @ (0, 0, 1), atol=1e-12)
    for one in found.result.instances:
        mine = seen_by_camera[found.result.instance == one.id]
        local = (mine - one.box.center) @ one.box.rotation
        assert (np.abs(local) <= one.box.size / 2 + 1e-4).all()  # the box holds its points, in the cloud's frame
        np.testing.assert_allclose(one.box.rotation @ (0, 0, 1), found.up, atol=1e-6)


def test_the_transform_is_asked_at_the_clouds_own_stamp():
    made = pipeline(base=TILTED)
    made.answer(data(*two_boxes(), frame="camera", stamp=(9, 5)), replace(PLAIN, target_frame="base", tf_timeout=0.4))
    assert made.transforms.asked == [("base", "camera", 9_000_000_005, 0.4)]


def test_a_missing_transform_drops_the_cloud_and_names_both_frames():
    with pytest.raises(Dropped, match="from camera to base") as drop:
        pipeline().answer(data(*two_boxes(), frame="camera"), replace(PLAIN, target_frame="base"))
    assert drop.value.reason == "no transform"


def test_a_cloud_already_in_the_target_frame_needs_no_transform():
    made = pipeline()
    made.answer(data(*two_boxes(), frame="base"), replace(PLAIN, target_frame="base"))
    assert made.transforms.asked == []


def test_ids_are_kept_in_the_fixed_frame_and_carried_to_all_of_the_answer():
    tracker, points = Recorder(), two_boxes()[0]
    shifted = rigid((5, 0, 0), (0, 0, 0, 1))
    found = pipeline(tracker, odom=shifted).answer(
        data(points, None, encoding="none", frame="base", stamp=(2, 0)), replace(Parameters(), fixed_frame="odom")
    )
    result, in_odom, stamp = tracker.seen[0]
    np.testing.assert_allclose(in_odom - points, np.tile((5, 0, 0), (600, 1)), atol=1e-5)
    assert stamp == 2.0
    assert {round(float(i.box.center[0])) for i in result.instances} == {7}
    assert {round(float(i.box.center[0])) for i in found.result.instances} == {2}
    assert {i.id for i in found.result.instances} == set(found.result.instance) == {101, 102}


def test_ids_begin_anew_when_time_jumps_back_or_somebody_says_so():
    tracker = Recorder()
    made = pipeline(tracker)
    for second in (5, 6, 7, 2, 3):
        made.answer(data(*two_boxes(), stamp=(second, 0)), Parameters())
    assert tracker.resets == 1
    made.reset()
    made.answer(data(*two_boxes(), stamp=(4, 0)), Parameters())
    assert tracker.resets == 2


def test_points_outside_the_limits_belong_to_nothing():
    points, colors = two_boxes(apart=2.0)
    found = pipeline().answer(data(points, colors), replace(PLAIN, crop_box=[0.0, 0.0, -5.0, 5.0, 5.0, 5.0]))
    assert len(found.result.instances) == 1
    assert (found.result.semantic[points[:, 1] < 0] == -1).all()


def test_bytes_that_are_no_cloud_are_refused_in_our_words():
    for garbage in (b"", b"\x00\x01\x00\x00", bytes(range(200))):
        with pytest.raises(Dropped) as drop:
            pipeline().answer(garbage, PLAIN)
        assert drop.value.reason == "malformed cloud"
