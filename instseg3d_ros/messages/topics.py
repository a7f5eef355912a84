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
DETECTIONS = Topic(
    "~/detections", "vision_msgs/Detection3DArray", "out",
    "Class, score, oriented box and id of each object; where vision_msgs is installed.",
)  # fmt: skip
OVERLAY = Topic(
    "~/overlay", "sensor_msgs/Image", "out", "The picture with objects tinted and named; for organised clouds only."
)
LABELS = Topic(
    "~/labels", "std_msgs/String", "out", "JSON: the model and its classes with index, name, colour, thing or stuff.",
    LATCHED,
)  # fmt: skip
PROCESSING_TIME = Topic(
    "~/debug/processing_time_ms", "std_msgs/Float64", "out", "From taking up a cloud to publishing its answer."
)
PIPELINE_LATENCY = Topic("~/debug/pipeline_latency_ms", "std_msgs/Float64", "out", "Now minus the cloud's stamp.")
DIAGNOSTICS = Topic(
    "/diagnostics", "diagnostic_msgs/DiagnosticArray", "out",
    "Once a second: rates, latency by stage, drops with reasons, device, memory, model, last error.",
)  # fmt: skip
TF = Topic("/tf", "tf2_msgs/TFMessage", "in", "With `target_frame` or `fixed_frame` only; `/tf_static` likewise.")
ENABLE = Topic("~/enable", "std_srvs/SetBool", "service", "Pause and resume without unloading the model.", "")

# Of each cloud's answer; the others are the node's own.
ANSWERS = (SEGMENTED, COLORED, MARKERS, DETECTIONS, OVERLAY, PROCESSING_TIME, PIPELINE_LATENCY)
TOPICS = (INPUT, TF, *ANSWERS, LABELS, DIAGNOSTICS, ENABLE)
