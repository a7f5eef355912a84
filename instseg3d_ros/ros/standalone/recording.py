"""Reads a bag as serialized ROS 2 messages in log order; messages of ROS 1 bags are converted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

RENAMED = {"tf/msg/tfMessage": "tf2_msgs/msg/TFMessage"}  # from ROS 1


@dataclass(frozen=True)
class RecordedTopic:
    """A topic of a bag. hash: RIHS01 digits of the type; reliable, latched: QoS that its publisher offered."""

    topic: str
    type: str
    count: int
    hash: str
    reliable: bool = True
    latched: bool = False


class Recording:
    """A context manager for a bag: `tracks`; `start` and `end` in nanoseconds; `messages`.

    Raises InputError if the bag is missing, damaged or empty.
    """

    def __init__(self, path: Path, topics: list[str] | None = None):
        self.path, self._wanted = Path(path), topics

    def __enter__(self) -> Recording:
        from rosbags.typesys import Stores, get_typestore

        from instseg3d_ros.data.clouds.bag_reader import open_bag, remedy

        if not self.path.exists():
            raise InputError(f"{self.path}: no such bag; give a bag's folder, or an mcap, db3 or ROS 1 bag file")
        self._modern = get_typestore(Stores.ROS2_JAZZY)
        self._remedy = remedy(self.path)
        with ExitStack() as stack:
            self._reader = stack.enter_context(open_bag(self.path))
            with reading(self.path, "a bag", self._remedy):
                self._choose()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _choose(self) -> None:
        held = {c.topic for c in self._reader.connections}
        for topic in self._wanted or ():
            if topic not in held:
                raise InputError(f"{self.path}: no topic '{topic}'; its topics: {', '.join(sorted(held)) or 'none'}")
        self._chosen = [c for c in self._reader.connections if not self._wanted or c.topic in self._wanted]
        if not sum(c.msgcount for c in self._chosen):
            raise InputError(f"{self.path}: holds no messages")
        self.start, self.end = self._reader.start_time, self._reader.end_time
        tracks: dict[str, RecordedTopic] = {}
        for connection in self._chosen:
            before = tracks.get(connection.topic)
            tracks[connection.topic] = self._track(connection, before.count if before else 0)
        self.tracks = list(tracks.values())

    def _track(self, connection: Connection, already: int) -> RecordedTopic:
        from rosbags.interfaces import ConnectionExtRosbag1

        kind = RENAMED.get(connection.msgtype, connection.msgtype)
        store = self._modern if kind in self._modern.fielddefs and not self._reader.is2 else self._reader.typestore
        known = store.hash_rihs01(kind) if kind in store.fielddefs else ""
        count = already + connection.msgcount
        ext = connection.ext
        if isinstance(ext, ConnectionExtRosbag1):
            latched = bool(ext.latching) or connection.topic == "/tf_static"
            return RecordedTopic(connection.topic, kind, count, known.removeprefix("RIHS01_"), True, latched)
        offers = ext.offered_qos_profiles or []
        reliable = all(offer.reliability.name != "BEST_EFFORT" for offer in offers)
        latched = any(offer.durability.name == "TRANSIENT_LOCAL" for offer in offers)
        latched = latched or connection.topic == "/tf_static"
        return RecordedTopic(connection.topic, kind, count, known.removeprefix("RIHS01_"), reliable, latched)

    def messages(self, since: int) -> Iterator[tuple[str, int, bytes]]:
        """(topic, time, CDR bytes) of all messages from `since` nanoseconds of log time on."""
        with reading(self.path, "a bag", self._remedy):
            for connection, time, data in self._reader.messages(self._chosen, start=since):
                yield connection.topic, time, bytes(data) if self._reader.is2 else self._rewritten(connection, data)

    def _rewritten(self, connection: Connection, data: bytes) -> bytes:
        kind = RENAMED.get(connection.msgtype, connection.msgtype)
        store = self._modern if kind in self._modern.fielddefs else self._reader.typestore
        return bytes(store.ros1_to_cdr(data, kind))
