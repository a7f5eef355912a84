"""The launch files where launch can be imported (it is not on PyPI): what they declare and what they start."""

import importlib.util
import json
import os

import pytest

from instseg3d_ros.paths import share

pytest.importorskip("launch_ros", reason="launch and launch_ros are not installed")
ARGUMENTS = {
    "points", "model", "device", "params_file", "target_frame", "rviz", "rosbag", "namespace", "autostart", "log_level",
}  # fmt: skip


def load(name):
    spec = importlib.util.spec_from_file_location(name, share("launch") / f"{name}.launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(description):
    from launch.actions import DeclareLaunchArgument

    return {a.name: a for a in description.entities if isinstance(a, DeclareLaunchArgument)}


def started(name="segment", **values):
    """The actions of one launch with these arguments, the environment it sets, and its context."""
    from launch.actions import OpaqueFunction, SetEnvironmentVariable

    from launch import LaunchContext

    description = load(name).generate_launch_description()
    context = LaunchContext()
    for argument in declared(description).values():
        argument.execute(context)
    context.launch_configurations.update(values)
    environment = {}
    actions = []
    for entity in description.entities:
        if isinstance(entity, SetEnvironmentVariable):
            environment["".join(s.perform(context) for s in entity.name)] = "".join(
                s.perform(context) for s in entity.value
            )
        if isinstance(entity, OpaqueFunction):
            actions += entity.execute(context)
    return actions, environment, context


def text(substitutions, context):
    return "".join(part.perform(context) for part in substitutions)


def parameters(node, context):
    """Files and values that the node would be started with, in order."""
    import yaml
    from launch_ros.utilities import evaluate_parameters

    found = {}
    for one in evaluate_parameters(context, node._Node__parameters):
        if isinstance(one, dict):
            found.update(one)
        else:
            found.update(yaml.safe_load(one.read_text())["/**"]["ros__parameters"])
    return found


def test_every_argument_is_declared_with_a_description():
    found = declared(load("segment").generate_launch_description())
    assert set(found) == ARGUMENTS
    assert all(argument.description and argument.description != "no description given" for argument in found.values())


def test_alone_the_node_takes_its_file_and_real_time():
    (node,), environment, context = started()
    values = parameters(node, context)
    assert "use_sim_time" not in values and values["model"] == "unet" and values["autostart"] is True
    if "FASTRTPS_DEFAULT_PROFILES_FILE" not in os.environ:
        assert environment["FASTRTPS_DEFAULT_PROFILES_FILE"].endswith("fastdds.xml")


def test_given_arguments_win_over_the_file():
    (node,), _, context = started(model="resnet", device="cpu", target_frame="base", autostart="false")
    values = parameters(node, context)
    assert (values["model"], values["device"], values["target_frame"]) == ("resnet", "cpu", "base")
    assert values["autostart"] is False


def test_a_bag_brings_simulated_time_and_its_own_topic(tmp_path):
    kinds = {"/tf": "tf2_msgs/msg/TFMessage", "/lens/points": "sensor_msgs/msg/PointCloud2"}
    rows = [{"topic_metadata": {"name": name, "type": kind}} for name, kind in kinds.items()]
    content = {"rosbag2_bagfile_information": {"topics_with_message_count": rows}}
    (tmp_path / "metadata.yaml").write_text(json.dumps(content))  # JSON is YAML
    (node, handler), _, context = started(rosbag=str(tmp_path))
    assert parameters(node, context)["use_sim_time"] is True
    ((_, topic),) = node.expanded_remapping_rules or [
        tuple(text(part, context) for part in rule) for rule in node._Node__remappings
    ]
    assert topic == "/lens/points"
    assert handler is not None


def test_rviz_shows_the_nodes_topics_in_its_frame(tmp_path):
    actions, _, _ = started(rviz="true")
    assert len(actions) == 2
    module = load("segment")
    from instseg3d_ros.messages import topics

    outputs = {topic.name for topic in topics.ANSWERS}
    assert {f"~/{name}" for name in module.SHOWN} <= outputs
    from test_play import write_ros2

    bag = write_ros2(tmp_path / "bag", "mcap")
    assert module.cloud_frame(str(bag), "/points") == "lens"
    assert module.cloud_frame(str(tmp_path), "/points") == module.cloud_frame("", "/points") == ""
    assert module.cloud_topic(str(bag)) == "/points"


def test_two_cameras_include_two_nodes():
    from launch.actions import IncludeLaunchDescription

    description = load("two_cameras").generate_launch_description()
    included = [e for e in description.entities if isinstance(e, IncludeLaunchDescription)]
    assert len(included) == 2
    assert [dict(i.launch_arguments)["namespace"] for i in included] == ["left", "right"]
    assert set(dict(included[0].launch_arguments)) <= ARGUMENTS
