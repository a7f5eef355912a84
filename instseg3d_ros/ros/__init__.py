"""The ROS 2 node. Only this folder and two commands import rclpy."""
