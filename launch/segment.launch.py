"""Starts the node and, on request, RViz and a bag.

ros2 launch instseg3d_ros segment.launch.py points:=/camera/depth/color/points rviz:=true
ros2 launch instseg3d_ros segment.launch.py depth:=/camera/depth/image_rect image:=/camera/color/image_rect
    camera_info:=/camera/depth/camera_info
ros2 launch instseg3d_ros segment.launch.py rosbag:=PATH loop:=true
"""

from instseg3d_ros.ros import launching
from launch import LaunchDescription

ARGUMENTS = {**launching.SINGLE, **launching.COMMON}


def generate_launch_description() -> LaunchDescription:
    return launching.describe(ARGUMENTS, lambda value: [launching.camera(value)])
