"""Boxes and names for RViz."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from instseg3d_ros.messages.colors import instance_colors
from instseg3d_ros.messages.rotations import quaternion_from_matrix
from instseg3d_ros.segmentation.result import Instance

TEXT_HEIGHT = 0.06  # metres
# The twelve edges of the unit cube as pairs of corners, corner c at the signs of its three bits.
_EDGES = [(a, a | bit) for a in range(8) for bit in (1, 2, 4) if not a & bit]
_CORNERS = np.array([[(c >> axis & 1) - 0.5 for axis in range(3)] for c in range(8)])


def instance_pose(instance: Instance) -> Pose:
    """Pose of an instance's box."""
    matrix = np.eye(4)
    matrix[:3, :3] = instance.box.rotation
    x, y, z = map(float, instance.box.center)
    qx, qy, qz, qw = map(float, quaternion_from_matrix(matrix))
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def instance_markers(header, instances: list[Instance], lifetime: float, up: np.ndarray) -> MarkerArray:
    """One message that first clears the last one: box edges and `label #id score` per object.

    up (3,) is the direction, in the cloud's frame, in which the text stands off the box.
    """
    array = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    whole = int(lifetime)
    span = Duration(sec=whole, nanosec=int(1e9 * (lifetime - whole)))
    for one in instances:
        red, green, blue = (float(c) / 255 for c in instance_colors(np.array(one.id)))
        color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
        pose = instance_pose(one)
        corners = [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in _CORNERS * one.box.size]
        box = Marker(header=header, ns="boxes", id=one.id, type=Marker.LINE_LIST, pose=pose, color=color, lifetime=span)
        box.scale.x = 0.008
        box.points = [corners[end] for edge in _EDGES for end in edge]
        text = Marker(header=header, ns="names", id=one.id, type=Marker.TEXT_VIEW_FACING, color=color, lifetime=span)
        text.text = f"{one.label} #{one.id} {one.score:.2f}"
        text.scale = Vector3(z=TEXT_HEIGHT)
        lift = 0.5 * np.abs(one.box.rotation.T @ up) @ one.box.size + TEXT_HEIGHT
        text.pose.position = Point(**dict(zip("xyz", map(float, one.box.center + lift * up))))
        text.pose.orientation.w = 1.0
        array.markers += [box, text]
    return array
