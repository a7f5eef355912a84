"""From a cloud's arrival to its answer on the topics, whatever the cloud is: the loop that must not die."""

from __future__ import annotations

import traceback
from time import monotonic, perf_counter

from instseg3d_ros.ros.log import Throttled
from instseg3d_ros.ros.model import free_memory, is_out_of_memory
from instseg3d_ros.ros.outputs import Outputs
from instseg3d_ros.ros.pipeline import Dropped, Pipeline
from instseg3d_ros.ros.statistics import Statistics
from instseg3d_ros.ros.worker import NewestFirst

OVERTAKEN = "overtaken by a newer cloud"


class Answering:
    """`receive(data)` may be called from any thread and returns at once."""

    def __init__(self, node, pipeline: Pipeline, outputs: Outputs, statistics: Statistics, parameters):
        self._node, self._pipeline, self._outputs, self._statistics = node, pipeline, outputs, statistics
        self._parameters = parameters  # () → values of now
        self._log = Throttled(node.get_logger(), lambda: parameters().log_period)
        self._worker = NewestFirst(self._work, "segment")

    def receive(self, data: bytes) -> None:
        self._statistics.arrived()
        if self._parameters().lazy and not self._outputs.anyone():
            return
        if self._worker.offer((monotonic(), data)):
            self._statistics.dropped(OVERTAKEN)

    def stop(self, timeout: float) -> bool:
        return self._worker.stop(timeout)

    def _work(self, item: tuple[float, bytes]) -> None:
        try:
            self._answer(*item)
        except Dropped as drop:
            self._drop(drop.reason, str(drop))
        except Exception as error:
            if is_out_of_memory(error):
                free_memory()
                self._drop("out of memory", "out of memory: use a model with coarser voxels, or limit max_range")
            else:
                # The text of an exception that nobody foresaw helps nobody; its place in the code does.
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"
                self._drop("internal error", f"internal error ({where}); please report it with the cloud")
                self._node.get_logger().debug(traceback.format_exc())

    def _drop(self, reason: str, text: str) -> None:
        self._statistics.dropped(reason, text)
        self._log(reason, f"cloud dropped: {text}")

    def _answer(self, arrival: float, data: bytes) -> None:
        start = perf_counter()
        parameters = self._parameters()
        cloud, result, up, stages = self._pipeline.answer(data, parameters)
        if self._worker.stopped:
            return
        began = perf_counter()
        self._outputs.publish(cloud, result, self._pipeline.model.labels, up, parameters)
        done = perf_counter()
        stages["publish"] = 1000 * (done - began)
        stamp = cloud.header.stamp
        age_ms = self._node.get_clock().now().nanoseconds / 1e6 - (stamp.sec * 1e3 + stamp.nanosec / 1e6)
        self._outputs.publish_times(1000 * (done - start), age_ms)
        self._statistics.answer(1000 * (monotonic() - arrival), age_ms, stages, parameters.latency_warn_ms)
