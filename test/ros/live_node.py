"""The test's side of a live node: a rclpy context, a thread that spins, node processes by name.

The tests must pass on a busy machine. The middleware loses what is sent while two ends still discover each other, and
a transform or an answer may be late. Tests therefore send again until they see the effect (`ask`, `repeat`), and assert
counts and orders, never times.
"""

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import sys
import tempfile
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
WAIT = 180.0  # seconds; only a broken node or a very busy machine needs them
PERIOD = 1.0  # seconds until something that had no effect is sent again


def free_domain():
    """A ROS domain that no other test process of this machine uses as long as the returned file is open."""
    for domain in random.SystemRandom().sample(range(10, 100), 90):
        with contextlib.suppress(OSError):
            file = open(Path(tempfile.gettempdir()) / f"instseg3d_ros_domain_{domain}", "w")  # noqa: SIM115
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return domain, file
            except OSError:
                file.close()
    raise RuntimeError("all ROS domains from 10 to 99 are in use")


class Live:
    def __init__(self):
        use_large_cloud_profile()
        self.domain, self._lock = free_domain()
        self.context = Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.node = Node("test", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self._processes = []
        self._clients = {}

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
        self._lock.close()

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

    def client(self, service, kind):
        """The client of a service; it stays open, because a node must discover a client before it can answer it."""
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        assert self._clients[service].wait_for_service(WAIT), f"no service {service}"
        return self._clients[service]

    def forget(self, path):
        """Close the clients of the node at `path`."""
        for service in [service for service in self._clients if service.startswith(f"{path}/")]:
            self.node.destroy_client(self._clients.pop(service))

    def call(self, service, kind, request):
        """The response to a request that may be repeated: the first response to a new client may be lost.

        Fast DDS waits only 100 ms for the discovery of the client.
        """
        futures, client = [], self.client(service, kind)
        repeat(
            lambda: futures.append(client.call_async(request)),
            lambda: any(future.done() for future in futures),
            f"{service} answers",
            period=2 * PERIOD,
        )
        return next(future.result() for future in futures if future.done())


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
        assert self.answered((topic,), stamp, timeout), f"no {topic.name} with stamp {stamp}"
        return next(m for m in self.messages[topic] if stamp_of(m) == stamp)

    def answered(self, wanted, stamp, timeout):
        """Whether all topics of `wanted` send a message with this stamp within `timeout` seconds."""

        def all_are_here():
            return all(any(stamp_of(m) == stamp for m in self.messages[topic]) for topic in wanted)

        with self._arrived:
            return self._arrived.wait_for(all_are_here, timeout)

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


def repeat(action, condition, what, timeout=WAIT, period=PERIOD):
    """Do `action` every `period` seconds until `condition` holds."""
    end = time.monotonic() + timeout
    while True:
        action()
        again = time.monotonic() + period
        while time.monotonic() < again:
            if condition():
                return
            time.sleep(0.01)
        assert time.monotonic() < end, f"waited {timeout:g} s in vain: {what}"


def ask(camera, ear, topic, message, also=(), before=lambda: None, timeout=WAIT):
    """The answer of `topic` to a cloud, which is published until `topic` and the topics of `also` have answered.

    `before` is called before each publication, for example to publish a transform.
    """
    end, stamp, wanted = time.monotonic() + timeout, stamp_of(message), (topic, *also)
    while True:
        before()
        camera.publish(message)
        if ear.answered(wanted, stamp, PERIOD):
            return ear.answer(topic, stamp)
        assert time.monotonic() < end, f"no {', '.join(t.name for t in wanted)} with stamp {stamp}"
