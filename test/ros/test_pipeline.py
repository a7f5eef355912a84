"""A cloud through the pipeline without middleware: frames, ids, reasons for drops."""

import contextlib
import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from fake_segmenter import FakeSegmenter
from make_clouds import make_cloud, two_boxes
from rclpy.serialization import serialize_message

from instseg3d_ros.messages.rotations import inverse, rigid
from instseg3d_ros.messages.tf_buffer import TransformBuffer, Unavailable
from instseg3d_ros.messages.tf_message import StampedTransform
from instseg3d_ros.ros.clouds import CloudBytes, read_cloud, segmented_cloud
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Dropped, Pipeline
from instseg3d_ros.segmentation.tracker import Tracker
from instseg3d_ros.sparse.rigid import transform_points

PLAIN = replace(Parameters(), track=False)


class Recorder:
    """A tracker that adds 100 to every id and records its arguments."""

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
            raise Unavailable(f"no transform from {source} to {target}: frame '{target}' is not published")
        return self.known[target]


def pipeline(tracker=None, **known):
    made = Pipeline(FakeSegmenter("fake"), tracker or Recorder())
    made.transforms = FixedTransforms(**known)
    return made


def data(points, colors, **options):
    return CloudBytes(serialize_message(make_cloud(points, colors, **options)))


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
            pipeline().answer(CloudBytes(garbage), PLAIN)
        assert drop.value.reason == "malformed cloud"


def test_map_coordinates_keep_their_millimetres():
    """A cloud in UTM coordinates through a transform to the robot: float32 would round them to half a metre."""
    far = np.array([512_345.25, 5_412_345.5, 310.0])
    points, colors = two_boxes()
    robot = np.eye(4)
    robot[:3, 3] = -far
    made = pipeline(base=robot)
    sent = points.astype(np.float64) + far
    found = made.answer(data(sent, colors, frame="map", xyz="f8"), replace(PLAIN, target_frame="base"))
    assert len(found.result.instances) == 2 and not found.remark
    centers = np.sort([one.box.center for one in found.result.instances], axis=0)
    np.testing.assert_allclose(centers[:, 1] - far[1], (-1, 1), atol=0.05)
    message = segmented_cloud(found.received, found.result)
    back = read_cloud(message, 10**6).cloud
    np.testing.assert_allclose(back.points + back.origin, sent, atol=1e-6)


@pytest.mark.parametrize("unit, factor", [("mm", 1000), ("cm", 100)])
def test_another_unit(unit, factor):
    points, colors = two_boxes()
    sent = data(points * factor, colors)
    told = pipeline().answer(sent, PLAIN).remark
    assert "nothing was labelled" in told and "unit" in told and "target_frame" in told
    found = pipeline().answer(sent, replace(PLAIN, unit=unit))
    assert len(found.result.instances) == 2 and not found.remark
    np.testing.assert_allclose(read_cloud(segmented_cloud(found.received, found.result), 10**6).cloud.points, points,
                               atol=1e-5)  # fmt: skip


def test_why_nothing_was_labelled():
    points, colors = two_boxes()
    assert "crop_box" in pipeline().answer(data(points, colors), replace(PLAIN, min_height=50.0)).remark
    assert "NaN" in pipeline().answer(data(points * np.nan, colors), PLAIN).remark
    empty = make_cloud(np.zeros((0, 3), np.float32), None, (0, 0), encoding="none")
    assert pipeline().answer(CloudBytes(serialize_message(empty)), PLAIN).remark == ""


def test_a_colour_that_is_not_understood_costs_the_colour_and_is_told():
    points, colors = two_boxes()
    message = make_cloud(points, colors)
    message.fields[3].datatype = 8
    found = pipeline().answer(CloudBytes(serialize_message(message)), PLAIN)
    assert len(found.result.instances) == 2 and "without colour" in found.remark


@pytest.mark.parametrize(
    "frame, target", [("/camera", "base"), ("camera", "/base"), ("/base", "base"), ("base", "/base")]
)
def test_a_leading_slash_is_no_other_frame(frame, target):
    made = pipeline(base=np.eye(4))
    made.transforms = TransformBuffer()
    made.transforms.add([StampedTransform("/base", "/camera", 10**9, (0, 0, 0), (0, 0, 0, 1))], fixed=True)
    made.transforms.lookup = lambda *words, look=made.transforms.lookup: look(*words[:3])
    found = made.answer(data(*two_boxes(), frame=frame), replace(PLAIN, target_frame=target))
    assert len(found.result.instances) == 2


def test_a_cloud_far_from_zero_has_its_boxes_where_its_points_are():
    """In the frame of a map, float32 cannot hold the coordinates: near zero they are segmented, far away published."""
    points, colors = two_boxes()
    place = PLACE
    message = make_cloud(points + place, colors, xyz="f8")
    found = pipeline().answer(CloudBytes(serialize_message(message)), replace(PLAIN, track=True, axes="body"))
    centers = sorted((one.box.center - place).round(1).tolist() for one in found.result.instances)
    np.testing.assert_allclose(centers, [(2, -1, 0), (2, 1, 0)], atol=0.11)
    (near,) = find_supports_of(found)
    np.testing.assert_allclose(near.box.center - place, (2, 1, -0.15), atol=0.3)


def find_supports_of(answer):
    """Boxes with a floor below one of them."""
    from instseg3d_ros.messages.parts import find_supports

    cloud, result = answer.received.cloud, answer.result
    row = np.arange(-1, 1, 0.02)
    floor = np.stack(np.meshgrid(row + 2, row + 1, [-0.15], indexing="ij"), axis=-1).reshape(-1, 3)
    more = replace(cloud, points=np.concatenate((cloud.points, floor - cloud.origin + PLACE)).astype(np.float32))
    one = max(result.instances, key=lambda one: one.box.center[1])
    instance = np.concatenate((result.instance, np.zeros(len(floor), np.int32)))
    return find_supports(more, replace(result, instance=instance, instances=[one]), np.eye(3))


PLACE = np.array((450_000.0, 5_400_000.0, 300.0))


def test_nothing_stays_of_clouds_that_were_answered_or_dropped():
    rng = np.random.default_rng(0)
    clouds = []
    for number in range(12):
        points, colors = two_boxes(int(rng.integers(20, 600)))
        far = np.array((0, 0, 0) if number % 3 else (512_345.5, 5_412_345.25, 310))
        message = make_cloud(points + far, colors, xyz="f8", encoding=("rgb", "separate", "none")[number % 3])
        if number % 4 == 0:
            message.fields[int(rng.integers(len(message.fields)))].datatype = int(rng.integers(0, 255))
        if number % 5 == 0:
            message.width += 7
        clouds.append(CloudBytes(serialize_message(message)))
    made = pipeline(Tracker())

    def answer_all():
        for cloud in clouds:
            with contextlib.suppress(Dropped):
                made.answer(cloud, replace(Parameters(), target_frame=""))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        answer_all()
        first, last = answer_all(), [answer_all() for _ in range(2)][-1]
    finally:
        tracemalloc.stop()
    assert last < first + 100_000
