"""The node's publishers and the conversion of answers to messages. Topics without subscribers are not computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float64, String

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages import parts, topics
from instseg3d_ros.messages.colors import packed_point_colors
from instseg3d_ros.messages.label_info import label_json
from instseg3d_ros.ros.clouds import cloud_message, colored_cloud, segmented_cloud
from instseg3d_ros.ros.detections import detection_array, label_info
from instseg3d_ros.ros.markers import instance_markers, support_markers
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.overlay import overlay_image
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Answer

SELECTED = (topics.OBJECT_POINTS, topics.REMAINING_POINTS)  # these follow the parameter `select`


def makers(answer: Answer, labels: LabelSet, parameters: Parameters) -> dict[topics.Topic, Callable[[], Any]]:
    """Topic → function that builds the message for an answer; it returns None if there is nothing to publish."""
    received, result, select = answer.received, answer.result, parameters.select
    header, cloud, instances = received.header, received.cloud, result.instances
    return {
        topics.SEGMENTED: lambda: segmented_cloud(received, result),
        topics.COLORED: lambda: colored_cloud(received, packed_point_colors(result, labels, parameters.color_by)),
        topics.OBJECT_POINTS: lambda: cloud_message(header, parts.object_points(cloud, result, select)),
        topics.REMAINING_POINTS: lambda: cloud_message(header, parts.remaining_points(cloud, result, select)),
        topics.OBSTACLE_POINTS: lambda: cloud_message(header, parts.obstacle_points(cloud, result, labels)),
        topics.MARKERS: lambda: instance_markers(header, instances, parameters.marker_lifetime, answer.up),
        topics.SUPPORTS: lambda: support_markers(
            header, parts.find_supports(cloud, result, answer.rotation), parameters.marker_lifetime
        ),
        topics.DETECTIONS: lambda: detection_array(header, instances),
        topics.OVERLAY: lambda: overlay_image(received, result) if cloud.shape else None,
    }


class Outputs:
    """Publishers of all topics whose message package is installed; `missing` lists the remaining topics."""

    def __init__(self, node: LifecycleNode, model_name: str, labels: LabelSet):
        self._node, self._labels, self._model = node, labels, model_name
        self._publishers = {}
        self.missing: list[topics.Topic] = []
        for topic in (*topics.ANSWERS, *topics.DESCRIPTIONS):
            kind = message_class(topic)
            if kind is None:
                self.missing.append(topic)
                continue
            # The depth is two because a slow reader may still fetch a large cloud when the next cloud is written.
            qos = QoSProfile(depth=2)
            if topic.qos == topics.LATCHED:
                qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            self._publishers[topic] = node.create_lifecycle_publisher(kind, topic.name, qos)

    def destroy(self) -> None:
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def wanted(self, topic: topics.Topic) -> bool:
        publisher = self._publishers.get(topic)
        return publisher is not None and publisher.get_subscription_count() > 0

    def anyone(self) -> bool:
        return any(self.wanted(topic) for topic in topics.ANSWERS)

    def describe(self) -> None:
        """Publish the classes of the labels in the clouds; called once, when the node becomes active."""
        self._publishers[topics.LABELS].publish(String(data=label_json(self._model, self._labels)))
        if topics.LABEL_INFO in self._publishers:
            header = self._node.get_clock().now().to_msg()
            self._publishers[topics.LABEL_INFO].publish(label_info(header, self._labels))

    def publish(self, answer: Answer, parameters: Parameters, only: tuple[topics.Topic, ...] = topics.ANSWERS) -> None:
        """Publish all messages about a cloud; they share stamp, frame and ids."""
        for topic, make in makers(answer, self._labels, parameters).items():
            if topic in only and self.wanted(topic):
                message = make()
                if message is not None:
                    self._publishers[topic].publish(message)

    def publish_times(self, processing_ms: float, latency_ms: float) -> None:
        for topic, value in ((topics.PROCESSING_TIME, processing_ms), (topics.PIPELINE_LATENCY, latency_ms)):
            if self.wanted(topic):
                self._publishers[topic].publish(Float64(data=value))
