"""The node's map of objects: adds results, returns the ids of the map, and publishes, saves and clears the map."""

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
    """The map and its publishers.

    Only the worker thread calls `observe` and `publish`; any thread may call `save`, `clear` and `numbers`.
    """

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
        """Whether a topic of the map has a subscriber."""
        return any(publisher.get_subscription_count() for publisher in self._publishers.values())

    def observe(
        self, body: np.ndarray, colors: np.ndarray | None, pose: np.ndarray, points: np.ndarray, result: Result,
        stamp: int,
    ) -> Result:  # fmt: skip
        """Add a result to the map and return it with the map's ids.

        body (N, 3): points in body axes with the camera at the origin; colors (N, 3) or None; pose (4, 4): fixed frame
        ← body axes; points (N, 3): in the axes of the result's boxes; stamp in nanoseconds. Raises InputError if the
        pose is invalid.
        """
        with self._lock:
            added = self.world.observe(body, colors, pose, result, stamp / 1e9)
            self._shown = self._describe()
        return with_ids(result, added.object, points)

    def publish(self, frame: str, stamp: int, parameters: Parameters) -> None:
        """Publish the map, at most `map_rate` times a second and only to topics that have subscribers."""
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
        """Write FILE into `folder`; returns its path and the number of objects. Raises InputError if this fails."""
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
        """Remove all cells and objects; new objects get ids that were not used before. Returns a message."""
        with self._lock:
            objects = len(self.world.objects)
            self.world.clear()
            self._shown = self._describe()
        return f"{objects} objects forgotten"

    def numbers(self) -> dict[str, str]:
        """Values for the diagnostics, key → text. They are those of the last view, so this never waits for a lock."""
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
    """Replace the id of the k-th instance by ids[k]; the id 0 removes the instance.

    Instances with the same id are united. The united instance has the score, class and confidence of the largest
    of them, and a box around the points (N, 3) of all.
    """
    largest_id = max([int(result.instance.max(initial=0)), *(entry.id for entry in result.instances)])
    table = np.zeros(largest_id + 1, np.int32)
    table[[entry.id for entry in result.instances]] = ids
    instance = table[result.instance]
    instances = []
    for number in dict.fromkeys(ids[ids > 0].tolist()):
        parts = [entry for entry, object_id in zip(result.instances, ids.tolist()) if object_id == number]
        largest = max(parts, key=lambda entry: entry.num_points)
        box = largest.box if len(parts) == 1 else upright_box(points[instance == number])
        count = sum(entry.num_points for entry in parts)
        instances.append(replace(largest, id=number, num_points=count, box=box))
    return replace(result, instance=instance, instances=instances)
