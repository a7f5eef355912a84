"""Recordings for tests, written with rosbags alone."""

import numpy as np

from instseg3d_ros.messages import pointcloud2

FIRST = 1_700_000_000_000_000_000


def write_bag(path, kind="mcap", clouds=3, topics=("/points",), points=6, transforms=True):
    """A bag written with rosbags alone; kind: mcap, db3 or bag (ROS 1)."""
    from rosbags.rosbag1 import Writer as Writer1
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    ros1 = kind == "bag"
    store = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)
    if ros1:
        text = "geometry_msgs/TransformStamped[] transforms"
        store.register(get_types_from_msg(text, "tf2_msgs/msg/TFMessage"))
    types = store.types
    plugin = StoragePlugin.MCAP if kind == "mcap" else StoragePlugin.SQLITE3
    serialize = store.serialize_ros1 if ros1 else store.serialize_cdr
    rng = np.random.default_rng(0)

    def header(stamp, frame):
        time = types["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9)
        return types["std_msgs/msg/Header"](*((0,) if ros1 else ()), time, frame)

    with Writer1(path) if ros1 else Writer(path, version=8, storage_plugin=plugin) as writer:
        links = [writer.add_connection(topic, "sensor_msgs/msg/PointCloud2", typestore=store) for topic in topics]
        tf = writer.add_connection("/tf", "tf2_msgs/msg/TFMessage", typestore=store)
        for index in range(clouds):
            stamp = FIRST + index * 10**8
            packed = pointcloud2.encode(rng.normal(size=(points, 3)), rng.integers(0, 256, (points, 3), np.uint8))
            fields = [types["sensor_msgs/msg/PointField"](*entry, 1) for entry in packed.fields]
            message = types["sensor_msgs/msg/PointCloud2"](
                header(stamp, "camera_optical_frame"), packed.height, packed.width, fields, False,
                packed.point_step, packed.row_step, np.frombuffer(packed.data, np.uint8), True,
            )  # fmt: skip
            for link in links:
                writer.write(link, stamp + 5, serialize(message, link.msgtype))
            if transforms:
                pose = types["geometry_msgs/msg/Transform"](
                    types["geometry_msgs/msg/Vector3"](float(index), 0.0, 0.0),
                    types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0),
                )
                stamped = types["geometry_msgs/msg/TransformStamped"](
                    header(stamp, "map"), "camera_optical_frame", pose
                )
                writer.write(tf, stamp + 6, serialize(types["tf2_msgs/msg/TFMessage"]([stamped]), tf.msgtype))
    return path
