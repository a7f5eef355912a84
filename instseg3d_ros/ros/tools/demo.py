"""`make demo`: starts the node, sends it a recorded cloud, and shows its answer as a table, a PLY and a PNG."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.paths import share
from instseg3d_ros.segmentation.result import Box, Instance, Result

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from diagnostic_msgs.msg import DiagnosticArray
    from sensor_msgs.msg import PointCloud2
    from std_msgs.msg import String
    from visualization_msgs.msg import Marker, MarkerArray

    from instseg3d_ros.data.clouds import Cloud

PATIENCE = 180  # seconds until the first answer; a slow machine compiles kernels first
REPEAT = 1.0  # seconds after which the cloud is sent again
ANSWERS = 3  # number of answers; the last is shown, because the first takes longer with empty caches
FRAME = "camera_link"
TOPIC = "points"
NEXT = """
To try next:
  source .venv/bin/activate
  python -m instseg3d_ros segment demo/cloud.ply -o out --html         or your own bag, pcd, ply, npz, las
  python -m instseg3d_ros segment_node --ros-args -r points:=/camera/depth/color/points
  python -m instseg3d_ros --help
  pip install -e '.[train]'                                            before train, and generate with --meshes"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--cloud", type=Path, default=share("data") / "demo_bag", help="bag, pcd, ply or npz")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="output folder (default: demo)")
    parser.add_argument("--model", default="unet", help="name in models/ or a .safetensors file (default: unet)")
    arguments = parser.parse_args()
    try:
        show(arguments.cloud, arguments.out, arguments.model)
    except InputError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    return 0


def show(path: Path, out: Path, model: str) -> None:
    """Send the cloud at `path`, or the first cloud of a bag, to a node; print the answer and save it in `out`."""
    from instseg3d_ros.data.clouds import Cloud, write_cloud
    from instseg3d_ros.messages.axes import body_rotation
    from instseg3d_ros.viewing.picture import three_panels

    cloud = first_cloud(path)
    cloud.points = (cloud.points @ body_rotation(cloud).T).astype(np.float32)
    seen = cloud.finite
    print(f"{path}: {len(cloud):,} points, {seen.sum():,} of them finite. Starting the node …", flush=True)
    result, labels = ask_node(cloud, model)
    print_table(result)
    out.mkdir(parents=True, exist_ok=True)
    columns = {"label": result.semantic, "instance": result.instance, "confidence": result.confidence}
    colors = None if cloud.colors is None else cloud.colors[seen]
    columns = {name: column[seen] for name, column in columns.items()}
    write_cloud(out / "cloud.ply", Cloud(cloud.points[seen], colors, columns=columns))
    three_panels(cloud.points, cloud.colors, result, labels, out / "picture.png", cloud.shape, title=path.stem)
    print(f"saved: {out / 'picture.png'} (look at it) and {out / 'cloud.ply'} (label, instance, confidence per point)")
    print(NEXT)


def first_cloud(path: Path) -> Cloud:
    """The cloud of a file, or the first cloud of a bag."""
    from instseg3d_ros.data.clouds import is_bag, read_cloud
    from instseg3d_ros.data.clouds.bags import Bag

    if not path.exists():
        raise InputError(f"{path}: no such file; CLOUD takes a bag, pcd, ply or npz")
    if not is_bag(path):
        return read_cloud(path)
    with Bag(path) as bag:
        return next(bag.clouds()).checked(path)


def ask_node(cloud: Cloud, model: str) -> tuple[Result, LabelSet]:
    """Start the node, publish the cloud until it has answered, end the node. Raises InputError without an answer."""
    from instseg3d_ros.ros.transport import large_cloud_profile

    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault(
        "ROS_DOMAIN_ID", str(1 + os.getpid() % 100)
    )  # so that other nodes on this machine do not receive the cloud
    os.environ.update(large_cloud_profile())
    command = [sys.executable, "-m", "instseg3d_ros", "segment_node", "--ros-args", "-p", f"model:={model}"]
    node = subprocess.Popen([*command, "-p", "lazy:=false", "--log-level", "warn"])
    try:
        return _converse(cloud, node)
    finally:
        node.terminate()
        try:
            node.wait(10)
        except subprocess.TimeoutExpired:
            node.kill()


def _converse(cloud: Cloud, node: subprocess.Popen) -> tuple[Result, LabelSet]:
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from sensor_msgs.msg import PointCloud2
    from std_msgs.msg import String
    from visualization_msgs.msg import MarkerArray

    rclpy.init()
    demo = rclpy.create_node("demo")
    heard: dict[str, list] = {"segmented_points": [], "markers": [], "labels": [], "/diagnostics": []}
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    for name, kind, qos in (
        ("segmented_points", PointCloud2, 2), ("markers", MarkerArray, 2), ("labels", String, latched),
        ("/diagnostics", DiagnosticArray, 2),
    ):  # fmt: skip
        topic = name if name.startswith("/") else f"/instseg3d/{name}"
        demo.create_subscription(kind, topic, heard[name].append, qos)
    publisher = demo.create_publisher(PointCloud2, TOPIC, 2)
    try:
        start, sent = monotonic(), -REPEAT
        while len(heard["segmented_points"]) < ANSWERS or not all(heard.values()):
            if node.poll() is not None:
                raise InputError("the node ended before it answered; see its error message above")
            if monotonic() - start > PATIENCE:
                quiet = [name for name, messages in heard.items() if not messages]
                raise InputError(f"no answer within {PATIENCE} s on: {', '.join(quiet) or 'segmented_points'}")
            if monotonic() - sent > REPEAT and publisher.get_subscription_count():
                publisher.publish(_message(cloud, demo.get_clock().now().to_msg()))
                sent = monotonic()
            rclpy.spin_once(demo, timeout_sec=0.1)
        stamp = heard["segmented_points"][-1].header.stamp
        while not any(m.markers[0].header.stamp == stamp for m in heard["markers"]) and monotonic() - sent < 5:
            rclpy.spin_once(demo, timeout_sec=0.1)
        return _understand(*(messages[-1] for messages in heard.values()))
    finally:
        demo.destroy_node()
        rclpy.shutdown()
        sleep(0.1)


def _message(cloud: Cloud, stamp: Time) -> PointCloud2:
    from std_msgs.msg import Header

    from instseg3d_ros.messages.pointcloud2 import encode
    from instseg3d_ros.ros.clouds import cloud_message

    return cloud_message(Header(frame_id=FRAME, stamp=stamp), encode(cloud.points, cloud.colors, cloud.shape))


def _understand(
    segmented: PointCloud2, markers: MarkerArray, labels: String, diagnostics: DiagnosticArray
) -> tuple[Result, LabelSet]:
    """Convert the node's messages to a Result and its classes."""
    from instseg3d_ros.messages.pointcloud2 import read_fields

    semantic, instance, confidence = (column.reshape(-1) for column in read_fields(segmented, LABEL_FIELDS))
    counts = np.bincount(instance)
    boxes = {m.id: m for m in markers.markers if m.ns == "boxes"}
    found = []
    for text in (m for m in markers.markers if m.ns == "names"):
        name, _, score = text.text.rsplit(" ", 2)
        found.append(Instance(text.id, name, float(score), int(counts[text.id]), _box(boxes[text.id])))
    stages = {value.key: value.value for status in diagnostics.status for value in status.values}
    timings = {key[6:-5]: float(value) for key, value in stages.items() if key.startswith("stage ") and value}
    classes = json.loads(labels.data)["classes"]
    known = tuple(LabelClass(c["name"], c["index"], tuple(c["color"]), c["thing"]) for c in classes)
    result = Result(semantic.astype(np.int16), instance.astype(np.int32), confidence, found, timings)
    return result, LabelSet("demo", known)


LABEL_FIELDS = ("label", "instance", "confidence")


def _box(marker: Marker) -> Box:
    from instseg3d_ros.messages.rotations import rotation_of

    pose, corners = marker.pose, np.array([(p.x, p.y, p.z) for p in marker.points])
    q = pose.orientation
    center = np.array([pose.position.x, pose.position.y, pose.position.z])
    return Box(center, np.ptp(corners, axis=0), rotation_of((q.x, q.y, q.z, q.w)))


def print_table(result: Result) -> None:
    """Print the objects, and the time of each stage."""
    print(
        f"\n{'id':>3}  {'class':<16}{'score':>6}{'points':>9}   {'size (m)':<20}position (m, x forward, y left, z up)"
    )
    for one in sorted(result.instances, key=lambda one: one.id):
        size, place = (" ".join(f"{value:5.2f}" for value in row) for row in (one.box.size, one.box.center))
        print(f"{one.id:>3}  {one.label:<16}{one.score:>6.2f}{one.num_points:>9,}   {size:<20}{place}")
    print(f"\n{len(result.instances)} objects. Milliseconds per stage:")
    stages = {
        name: value for name, value in result.timings.items() if name != "total"
    }  # the node calls the total `segment`
    print("  ".join(f"{name} {value:.0f}" for name, value in stages.items()), end="\n\n")


if __name__ == "__main__":
    sys.exit(main())
