"""Transforms and their serialized messages, written by rosbags and not by the code under test."""

from functools import cache

import numpy as np
from rosbags.typesys import Stores, get_typestore

from instseg3d_ros.messages.tf_message import StampedTransform

SECOND = 10**9
RNG = np.random.default_rng(0)


@cache
def typestore():
    return get_typestore(Stores.ROS2_JAZZY)


def edge(parent, child, stamp, place=None, turn=None):
    place = RNG.normal(size=3) if place is None else place
    turn = RNG.normal(size=4) if turn is None else np.asarray(turn, float)
    return StampedTransform(parent, child, stamp, tuple(place), tuple(turn / np.linalg.norm(turn)))


def serialized(transforms):
    """The message's bytes as rosbags writes them, little and big endian."""
    types = typestore().types
    rows = []
    for one in transforms:
        stamp = types["builtin_interfaces/msg/Time"](sec=one.stamp // SECOND, nanosec=one.stamp % SECOND)
        place, turn = types["geometry_msgs/msg/Vector3"], types["geometry_msgs/msg/Quaternion"]
        rows.append(
            types["geometry_msgs/msg/TransformStamped"](
                header=types["std_msgs/msg/Header"](stamp=stamp, frame_id=one.parent), child_frame_id=one.child,
                transform=types["geometry_msgs/msg/Transform"](
                    translation=place(*one.translation), rotation=turn(*one.quaternion)
                ),
            )
        )  # fmt: skip
    message = types["tf2_msgs/msg/TFMessage"](transforms=rows)
    name = "tf2_msgs/msg/TFMessage"
    return [bytes(typestore().serialize_cdr(message, name, little_endian=little)) for little in (True, False)]
