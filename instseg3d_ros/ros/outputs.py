"""The node's publishers. What nobody subscribes to is not computed."""

from __future__ import annotations

import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float64

from instseg3d_ros.ros import topics
from instseg3d_ros.ros.clouds import Cloud, colored_cloud, segmented_cloud
from instseg3d_ros.ros.colors import point_colors
from instseg3d_ros.ros.markers import instance_markers
from instseg3d_ros.segmentation.result import Result


class Outputs:
    """Publishers of all output topics whose message package is installed."""

    def __init__(self, node):
        self._node = node
        self._publishers = {}
        for topic in topics.OUTPUTS:
            kind = topics.message_class(topic)
            if kind is not None:
                # Two: a slow reader of a large cloud may still be sending it when the next is written.
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
        return any(self.wanted(topic) for topic in topics.OUTPUTS)

    def publish(self, cloud: Cloud, result: Result, labels, up: np.ndarray, parameters) -> None:
        """All answers to one cloud; `up` (3,) is the up direction in the cloud's frame."""
        if self.wanted(topics.SEGMENTED):
            self._publishers[topics.SEGMENTED].publish(segmented_cloud(cloud, result))
        if self.wanted(topics.COLORED):
            colors = point_colors(result, labels, parameters.color_by)
            self._publishers[topics.COLORED].publish(colored_cloud(cloud, colors))
        if self.wanted(topics.MARKERS):
            markers = instance_markers(cloud.header, result.instances, parameters.marker_lifetime, up)
            self._publishers[topics.MARKERS].publish(markers)

    def publish_times(self, processing_ms: float, latency_ms: float) -> None:
        for topic, value in ((topics.PROCESSING_TIME, processing_ms), (topics.PIPELINE_LATENCY, latency_ms)):
            if self.wanted(topic):
                self._publishers[topic].publish(Float64(data=value))
