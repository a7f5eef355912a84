"""`segment_node`: the ROS 2 node."""

from __future__ import annotations

import argparse
import os
import signal

from instseg3d_ros.errors import InputError

EXAMPLES = """examples:
  segment_node --ros-args -r points:=/camera/depth/color/points
  segment_node --ros-args -r points:=/points --params-file config/segment.yaml -p device:=cpu
  segment_node --ros-args -r points:=/points -p target_frame:=base_link -r __ns:=/front
  segment_node --ros-args -p autostart:=false          # waits for `ros2 lifecycle set /instseg3d configure`

docs/topics.md lists the topics, docs/parameters.md the parameters.
`ros2 launch instseg3d_ros segment.launch.py -s` shows the launch arguments."""


def main(arguments: list[str]) -> int:
    """The command `segment_node`; returns its exit code, raises InputError on bad arguments."""
    parser = argparse.ArgumentParser(
        prog="segment_node", epilog=EXAMPLES,
        description="The ROS 2 node: reads PointCloud2 or depth images, publishes labelled clouds and object markers.",
        formatter_class=argparse.RawDescriptionHelpFormatter, usage="segment_node [--ros-args …]",
    )  # fmt: skip
    split = arguments.index("--ros-args") if "--ros-args" in arguments else len(arguments)
    _, unknown = parser.parse_known_args(arguments[:split])
    if unknown:
        raise InputError(f"unknown argument '{unknown[0]}'; ROS arguments follow --ros-args (see --help)")
    for number in (signal.SIGINT, signal.SIGTERM):  # until the imports are done and the node sets its own handlers
        signal.signal(number, lambda *_: os._exit(0))
    try:
        from instseg3d_ros.ros.process import run
    except ImportError as error:
        raise InputError(
            f"ROS 2 is not installed or not sourced ({error.name or error} is missing); source your ROS installation, "
            "or run `make demo` once, which installs ROS 2 into .venv"
        ) from None
    run(arguments[split:])
