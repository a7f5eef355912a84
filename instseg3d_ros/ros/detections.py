"""Objects as vision_msgs/Detection3DArray, for robots that speak it."""

from __future__ import annotations

from geometry_msgs.msg import Vector3

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
