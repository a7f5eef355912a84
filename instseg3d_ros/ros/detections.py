"""Conversion of objects to vision_msgs/Detection3DArray and of classes to vision_msgs/LabelInfo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geometry_msgs.msg import Vector3

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.ros.markers import instance_pose
from instseg3d_ros.segmentation.result import Instance

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from std_msgs.msg import Header
    from vision_msgs.msg import Detection3DArray, LabelInfo


def detection_array(header: Header, instances: list[Instance]) -> Detection3DArray:
    """Detection3DArray with a Detection3D per object: its id as text, and a hypothesis (class name, score, pose)."""
    from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

    array = Detection3DArray(header=header)
    for instance in instances:
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = instance.label
        hypothesis.hypothesis.score = float(instance.score)
        hypothesis.pose.pose = instance_pose(instance)
        detection = Detection3D(header=header, id=str(instance.id), results=[hypothesis])
        detection.bbox.center = instance_pose(instance)
        detection.bbox.size = Vector3(**dict(zip("xyz", map(float, instance.box.size))))
        array.detections.append(detection)
    return array


def label_info(stamp: Time, labels: LabelSet) -> LabelInfo:
    """LabelInfo with name and index of each class. The threshold is 0: objects with low scores are not published."""
    from vision_msgs.msg import LabelInfo, VisionClass

    info = LabelInfo(threshold=0.0)
    info.header.stamp = stamp
    info.class_map = [VisionClass(class_id=index, class_name=name) for index, name in enumerate(labels.names)]
    return info
