"""Live tests: one domain per test process, loopback only, skipped where rclpy is missing."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
try:
    import rclpy  # noqa: F401
except ImportError:
    WITHOUT_ROS = ("arguments", "diagnostics", "limits", "memory", "parameters", "tf", "transport", "view", "worker")
    collect_ignore = [
        path.name
        for path in Path(__file__).parent.glob("test_*.py")
        if path.stem.removeprefix("test_") not in WITHOUT_ROS
    ]


@pytest.fixture(scope="module")
def live():
    """A test's end of the wire: starts node processes, publishes clouds, gathers answers. One domain per module."""
    from live_node import Live

    wire = Live()
    yield wire
    wire.close()
