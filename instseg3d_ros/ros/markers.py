"""Conversion of boxes and names of objects to visualization_msgs/MarkerArray."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from instseg3d_ros.messages.markers import BOXES, LINE_WIDTH, NAMES, SUPPORTS, TEXT_HEIGHT, object_markers
from instseg3d_ros.messages.parts import Support
from instseg3d_ros.messages.rotations import quaternion_of
from instseg3d_ros.segmentation.result import Instance


def instance_pose(instance: Instance) -> Pose:
    """Pose of an instance's box."""
    return _pose(instance.box.center, quaternion_of(instance.box.rotation))


def instance_markers(header: Header, instances: list[Instance], lifetime: float, up: np.ndarray) -> MarkerArray:
    """MarkerArray that removes all earlier markers and adds box edges and `label #id score` for each object.

    lifetime is in seconds; up (3,) is the upward direction in the cloud's frame: the text is placed above the box.
    """
    array = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    span = _duration(lifetime)
    for marker in object_markers(instances, up):
        red, green, blue = map(float, marker.color)
        common = {"header": header, "id": marker.id, "lifetime": span,
                  "color": ColorRGBA(r=red, g=green, b=blue, a=1.0)}  # fmt: skip
        box = Marker(ns=BOXES, type=Marker.LINE_LIST, pose=_pose(marker.center, marker.quaternion), **common)
        box.scale.x = LINE_WIDTH
        box.points = [_point(end) for end in marker.ends]
        text = Marker(ns=NAMES, type=Marker.TEXT_VIEW_FACING, text=marker.text, scale=Vector3(z=TEXT_HEIGHT), **common)
        text.pose.position = _point(marker.text_center)
        array.markers += [box, text]
    return array


def support_markers(header: Header, supports: list[Support], lifetime: float) -> MarkerArray:
    """MarkerArray that removes all earlier markers and adds a thin box for each supporting surface.

    The text of a marker lists the ids of the objects on the surface; lifetime is in seconds.
    """
    array = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    for number, support in enumerate(supports, 1):
        box = support.box
        cube = Marker(header=header, ns=SUPPORTS, id=number, type=Marker.CUBE, lifetime=_duration(lifetime))
        cube.pose = _pose(box.center, quaternion_of(box.rotation))
        cube.scale = Vector3(**dict(zip("xyz", map(float, box.size))))
        cube.color = ColorRGBA(r=0.6, g=0.6, b=0.6, a=0.5)
        cube.text = ",".join(map(str, support.objects))
        array.markers.append(cube)
    return array


def _duration(seconds: float) -> Duration:
    whole = int(seconds)
    return Duration(sec=whole, nanosec=int(1e9 * (seconds - whole)))


def _pose(center: np.ndarray, quaternion: np.ndarray) -> Pose:
    x, y, z, w = map(float, quaternion)
    return Pose(position=_point(center), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _point(values: np.ndarray) -> Point:
    x, y, z = map(float, values)
    return Point(x=x, y=y, z=z)
