"""Every topic and service of the node, once: the node creates them from here, the README's table is made from here."""

from __future__ import annotations

from dataclasses import dataclass

RELIABLE = "reliable"
LATCHED = "reliable, transient local"


@dataclass(frozen=True)
class Topic:
    """direction: in, out or service; `type` as ROS writes it without /msg/."""

    name: str
    type: str
    direction: str
    description: str
    qos: str = RELIABLE


INPUT = Topic(
    "points", "sensor_msgs/PointCloud2", "in",
    "Coloured or colourless cloud, organised or not, any field order. Newest only.", "follows the publisher's",
)  # fmt: skip
SEGMENTED = Topic(
    "~/segmented_points", "sensor_msgs/PointCloud2", "out",
    "x y z rgb (as received), `label` uint16 (65535: none), `instance` uint32 (0: none), `confidence` float32; "
    "stamp, frame, height and width of the input.",
)  # fmt: skip
COLORED = Topic(
    "~/colored_points", "sensor_msgs/PointCloud2", "out", "x y z rgb, coloured by object or by class: what RViz shows."
)
MARKERS = Topic(
    "~/markers", "visualization_msgs/MarkerArray", "out",
    "Boxes (`boxes`) and names (`names`); each message first clears the last.",
)  # fmt: skip
PROCESSING_TIME = Topic(
    "~/debug/processing_time_ms", "std_msgs/Float64", "out", "From taking up a cloud to publishing its answer."
)
PIPELINE_LATENCY = Topic("~/debug/pipeline_latency_ms", "std_msgs/Float64", "out", "Now minus the cloud's stamp.")

OUTPUTS = (SEGMENTED, COLORED, MARKERS, PROCESSING_TIME, PIPELINE_LATENCY)
TOPICS = (INPUT, *OUTPUTS)


def message_class(topic: Topic):
    """The message's Python class, or None where its package is not installed."""
    import importlib

    package, name = topic.type.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except ImportError:
        return None
