"""A node process answers clouds: fields, stamp, frame, shape, all colour encodings."""

import numpy as np
import pytest
from live_node import ask, repeat
from make_clouds import make_cloud, two_boxes

from instseg3d_ros.messages import topics
from instseg3d_ros.ros.clouds import read_cloud

pytestmark = pytest.mark.live
_stamps = iter(range(1, 10**6))


@pytest.fixture(scope="module")
def wire(live):
    node = live.start(track=False)
    camera = live.camera()
    ear = live.listen(node.path, topics.SEGMENTED, topics.COLORED, topics.MARKERS).matched()
    return node, camera, ear


def column(message, name, kind):
    field = next(f for f in message.fields if f.name == name)
    table = np.frombuffer(message.data, np.uint8).reshape(-1, message.point_step)
    return table[:, field.offset : field.offset + np.dtype(kind).itemsize].copy().view(kind)[:, 0]


@pytest.mark.parametrize("encoding", ["rgb", "rgb_uint32", "rgba_uint32", "separate", "none"])
def test_answer_has_stamp_frame_shape_and_two_objects(wire, encoding):
    _, camera, ear = wire
    points, colors = two_boxes(nan=100)
    stamp = (next(_stamps), 5)
    message = make_cloud(points, colors, (20, 30), encoding=encoding, row_padding=16, frame="lens", stamp=stamp)
    answer = ask(camera, ear, topics.SEGMENTED, message, (topics.COLORED, topics.MARKERS))
    assert answer.header == message.header
    assert (answer.height, answer.width) == (20, 30)
    label, instance = column(answer, "label", "<u2"), column(answer, "instance", "<u4")
    assert (label[:100] == 65535).all() and (instance[:100] == 0).all()
    assert len(set(instance[100:300])) == 1 and len(set(instance[300:])) == 1
    assert instance[299] != instance[300] and (instance[100:] > 0).all()
    colored = ear.answer(topics.COLORED, stamp)
    shown = read_cloud(colored, 10**6).cloud.colors
    assert len(np.unique(shown[100:], axis=0)) == 2 and colored.header == message.header
    markers = ear.answer(topics.MARKERS, stamp).markers
    assert markers[0].action == markers[0].DELETEALL
    assert sorted(m.ns for m in markers[1:]) == ["boxes", "boxes", "names", "names"]
    assert all(m.header == message.header for m in markers)
    assert {m.id for m in markers[1:]} == set(map(int, instance[100:]))


def test_optical_frame_is_turned_for_the_network_and_the_boxes_turned_back(wire):
    _, camera, ear = wire
    points, colors = two_boxes()
    optical = np.stack((-points[:, 1], -points[:, 2], points[:, 0]), axis=1)
    stamp = (next(_stamps), 0)
    answer = ask(camera, ear, topics.MARKERS, make_cloud(optical, colors, frame="camera_optical_frame", stamp=stamp))
    boxes = [m for m in answer.markers if m.ns == "boxes"]
    centers = sorted((m.pose.position.x, m.pose.position.y, m.pose.position.z) for m in boxes)
    np.testing.assert_allclose(centers, [(-1, 0, 2), (1, 0, 2)], atol=0.05)


def test_empty_and_broken_clouds_and_then_a_good_one(wire):
    node, camera, ear = wire
    stamp = (next(_stamps), 0)
    empty = make_cloud(np.zeros((0, 3), np.float32), None, (0, 0), encoding="none", stamp=stamp)
    assert len(ask(camera, ear, topics.SEGMENTED, empty, (topics.MARKERS,)).data) == 0
    assert len(ear.answer(topics.MARKERS, stamp).markers) == 1
    points, colors = two_boxes()
    flat = make_cloud(points, colors, stamp=(next(_stamps), 0))
    del flat.fields[2]
    repeat(lambda: camera.publish(flat), lambda: "no field z" in node.text, "the cloud is refused")
    nothing = make_cloud(np.full((50, 3), np.nan, np.float32), None, encoding="none", stamp=(next(_stamps), 0))
    assert (column(ask(camera, ear, topics.SEGMENTED, nothing), "instance", "<u4") == 0).all()
    good = make_cloud(points, colors, stamp=(next(_stamps), 0))
    assert column(ask(camera, ear, topics.SEGMENTED, good), "instance", "<u4").max() == 2
