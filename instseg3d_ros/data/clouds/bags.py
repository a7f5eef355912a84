"""Reads the clouds of bags, one at a time: ROS 2 (mcap, db3) and ROS 1, with rosbags and without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from instseg3d_ros.data.clouds.files import check_kind
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import pointcloud2
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.protocols import PointCloud2

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.typesys.store import Typestore

CLOUD_TYPE = "sensor_msgs/msg/PointCloud2"
TF_TYPE = "tf2_msgs/msg/TFMessage"
TF_TYPES = (TF_TYPE, "tf/msg/tfMessage")
RENAMED = {"tf/msg/tfMessage": TF_TYPE}  # from ROS 1


@dataclass(frozen=True)
class Recorded:
    """A message of a bag.

    time: log time in nanoseconds; cloud: the decoded cloud, or None for other messages; data: CDR bytes of other
    messages; type: type of `data`, which `types` (a rosbags typestore) describes; offers: QoS profiles of the
    publishers; problem: the reason, in one line, why the message could not be decoded.
    """

    topic: str
    time: int
    cloud: Cloud | None = None
    data: bytes = b""
    static: bool = False
    problem: str = ""
    type: str = TF_TYPE
    types: Typestore | None = None
    offers: tuple = ()


class Bag:
    """An open bag. `topic`: the requested PointCloud2 topic, or the only one in the bag.

    Clouds of the topic and transforms are read; if `everything` is set, all other topics are read as bytes.

        with Bag(path) as bag:
            for recorded in bag.messages():
                ...

    Raises InputError if the bag is damaged, has no clouds, or has several PointCloud2 topics and none is named.
    """

    def __init__(self, path: Path, topic: str | None = None, everything: bool = False):
        self.path, self._everything = Path(path), everything
        self.topic = topic
        self.count = 0  # clouds on the topic

    def __enter__(self) -> Bag:
        from instseg3d_ros.data.clouds.bag_reader import open_bag, remedy

        if not self.path.exists():
            raise InputError(f"{self.path}: no such bag")
        if self.path.is_file():
            check_kind(self.path)
        self._remedy = remedy(self.path)
        with ExitStack() as stack:
            self._reader = stack.enter_context(open_bag(self.path))
            self._choose_topic()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _choose_topic(self) -> None:
        topics = sorted({c.topic for c in self._reader.connections if c.msgtype == CLOUD_TYPE})
        if not topics:
            held = ", ".join(sorted({c.topic for c in self._reader.connections})[:8]) or "none"
            raise InputError(f"{self.path}: no PointCloud2 in this bag; its topics: {held}")
        if self.topic is None and len(topics) > 1:
            raise InputError(f"{self.path}: {len(topics)} PointCloud2 topics; choose with --topic: {', '.join(topics)}")
        self.topic = self.topic or topics[0]
        if self.topic not in topics:
            raise InputError(f"{self.path}: no PointCloud2 on '{self.topic}'; PointCloud2 topics: {', '.join(topics)}")
        self._chosen = [
            c
            for c in self._reader.connections
            if self._everything or c.msgtype in TF_TYPES or (c.topic == self.topic and c.msgtype == CLOUD_TYPE)
        ]
        self.count = sum(c.msgcount for c in self._chosen if c.topic == self.topic)
        if not self.count:
            raise InputError(f"{self.path}: the topic {self.topic} holds no messages")

    def messages(self) -> Iterator[Recorded]:
        """Clouds of the topic and the other chosen messages, in log order. Only one message is in memory at a time."""
        from rosbags.typesys import Stores, get_typestore

        modern = None if self._reader.is2 else get_typestore(Stores.ROS2_JAZZY)
        stream = iter(self._reader.messages(self._chosen))
        seen = 0
        while True:
            with reading(self.path, f"a bag behind its cloud {seen} of {self.count}", self._remedy):
                following = next(stream, None)
                if following is None:
                    break
                connection, time, data = following
                if connection.topic == self.topic:
                    message = cast(PointCloud2, self._reader.deserialize(data, connection.msgtype))
                    try:
                        recorded = Recorded(connection.topic, time, _cloud(message, f"{seen:06d}"))
                    except InputError as error:
                        recorded = Recorded(connection.topic, time, problem=f"cloud {seen}: {error}")
                    seen += 1
                else:
                    recorded = self._copied(connection, time, data, modern)
            yield recorded

    def _copied(self, connection: Connection, time: int, data: bytes, modern: Typestore | None) -> Recorded:
        """A message in the serialization of ROS 2; modern: ROS 2 types for a ROS 1 bag, otherwise None."""
        from rosbags.interfaces import ConnectionExtRosbag2

        kind = RENAMED.get(connection.msgtype, connection.msgtype)
        types = modern if modern is not None and kind in modern.fielddefs else self._reader.typestore
        try:
            data = bytes(data) if modern is None else bytes(types.ros1_to_cdr(data, kind))
        except Exception as error:  # the definition of the type in the bag may not fit the messages
            return Recorded(connection.topic, time, problem=f"{connection.topic}: {' '.join(str(error).split())[:100]}")
        ext = connection.ext
        offers = tuple(ext.offered_qos_profiles or ()) if isinstance(ext, ConnectionExtRosbag2) else ()
        static = connection.topic.endswith("tf_static")
        return Recorded(connection.topic, time, None, data, static, type=kind, types=types, offers=offers)

    def clouds(self) -> Iterator[Cloud]:
        """Only the clouds of the topic."""
        return (recorded.cloud for recorded in self.messages() if recorded.cloud is not None)


def _cloud(message: PointCloud2, name: str) -> Cloud:
    return replace(pointcloud2.decode(message), name=name)
