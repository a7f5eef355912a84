"""The launch files, if launch can be imported (it is not on PyPI): their declarations, processes and refusals."""

import importlib.util
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.paths import share

pytest.importorskip("launch_ros", reason="launch and launch_ros are not installed")
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch_ros.actions import Node

from instseg3d_ros.ros import launching


def load(name):
    spec = importlib.util.spec_from_file_location(name, share("launch") / f"{name}.launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(description):
    return {a.name: a for a in description.entities if isinstance(a, DeclareLaunchArgument)}


def started(name="segment", **values):
    """The actions of a launch with these arguments, the environment that it sets, and its context."""
    from launch import LaunchContext

    description = load(name).generate_launch_description()
    context = LaunchContext()
    for argument in declared(description).values():
        argument.execute(context)
    context.launch_configurations.update(values)
    environment, actions = {}, []
    for entity in description.entities:
        if isinstance(entity, SetEnvironmentVariable):
            environment[text(entity.name, context)] = text(entity.value, context)
        if isinstance(entity, OpaqueFunction):
            actions += entity.execute(context)
    return actions, environment, context


def text(substitutions, context):
    return "".join(part.perform(context) for part in substitutions)


def nodes(actions, executable):
    return [a for a in actions if isinstance(a, Node) and a.node_executable == executable]


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


def remappings(node, context):
    return {text(a, context): text(b, context) for a, b in node._Node__remappings}


def words(node):
    return node._Node__arguments


@pytest.mark.parametrize("name", ["segment", "two_cameras"])
def test_every_argument_is_declared_with_a_description(name):
    found = declared(load(name).generate_launch_description())
    assert {"model", "device", "params_file", "target_frame", "rviz", "rosbag", "autostart", "log_level"} <= set(found)
    assert all(argument.description and argument.description != "no description given" for argument in found.values())


def test_alone_the_node_takes_its_file_and_real_time():
    actions, environment, context = started()
    (node,) = nodes(actions, "segment_node")
    values = parameters(node, context)
    assert "use_sim_time" not in values and values["model"] == "unet" and values["autostart"] is True
    if "FASTRTPS_DEFAULT_PROFILES_FILE" not in os.environ:
        assert environment["FASTRTPS_DEFAULT_PROFILES_FILE"].endswith("fastdds.xml")


def test_given_arguments_win_over_the_file():
    actions, _, context = started(model="resnet", device="cpu", target_frame="base", autostart="no")
    values = parameters(nodes(actions, "segment_node")[0], context)
    assert (values["model"], values["device"], values["target_frame"]) == ("resnet", "cpu", "base")
    assert values["autostart"] is False


def test_depth_takes_the_place_of_points():
    actions, _, context = started(depth="/d/depth", image="/d/image")
    (node,) = nodes(actions, "segment_node")
    assert parameters(node, context)["input"] == "depth"
    assert remappings(node, context) == {"depth": "/d/depth", "image": "/d/image", "camera_info": "camera_info"}


def test_a_bag_brings_simulated_time_its_own_topic_and_waits_for_the_node(tmp_path):
    kinds = {"/tf": "tf2_msgs/msg/TFMessage", "/lens/points": "sensor_msgs/msg/PointCloud2"}
    rows = [{"topic_metadata": {"name": name, "type": kind}} for name, kind in kinds.items()]
    content = {"rosbag2_bagfile_information": {"topics_with_message_count": rows}}
    (tmp_path / "metadata.yaml").write_text(json.dumps(content))  # JSON is YAML
    actions, _, context = started(rosbag=str(tmp_path), loop="true", rate="0.5")
    (node,), (player,) = nodes(actions, "segment_node"), nodes(actions, "play")
    assert parameters(node, context)["use_sim_time"] is True
    assert remappings(node, context) == {"points": "/lens/points"}
    line = " ".join(words(player))
    assert "--clock --rate 0.5 --wait 120 --wait-for /lens/points --loop" in line


def test_rviz_is_missing_or_waits_for_the_frame_of_the_clouds(tmp_path, monkeypatch):
    monkeypatch.setattr(launching, "installed", lambda package: False)
    actions, _, context = started(rviz="on")
    (said,) = [a for a in actions if isinstance(a, LogInfo)]
    assert "rviz2 is not installed" in text(said.msg, context)
    monkeypatch.setattr(launching, "installed", lambda package: True)
    actions, _, context = started(rviz="true", target_frame="base")
    assert "base" in words(nodes(actions, "rviz2")[0])
    actions, _, context = started(rviz="true")
    assert not nodes(actions, "rviz2")  # it is started when the first cloud tells its frame
    from instseg3d_ros.messages import topics

    assert {f"~/{name}" for name in launching.SHOWN} <= {topic.name for topic in topics.ANSWERS}
    from test_play import write_ros2

    bag = write_ros2(tmp_path / "bag", "mcap")
    actions, _, context = started(rviz="true", rosbag=str(bag))
    assert "lens" in words(nodes(actions, "rviz2")[0])
    assert "/points /instseg3d/colored_points" in " ".join(words(nodes(actions, "play")[0]))
    assert launching.cloud_frame(str(tmp_path), "/points") == launching.cloud_frame("", "/points") == ""
    assert launching.cloud_topic(str(bag)) == "/points"


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"rviz": "maybe"}, "rviz:=maybe is neither true nor false"),
        ({"autostart": ""}, "neither true nor false"),
        ({"log_level": "loud"}, "log_level:=loud is unknown"),
        ({"points": "/bad-topic"}, "'/bad-topic' is not a valid ROS name"),
        ({"namespace": "1st"}, "no digit first"),
        ({"params_file": "/nowhere.yaml"}, "does not exist"),
        ({"params_file": "/"}, "is a folder; expected a file"),
        ({"params_file": __file__}, "is not YAML"),
        ({"rosbag": "/nowhere"}, "does not exist"),
        ({"rate": "fast"}, "is not a number above 0"),
    ],
)
def test_what_would_fail_later_is_refused_first(values, word):
    with pytest.raises(InputError, match=word):
        started(**values)


def test_two_cameras_have_a_model_each_and_one_bag():
    actions, _, context = started("two_cameras", left_model="tabletop", left_points="/l")
    left, right = nodes(actions, "segment_node")
    assert parameters(left, context)["model"] == "tabletop" and parameters(right, context)["model"] == "unet"
    assert [remappings(node, context)["points"] for node in (left, right)] == ["/l", "/right/points"]
    with pytest.raises(InputError):
        started("two_cameras", right_points="/bad-topic")


LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
path, *words = sys.argv[1:]
arguments = [tuple(word.split(":=")) for word in words]
service = LaunchService()
service.include_launch_description(LaunchDescription([
    IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=arguments)
]))
sys.exit(service.run())
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An installed package whose node has the fake segmenter, and a stand-in for RViz that subscribes."""
    prefix = tmp_path / "install"
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    programs = {
        "instseg3d_ros/segment_node": f'exec {sys.executable} {Path(__file__).with_name("fake_segmenter.py")} "$@"',
        "instseg3d_ros/play": f'exec {sys.executable} -m instseg3d_ros play "$@"',
        "rviz2/rviz2": f'exec {sys.executable} {tmp_path / "rviz.py"} "$@"',
    }
    for name, program in programs.items():
        path = prefix / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (index / name.partition("/")[0]).write_text("")
    (tmp_path / "rviz.py").write_text(
        "import sys\nimport rclpy\nfrom sensor_msgs.msg import PointCloud2\n"
        "rclpy.init()\nnode = rclpy.create_node('rviz')\n"
        f"def hear(message):\n    open('{tmp_path}/seen', 'w').write(message.header.frame_id + ' '.join(sys.argv))\n"
        "node.create_subscription(PointCloud2, '/instseg3d/colored_points', hear, 2)\nrclpy.spin(node)\n"
    )
    (tmp_path / "begin.py").write_text(LAUNCH)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}:{os.environ.get('AMENT_PREFIX_PATH', sys.prefix)}")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    return tmp_path


@pytest.fixture
def launch(live, workspace):
    from live_node import NodeProcess

    processes = []

    def begin(*words, name="segment"):
        file = share("launch") / f"{name}.launch.py"
        processes.append(NodeProcess([sys.executable, str(workspace / "begin.py"), str(file), *words], live.domain))
        return processes[-1]

    yield begin
    for process in processes:
        if process.running():
            process.signal(2)
            process.end()


def left_behind(workspace):
    """Processes that were started from this test's install folder, or for it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(workspace / "log").encode() in environment and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200])
    return found


@pytest.mark.live
def test_a_node_that_dies_ends_the_launch_with_an_error_and_leaves_nothing(launch, workspace):
    first = launch("model:=nosuch", "rviz:=true", "target_frame:=base")
    second = launch("left_model:=fake", "right_model:=nosuch", name="two_cameras")
    for process in (first, second):
        assert process.wait(120) == 1
        assert "no model 'nosuch'" in process.text and "segment_node ended with exit code 2" in process.text
        assert process.text.count("no model 'nosuch'") == 1
    assert left_behind(workspace) == []


@pytest.mark.live
def test_a_bag_is_played_to_rviz_in_the_frame_of_its_clouds(launch, workspace):
    from live_node import wait_for
    from test_play import write_ros2

    bag = write_ros2(workspace / "bag", "mcap")
    process = launch("model:=fake", "rviz:=true", f"rosbag:={bag}", "loop:=true", "rate:=2")
    wait_for((workspace / "seen").is_file, "RViz sees a cloud", 120)
    seen = (workspace / "seen").read_text()
    assert seen.startswith("lens") and "-f lens" in seen
    process.signal(2)
    assert process.wait(60) == 0
    assert left_behind(workspace) == []


@pytest.mark.live
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not installed")
@pytest.mark.parametrize("number", [9, 15])
def test_a_launch_that_is_ended_by_a_signal_leaves_nothing(launch, workspace, number):
    from live_node import wait_for
    from test_play import write_ros2

    bag = write_ros2(workspace / "bag", "mcap")
    process = launch("model:=fake", "rviz:=true", f"rosbag:={bag}", "loop:=true")
    wait_for((workspace / "seen").is_file, "node, player and RViz run", 120)
    assert len(left_behind(workspace)) == 4  # launch too
    process.signal(number)
    process.wait(30)
    wait_for(lambda: not left_behind(workspace), f"all processes end: {left_behind(workspace)}", 30)


def test_a_prefix_that_the_user_chose_stays():
    _, _, context = started()
    assert launching.end_with_launch(context) == ("setpriv --pdeathsig TERM" if shutil.which("setpriv") else "")
    _, _, context = started(**{"launch-prefix": "gdb --args"})
    assert launching.end_with_launch(context) == ""
