"""The test's side of a live node: a rclpy context of its own, a thread that spins, node processes by name."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from instseg3d_ros.messages import topics
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.transport import use_large_cloud_profile

FAKE = Path(__file__).with_name("fake_segmenter.py")
ROOT = Path(__file__).parents[2]
WAIT = 60.0  # seconds; only a broken node or a very busy machine needs them


class Live:
    def __init__(self):
        use_large_cloud_profile()
        self.domain = random.SystemRandom().randrange(10, 100)
        self.context = Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.node = Node("test", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self._processes = []

    def _spin(self):
        while not self._ended.is_set():
            with contextlib.suppress(rclpy_implementation.InvalidHandle):  # a test destroyed something meanwhile
                self._executor.spin_once(timeout_sec=0.2)

    def close(self):
        for process in self._processes:
            process.signal()
        for process in self._processes:
            process.end()
        self._ended.set()
        self._thread.join(5)
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def start(self, *remaps, name="instseg3d", namespace="", model="fake", ready=True, command=None, **parameters):
        """A node process; waits until it is active unless `ready` is false."""
        words = ["-r", f"__ns:={namespace}"] if namespace else []
        for remap in (*remaps, f"__node:={name}"):
            words += ["-r", remap]
        for key, value in {"model": model, **parameters}.items():
            words += ["-p", f"{key}:={str(value).lower() if isinstance(value, bool) else value}"]
        process = NodeProcess([*(command or [sys.executable, str(FAKE)]), "--ros-args", *words], self.domain)
        self._processes.append(process)
        process.path = f"{namespace}/{name}"
        if ready:
            process.expect("waiting for clouds")
        return process

    def camera(self, topic="/points", reliable=True, depth=5):
        return self.node.create_publisher(message_class(topics.INPUT), topic, quality(reliable, depth))

    def listen(self, path, *wanted, reliable=True):
        """Gathers the messages of output topics of the node at `path`."""
        return Ear(self, path, wanted, reliable)

    def call(self, service, kind, request, timeout=WAIT):
        client = self.node.create_client(kind, service)
        try:
            assert client.wait_for_service(timeout), f"no service {service}"
            future = client.call_async(request)
            wait_for(future.done, f"{service} answers", timeout)
            return future.result()
        finally:
            self.node.destroy_client(client)


class NodeProcess:
    """A process whose output is kept; `expect` waits for a line."""

    def __init__(self, command, domain):
        environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "PYTHONUNBUFFERED": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def pid(self):
        return self._process.pid

    def running(self):
        return self._process.poll() is None

    def expect(self, text, timeout=WAIT):
        wait_for(lambda: text in self.text or not self.running(), f"'{text}' in {self.lines[-5:]}", timeout)
        if text not in self.text:
            self._reader.join(2)
        assert text in self.text, self.text

    def signal(self, number=signal.SIGTERM):
        self._process.send_signal(number)

    def wait(self, timeout=WAIT):
        code = self._process.wait(timeout)
        self._reader.join(2)
        return code

    def end(self):
        """Killed only if it does not follow the signal: a killed process leaves its shared memory behind."""
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        self._process.kill()
        self._process.wait(5)


class Ear:
    def __init__(self, live, path, wanted, reliable):
        self._arrived = threading.Condition()
        self.messages = {topic: [] for topic in wanted}
        self._live = live
        self._subscriptions = [
            live.node.create_subscription(
                message_class(topic), topic.name.replace("~", path), self._hear(topic), quality(reliable, 10)
            )
            for topic in wanted
        ]  # fmt: skip
        self._path, self._wanted = path, wanted

    def _hear(self, topic):
        def callback(message):
            with self._arrived:
                self.messages[topic].append(message)
                self._arrived.notify_all()

        return callback

    def matched(self):
        wait_for(
            lambda: all(self._live.node.count_publishers(t.name.replace("~", self._path)) for t in self._wanted),
            "the node's publishers are discovered",
        )
        return self

    def answer(self, topic, stamp, timeout=WAIT):
        """The message of `topic` that carries `stamp` = (sec, nanosec)."""
        found = []

        def look():
            found[:] = [m for m in self.messages[topic] if stamp_of(m) == stamp]
            return bool(found)

        with self._arrived:
            assert self._arrived.wait_for(look, timeout), f"no {topic.name} with stamp {stamp}"
        return found[0]

    def close(self):
        for subscription in self._subscriptions:
            self._live.node.destroy_subscription(subscription)


def quality(reliable, depth):
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=depth, reliability=policy)


def stamp_of(message):
    if hasattr(message, "markers"):
        message = message.markers[0]
    return message.header.stamp.sec, message.header.stamp.nanosec


def wait_for(condition, what, timeout=WAIT):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"waited {timeout:g} s in vain: {what}"
        time.sleep(0.01)


def ask(camera, ear, topic, message, timeout=WAIT):
    """Publish until answered: what is published while two ends still find each other is lost."""
    end = time.monotonic() + timeout
    while True:
        camera.publish(message)
        try:
            return ear.answer(topic, stamp_of(message), 1.0)
        except AssertionError:
            if time.monotonic() > end:
                raise
