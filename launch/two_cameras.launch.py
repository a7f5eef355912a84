"""Two cameras on one machine, each with a node in its own namespace.

ros2 launch instseg3d_ros two_cameras.launch.py left_points:=/left/camera/points right_points:=/right/camera/points
"""

from launch.actions import OpaqueFunction

from instseg3d_ros.ros import launching
from launch import LaunchDescription

SIDES = ("left", "right")
ARGUMENTS = {
    **{f"{side}_points": (f"/{side}/points", f"Topic of the {side} camera's clouds") for side in SIDES},
    # Two models on one GPU need twice the memory.
    **{f"{side}_model": ("", f"Model of the {side} camera; empty: that of `model`") for side in SIDES},
    "model": launching.SINGLE["model"],
    **launching.COMMON,
}


def generate_launch_description() -> LaunchDescription:
    start_all = OpaqueFunction(function=start)
    return LaunchDescription([*launching.declare(ARGUMENTS), *launching.transport(), start_all])


def start(context) -> list:
    value = launching.values_of(context, ARGUMENTS)
    launching.check(value)
    cameras = []
    for side in SIDES:
        own = {"namespace": side, "points": value[f"{side}_points"], "model": value[f"{side}_model"] or value["model"]}
        cameras.append(launching.camera({**value, **own}))
    return launching.start(cameras, value)
