"""Starts nodes for two cameras, each in a separate namespace.

ros2 launch instseg3d_ros two_cameras.launch.py left_points:=/left/camera/points right_points:=/right/camera/points
"""

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
    return launching.describe(ARGUMENTS, lambda value: [camera(value, side) for side in SIDES])


def camera(value: dict[str, str], side: str) -> launching.CameraNode:
    model = value[f"{side}_model"] or value["model"]
    return launching.camera({**value, "namespace": side, "points": value[f"{side}_points"], "model": model})
