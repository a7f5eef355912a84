"""Publishes a recording in the time of its log, with rate, pause, step, loop and /clock."""

from __future__ import annotations

import importlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic, sleep

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from instseg3d_ros.ros.standalone.raw_types import raw_type, supported
from instseg3d_ros.ros.standalone.recording import RecordedTopic, Recording

AHEAD = 8  # messages that are read ahead, because decompression and large clouds take time
CLOCK_PERIOD = 0.02  # seconds of real time between two messages on /clock
LARGEST_STEP = 0.02  # longest sleep in seconds, so that keys have a prompt effect
SETTLE = 0.3  # seconds between the first subscriber and the first message, for discovery on both sides


class Player:
    """Plays a recording. `play` returns after the last message or when `stop` is set; `paused`, `steps` may change."""

    def __init__(self, node: Node, recording: Recording, rate: float = 1.0, clock: bool = False):
        self._node, self.recording, self.rate = node, recording, rate
        self.paused = False
        self.steps = 0  # number of messages to publish while paused
        self.stop = threading.Event()
        self.sent: Counter[str] = Counter()
        self.now = recording.start  # nanoseconds of the recording
        self.skipped: list[str] = []  # topics whose type cannot be published
        self._clock = node.create_publisher(Clock, "/clock", 10) if clock else None
        self._publishers = {}
        for track in recording.tracks:
            kind = message_type(track)
            if kind is None:
                self.skipped.append(track.topic)
            else:
                self._publishers[track.topic] = node.create_publisher(kind, track.topic, quality(track))

    def wait_for_reader(self, patience: float, topics: list[str] | None = None) -> bool:
        """Wait until all of `topics`, or any played topic, have a subscriber, for at most `patience` seconds."""
        end = monotonic() + patience
        while not self.stop.is_set() and monotonic() < end:
            if topics:
                ready = all(self._node.count_subscribers(topic) for topic in topics)
            else:
                ready = any(publisher.get_subscription_count() for publisher in self._publishers.values())
            if ready:
                sleep(SETTLE)
                return True
            sleep(0.05)
        return False

    def play(self, since: int, tick: Callable[[], None] = lambda: None) -> None:
        """Play once, from `since` nanoseconds of log time. `tick` is called often, for keys and the status line."""
        self.now = since
        last, due_clock = monotonic(), 0.0
        for topic, time, data in _ahead(self.recording.messages(since), self.stop):
            while not self.stop.is_set():
                tick()
                now = monotonic()
                if not self.paused:
                    self.now += int(1e9 * (now - last) * self.rate)
                last = now
                if self.paused and self.steps > 0:
                    self.steps -= 1
                    self.now = time
                left = (time - self.now) / 1e9 / self.rate
                if now >= due_clock or left <= 0:
                    due_clock = now + CLOCK_PERIOD
                    self._publish_clock(min(self.now, time))
                if left <= 0:
                    break
                sleep(min(LARGEST_STEP, left))
            if self.stop.is_set():
                return
            if topic in self._publishers:
                self._publishers[topic].publish(data)
                self.sent[topic] += 1

    def _publish_clock(self, time: int) -> None:
        if self._clock is None:
            return
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(time, 10**9)
        self._clock.publish(message)


def _ahead(messages: Iterator[tuple[str, int, bytes]], stop: threading.Event) -> Iterator[tuple[str, int, bytes]]:
    """Yield messages that another thread reads ahead; an exception of this thread is raised here."""
    waiting: queue.Queue = queue.Queue(AHEAD)
    end = object()
    ended = threading.Event()

    def put(item: object) -> None:
        while not (stop.is_set() or ended.is_set()):
            try:
                return waiting.put(item, timeout=0.1)
            except queue.Full:
                continue

    def read() -> None:
        try:
            for message in messages:
                put(message)
                if stop.is_set() or ended.is_set():
                    return
            put(end)
        except Exception as error:
            put(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while not stop.is_set():
            try:
                item = waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            if item is end:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        ended.set()
        thread.join(2)


def message_type(track: RecordedTopic) -> type | None:
    """The type's Python class, or a raw type if the class is not installed; None if raw types are not supported."""
    package, _, name = track.type.partition("/msg/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError):
        if supported():
            return None
        return raw_type(package, name, track.hash)


def quality(track: RecordedTopic) -> QoSProfile:
    """The recorded QoS. Latched topics keep all messages for late subscribers."""
    return QoSProfile(
        depth=max(1, min(track.count, 1000)) if track.latched else 10,
        reliability=ReliabilityPolicy.RELIABLE if track.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if track.latched else DurabilityPolicy.VOLATILE,
    )
