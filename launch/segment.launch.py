"""Starts the node, and where asked RViz and a bag.

ros2 launch instseg3d_ros segment.launch.py points:=/camera/depth/color/points rviz:=true
ros2 launch instseg3d_ros segment.launch.py depth:=/camera/depth/image_rect image:=/camera/color/image_rect
    camera_info:=/camera/depth/camera_info
ros2 launch instseg3d_ros segment.launch.py rosbag:=PATH loop:=true
"""

from launch.actions import OpaqueFunction

from instseg3d_ros.ros import launching
from launch import LaunchDescription

ARGUMENTS = {**launching.SINGLE, **launching.COMMON}


def generate_launch_description() -> LaunchDescription:
    start_all = OpaqueFunction(function=start)
    return LaunchDescription([*launching.declare(ARGUMENTS), *launching.transport(), start_all])


def start(context) -> list:
    value = launching.values_of(context, ARGUMENTS)
    launching.check(value)
    return launching.start([launching.camera(value)], value)
