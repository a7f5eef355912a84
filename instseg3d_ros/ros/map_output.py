"""The map of objects behind the node: takes answers in, gives ids back, publishes the map, saves and clears it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from std_msgs.msg import Header

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping.object_map import ObjectMap
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.pointcloud2 import encode, label_columns
from instseg3d_ros.ros.clouds import cloud_message
from instseg3d_ros.ros.detections import detection_array
from instseg3d_ros.ros.markers import instance_markers
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.segmentation.boxes import upright_box
from instseg3d_ros.segmentation.result import Result

FILE = "map.npz"


class MapOutput:
    """`observe` and `publish` are called by the thread that answers; `save`, `clear` and `numbers` by any."""

    def __init__(self, node: Any, labels: LabelSet, parameters: Parameters):
        self.world = ObjectMap(
            labels=labels, cell=parameters.map_cell, max_cells=parameters.map_max_cells, radius=parameters.map_radius
        )
        self._node, self._lock = node, threading.Lock()
        self._published = -np.inf
        self._shown: dict[str, str] = {}
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._publishers = {}
        for topic in topics.MAP:
            kind = message_class(topic)
            if kind is not None:
                self._publishers[topic] = node.create_lifecycle_publisher(kind, topic.name, latched)

    def destroy(self) -> None:
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def wanted(self) -> bool:
        """Somebody subscribes to the map."""
        return any(publisher.get_subscription_count() for publisher in self._publishers.values())

    def observe(
        self, body: np.ndarray, colors: np.ndarray | None, pose: np.ndarray, points: np.ndarray, result: Result,
        stamp: int,
    ) -> Result:  # fmt: skip
        """The result with the map's ids, after it was added. body (N, 3) points in body axes with the camera at the
        origin, pose (4, 4) of these in the fixed frame; points (N, 3) in the axes of the result's boxes; stamp in
        nanoseconds. InputError where the pose cannot be right."""
        with self._lock:
            added = self.world.observe(body, colors, pose, result, stamp / 1e9)
            self._shown = self._describe()
        return with_ids(result, added.object, points)

    def publish(self, frame: str, stamp: int, parameters: Parameters) -> None:
        """The map, at most `map_rate` times a second and only where somebody subscribes."""
        now = monotonic()
        if not self.wanted() or now - self._published < 1 / parameters.map_rate:
            return
        self._published = now
        with self._lock:
            result = self.world.result()
        header = Header(stamp=Time(nanoseconds=stamp).to_msg(), frame_id=frame)
        columns = label_columns(result.semantic, result.instance, result.confidence)
        packed = encode(result.points, result.colors, None, False, **columns)
        messages: dict[topics.Topic, Callable[[], Any]] = {
            topics.MAP_POINTS: lambda: cloud_message(header, packed),
            topics.MAP_OBJECTS: lambda: detection_array(header, result.instances),
            topics.MAP_MARKERS: lambda: instance_markers(header, result.instances, 0.0, np.array([0, 0, 1.0])),
        }
        for topic, publisher in self._publishers.items():
            if publisher.get_subscription_count():
                publisher.publish(messages[topic]())

    def save(self, folder: str) -> str:
        """Write FILE in `folder`; what was written. InputError where that cannot be."""
        if not folder:
            raise InputError("the parameter save_folder is empty; set it to a folder")
        path = Path(folder).expanduser() / FILE
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"save_folder {folder}: {error.strerror}; name a folder that can be written") from None
        with self._lock:
            self.world.save(path)
            objects = len(self.world.objects)
        return f"{path}: {objects} objects"

    def clear(self) -> str:
        """Forget everything; ids go on counting."""
        with self._lock:
            objects = len(self.world.objects)
            self.world.clear()
            self._shown = self._describe()
        return f"{objects} objects forgotten"

    def numbers(self) -> dict[str, str]:
        """Key → value as text, for diagnostics; of the last view, so that nobody waits for the map."""
        return self._shown

    def _describe(self) -> dict[str, str]:
        world = self.world
        shift = float(np.linalg.norm(world.correction[:3, 3]))
        return {
            "map cells": str(len(world.cells)),
            "map objects": str(world.num_objects),
            "map views": str(world.views),
            "map memory (MB)": f"{world.cells.num_bytes / 1e6:.0f}",
            "map views that contradict it": str(world.doubted),
            "map cells forgotten (limits)": str(world.forgotten),
            "map shifts poses by (m)": f"{shift:.3f}",
            **{f"map refused: {reason}": str(count) for reason, count in sorted(world.refused.items())},
        }


def with_ids(result: Result, ids: np.ndarray, points: np.ndarray) -> Result:
    """The result whose k-th instance has the id ids[k] (0: it is none). Instances of one id become one, with the score,
    class and confidence of the largest and a box around the points (N, 3) of all."""
    table = np.zeros(max([int(result.instance.max(initial=0)), *(one.id for one in result.instances)]) + 1, np.int32)
    table[[one.id for one in result.instances]] = ids
    instance = table[result.instance]
    instances = []
    for number in dict.fromkeys(ids[ids > 0].tolist()):
        parts = [one for one, other in zip(result.instances, ids.tolist()) if other == number]
        largest = max(parts, key=lambda one: one.num_points)
        box = largest.box if len(parts) == 1 else upright_box(points[instance == number])
        count = sum(one.num_points for one in parts)
        instances.append(replace(largest, id=number, num_points=count, box=box))
    return replace(result, instance=instance, instances=instances)
