"""Parameters of a real node: values in YAML's types are converted, at the start and while the node runs."""

import pytest
import rclpy
from rclpy.parameter import Parameter

from instseg3d_ros.errors import InputError
from instseg3d_ros.ros.declare import LiveParameters


@pytest.fixture
def declare():
    """declare(name=text …) → LiveParameters of a node that was started with `-p name:=text`."""
    contexts = []

    def start(**given):
        context = rclpy.Context()
        words = [word for name, text in given.items() for word in ("-p", f"{name}:={text}")]
        rclpy.init(args=["x", "--ros-args", *words], context=context)
        node = rclpy.create_node("declare", context=context, start_parameter_services=False)
        contexts.append((context, node))
        live = LiveParameters(node, lambda: False, lambda values: "", lambda before, values: None)
        return live, node

    yield start
    for context, node in contexts:
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_at_the_start(declare):
    live, node = declare(level="off", max_range="5", crop_box="[0, 0, 0, 1, 2, 3]", unit="mm")
    assert live.current.level == "off" and live.current.max_range == 5.0 and live.current.unit == "mm"
    assert live.current.crop_box == [0.0, 0, 0, 1, 2, 3]
    assert node.get_parameter("level").value == "off" and type(node.get_parameter("max_range").value) is float


def test_while_it_runs(declare):
    live, node = declare()
    done = node.set_parameters(
        [
            Parameter("level", value=False),
            Parameter("tf_timeout", value=1),
            Parameter("crop_box", value=[1, 1, 1, 2, 2, 2]),
        ]
    )
    assert all(one.successful for one in done), done
    assert (live.current.level, live.current.tf_timeout) == ("off", 1.0)
    assert live.current.crop_box == [1.0, 1, 1, 2, 2, 2]
    refused = node.set_parameters([Parameter("axes", value=False), Parameter("max_range", value="far")])
    assert not any(one.successful for one in refused)


@pytest.mark.parametrize(
    "given, word",
    [
        ({"level": "on"}, "level"), ({"max_range": "far"}, "max_range"), ({"max_points": "2.5"}, "max_points"),
        ({"unit": "yards"}, "one of: m, cm"), ({"merge": "-0.5"}, "0 to 100, or -1"), ({"min_score": "7"}, "or -1"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(declare, given, word):
    with pytest.raises(InputError, match=word):
        declare(**given)


def test_without_the_callbacks_that_humble_lacks(declare, monkeypatch):
    monkeypatch.delattr(rclpy.node.Node, "add_pre_set_parameters_callback")
    monkeypatch.delattr(rclpy.node.Node, "add_post_set_parameters_callback")
    live, node = declare()
    assert node.set_parameters([Parameter("tf_timeout", value=1.0)])[0].successful
    assert not node.set_parameters([Parameter("min_height", value=float("nan"))])[0].successful
    assert live.current.tf_timeout == 1.0 and live.current.min_height == -float("inf")
