"""Objects as vision_msgs/Detection3DArray, classes as vision_msgs/LabelInfo."""

from __future__ import annotations

from geometry_msgs.msg import Vector3

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.ros.markers import instance_pose
from instseg3d_ros.segmentation.result import Instance


def detection_array(header, instances: list[Instance]):
    """One Detection3D per object, its id as text, one hypothesis: class name and score at the box's pose."""
    from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

    array = Detection3DArray(header=header)
    for one in instances:
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = one.label
        hypothesis.hypothesis.score = float(one.score)
        hypothesis.pose.pose = instance_pose(one)
        detection = Detection3D(header=header, id=str(one.id), results=[hypothesis])
        detection.bbox.center = instance_pose(one)
        detection.bbox.size = Vector3(**dict(zip("xyz", map(float, one.box.size))))
        array.detections.append(detection)
    return array


def label_info(stamp, labels: LabelSet):
    """Name and index of each class; the threshold is 0, for objects with lower scores are not published."""
    from vision_msgs.msg import LabelInfo, VisionClass

    info = LabelInfo(threshold=0.0)
    info.header.stamp = stamp
    info.class_map = [VisionClass(class_id=index, class_name=name) for index, name in enumerate(labels.names)]
    return info
