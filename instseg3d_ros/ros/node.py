"""The lifecycle node: what happens in which state."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, JumpThreshold
from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import topics
from instseg3d_ros.ros import diagnostics, transforms
from instseg3d_ros.ros.answering import Answering
from instseg3d_ros.ros.declare import LiveParameters
from instseg3d_ros.ros.input import CloudInput
from instseg3d_ros.ros.log import Throttled
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.model import Model
from instseg3d_ros.ros.outputs import Outputs
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import BACKWARDS, Pipeline
from instseg3d_ros.ros.statistics import Statistics
from instseg3d_ros.segmentation.tracker import Tracker

NAME = "instseg3d"
LAST_CLOUD = 5.0  # seconds that deactivating waits for the cloud in work
SHUTDOWN = 0.5  # seconds that shutting down waits for it


class SegmentNode(LifecycleNode):
    """`finished` is called once the node has been shut down by a transition."""

    def __init__(self, finished: Callable[[], None] = lambda: None):
        super().__init__(NAME)
        self._finished = finished
        self._state = "unconfigured"
        self._enabled = True
        self._input: CloudInput | None = None
        self._answering: Answering | None = None
        self._outputs: Outputs | None = None
        self._transforms: transforms.Transforms | None = None
        self._model: Model | None = None
        self.error = ""  # why the last transition failed
        self.statistics = Statistics()
        self.live = LiveParameters(self, lambda: self._model is not None, self._refuse, self._retune)
        self._log = Throttled(self.get_logger(), lambda: self.live.current.log_period)
        self._diagnostics = self.create_publisher(
            message_class(topics.DIAGNOSTICS), topics.DIAGNOSTICS.name, 10
        )  # fmt: skip
        self.create_service(SetBool, topics.ENABLE.name, self._enable)
        self._answer_impossible_transitions()
        # On steady time: a stopped /clock must stop neither.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(0.5, self._follow_publishers, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-BACKWARDS), on_clock_change=True)
        self._jump = self.get_clock().create_jump_callback(backwards, post_callback=self._time_jumped)

    # transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        current = self.live.current
        try:
            self._model = Model(current)
        except InputError as error:
            return self._fail(str(error))
        except Exception as error:
            return self._fail(f"the model could not be loaded ({type(error).__name__}: {_line(error)})")
        self._outputs = Outputs(self, current.model, self._model.labels)
        self.get_logger().info(f"model {current.model} on {self._model.device}")
        if self._model.missing_kernels:
            self.get_logger().warning(self._model.missing_kernels)
        self._state = "inactive"
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        super().on_activate(state)
        assert self._model is not None and self._outputs is not None  # only an inactive node is activated
        pipeline = Pipeline(self._model, Tracker())
        self._answering = Answering(self, pipeline, self._outputs, self.statistics, lambda: self.live.current)
        self._outputs.describe()
        self._listen_to_transforms(self.live.current, pipeline)
        self._open_input(self._answering)
        self._state = "active"
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(LAST_CLOUD)
        self._state = "inactive"
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_cleanup(state)
        self._free()
        self._state = "unconfigured"
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(SHUTDOWN)  # the model goes with the process
        self._state = "finalized"
        self._finished()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(LAST_CLOUD)
        self._free()
        self._state = "unconfigured"
        return TransitionCallbackReturn.SUCCESS

    def start(self) -> bool:
        """Configure and activate; False if the model could not be loaded (`error` says why)."""
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def _fail(self, text: str) -> TransitionCallbackReturn:
        self.error = text
        self.statistics.trouble(text)
        self.get_logger().error(text)
        return TransitionCallbackReturn.FAILURE

    def _stop(self, patience: float) -> None:
        self._close_input()
        if self._answering is not None and not self._answering.stop(patience):
            self.get_logger().warning(f"the cloud in work did not end within {patience:g} s; its answer is dropped")
        self._answering = None
        if self._transforms is not None:
            self._transforms.close()
        self._transforms = None

    def _free(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        if self._model is not None:
            self._model.free()
        self._outputs = self._model = None

    # while it runs

    def _open_input(self, answering: Answering) -> None:
        current = self.live.current
        self._input = CloudInput(
            self, topics.INPUT.name, current.reliability, current.depth, answering.receive
        )  # fmt: skip
        self.statistics.opened()
        self.get_logger().info(f"waiting for clouds on {self._input.topic}")

    def _close_input(self) -> None:
        if self._input is not None:
            self._input.close()
        self._input = None

    def _enable(self, request, response):
        """Pausing closes the input: not even the transport works then. The model stays."""
        self._enabled = request.data
        if not self._enabled:
            self._close_input()
        elif self._answering is not None and self._input is None:
            self._answering.pipeline.reset()
            self._open_input(self._answering)
        response.success, response.message = True, "running" if self._enabled else "paused"
        return response

    def _follow_publishers(self) -> None:
        if self._input is not None:
            self._input.check()
            if self._input.problem:
                self._log("input", self._input.problem)

    def _refuse(self, values: Parameters) -> str:
        return "" if self._model is None else self._model.reason_against(values)

    def _retune(self, values: Parameters) -> None:
        if self._model is not None:
            self._model.apply(values)
        if self._answering is not None:
            self._listen_to_transforms(values, self._answering.pipeline)

    def _listen_to_transforms(self, values: Parameters, pipeline: Pipeline) -> None:
        if self._transforms is None and (values.target_frame or values.fixed_frame):
            try:
                self._transforms = transforms.listen(self)
            except InputError as error:
                self.statistics.trouble(str(error))
                self.get_logger().error(str(error))
        pipeline.transforms = self._transforms

    def _time_jumped(self, jump) -> None:
        if self._transforms is not None:
            self._transforms.clear()
        if self._answering is not None:
            self._answering.pipeline.reset()
            self._log("time", "time has jumped back: transforms and object ids begin anew")

    def _report(self) -> None:
        current, source = self.live.current, self._input
        condition = diagnostics.Condition(
            state=self._state,
            enabled=self._enabled,
            watched=self._answering is None or self._answering.watched(),
            topic=self.resolve_topic_name(topics.INPUT.name),
            publishers=0 if source is None else source.publishers(),
            reliability="" if source is None else source.reliability.name.lower(),
            problem="" if source is None else source.problem,
            device="" if self._model is None else self._model.device,
            model=current.model,
            missing_kernels="" if self._model is None else self._model.missing_kernels,
        )
        counts = self.statistics.summary()
        level, text = diagnostics.judge(condition, counts, current)
        name = f"{self.get_fully_qualified_name().lstrip('/')}: segmentation"
        values = diagnostics.numbers(condition, counts)
        self._diagnostics.publish(diagnostics.message(self, name, level, text, values, condition.device))

    def _answer_impossible_transitions(self) -> None:
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
