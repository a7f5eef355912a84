"""Measures how many clouds arrive, and their latency, with and without `config/fastdds.xml`, between two processes.

python -m instseg3d_ros.ros.tools.lost_messages            prints a table
python -m instseg3d_ros.ros.tools.lost_messages --json     prints JSON
"""

from __future__ import annotations

import argparse
import array
import json
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from instseg3d_ros.ros.transport import CHOSEN, MODE, PROFILE, large_cloud_profile

SIZES = (1.0, 4.9, 9.8)  # megabytes
CLOUDS, RATE = 20, 5.0  # number of clouds, and clouds per second
SETTLE = 1.0  # seconds between discovery and the first cloud
PATIENCE = 5.0  # seconds without a cloud after which the remaining clouds count as lost


@dataclass(frozen=True)
class TransportLoss:
    """A measured combination; latency_ms: median from publishing to taking, or None if no cloud arrived."""

    profile: bool
    reliable: bool
    megabytes: float
    sent: int
    arrived: int
    latency_ms: float | None


def measure(profile: bool, reliable: bool, megabytes: float, clouds: int = CLOUDS) -> TransportLoss:
    """Send `clouds` clouds at `RATE` from one process to another; twenty take about ten seconds."""
    environment = {name: value for name, value in os.environ.items() if name not in (*CHOSEN, MODE)}
    if profile:
        environment.update(_profile())
    environment.update(ROS_DOMAIN_ID=str(random.randrange(1, 100)), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    words = [sys.executable, "-m", "instseg3d_ros.ros.tools.lost_messages", "--role"]
    settings = [str(int(reliable)), str(megabytes), str(clouds)]
    reader = subprocess.Popen([*words, "read", *settings], env=environment, stdout=subprocess.PIPE, text=True)
    writer = subprocess.Popen([*words, "write", *settings], env=environment)
    try:
        latencies = json.loads(reader.communicate(timeout=120)[0])
    finally:
        for process in (reader, writer):
            process.kill()
            process.wait()
    return TransportLoss(
        profile, reliable, megabytes, clouds, len(latencies), statistics.median(latencies) if latencies else None
    )


def _profile() -> dict[str, str]:
    kept = {name: os.environ.pop(name) for name in CHOSEN if name in os.environ}
    try:
        return large_cloud_profile()
    finally:
        os.environ.update(kept)


def _role(role: str, reliable: bool, megabytes: float, clouds: int) -> None:
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import PointCloud2

    rclpy.init()
    node = rclpy.create_node(f"loss_{role}")
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    qos = QoSProfile(depth=5, reliability=policy)
    if role == "write":
        message = PointCloud2(data=array.array("B", bytes(int(1e6 * megabytes))))
        publisher = node.create_publisher(PointCloud2, "cloud", qos)
        while not publisher.get_subscription_count():
            time.sleep(0.05)
        time.sleep(SETTLE)
        for _ in range(clouds):
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
            publisher.publish(message)
            time.sleep(1 / RATE)
        time.sleep(PATIENCE)  # for clouds that have not yet arrived; the reader's end ends this process
        return
    latencies: list[float] = []
    last = 0.0  # time of the last arrival

    def take(message: PointCloud2) -> None:
        nonlocal last
        last = time.monotonic()
        sent = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        latencies.append((time.time_ns() - sent) / 1e6)

    node.create_subscription(PointCloud2, "cloud", take, qos)
    end = time.monotonic() + 60
    while node.count_publishers("cloud") == 0 and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    last = time.monotonic() + SETTLE
    while len(latencies) < clouds and time.monotonic() < last + PATIENCE:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps(latencies))


def main() -> None:
    parser = argparse.ArgumentParser(prog="instseg3d_ros.ros.tools.lost_messages", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    parser.add_argument("--role", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        role, reliable, megabytes, clouds = options.role
        _role(role, reliable == "1", float(megabytes), int(clouds))
        return
    rows = []
    for profile in (False, True):
        for reliable in (False, True):
            for megabytes in SIZES:
                rows.append(measure(profile, reliable, megabytes))
                if not options.json:
                    _print(rows[-1], len(rows) == 1)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))


def _print(row: TransportLoss, first: bool) -> None:
    if first:
        print(f"{PROFILE:<40}{'reader':<14}{'MB':>5}{'arrived':>10}{'latency (ms)':>14}")
    profile, reader = (
        "config/fastdds.xml" if row.profile else "default",
        "reliable" if row.reliable else "best effort",
    )
    latency = "" if row.latency_ms is None else f"{row.latency_ms:.1f}"
    print(f"{profile:<40}{reader:<14}{row.megabytes:>5}{row.arrived:>6}/{row.sent}{latency:>14}", flush=True)


if __name__ == "__main__":
    main()
