"""The loop from the arrival of a cloud to the published answer. An error drops the cloud; the loop continues."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from instseg3d_ros.ros.diagnostics import PERSISTENT
from instseg3d_ros.ros.log import Throttled, place
from instseg3d_ros.ros.outputs import Outputs
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Answer, Dropped, Frame, Pipeline
from instseg3d_ros.ros.statistics import Statistics
from instseg3d_ros.ros.worker import NewestFirst
from instseg3d_ros.segmentation.memory import free_memory, is_out_of_memory

if TYPE_CHECKING:
    from rclpy.node import Node

OVERTAKEN = "overtaken by a newer cloud"
RESTING = "resting after repeated failures"
REST = 1.0  # seconds between two tries while nothing succeeds: memory of a GPU that others use may become free again


class Request:
    """A service's request for one answer.

    `answer` is set once the answer has been published; `problem` is the reason of the last failure until then.
    """

    def __init__(self) -> None:
        self.since = monotonic()
        self.answer: Answer | None = None
        self.problem = ""


class Answering:
    """`receive(frame)` may be called from any thread and returns at once. `last` is the newest answer."""

    def __init__(
        self, node: Node, pipeline: Pipeline, outputs: Outputs, statistics: Statistics,
        parameters: Callable[[], Parameters], answered: Callable[[], None] = lambda: None,
    ):  # fmt: skip
        self.pipeline = pipeline
        self.last: Answer | None = None
        self._node, self._outputs, self._statistics, self._parameters = node, outputs, statistics, parameters
        self._answered = answered  # called after each answer that a request waited for
        self._log = Throttled(node.get_logger())
        self._rest_until = 0.0
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._idle = False
        self._worker = NewestFirst(self._work, "segment")

    def receive(self, frame: Frame) -> None:
        self._statistics.arrived(frame.frame)
        now = monotonic()
        if now < self._rest_until:
            self._statistics.dropped(RESTING)
        elif self.watched() and self._worker.offer((now, frame)):
            self._statistics.dropped(OVERTAKEN)

    def watched(self) -> bool:
        """Whether an answer is needed: a topic has a subscriber, a request is pending, or `lazy` is false."""
        watched = bool(self._requests) or not self._parameters().lazy or self._outputs.anyone()
        watched = watched or (self.pipeline.world is not None and self.pipeline.world.wanted())
        if watched == self._idle:
            self._idle = not watched
            idle = "idle: no output has a subscriber (lazy)"
            text = "an output has a subscriber: clouds are segmented" if watched else idle
            self._node.get_logger().info(text)
        return watched

    def request(self, request: Request) -> None:
        """Answer the next cloud that arrives, even if no topic has a subscriber."""
        with self._lock:
            self._requests.append(request)

    def withdraw(self, request: Request) -> None:
        with self._lock:
            self._requests = [other for other in self._requests if other is not request]

    def requested(self) -> bool:
        return bool(self._requests)

    def stop(self, timeout: float) -> bool:
        return self._worker.stop(timeout)

    def _work(self, item: tuple[float, Frame]) -> None:
        with self._lock:
            requests = [request for request in self._requests if request.since <= item[0]]
        try:
            self._answer(*item, requests)
        except Dropped as drop:
            self._drop(drop.reason, str(drop), requests)
        except Exception as error:
            if is_out_of_memory(error):
                error.__traceback__ = None  # the traceback's frames hold tensors, which keep their memory allocated
                free_memory()
                text = "out of memory: use a model with larger voxels, or decrease max_range; the memory was freed"
                failures = self._drop("out of memory", text, requests)
            else:
                text = f"internal error ({place(error)}); please report it with the cloud"
                failures = self._drop("internal error", text, requests)
                self._node.get_logger().debug(traceback.format_exc())
            if failures >= PERSISTENT:
                self._rest_until = monotonic() + REST

    def _drop(self, reason: str, text: str, requests: list[Request]) -> int:
        for request in requests:
            request.problem = text
        self._log(reason, f"cloud dropped: {text}")
        return self._statistics.failed(reason, text)

    def _answer(self, arrival: float, frame: Frame, requests: list[Request]) -> None:
        start = perf_counter()
        parameters = self._parameters()
        answer = self.pipeline.answer(frame, parameters)
        if self._worker.stopped:
            return
        began = perf_counter()
        self._outputs.publish(answer, parameters)
        world = self.pipeline.world
        if world is not None:
            world.publish(parameters.fixed_frame, answer.received.cloud.stamp, parameters)
        self.last = answer
        done = perf_counter()
        answer.stages["publish"] = 1000 * (done - began)
        cloud = answer.received.cloud
        age_ms = (self._node.get_clock().now().nanoseconds - cloud.stamp) / 1e6
        self._outputs.publish_times(1000 * (done - start), age_ms)
        latency_ms = 1000 * (monotonic() - arrival)
        self._statistics.answered(latency_ms, age_ms, answer.stages, parameters.latency_warn_ms, answer.remark)
        if answer.remark:
            self._log("remark", answer.remark)
        for request in requests:
            request.answer = answer
            self.withdraw(request)
        if requests:
            self._answered()
