"""All topics and services of the node. The node and the tables of the documentation are built from this list."""

from __future__ import annotations

from dataclasses import dataclass

RELIABLE = "reliable"
LATCHED = "reliable, transient local"


@dataclass(frozen=True)
class Topic:
    """A topic or service. direction: in, out or service; type: name of the type without /msg/ or /srv/."""

    name: str
    type: str
    direction: str
    description: str
    qos: str = RELIABLE


FOLLOWS = "the publisher's"
INPUT = Topic(
    "points", "sensor_msgs/PointCloud2", "in",
    "Cloud with or without colour, organised or not, fields in any order. The node skips all but the newest "
    "cloud.", FOLLOWS,
)  # fmt: skip
DEPTH = Topic(
    "depth", "sensor_msgs/Image", "in",
    "Rectified depth image, which the node reads instead of `points` if `input` is `depth`: 16UC1, 32FC1 or "
    "CompressedImage (compressedDepth).",
    FOLLOWS,
)  # fmt: skip
IMAGE = Topic(
    "image", "sensor_msgs/Image", "in",
    "Optional colour image, registered to `depth` and with its stamps; Image or CompressedImage.", FOLLOWS,
)  # fmt: skip
CAMERA_INFO = Topic("camera_info", "sensor_msgs/CameraInfo", "in", "Intrinsics of the depth image.", FOLLOWS)
TF = Topic(
    "/tf", "tf2_msgs/TFMessage", "in",
    "Transforms; the node reads `/tf` and `/tf_static` only if `target_frame` or `fixed_frame` is set.",
)  # fmt: skip
SEGMENTED = Topic(
    "~/segmented_points", "sensor_msgs/PointCloud2", "out",
    "All points of the input in its order, with x y z rgb (as received), `label` uint16 (65535: none), `instance` "
    "uint32 (0: none) and `confidence` float32; stamp, frame, height and width are those of the input.",
)  # fmt: skip
COLORED = Topic(
    "~/colored_points", "sensor_msgs/PointCloud2", "out",
    "All points, coloured by object or by class (`color_by`), for RViz: x y z rgb.",
)  # fmt: skip
OBJECT_POINTS = Topic(
    "~/object_points", "sensor_msgs/PointCloud2", "out",
    "Points of the objects that the parameter `select` names: x y z rgb, `instance`.",
)  # fmt: skip
REMAINING_POINTS = Topic(
    "~/remaining_points",
    "sensor_msgs/PointCloud2",
    "out",
    "All finite points that are not in `~/object_points`, for an octomap: x y z rgb, `instance`.",
)
OBSTACLE_POINTS = Topic(
    "~/obstacle_points", "sensor_msgs/PointCloud2", "out",
    "All finite points except those of the floor, for costmaps: x y z rgb, `instance`.",
)  # fmt: skip
MARKERS = Topic(
    "~/markers", "visualization_msgs/MarkerArray", "out",
    "Boxes (namespace `boxes`) and names (namespace `names`) of the objects; each message first removes the previous "
    "markers.",
)  # fmt: skip
SUPPORTS = Topic(
    "~/supports", "visualization_msgs/MarkerArray", "out",
    "Horizontal surfaces below objects as thin boxes (CUBE with pose and scale); `text` lists the ids of the objects "
    "on the surface.",
)  # fmt: skip
DETECTIONS = Topic(
    "~/detections", "vision_msgs/Detection3DArray", "out",
    "Class, score, oriented box and id of each object; needs vision_msgs.",
)  # fmt: skip
OVERLAY = Topic(
    "~/overlay",
    "sensor_msgs/Image",
    "out",
    "Colour image in which the objects are tinted and named; only for organised clouds.",
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
    "If `map` is true: a point for each cell of the map, in `fixed_frame`: x y z rgb, `label`, `instance`, "
    "`confidence`; at most `map_rate` times a second.", LATCHED,
)  # fmt: skip
MAP_OBJECTS = Topic(
    "~/map/objects", "vision_msgs/Detection3DArray", "out",
    "If `map` is true: objects of the map with class, score, box and id; needs vision_msgs.", LATCHED,
)  # fmt: skip
MAP_MARKERS = Topic(
    "~/map/markers",
    "visualization_msgs/MarkerArray",
    "out",
    "If `map` is true: boxes and names of the map's objects.",
    LATCHED,
)
LABELS = Topic(
    "~/labels", "std_msgs/String", "out",
    "JSON with the model and, for each class, index, name, colour, and whether it is a thing or stuff.",
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
ENABLE = Topic("~/enable", "std_srvs/SetBool", "service", "Pause or resume the node; the model stays loaded.", "")
SEGMENT_ONCE = Topic(
    "~/segment_once", "std_srvs/Trigger", "service",
    "Segment the next cloud, also while paused; returns the objects as JSON and publishes all outputs.", "",
)  # fmt: skip
SAVE = Topic(
    "~/save", "std_srvs/Trigger", "service", "Write the last answer to `save_folder`: labelled PLY, JSON, PNG.", ""
)
MAP_SAVE = Topic(
    "~/map/save",
    "std_srvs/Trigger",
    "service",
    "Write the map to `save_folder`/map.npz, which `ObjectMap.load` reads.",
    "",
)
MAP_CLEAR = Topic(
    "~/map/clear", "std_srvs/Trigger", "service", "Remove all objects from the map; their ids are not used again.", ""
)

INPUTS = (INPUT, DEPTH, IMAGE, CAMERA_INFO, TF)
# Each answered cloud gives one message on each of these topics.
ANSWERS = (
    SEGMENTED, COLORED, OBJECT_POINTS, REMAINING_POINTS, OBSTACLE_POINTS, MARKERS, SUPPORTS, DETECTIONS, OVERLAY,
    PROCESSING_TIME, PIPELINE_LATENCY,
)  # fmt: skip
MAP = (MAP_POINTS, MAP_OBJECTS, MAP_MARKERS)
DESCRIPTIONS = (LABELS, LABEL_INFO)  # published once, when the node becomes active
SERVICES = (ENABLE, SEGMENT_ONCE, SAVE, MAP_SAVE, MAP_CLEAR)
TOPICS = (*INPUTS, *ANSWERS, *MAP, *DESCRIPTIONS, DIAGNOSTICS, *SERVICES)
