"""The lifecycle node: what happens in which state."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from instseg3d_ros.errors import InputError
from instseg3d_ros.ros import topics
from instseg3d_ros.ros.answering import Answering
from instseg3d_ros.ros.declare import LiveParameters
from instseg3d_ros.ros.input import CloudInput
from instseg3d_ros.ros.model import Model
from instseg3d_ros.ros.outputs import Outputs
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import Pipeline
from instseg3d_ros.ros.statistics import Statistics

NAME = "instseg3d"
LAST_CLOUD = 5.0  # seconds that deactivating waits for the cloud in work
SHUTDOWN = 0.5  # seconds that shutting down waits for it


class SegmentNode(LifecycleNode):
    """`finished` is called once the node has been shut down by a transition."""

    def __init__(self, finished: Callable[[], None] = lambda: None):
        super().__init__(NAME)
        self._finished = finished
        self.error = ""  # why the last transition failed
        self.statistics = Statistics()
        self.model: Model | None = None
        self._outputs: Outputs | None = None
        self._answering: Answering | None = None
        self._input: CloudInput | None = None
        self.live = LiveParameters(self, lambda: self.model is not None, self._retune)
        self._refuse_impossible_transitions()
        # Timers on steady time: a stopped /clock must not stop them.
        self.create_timer(0.5, self._follow, clock=Clock(clock_type=ClockType.STEADY_TIME))

    # transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self.model = Model(self.live.current)
        except InputError as error:
            return self._fail(str(error))
        except Exception as error:
            return self._fail(f"the model could not be loaded ({type(error).__name__}: {_line(error)})")
        self._outputs = Outputs(self)
        self.get_logger().info(f"model {self.live.current.model} on {self.model.device}")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        super().on_activate(state)
        current = self.live.current
        self._answering = Answering(
            self, Pipeline(self.model), self._outputs, self.statistics, lambda: self.live.current
        )  # fmt: skip
        self._input = CloudInput(
            self, topics.INPUT.name, current.reliability, current.depth, self._answering.receive
        )  # fmt: skip
        self.get_logger().info(f"waiting for clouds on {self._input.topic}")
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(LAST_CLOUD)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_cleanup(state)
        self._free()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(SHUTDOWN)
        self._free()
        self._finished()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(LAST_CLOUD)
        self._free()
        return TransitionCallbackReturn.SUCCESS

    def start(self) -> bool:
        """Configure and activate; False if the model could not be loaded (`error` says why)."""
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def _fail(self, text: str) -> TransitionCallbackReturn:
        self.error = text
        self.statistics.last_error = text
        self.get_logger().error(text)
        return TransitionCallbackReturn.FAILURE

    def _stop(self, patience: float) -> None:
        if self._input is not None:
            self._input.close()
        if self._answering is not None and not self._answering.stop(patience):
            self.get_logger().warning(f"the cloud in work was not ended within {patience:g} s; its answer is dropped")
        self._input = self._answering = None

    def _free(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        if self.model is not None:
            self.model.free()
        self._outputs = self.model = None

    # while it runs

    def _follow(self) -> None:
        if self._input is not None:
            self._input.check()

    def _retune(self, values: Parameters) -> None:
        if self.model is not None:
            self.model.apply(values)

    def _refuse_impossible_transitions(self) -> None:
        """rclpy lets `cleanup` of an active node raise into the executor; the caller waits for ever. Answer instead."""
        service = self._service_change_state
        change = service.callback

        def answer(request, response):
            try:
                return change(request, response)
            except rclpy_implementation.RCLError:
                response.success = False
                return response

        service.callback = answer


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else "no message"
