"""The node's publishers. What nobody subscribes to is not computed."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float64, String

from instseg3d_ros.messages import topics
from instseg3d_ros.messages.colors import packed_point_colors
from instseg3d_ros.messages.label_info import label_json
from instseg3d_ros.ros.clouds import colored_cloud, segmented_cloud
from instseg3d_ros.ros.detections import detection_array
from instseg3d_ros.ros.markers import instance_markers
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.overlay import overlay_image
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Answer


class Outputs:
    """Publishers of all answers whose message package is installed, and of the latched labels."""

    def __init__(self, node, model_name: str, labels):
        self._node, self._labels = node, labels
        self._publishers = {}
        for topic in (*topics.ANSWERS, topics.LABELS):
            kind = message_class(topic)
            if kind is not None:
                # Two: a slow reader of a large cloud may still be fetching it when the next is written.
                qos = QoSProfile(depth=2)
                if topic.qos == topics.LATCHED:
                    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
                self._publishers[topic] = node.create_lifecycle_publisher(kind, topic.name, qos)
        self._description = label_json(model_name, labels)

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
        """Once, when the node becomes active: what the numbers in the clouds mean."""
        self._publishers[topics.LABELS].publish(String(data=self._description))

    def publish(self, answer: Answer, parameters: Parameters) -> None:
        """All that one cloud is answered with: one stamp, one frame, one set of ids."""
        received, result = answer.received, answer.result
        header, instances = received.header, result.instances
        by = parameters.color_by
        makers = {
            topics.SEGMENTED: lambda: segmented_cloud(received, result),
            topics.COLORED: lambda: colored_cloud(received, packed_point_colors(result, self._labels, by)),
            topics.MARKERS: lambda: instance_markers(header, instances, parameters.marker_lifetime, answer.up),
            topics.DETECTIONS: lambda: detection_array(header, instances),
            topics.OVERLAY: lambda: overlay_image(received, result) if received.cloud.shape else None,
        }
        for topic, make in makers.items():
            if self.wanted(topic):
                message = make()
                if message is not None:
                    self._publishers[topic].publish(message)

    def publish_times(self, processing_ms: float, latency_ms: float) -> None:
        for topic, value in ((topics.PROCESSING_TIME, processing_ms), (topics.PIPELINE_LATENCY, latency_ms)):
            if self.wanted(topic):
                self._publishers[topic].publish(Float64(data=value))
