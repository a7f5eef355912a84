"""Stand-ins for ROS packages that cannot be installed from PyPI: tf2_ros, rosbag2, and message packages."""
