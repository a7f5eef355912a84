"""The actions of the launch files. All arguments are checked before the first process starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.header import read_header
from instseg3d_ros.paths import share
from instseg3d_ros.ros.arguments import LEVELS, check_file, check_name, truth
from instseg3d_ros.ros.transport import large_cloud_profile

if TYPE_CHECKING:
    from launch.events.process import ProcessExited
    from launch.launch_context import LaunchContext

CLOUD = "sensor_msgs/msg/PointCloud2"
SHOWN = ("colored_points", "markers", "overlay")  # topics that RViz shows
FIRST_CLOUD = 15.0  # seconds that RViz waits for the frame of the first cloud
WAIT = "120"  # seconds that a bag waits for its readers

COMMON = {
    "params_file": (str(share("config") / "segment.yaml"), "YAML file with the node's parameters"),
    "device": ("", "Device of the network: auto, cpu, cuda or cuda:N; empty: the value in params_file"),
    "target_frame": ("", "Frame with z up into which clouds are transformed with TF; empty: the value in params_file"),
    "map": ("", "true: build a map of objects in fixed_frame; empty: the value in params_file"),
    "fixed_frame": ("", "Frame with z up in which objects do not move, such as odom; empty: the value in params_file"),
    "rviz": ("false", "Start RViz with the view of this package"),
    "rosbag": ("", "Bag to play with --clock after the node has started; this argument also sets use_sim_time"),
    "loop": ("false", "Repeat the bag without end"),
    "rate": ("1.0", "Speed of playback as a multiple of the recorded speed"),
    "autostart": ("true", "Configure and activate the node; false: a lifecycle manager must do so"),
    "respawn": ("false", "Restart the node if it dies; false: the launch ends with exit code 1"),
    "log_level": ("info", "Log level of the node: debug, info, warn, error or fatal"),
}
SINGLE = {
    "points": ("", "Topic of the clouds; empty: the bag's first PointCloud2 topic, otherwise /points"),
    "depth": ("", "Topic of depth images, used instead of clouds together with image and camera_info"),
    "image": ("image", "Topic of the colour images that are registered to depth"),
    "camera_info": ("camera_info", "Topic of the camera intrinsics of depth"),
    "model": ("", "Model: name in models/ or path of a .safetensors file; empty: the value in params_file"),
    "namespace": ("", "Namespace of the node"),
}


def describe(
    arguments: dict[str, tuple[str, str]], cameras: Callable[[dict[str, str]], list[CameraNode]]
) -> LaunchDescription:
    """A launch file with these arguments; `cameras` returns the nodes for their values."""

    def start_all(context: LaunchContext) -> list:
        value = values_of(context, arguments)
        check(value)
        return start(cameras(value), value)

    return LaunchDescription([*declare(arguments), *transport(), OpaqueFunction(function=start_all)])


def declare(arguments: dict[str, tuple[str, str]]) -> list[DeclareLaunchArgument]:
    return [DeclareLaunchArgument(n, default_value=value, description=text) for n, (value, text) in arguments.items()]


def transport() -> list[SetEnvironmentVariable]:
    """Give Fast DDS enough shared memory for large clouds, unless the user has chosen a transport."""
    return [SetEnvironmentVariable(name, value) for name, value in large_cloud_profile().items()]


def values_of(context: LaunchContext, arguments: Iterable[str]) -> dict[str, str]:
    """The arguments' values, and `prefix`: the words in front of each command."""
    value = {name: LaunchConfiguration(name).perform(context) for name in arguments}
    return {**value, "prefix": end_with_launch(context)}


def end_with_launch(context: LaunchContext) -> str:
    """A command prefix that ends a process when launch dies, because launch does not end its processes on SIGTERM.

    Empty if the user chose a prefix with `ros2 launch --launch-prefix`, such as a debugger.
    """
    chosen = context.launch_configurations.get("launch-prefix")
    return "setpriv --pdeathsig TERM" if not chosen and shutil.which("setpriv") else ""


@dataclass(frozen=True)
class CameraNode:
    """One node of a launch: its namespace, remappings and parameters."""

    namespace: str
    topic: str  # topic of the clouds or of the depth images
    remappings: list[tuple[str, str]]
    parameters: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/{self.namespace}/instseg3d" if self.namespace else "/instseg3d"


def camera(value: dict[str, str]) -> CameraNode:
    """The node that a set of launch arguments describes. Raises InputError (one line) for values that would fail."""
    namespace = value["namespace"].strip("/")
    if namespace:
        check_name(namespace, "namespace")
    given: dict[str, Any] = {
        name: value[name] for name in ("model", "device", "target_frame", "fixed_frame") if value[name]
    }
    if value["map"]:
        given["map"] = truth("map", value["map"])
    if value.get("depth"):
        names = {name: value[name] for name in ("depth", "image", "camera_info")}
        given["input"], topic = "depth", value["depth"]
    else:
        topic = value["points"] or cloud_topic(value["rosbag"])
        names = {"points": topic}
    for name, target in names.items():
        check_name(target, f"argument {name}")
    return CameraNode(namespace, topic, list(names.items()), given)


def check(value: dict[str, str]) -> None:
    """Check the values that all nodes of a launch share. Raises InputError with a message of one line."""
    for name in ("rviz", "loop", "autostart", "respawn"):
        truth(name, value[name])
    if value["log_level"].lower() not in LEVELS:
        raise InputError(f"log_level:={value['log_level']} is unknown; one of: {', '.join(LEVELS)}")
    check_file("params_file", value["params_file"])
    try:
        yaml.safe_load(Path(value["params_file"]).read_text())
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:150]
        raise InputError(f"params_file {value['params_file']} is not YAML ({reason})") from None
    if value["rosbag"] and not Path(value["rosbag"]).exists():
        raise InputError(f"rosbag:={value['rosbag']} does not exist")
    try:
        positive = float(value["rate"]) > 0
    except ValueError:
        positive = False
    if not positive:
        raise InputError(f"rate:={value['rate']} is not a number above 0")


def start(cameras: list[CameraNode], value: dict[str, str]) -> list:
    """Actions of a launch: a node for each camera and, if requested, RViz and a bag. Call `check` before."""
    simulated = [{"use_sim_time": True}] if value["rosbag"] else []
    respawn = truth("respawn", value["respawn"])
    actions: list = []
    for camera_node in cameras:
        level = f"{camera_node.path.strip('/').replace('/', '.')}:={value['log_level']}"
        parameters = [
            value["params_file"],
            {**camera_node.parameters, "autostart": truth("autostart", value["autostart"])},
        ]
        node = Node(
            package="instseg3d_ros", executable="segment_node", name="instseg3d", namespace=camera_node.namespace,
            parameters=parameters + simulated, remappings=camera_node.remappings, output="screen",
            arguments=["--ros-args", "--log-level", level], respawn=respawn, respawn_delay=2.0,
            prefix=value["prefix"] or None, exec_name="segment_node",
        )  # fmt: skip
        actions.append(node)
        if not respawn:
            actions.append(RegisterEventHandler(OnProcessExit(target_action=node, on_exit=_end)))
    readers = [camera_node.topic for camera_node in cameras]
    if truth("rviz", value["rviz"]):
        actions += view(cameras[0], value, simulated)
        if installed("rviz2"):
            readers.append(f"{cameras[0].path}/{SHOWN[0]}")
    if value["rosbag"]:
        actions.append(player(value, readers))
    return actions


def _end(event: ProcessExited, context: LaunchContext) -> list:
    """End the launch when a node ends; with an error, unless the node was shut down."""
    if context.is_shutdown:
        return []
    if event.returncode == 0:
        return [EmitEvent(event=Shutdown(reason="segment_node has ended"))]

    def fail(_context: LaunchContext) -> None:
        raise RuntimeError(f"segment_node ended with exit code {event.returncode}; see its error message above")

    # The delay lets launch first print the last output of the node.
    return [TimerAction(period=0.1, actions=[OpaqueFunction(function=fail)])]


def view(camera: CameraNode, value: dict[str, str], parameters: list) -> list:
    """Start RViz on this camera's topics in the frame of its clouds; log a message if RViz is not installed."""
    if not installed("rviz2"):
        remedy = f"sudo apt install ros-{os.environ.get('ROS_DISTRO', 'jazzy')}-rviz2"
        return [LogInfo(msg=f"rviz2 is not installed ({remedy}); the launch continues without RViz")]
    moved = [(f"/instseg3d/{name}", f"{camera.path}/{name}") for name in SHOWN] if camera.namespace else []

    def rviz(frame: str) -> Node:
        arguments = ["-d", str(share("config") / "segment.rviz"), *(["-f", frame] if frame else [])]
        return Node(package="rviz2", executable="rviz2", arguments=arguments, parameters=parameters, remappings=moved,
                    output="log", prefix=value["prefix"] or None, exec_name="rviz2")  # fmt: skip

    frame = value["target_frame"] or cloud_frame(value["rosbag"], camera.topic)
    if frame or value["rosbag"]:
        return [rviz(frame)]
    return [OpaqueFunction(function=lambda context: when_frame_known(context, camera, rviz))]


def when_frame_known(context: LaunchContext, camera: CameraNode, make: Callable[[str], Node]) -> list:
    """Call `make(frame)` when the diagnostics report the frame of the clouds, or `make("")` after FIRST_CLOUD."""
    from diagnostic_msgs.msg import DiagnosticArray
    from launch.event import Event
    from launch.event_handler import EventHandler
    from launch_ros.ros_adapters import get_ros_node

    class FrameKnown(Event):
        def __init__(self, frame: str):
            self.frame = frame

    loop = context.asyncio_loop

    def hear(message: DiagnosticArray) -> None:
        for status in message.status:
            frame = next((entry.value for entry in status.values if entry.key == "input frame"), "")
            if status.name.startswith(camera.path.lstrip("/") + ":") and frame:
                loop.call_soon_threadsafe(context.emit_event_sync, FrameKnown(frame))

    node = get_ros_node(context)
    context.extend_globals({f"diagnostics_of_{camera.path}": node.create_subscription(
        DiagnosticArray, "/diagnostics", hear, 10
    )})  # fmt: skip
    return [
        RegisterEventHandler(EventHandler(
            matcher=lambda event: isinstance(event, FrameKnown), entities=lambda event, _: [make(event.frame)],
            handle_once=True,
        )),
        TimerAction(period=FIRST_CLOUD, actions=[EmitEvent(event=FrameKnown(""))], cancel_on_shutdown=True),
    ]  # fmt: skip


def player(value: dict[str, str], readers: list[str]) -> Node:
    """This package's player, which waits until the topics `readers` have subscribers; rosbag2's player does not."""
    arguments = [value["rosbag"], "--clock", "--rate", value["rate"], "--wait", WAIT, "--wait-for", *readers]
    arguments += ["--loop"] if truth("loop", value["loop"]) else []
    return Node(package="instseg3d_ros", executable="play", arguments=arguments, output="screen",
                prefix=value["prefix"] or None, exec_name="play")  # fmt: skip


def cloud_topic(bag: str) -> str:
    """First topic of clouds in a bag, from its metadata or else its content; /points if there is no such topic."""
    if not bag:
        return "/points"
    try:
        content = yaml.safe_load((Path(bag) / "metadata.yaml").read_text())
        topics = [row["topic_metadata"] for row in content["rosbag2_bagfile_information"]["topics_with_message_count"]]
        return next(topic["name"] for topic in topics if topic["type"] == CLOUD)
    except (OSError, KeyError, TypeError, StopIteration, yaml.YAMLError):
        return recorded_topic(bag)


def recorded_topic(bag: str) -> str:
    """First topic of clouds in a bag without metadata.yaml: a single mcap or db3 file, or a ROS 1 bag."""
    try:
        from instseg3d_ros.ros.standalone.recording import Recording

        with Recording(Path(bag)) as recording:
            return next((t.topic for t in recording.tracks if t.type == CLOUD), "/points")
    except ImportError:  # rosbags is not installed
        return "/points"


def cloud_frame(bag: str, topic: str) -> str:
    """Frame of the first cloud of a bag; empty if the bag cannot be read."""
    if not bag:
        return ""
    try:
        from instseg3d_ros.ros.standalone.recording import Recording

        with Recording(Path(bag), [topic]) as recording:
            _, _, data = next(recording.messages(recording.start))
        return read_header(data)[1]
    except Exception:  # the player will report a damaged bag or a missing rosbags package
        return ""


def installed(package: str) -> bool:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
