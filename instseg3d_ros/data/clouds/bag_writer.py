"""Writes the node's messages into an mcap bag, for `ros2 bag play`, RViz and Foxglove, without ROS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instseg3d_ros.data.clouds.bags import CLOUD_TYPE, Recorded
from instseg3d_ros.messages.markers import BOXES, LINE_WIDTH, NAMES, TEXT_HEIGHT, ObjectMarker
from instseg3d_ros.messages.pointcloud2 import PackedCloud
from instseg3d_ros.messages.rotations import quaternion_of
from instseg3d_ros.segmentation.result import Instance

if TYPE_CHECKING:
    from rosbags.interfaces import Connection, Qos

MARKERS_TYPE = "visualization_msgs/msg/MarkerArray"
DETECTIONS_TYPE = "vision_msgs/msg/Detection3DArray"
NUMBER_TYPE = "std_msgs/msg/Float64"
TEXT_TYPE = "std_msgs/msg/String"

# rosbags does not include the types of vision_msgs 4 (Jazzy).
VISION_MSGS = {
    "vision_msgs/msg/Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections",
    "vision_msgs/msg/Detection3D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox3D bbox\nstring id"
    ),
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
}

Message = Any  # rosbags makes the classes of messages at run time

_NO_BYTES = np.zeros(0, np.uint8)


class BagWriter:
    """Writes a bag's folder `path` (an mcap and metadata.yaml) under a temporary name, and renames it at the end.

        with BagWriter(path) as bag:
            bag.cloud("/instseg3d/segmented_points", time, frame, stamp, packed)

    time: nanoseconds, as logged; stamp: nanoseconds, of the header.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self._beside = self.path.with_name(f".{os.getpid()}.{self.path.name}")

    def __enter__(self) -> BagWriter:
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        self._types = get_typestore(Stores.ROS2_JAZZY)
        for name, text in VISION_MSGS.items():
            self._types.register(get_types_from_msg(text, name))
        shutil.rmtree(self._beside, ignore_errors=True)
        # The storage file has the name of its folder, so that the folder has its final name from the beginning.
        self._writer = Writer(self._beside / self.path.name, version=8, storage_plugin=StoragePlugin.MCAP)
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()
        self._connections: dict[str, Connection] = {}  # by topic
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._writer.close()
            if self.path.is_dir():
                shutil.rmtree(self.path)
            os.replace(self._beside / self.path.name, self.path)
        else:
            self._writer.abort()
        shutil.rmtree(self._beside, ignore_errors=True)

    def copy(self, recorded: Recorded) -> None:
        """Copy a recorded message, with its type and the QoS of its publishers."""
        if recorded.topic not in self._connections:
            self._connections[recorded.topic] = self._writer.add_connection(
                recorded.topic, recorded.type, typestore=recorded.types or self._types,
                offered_qos_profiles=recorded.offers or _qos(recorded.static),
            )  # fmt: skip
        self._writer.write(self._connections[recorded.topic], recorded.time, recorded.data)

    def cloud(self, topic: str, time: int, frame: str, stamp: int, packed: PackedCloud) -> None:
        fields = [self._make("sensor_msgs/msg/PointField", *entry, 1) for entry in packed.fields]
        message = self._make(
            CLOUD_TYPE, self._header(frame, stamp), packed.height, packed.width, fields, False,
            packed.point_step, packed.row_step, packed.data, False,
        )  # fmt: skip
        self._write(topic, CLOUD_TYPE, time, message)

    def number(self, topic: str, time: int, value: float) -> None:
        self._write(topic, NUMBER_TYPE, time, self._make(NUMBER_TYPE, float(value)))

    def text(self, topic: str, time: int, value: str) -> None:
        """Write a transient-local std_msgs/String."""
        self._write(topic, TEXT_TYPE, time, self._make(TEXT_TYPE, value), latched=True)

    def detections(self, topic: str, time: int, frame: str, stamp: int, instances: list[Instance]) -> None:
        """Write a Detection3D for each instance, with the id of the instance."""
        header = self._header(frame, stamp)
        found = []
        for one in instances:
            pose = self._pose(one.box.center, quaternion_of(one.box.rotation))
            hypothesis = self._make("vision_msgs/msg/ObjectHypothesis", one.label, float(one.score))
            result = self._make(
                "vision_msgs/msg/ObjectHypothesisWithPose",
                hypothesis,
                self._make("geometry_msgs/msg/PoseWithCovariance", pose, np.zeros(36)),
            )
            box = self._make("vision_msgs/msg/BoundingBox3D", pose, self._vector(one.box.size))
            found.append(self._make("vision_msgs/msg/Detection3D", header, [result], box, str(one.id)))
        self._write(topic, DETECTIONS_TYPE, time, self._make(DETECTIONS_TYPE, header, found))

    def markers(self, topic: str, time: int, frame: str, stamp: int, objects: list[ObjectMarker]) -> None:
        """Write box edges and a line of text for each object, as the node publishes them; the first deletes all."""
        header = self._header(frame, stamp)
        marks = [self._marker(header, "", 0, kind=0, action=3)]
        for one in objects:
            color, ends = (*one.color, 1.0), [self._point(end) for end in one.ends]
            pose = self._pose(one.center, one.quaternion)
            marks.append(self._marker(header, BOXES, one.id, 5, pose, (LINE_WIDTH, 0, 0), color, points=ends))
            place = self._pose(one.text_center)
            marks.append(self._marker(header, NAMES, one.id, 9, place, (0, 0, TEXT_HEIGHT), color, one.text))
        self._write(topic, MARKERS_TYPE, time, self._make(MARKERS_TYPE, marks))

    def _marker(
        self,
        header: Message,
        namespace: str,
        number: int,
        kind: int,
        pose: Message | None = None,
        scale: Iterable[float] = (0, 0, 0),
        color: Iterable[float] = (0, 0, 0, 0),
        text: str = "",
        points: Iterable[Message] = (),
        action: int = 0,
    ) -> Message:
        make = self._make
        return make(
            "visualization_msgs/msg/Marker", header, namespace, int(number), kind, action,
            pose or self._pose(np.zeros(3)), self._vector(scale),
            make("std_msgs/msg/ColorRGBA", *(float(v) for v in color)), make("builtin_interfaces/msg/Duration", 0, 0),
            False, list(points), [], "",
            make("sensor_msgs/msg/CompressedImage", self._header("", 0), "", _NO_BYTES), [], text, "",
            make("visualization_msgs/msg/MeshFile", "", _NO_BYTES), False,
        )  # fmt: skip

    def _pose(self, center: np.ndarray, quaternion: Iterable[float] = (0, 0, 0, 1)) -> Message:
        turn = self._make("geometry_msgs/msg/Quaternion", *(float(v) for v in quaternion))
        return self._make("geometry_msgs/msg/Pose", self._point(center), turn)

    def _point(self, value: Iterable[float]) -> Message:
        return self._make("geometry_msgs/msg/Point", *(float(v) for v in value))

    def _vector(self, value: Iterable[float]) -> Message:
        return self._make("geometry_msgs/msg/Vector3", *(float(v) for v in value))

    def _header(self, frame: str, stamp: int) -> Message:
        time = self._make("builtin_interfaces/msg/Time", stamp // 10**9, stamp % 10**9)
        return self._make("std_msgs/msg/Header", time, frame)

    def _make(self, name: str, *values: Any) -> Message:
        return self._types.types[name](*values)

    def _write(self, topic: str, kind: str, time: int, message: Message | bytes, latched: bool = False) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._types, offered_qos_profiles=_qos(latched)
            )
        data = message if isinstance(message, bytes) else self._types.serialize_cdr(message, kind)
        self._writer.write(self._connections[topic], time, data)


def _qos(latched: bool) -> list[Qos]:
    """A reliable QoS profile; latched: transient local."""
    from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

    forever = QosTime(2147483647, 4294967295)
    return [
        Qos(
            QosHistory.KEEP_LAST, 1 if latched else 10, QosReliability.RELIABLE,
            QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
            forever, forever, QosLiveliness.AUTOMATIC, forever, False,
        )
    ]  # fmt: skip
