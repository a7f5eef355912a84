"""A camera that is faster than the node, changes of parameters, exhausted memory, bugs."""

import numpy as np
import pytest
from live_node import ask, repeat, stamp_of, wait_for
from make_clouds import make_cloud, two_boxes
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters, SetParametersAtomically
from test_live_outputs import health

from instseg3d_ros.messages import topics
from instseg3d_ros.ros.parameters import Parameters

pytestmark = pytest.mark.live
KINDS = {float: ("DOUBLE", "double"), int: ("INTEGER", "integer"), str: ("STRING", "string"), bool: ("BOOL", "bool")}


def parameter(name, value):
    constant, field = KINDS[type(value)]
    kind = getattr(ParameterType, f"PARAMETER_{constant}")
    return Parameter(name=name, value=ParameterValue(type=kind, **{f"{field}_value": value}))


def set_parameters(live, node, **values):
    request = SetParameters.Request(parameters=[parameter(name, value) for name, value in values.items()])
    return live.call(f"{node.path}/set_parameters", SetParameters, request).results


def test_overload_answers_the_newest_and_never_falls_behind(live, tmp_path):
    """While the node works on a cloud of 640 x 480, at most one cloud waits in each queue; the newest is answered."""
    gate = tmp_path / "gate"
    node = live.start("points:=/fast", name="fast", model=f"fake:gate={gate}", track=False)
    found = health(live, "fast")
    camera, ear = live.camera("/fast", depth=1), live.listen(node.path, topics.MARKERS).matched()
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.5, 0.5, (480 * 640, 3)).astype(np.float32)
    message = make_cloud(points, rng.integers(0, 256, points.shape).astype(np.uint8), (480, 640))
    ask(camera, ear, topics.MARKERS, message)

    def publish():
        message.header.stamp.sec += 1
        camera.publish(message)

    def overtaken():
        return int(found.get("dropped: overtaken by a newer cloud", 0))

    for _ in range(2):
        first, before = message.header.stamp.sec + 1, overtaken()
        gate.touch()
        repeat(publish, lambda before=before: overtaken() >= before + 8, "clouds are overtaken", period=0.1)
        assert float(found["input rate (Hz)"]) > float(found["output rate (Hz)"])
        gate.unlink()
        ear.answer(topics.MARKERS, stamp_of(message))  # the newest
        answered = [stamp_of(m)[0] for m in ear.messages[topics.MARKERS] if stamp_of(m)[0] >= first]
        # One in work, one that waits for the worker, one in the reader's queue, one in the writer's.
        assert answered == sorted(answered) and len(answered) <= 4


@pytest.fixture(scope="module")
def tuned(live):
    node = live.start("points:=/tuned", name="tuned", track=False)
    return node, live.camera("/tuned"), live.listen(node.path, topics.MARKERS).matched()


def boxes(message):
    return [m for m in message.markers if m.ns == "boxes"]


def test_thresholds_take_effect_at_the_next_cloud_under_load(live, tuned):
    node, camera, ear = tuned
    points, colors = two_boxes()
    for step in range(12):
        many = step % 2 == 0
        (answer,) = set_parameters(live, node, min_points=1 if many else 400)
        assert answer.successful, answer.reason
        message = make_cloud(points, colors, stamp=(step + 1, 0))
        assert len(boxes(ask(camera, ear, topics.MARKERS, message))) == (2 if many else 0)
    assert set_parameters(live, node, min_points=1)[0].successful


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"min_score": 3.0}, "range"),
        ({"engine": "torch"}, "deactivate and clean up first"),
        ({"model": "fake:delay=1"}, "read when the node configures"),
        ({"bandwidth": 0.001}, "0.01 to 100, or -1 for the model's value"),
        ({"color_by": "mood"}, "one of: instance, class"),
        ({"max_range": 20000.0}, "range"),
        ({"max_height": float("nan")}, "not a number"),
        ({"autostart": False}, "when the process starts"),
        ({"track": 3}, "type"),
    ],
)
def test_bad_values_are_refused_with_a_reason(live, tuned, values, word):
    (answer,) = set_parameters(live, tuned[0], **values)
    assert not answer.successful and word in answer.reason.replace("read only", "read-only"), answer.reason


def test_values_that_do_not_go_together_are_refused_as_one(live, tuned):
    node = tuned[0]
    request = SetParametersAtomically.Request(parameters=[parameter("min_height", 2.0), parameter("max_height", 1.0)])
    answer = live.call(f"{node.path}/set_parameters_atomically", SetParametersAtomically, request).result
    assert not answer.successful and "no point would be labelled" in answer.reason


def test_every_parameter_is_declared_with_description_and_range(live, tuned):
    names = [entry.name for entry in Parameters.entries()]
    request = DescribeParameters.Request(names=names)
    described = live.call(f"{tuned[0].path}/describe_parameters", DescribeParameters, request).descriptors
    for entry, found in zip(Parameters.entries(), described):
        assert (found.name, found.description) == (entry.name, entry.description)
        ranges = [*found.floating_point_range, *found.integer_range]
        expected = [(-1, entry.limits[1]) if entry.left_to_model else entry.limits] if entry.limits else []
        assert [(r.from_value, r.to_value) for r in ranges] == expected


def test_memory_that_runs_out_costs_clouds_not_the_node(live):
    node = live.start("points:=/memory", name="memory", model="fake:memory=4")
    found = health(live, "memory")
    camera, ear = live.camera("/memory"), live.listen(node.path, topics.MARKERS).matched()
    repeat(
        lambda: camera.publish(make_cloud(*two_boxes())),
        lambda: ear.messages[topics.MARKERS],
        "the node recovers without help",
        period=0.1,
    )
    wait_for(lambda: int(found.get("dropped: out of memory", 0)) == 4, "four clouds are counted as lost to memory")
    assert "larger voxels" in node.text and found["last error"].startswith("out of memory")
    assert 2 in found["levels"]  # ERROR while nothing succeeded
    assert int(found["dropped: resting after repeated failures"]) > 0


def test_a_bug_is_reported_by_its_place_not_by_its_text(live):
    node = live.start("points:=/bug", name="bug", model="fake:bug=1")
    camera, ear = live.camera("/bug"), live.listen(node.path, topics.MARKERS).matched()
    ask(camera, ear, topics.MARKERS, make_cloud(*two_boxes()))
    assert "internal error (KeyError at fake_segmenter.py:" in node.text
    assert "the text of a bug" not in node.text and "Traceback" not in node.text
