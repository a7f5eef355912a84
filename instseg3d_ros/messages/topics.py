"""Every topic and service of the node: the node and the tables of the documentation are made from this list."""

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
    "Cloud with or without colour, organised or not, fields in any order. The node reads only the newest.", FOLLOWS,
)  # fmt: skip
DEPTH = Topic(
    "depth", "sensor_msgs/Image", "in",
    "Rectified depth image instead of `points`, with `input: depth`: 16UC1, 32FC1 or CompressedImage "
    "(compressedDepth).",
    FOLLOWS,
)  # fmt: skip
IMAGE = Topic(
    "image", "sensor_msgs/Image", "in",
    "Colour image registered to `depth`, with the same stamps; also as CompressedImage. Optional.", FOLLOWS,
)  # fmt: skip
CAMERA_INFO = Topic("camera_info", "sensor_msgs/CameraInfo", "in", "Intrinsics of `depth`.", FOLLOWS)
TF = Topic("/tf", "tf2_msgs/TFMessage", "in", "Read, as `/tf_static`, only if `target_frame` or `fixed_frame` is set.")
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
    "Colour image with tinted and labelled objects; only for organised clouds.",
)
PROCESSING_TIME = Topic(
    "~/debug/processing_time_ms",
    "std_msgs/Float64",
    "out",
    "Time from the start of work on a cloud to its published answer.",
)
PIPELINE_LATENCY = Topic(
    "~/debug/pipeline_latency_ms", "std_msgs/Float64", "out", "Time from the cloud's stamp to its published answer."
)
MAP_POINTS = Topic(
    "~/map/points", "sensor_msgs/PointCloud2", "out",
    "With `map`: one point for each cell of the map in `fixed_frame`: x y z rgb, `label`, `instance`, `confidence`; at "
    "most `map_rate` times a second.", LATCHED,
)  # fmt: skip
MAP_OBJECTS = Topic(
    "~/map/objects", "vision_msgs/Detection3DArray", "out",
    "With `map`: objects of the map with class, score, box and id; needs vision_msgs.", LATCHED,
)  # fmt: skip
MAP_MARKERS = Topic(
    "~/map/markers",
    "visualization_msgs/MarkerArray",
    "out",
    "With `map`: boxes and names of the map's objects.",
    LATCHED,
)
LABELS = Topic(
    "~/labels", "std_msgs/String", "out", "JSON: the model and its classes with index, name, colour, thing or stuff.",
    LATCHED,
)  # fmt: skip
LABEL_INFO = Topic(
    "~/label_info",
    "vision_msgs/LabelInfo",
    "out",
    "Class names by index; needs a version of vision_msgs that has this type.",
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
MAP_CLEAR = Topic("~/map/clear", "std_srvs/Trigger", "service", "Clear the map; no id is used again.", "")

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
