"""From a cloud's arrival to its answer on the topics, whatever the cloud is: the loop that must not die."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from time import monotonic, perf_counter

from instseg3d_ros.ros.diagnostics import PERSISTENT
from instseg3d_ros.ros.log import Throttled, place
from instseg3d_ros.ros.outputs import Outputs
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Dropped, Pipeline
from instseg3d_ros.ros.statistics import Statistics
from instseg3d_ros.ros.worker import NewestFirst
from instseg3d_ros.segmentation.memory import free_memory, is_out_of_memory

OVERTAKEN = "overtaken by a newer cloud"
RESTING = "resting after repeated failures"
REST = 1.0  # seconds between two tries while nothing succeeds: a GPU that others fill comes back by itself


class Answering:
    """`receive(data)` may be called from any thread and returns at once."""

    def __init__(
        self, node, pipeline: Pipeline, outputs: Outputs, statistics: Statistics, parameters: Callable[[], Parameters]
    ):
        self.pipeline = pipeline
        self._node, self._outputs, self._statistics, self._parameters = node, outputs, statistics, parameters
        self._log = Throttled(node.get_logger(), lambda: parameters().log_period)
        self._rest_until = 0.0
        self._worker = NewestFirst(self._work, "segment")

    def receive(self, data: bytes) -> None:
        self._statistics.arrived()
        now = monotonic()
        if now < self._rest_until:
            self._statistics.dropped(RESTING)
        elif self.watched() and self._worker.offer((now, data)):
            self._statistics.dropped(OVERTAKEN)

    def watched(self) -> bool:
        return not self._parameters().lazy or self._outputs.anyone()

    def stop(self, timeout: float) -> bool:
        return self._worker.stop(timeout)

    def _work(self, item: tuple[float, bytes]) -> None:
        try:
            self._answer(*item)
        except Dropped as drop:
            self._drop(drop.reason, str(drop))
        except Exception as error:
            if is_out_of_memory(error):
                error.__traceback__ = None  # its frames hold the tensors that we want to be rid of
                free_memory()
                text = "out of memory: take a model with coarser voxels, or limit max_range; the memory was freed"
                failures = self._drop("out of memory", text)
            else:
                text = f"internal error ({place(error)}); please report it with the cloud"
                failures = self._drop("internal error", text)
                self._node.get_logger().debug(traceback.format_exc())
            if failures >= PERSISTENT:
                self._rest_until = monotonic() + REST

    def _drop(self, reason: str, text: str) -> int:
        self._log(reason, f"cloud dropped: {text}")
        return self._statistics.failed(reason, text)

    def _answer(self, arrival: float, data: bytes) -> None:
        start = perf_counter()
        parameters = self._parameters()
        answer = self.pipeline.answer(data, parameters)
        if self._worker.stopped:
            return
        began = perf_counter()
        self._outputs.publish(answer, parameters)
        done = perf_counter()
        answer.stages["publish"] = 1000 * (done - began)
        age_ms = (self._node.get_clock().now().nanoseconds - answer.received.cloud.stamp) / 1e6
        self._outputs.publish_times(1000 * (done - start), age_ms)
        latency_ms = 1000 * (monotonic() - arrival)
        self._statistics.answered(latency_ms, age_ms, answer.stages, parameters.latency_warn_ms, answer.remark)
        if answer.remark:
            self._log("remark", answer.remark)
