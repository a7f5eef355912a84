"""The map of the node: answers have the map's ids, refused poses drop the cloud with a reason; also in a live node."""

from dataclasses import replace

import numpy as np
import pytest
from fake_segmenter import FakeSegmenter
from live_node import ask, repeat
from make_clouds import make_cloud, two_boxes
from rclpy.serialization import serialize_message
from std_srvs.srv import Trigger

from instseg3d_ros import ObjectMap
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.pointcloud2 import read_fields
from instseg3d_ros.messages.rotations import inverse, rigid
from instseg3d_ros.ros.clouds import CloudBytes
from instseg3d_ros.ros.map_output import MapOutput, with_ids
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Dropped, Pipeline
from instseg3d_ros.segmentation.result import Box, Instance, Result
from instseg3d_ros.sparse.rigid import transform_points

MAPPED = replace(Parameters(), map=True, fixed_frame="odom", axes="body")


class Publisherless:
    """A node that only a map asks for publishers."""

    def create_lifecycle_publisher(self, kind, name, qos):
        return self

    def get_subscription_count(self):
        return 0


class OneTransform:
    def __init__(self):
        self.value = np.eye(4)

    def lookup(self, target, source, stamp, timeout):
        assert target == "odom"
        return self.value


def mapped():
    segmenter = FakeSegmenter("fake")
    made = Pipeline(segmenter, None, MapOutput(Publisherless(), segmenter.labels, MAPPED))
    made.transforms = OneTransform()
    return made


def cloud_at(place, second):
    """Two boxes that stand still in odom, as a camera at `place` sees them."""
    points, colors = two_boxes()
    seen = transform_points(points, inverse(rigid(place, (0, 0, 0, 1))))
    return CloudBytes(serialize_message(make_cloud(seen, colors, frame="camera", stamp=(second, 0)))), seen


def test_ids_stay_while_the_camera_moves_and_boxes_are_in_the_clouds_frame():
    made, told = mapped(), []
    for second, place in enumerate([(0, 0, 0), (0.2, 0.1, 0), (0.4, -0.1, 0.05)]):
        made.transforms.value = rigid(place, (0, 0, 0, 1))
        cloud, seen = cloud_at(place, second)
        answer = made.answer(cloud, MAPPED)
        told.append(sorted(one.id for one in answer.result.instances))
        for one in answer.result.instances:
            mine = seen[answer.result.instance == one.id]
            assert (np.abs((mine - one.box.center) @ one.box.rotation) <= one.box.size / 2 + 1e-3).all()
        assert answer.stages["map"] > 0
    assert told == [[1, 2]] * 3
    numbers = made.world.numbers()
    assert numbers["map views"] == "3" and numbers["map objects"] == "2" and int(numbers["map cells"]) > 50


def test_a_pose_that_cannot_be_right_drops_the_cloud_by_name():
    made = mapped()
    made.transforms.value = rigid((5e5, 0, 0), (0, 0, 0, 1))
    with pytest.raises(Dropped, match="far away") as dropped:
        made.answer(cloud_at((0, 0, 0), 1)[0], MAPPED)
    assert dropped.value.reason == "pose refused"
    made.transforms.value = np.eye(4)
    made.answer(cloud_at((0, 0, 0), 2)[0], MAPPED)
    assert any("refused" in key for key in made.world.numbers())


def test_instances_of_one_object_become_one():
    rng = np.random.default_rng(0)
    points = rng.uniform(size=(60, 3)).astype(np.float32)
    instance = np.repeat([1, 2, 3], 20).astype(np.int32)
    boxes = [Instance(n, "chair", 0.5 + n / 10, 20 + n, Box(np.zeros(3), np.ones(3), np.eye(3))) for n in (1, 2, 3)]
    made = with_ids(Result(np.zeros(60, np.int16), instance, np.ones(60)), np.zeros(0, np.int32), points)
    assert not made.instance.any()
    made = with_ids(Result(np.zeros(60, np.int16), instance, np.ones(60), boxes), np.array([7, 0, 7]), points)
    (one,) = made.instances
    assert (one.id, one.num_points, one.score) == (7, 44, 0.8)
    assert sorted(np.unique(made.instance)) == [0, 7] and (made.instance[20:40] == 0).all()
    local = (points[made.instance == 7] - one.box.center) @ one.box.rotation
    assert (np.abs(local) <= one.box.size / 2 + 1e-5).all()


def test_saving_says_what_it_lacks(tmp_path):
    world = mapped().world
    with pytest.raises(InputError, match="save_folder"):
        world.save("")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="save_folder"):
        world.save(str(tmp_path / "file" / "below"))
    assert "0 objects" in world.save(str(tmp_path / "new")) and (tmp_path / "new" / "map.npz").is_file()


def test_a_map_without_a_fixed_frame_contradicts_itself():
    assert "fixed_frame" in replace(Parameters(), map=True).reason_against()
    assert not MAPPED.reason_against()


@pytest.mark.live
def test_the_map_is_published_saved_and_cleared(live, tmp_path):
    """The fixed frame is the frame of the cloud, so that no transform is needed."""
    node = live.start(
        "points:=/map_points", name="mapper", map=True, fixed_frame="camera", axes="body", map_rate=100.0,
        save_folder=str(tmp_path),
    )  # fmt: skip
    camera = live.camera("/map_points")
    heard = live.listen(node.path, topics.MAP_POINTS, topics.MAP_MARKERS, topics.SEGMENTED).matched()
    points, colors = two_boxes()
    for second in range(1, 4):
        message = make_cloud(points, colors, frame="camera", stamp=(second, 0))
        answer = ask(camera, heard, topics.SEGMENTED, message)
    shown = heard.messages
    repeat(
        lambda: camera.publish(message),
        lambda: shown[topics.MAP_POINTS] and shown[topics.MAP_MARKERS],
        "the map is published",
    )
    shown = shown[topics.MAP_POINTS][0]
    label, instance, confidence = read_fields(shown, ("label", "instance", "confidence"))
    assert shown.header.frame_id == "camera" and set(np.unique(instance)) == {1, 2}
    assert label.size == confidence.size == shown.width > 50
    assert set(np.unique(read_fields(answer, ("instance",))[0])) - {0} == {1, 2}
    saved = live.call(f"{node.path}/map/save", Trigger, Trigger.Request())
    assert saved.success and "2 objects" in saved.message
    assert len(ObjectMap.load(tmp_path / "map.npz").objects) == 2
    cleared = live.call(f"{node.path}/map/clear", Trigger, Trigger.Request())
    assert cleared.success and "2 objects" in cleared.message
