"""Two cameras on one machine, each with a node in its own namespace.

ros2 launch instseg3d_ros two_cameras.launch.py left_points:=/left/camera/points right_points:=/right/camera/points
"""

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from instseg3d_ros.paths import share
from launch import LaunchDescription

SIDES = ("left", "right")
# Both take these from one argument; two models on one GPU need twice the memory.
SHARED = {
    "model": ("", "Name in models/ or path of a .safetensors file; empty: as params_file says"),
    "device": ("", "auto, cpu, cuda or cuda:N for both; empty: as params_file says"),
    "params_file": (str(share("config") / "segment.yaml"), "YAML file with the parameters of both nodes"),
    "target_frame": ("", "Frame with z up into which clouds are levelled through TF; empty: as params_file says"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
}


def generate_launch_description() -> LaunchDescription:
    declared = [
        DeclareLaunchArgument(
            f"{side}_points", default_value=f"/{side}/points", description=f"Clouds of the {side} camera"
        )
        for side in SIDES
    ]
    declared += [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in SHARED.items()
    ]
    one = PythonLaunchDescriptionSource(str(share("launch") / "segment.launch.py"))
    nodes = [
        IncludeLaunchDescription(
            one,
            launch_arguments={
                "namespace": side,
                "points": LaunchConfiguration(f"{side}_points"),
                **{name: LaunchConfiguration(name) for name in SHARED},
            }.items(),
        )
        for side in SIDES
    ]
    return LaunchDescription([*declared, *nodes])
