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


FOLLOWS = "the publisher's"
INPUT = Topic(
    "points", "sensor_msgs/PointCloud2", "in",
    "Cloud with or without colour, organised or not, fields in any order. Only the newest is read.", FOLLOWS,
)  # fmt: skip
DEPTH = Topic(
    "depth", "sensor_msgs/Image", "in",
    "In place of `points`, with `input: depth`: rectified, 16UC1 or 32FC1; CompressedImage (compressedDepth) too.",
    FOLLOWS,
)  # fmt: skip
IMAGE = Topic(
    "image", "sensor_msgs/Image", "in",
    "Colour image registered to `depth`, with the same stamps; CompressedImage too. May be missing.", FOLLOWS,
)  # fmt: skip
CAMERA_INFO = Topic("camera_info", "sensor_msgs/CameraInfo", "in", "Intrinsics of `depth`.", FOLLOWS)
TF = Topic("/tf", "tf2_msgs/TFMessage", "in", "Only with `target_frame` or `fixed_frame`; `/tf_static` likewise.")
SEGMENTED = Topic(
    "~/segmented_points", "sensor_msgs/PointCloud2", "out",
    "x y z rgb (as received), `label` uint16 (65535: none), `instance` uint32 (0: none), `confidence` float32; "
    "stamp, frame, height and width of the input.",
)  # fmt: skip
COLORED = Topic(
    "~/colored_points", "sensor_msgs/PointCloud2", "out", "x y z rgb, coloured by object or by class; for RViz."
)
OBJECT_POINTS = Topic(
    "~/object_points", "sensor_msgs/PointCloud2", "out",
    "Only the points of the objects that `select` names: x y z rgb, `instance`.",
)  # fmt: skip
REMAINING_POINTS = Topic(
    "~/remaining_points",
    "sensor_msgs/PointCloud2",
    "out",
    "All other finite points, for an octomap: x y z rgb, `instance`.",
)
OBSTACLE_POINTS = Topic(
    "~/obstacle_points", "sensor_msgs/PointCloud2", "out",
    "All finite points without the floor, for costmaps: x y z rgb, `instance`.",
)  # fmt: skip
MARKERS = Topic(
    "~/markers", "visualization_msgs/MarkerArray", "out",
    "Boxes (`boxes`) and names (`names`); each message first removes the previous markers.",
)  # fmt: skip
SUPPORTS = Topic(
    "~/supports", "visualization_msgs/MarkerArray", "out",
    "Horizontal surfaces below objects as thin boxes (CUBE: pose and scale); `text`: ids of the objects on it.",
)  # fmt: skip
DETECTIONS = Topic(
    "~/detections", "vision_msgs/Detection3DArray", "out",
    "Class, score, oriented box and id of each object; needs vision_msgs.",
)  # fmt: skip
OVERLAY = Topic(
    "~/overlay",
    "sensor_msgs/Image",
    "out",
    "The camera's picture with objects tinted and named; organised clouds only.",
)
PROCESSING_TIME = Topic(
    "~/debug/processing_time_ms",
    "std_msgs/Float64",
    "out",
    "From the start of work on a cloud to its published answer.",
)
PIPELINE_LATENCY = Topic("~/debug/pipeline_latency_ms", "std_msgs/Float64", "out", "Now minus the cloud's stamp.")
MAP_POINTS = Topic(
    "~/map/points", "sensor_msgs/PointCloud2", "out",
    "With `map`: one point for each cell of the map in `fixed_frame`: x y z rgb, `label`, `instance`, `confidence`; at "
    "most `map_rate` times a second.", LATCHED,
)  # fmt: skip
MAP_OBJECTS = Topic(
    "~/map/objects", "vision_msgs/Detection3DArray", "out",
    "With `map`: its objects with class, score, box and id; needs vision_msgs.", LATCHED,
)  # fmt: skip
MAP_MARKERS = Topic(
    "~/map/markers", "visualization_msgs/MarkerArray", "out", "With `map`: boxes and names of its objects.", LATCHED
)
LABELS = Topic(
    "~/labels", "std_msgs/String", "out", "JSON: the model and its classes with index, name, colour, thing or stuff.",
    LATCHED,
)  # fmt: skip
LABEL_INFO = Topic(
    "~/label_info",
    "vision_msgs/LabelInfo",
    "out",
    "Class names by index; needs a vision_msgs that has this type.",
    LATCHED,
)
DIAGNOSTICS = Topic(
    "/diagnostics", "diagnostic_msgs/DiagnosticArray", "out",
    "Once a second: rates, latency by stage, dropped and lost clouds with reasons, device, memory, model, last error.",
)  # fmt: skip
ENABLE = Topic("~/enable", "std_srvs/SetBool", "service", "Pause and resume; the model stays loaded.", "")
SEGMENT_ONCE = Topic(
    "~/segment_once", "std_srvs/Trigger", "service",
    "Answer the next cloud, also while paused; returns the objects as JSON and publishes as usual.", "",
)  # fmt: skip
SAVE = Topic(
    "~/save", "std_srvs/Trigger", "service", "Write the last answer to `save_folder`: labelled PLY, JSON, PNG.", ""
)
MAP_SAVE = Topic(
    "~/map/save", "std_srvs/Trigger", "service", "Write the map to `save_folder`/map.npz; ObjectMap.load reads it.", ""
)
MAP_CLEAR = Topic("~/map/clear", "std_srvs/Trigger", "service", "Forget the map; ids go on counting.", "")

INPUTS = (INPUT, DEPTH, IMAGE, CAMERA_INFO, TF)
# One message of each for every answered cloud.
ANSWERS = (
    SEGMENTED, COLORED, OBJECT_POINTS, REMAINING_POINTS, OBSTACLE_POINTS, MARKERS, SUPPORTS, DETECTIONS, OVERLAY,
    PROCESSING_TIME, PIPELINE_LATENCY,
)  # fmt: skip
MAP = (MAP_POINTS, MAP_OBJECTS, MAP_MARKERS)  # of all answers since the map was begun
DESCRIPTIONS = (LABELS, LABEL_INFO)  # once, when the node becomes active
SERVICES = (ENABLE, SEGMENT_ONCE, SAVE, MAP_SAVE, MAP_CLEAR)
TOPICS = (*INPUTS, *ANSWERS, *MAP, *DESCRIPTIONS, DIAGNOSTICS, *SERVICES)
