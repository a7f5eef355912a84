"""Markers, colours, overlay, detections and labels of an answer, without middleware."""

import json
import sys
import types

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from make_clouds import make_cloud
from std_msgs.msg import Header

from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.colors import NOTHING, object_colors, pack_colors, packed_point_colors
from instseg3d_ros.messages.label_info import label_json
from instseg3d_ros.messages.rotations import rotation_of
from instseg3d_ros.ros.clouds import read_cloud
from instseg3d_ros.ros.detections import detection_array, label_info
from instseg3d_ros.ros.markers import instance_markers
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.overlay import overlay_image
from instseg3d_ros.segmentation.result import Box, Instance, Result

TURN = rotation_of((0, 0, np.sin(0.4), np.cos(0.4)))
CHAIR = Instance(7, "chair", 0.8125, 100, Box(np.array([1.0, 2, 3]), np.array([0.4, 0.6, 0.8]), TURN))


def test_box_markers_draw_the_turned_box():
    array = instance_markers(Header(frame_id="map"), [CHAIR], 1.5, np.array([0, 0, 1.0]))
    clear, box, text = array.markers
    assert clear.action == clear.DELETEALL and clear.header.frame_id == "map"
    assert (box.id, text.id, box.ns, text.ns) == (7, 7, "boxes", "names")
    assert (box.lifetime.sec, box.lifetime.nanosec) == (1, 500_000_000)
    assert text.text == "chair #7 0.81"
    q = box.pose.orientation
    np.testing.assert_allclose(rotation_of((q.x, q.y, q.z, q.w)), TURN, atol=1e-9)
    corners = {(round(p.x, 6), round(p.y, 6), round(p.z, 6)) for p in box.points}
    assert corners == {(x, y, z) for x in (-0.2, 0.2) for y in (-0.3, 0.3) for z in (-0.4, 0.4)}
    assert len(box.points) == 24
    for a, b in zip(box.points[::2], box.points[1::2]):
        assert sum(abs(getattr(a, axis) - getattr(b, axis)) > 1e-9 for axis in "xyz") == 1
    assert text.pose.position.z > 3.4 and (text.pose.position.x, text.pose.position.y) == (1, 2)


def test_no_objects_clear_the_last():
    assert [m.action for m in instance_markers(Header(), [], 0.0, np.array([0, 0, 1.0])).markers] == [3]


def test_a_colour_belongs_to_an_id_and_neighbours_differ():
    colors = object_colors(np.arange(200)).astype(int)
    np.testing.assert_array_equal(colors[0], NOTHING)
    np.testing.assert_array_equal(colors, [object_colors(np.array(i)) for i in range(200)])
    near = [np.abs(colors[i] - colors[j]).max() for i in range(1, 200) for j in range(i + 1, min(i + 8, 200))]
    assert min(near) > 15


def test_points_are_coloured_by_object_or_class():
    semantic, instance = np.array([-1, 4, 4, 0], np.int16), np.array([0, 7, 5_000_000, 0], np.int32)
    result = Result(semantic, instance, np.ones(4, np.float32), [CHAIR])
    by_class = packed_point_colors(result, SCANNET20, "class")
    expected = np.array([NOTHING, SCANNET20[4].color, SCANNET20[4].color, SCANNET20[0].color])
    np.testing.assert_array_equal(by_class, pack_colors(expected))
    by_object = packed_point_colors(result, SCANNET20, "instance")
    np.testing.assert_array_equal(by_object, pack_colors(object_colors(instance)))
    small = Result(semantic, instance % 1000, np.ones(4, np.float32), [CHAIR])
    expected = pack_colors(object_colors(instance % 1000))
    np.testing.assert_array_equal(packed_point_colors(small, SCANNET20, "instance"), expected)


@pytest.mark.parametrize("colored", [True, False])
def test_overlay_tints_objects_and_leaves_the_rest(colored):
    shape = (40, 60)
    colors = np.full((2400, 3), 100, np.uint8)
    points = np.ones((2400, 3), np.float32)
    points[5] = np.nan
    message = make_cloud(
        points, colors if colored else None, shape, encoding="rgb" if colored else "none", frame="lens"
    )
    instance = np.zeros(shape, np.int32)
    instance[10:30, 10:50] = 7
    result = Result(np.zeros(2400, np.int16), instance.ravel(), np.ones(2400, np.float32), [CHAIR])
    image = overlay_image(read_cloud(message, 10**4), result)
    assert (image.height, image.width, image.encoding, image.step) == (40, 60, "rgb8", 180)
    assert image.header == message.header
    picture = np.frombuffer(image.data, np.uint8).reshape(40, 60, 3).astype(int)
    before = 100 if colored else picture[0, 0, 0]
    assert (picture[2, 5:] == before).all()
    expected = 0.45 * object_colors(np.array(7)) + 0.55 * before
    np.testing.assert_allclose(picture[12, 12], expected, atol=1)
    assert (picture[10, 10] == 255).all()  # the outline
    inner = picture[15:25, 12:48].reshape(-1, 3)
    assert len(np.unique(inner, axis=0)) > 1  # the name is written over it


def test_detections_carry_class_score_box_and_id(monkeypatch):
    """vision_msgs cannot be installed everywhere: a stand-in with its fields as its .msg files name them."""
    stand_in = pytest.importorskip("vision_msgs.msg") if "vision_msgs" in sys.modules else vision_msgs_stand_in()
    monkeypatch.setitem(sys.modules, "vision_msgs", types.ModuleType("vision_msgs"))
    monkeypatch.setitem(sys.modules, "vision_msgs.msg", stand_in)
    array = detection_array(Header(frame_id="map"), [CHAIR])
    (one,) = array.detections
    assert one.id == "7" and one.header.frame_id == array.header.frame_id == "map"
    (hypothesis,) = one.results
    assert (hypothesis.hypothesis.class_id, hypothesis.hypothesis.score) == ("chair", 0.8125)
    assert hypothesis.pose.pose == one.bbox.center
    assert (one.bbox.center.position.x, one.bbox.size.y) == (1, 0.6)


def test_label_info_names_the_classes_by_index(monkeypatch):
    monkeypatch.setitem(sys.modules, "vision_msgs", types.ModuleType("vision_msgs"))
    monkeypatch.setitem(sys.modules, "vision_msgs.msg", vision_msgs_stand_in())
    info = label_info(Time(sec=3), SCANNET20)
    assert info.header.stamp.sec == 3
    assert [(c.class_id, c.class_name) for c in info.class_map] == list(enumerate(SCANNET20.names))
    # An older vision_msgs without the type: the topic is left out.
    assert message_class(topics.LABEL_INFO) is not None
    monkeypatch.delattr(sys.modules["vision_msgs.msg"], "LabelInfo")
    assert message_class(topics.LABEL_INFO) is None and message_class(topics.DETECTIONS) is not None


def vision_msgs_stand_in():
    from dataclasses import dataclass, field

    from geometry_msgs.msg import Pose, PoseWithCovariance, Vector3

    @dataclass
    class ObjectHypothesis:
        class_id: str = ""
        score: float = 0.0

    @dataclass
    class ObjectHypothesisWithPose:
        hypothesis: ObjectHypothesis = field(default_factory=ObjectHypothesis)
        pose: PoseWithCovariance = field(default_factory=PoseWithCovariance)

    @dataclass
    class BoundingBox3D:
        center: Pose = field(default_factory=Pose)
        size: Vector3 = field(default_factory=Vector3)

    @dataclass
    class Detection3D:
        header: Header = field(default_factory=Header)
        results: list = field(default_factory=list)
        bbox: BoundingBox3D = field(default_factory=BoundingBox3D)
        id: str = ""

    @dataclass
    class Detection3DArray:
        header: Header = field(default_factory=Header)
        detections: list = field(default_factory=list)

    @dataclass
    class VisionClass:
        class_id: int = 0
        class_name: str = ""

    @dataclass
    class LabelInfo:
        header: Header = field(default_factory=Header)
        class_map: list = field(default_factory=list)
        threshold: float = 0.0

    module = types.ModuleType("vision_msgs.msg")
    kinds = (ObjectHypothesis, ObjectHypothesisWithPose, BoundingBox3D, Detection3D, Detection3DArray, VisionClass)
    for kind in (*kinds, LabelInfo):
        setattr(module, kind.__name__, kind)
    return module


def test_labels_explain_the_numbers():
    content = json.loads(label_json("unet", SCANNET20))
    assert content["model"] == "unet" and content["none"] == 65535
    assert [c["index"] for c in content["classes"]] == list(range(20))
    assert content["classes"][4] == {"index": 4, "name": "chair", "color": list(SCANNET20[4].color), "thing": True}
