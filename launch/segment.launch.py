"""Starts the node, and where asked RViz and a bag.

ros2 launch instseg3d_ros segment.launch.py points:=/camera/depth/color/points rviz:=true
ros2 launch instseg3d_ros segment.launch.py rosbag:=PATH
"""

import os
from pathlib import Path

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessIO
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from instseg3d_ros.paths import share
from instseg3d_ros.ros.transport import large_cloud_profile
from launch import LaunchDescription

ARGUMENTS = {
    "points": ("", "Topic of the clouds; empty: the bag's first PointCloud2 topic, else /points"),
    "model": ("", "Name in models/ or path of a .safetensors file; empty: as params_file says"),
    "device": ("", "auto, cpu, cuda or cuda:N; empty: as params_file says"),
    "params_file": (str(share("config") / "segment.yaml"), "YAML file with the node's parameters"),
    "target_frame": ("", "Frame with z up into which clouds are levelled through TF; empty: as params_file says"),
    "rviz": ("false", "Start RViz with the view of this package"),
    "rosbag": ("", "Bag to play with --clock once the node is ready; sets use_sim_time, which nothing else does"),
    "namespace": ("", "Namespace of the node"),
    "autostart": ("true", "Configure and activate by itself; false: wait for `ros2 lifecycle set`"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
}
SHOWN = ("colored_points", "markers", "overlay")  # what the view listens to


def generate_launch_description() -> LaunchDescription:
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    # Clouds of ten megabytes need more shared memory than comes by default; a transport that the user chose stays.
    transport = [SetEnvironmentVariable(name, value) for name, value in large_cloud_profile().items()]
    return LaunchDescription([*declared, *transport, OpaqueFunction(function=start)])


def start(context) -> list:
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    for name in ("params_file", "rosbag"):  # launch would start the node without them
        if value[name] and not Path(value[name]).exists():
            raise RuntimeError(f"{name}:={value[name]} does not exist")
    where = f"{value['namespace'].strip('/')}/instseg3d".strip("/")
    given = {name: value[name] for name in ("model", "device", "target_frame") if value[name]}
    parameters = [value["params_file"], {**given, "autostart": value["autostart"].lower() in ("true", "1")}]
    simulated = [{"use_sim_time": True}] if value["rosbag"] else []
    node = Node(
        package="instseg3d_ros",
        executable="segment_node",
        name="instseg3d",
        namespace=value["namespace"],
        parameters=parameters + simulated,
        remappings=[("points", value["points"] or cloud_topic(value["rosbag"]))],
        arguments=["--ros-args", "--log-level", f"{where.replace('/', '.')}:={value['log_level']}"],
        output="screen",
    )
    actions = [node]
    if value["rosbag"] and value["log_level"].lower() in ("debug", "info"):
        actions.append(RegisterEventHandler(when_ready(node, player(value["rosbag"]))))
    elif value["rosbag"]:  # the node will not say that it is ready: `play` looks for itself whether somebody reads
        actions.append(own_player(value["rosbag"], "--wait", "120"))
    if value["rviz"].lower() in ("true", "1"):
        actions.append(view(value, simulated))
    return actions


def viewer(where: str, parameters: list):
    """RViz with our view on the topics of node `where`; a line in words where it is not installed."""
    if not installed("rviz2"):
        remedy = f"sudo apt install ros-{os.environ.get('ROS_DISTRO', 'jazzy')}-rviz2"
        return LogInfo(msg=f"rviz2 is not installed ({remedy}); going on without it")
    view = share("config") / "segment.rviz"
    names = () if where == "instseg3d" else ("colored_points", "markers", "overlay")
    topics = [(f"/instseg3d/{name}", f"/{where}/{name}") for name in names]
    return Node(package="rviz2", executable="rviz2", arguments=["-d", str(view)], parameters=parameters,
                remappings=topics, output="log")  # fmt: skip


def view(value: dict[str, str], parameters: list) -> Node:
    """RViz with this package's view, in the frame and on the topics of this node."""
    arguments = ["-d", str(share("config") / "segment.rviz")]
    frame = value["target_frame"] or cloud_frame(value["rosbag"], value["points"] or cloud_topic(value["rosbag"]))
    arguments += ["-f", frame] if frame else []
    where = value["namespace"].strip("/")
    moved = [(f"/instseg3d/{name}", f"/{where}/instseg3d/{name}") for name in SHOWN] if where else []
    return Node(
        package="rviz2", executable="rviz2", arguments=arguments, parameters=parameters, remappings=moved, output="log"
    )


def cloud_topic(bag: str) -> str:
    """First topic of clouds in a bag: by its metadata, else by its content; /points without a bag or such a topic."""
    try:
        content = yaml.safe_load((Path(bag) / "metadata.yaml").read_text())
        topics = [row["topic_metadata"] for row in content["rosbag2_bagfile_information"]["topics_with_message_count"]]
        return next(topic["name"] for topic in topics if topic["type"] == "sensor_msgs/msg/PointCloud2")
    except (OSError, KeyError, TypeError, StopIteration, yaml.YAMLError):
        return recorded_topic(bag) if bag else "/points"


def recorded_topic(bag: str) -> str:
    """As `cloud_topic`, for a bag without metadata.yaml: a lone mcap or db3 file, or ROS 1."""
    try:
        from instseg3d_ros.ros.standalone.recording import Recording

        with Recording(Path(bag)) as recording:
            return next((t.topic for t in recording.tracks if t.type == "sensor_msgs/msg/PointCloud2"), "/points")
    except ImportError:  # rosbags is not installed
        return "/points"


def cloud_frame(bag: str, topic: str) -> str:
    """Frame of the first cloud of a bag, so that RViz shows it without a click; empty where it cannot be read."""
    if not bag:
        return ""
    try:
        from instseg3d_ros.ros.standalone.recording import Recording

        with Recording(Path(bag), [topic]) as recording:
            _, _, data = next(recording.messages(recording.start))
        length = int.from_bytes(data[12:16], "little")  # behind the encapsulation and the stamp
        return data[16 : 16 + length - 1].decode()
    except Exception:  # no rosbags, a damaged bag: the player will say it
        return ""


def player(bag: str):
    """rosbag2 where it is installed, else this package's own."""
    return (
        ExecuteProcess(cmd=["ros2", "bag", "play", bag, "--clock"], output="screen")
        if installed("ros2bag")
        else own_player(bag)
    )


def own_player(bag: str, *options: str) -> Node:
    return Node(package="instseg3d_ros", executable="play", arguments=[bag, "--clock", *options], output="screen")


def installed(package: str) -> bool:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True


def when_ready(node, action) -> OnProcessIO:
    """`action` once the node says that it waits for clouds: what is played earlier is lost."""
    started = []

    def look(event):
        if not started and b"waiting for clouds" in event.text:
            started.append(True)
            return action
        return None

    return OnProcessIO(target_action=node, on_stdout=look, on_stderr=look)
