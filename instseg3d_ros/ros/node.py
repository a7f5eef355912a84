"""The lifecycle node: its states, transitions and timers."""

from __future__ import annotations

import os
from collections.abc import Callable

from lifecycle_msgs.srv import ChangeState
from rclpy.clock import Clock, JumpThreshold, TimeJump
from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import topics
from instseg3d_ros.ros import diagnostics, transforms
from instseg3d_ros.ros.answering import Answering
from instseg3d_ros.ros.declare import LiveParameters
from instseg3d_ros.ros.depth import DepthInput
from instseg3d_ros.ros.input import CloudInput
from instseg3d_ros.ros.log import Throttled
from instseg3d_ros.ros.map_output import MapOutput
from instseg3d_ros.ros.message_class import message_class
from instseg3d_ros.ros.model import Model
from instseg3d_ros.ros.outputs import SELECTED, Outputs
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.pipeline import BACKWARDS, Pipeline
from instseg3d_ros.ros.services import Services
from instseg3d_ros.ros.statistics import Statistics
from instseg3d_ros.segmentation.tracker import Tracker

NAME = "instseg3d"
LAST_CLOUD = 5.0  # seconds that deactivation waits for the cloud that is being segmented
SHUTDOWN = 0.5  # seconds that shutdown waits for the cloud that is being segmented


class SegmentNode(LifecycleNode):
    """The node that segments clouds. It calls `finished` once a transition has shut it down."""

    def __init__(self, finished: Callable[[], None] = lambda: None):
        super().__init__(NAME)
        self._finished = finished
        self.state = "unconfigured"
        self._enabled = True
        self._input: CloudInput | DepthInput | None = None
        self.answering: Answering | None = None
        self._outputs: Outputs | None = None
        self.world: MapOutput | None = None
        self._transforms: transforms.Transforms | None = None
        self.model: Model | None = None
        self.error = ""  # why the last transition failed
        self.statistics = Statistics()
        self.live = LiveParameters(self, lambda: self.model is not None, self._refuse, self._retune)
        self._log = Throttled(self.get_logger())
        self._diagnostics = self.create_publisher(message_class(topics.DIAGNOSTICS), topics.DIAGNOSTICS.name, 10)
        self._service = Services(self)
        self._answer_impossible_transitions()
        # These timers use steady time, so that they keep running when /clock stops.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(0.5, self._follow_publishers, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)
        self._warned: set[str] = set()  # kinds of input problems that have been logged since the input was opened
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-BACKWARDS), on_clock_change=True)
        self._jump = self.get_clock().create_jump_callback(backwards, post_callback=self._time_jumped)
        if not self.live.current.autostart:
            self.get_logger().info(
                f"unconfigured, as autostart is false; next: ros2 lifecycle set {self.get_fully_qualified_name()} "
                "configure, then activate"
            )

    # transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        current = self.live.current
        try:
            self.model = Model(current)
        except InputError as error:
            return self._fail(str(error))
        except Exception as error:
            return self._fail(f"the model could not be loaded ({type(error).__name__}: {_line(error)})")
        self._outputs = Outputs(self, current.model, self.model.labels)
        self.world = MapOutput(self, self.model.labels, current) if current.map else None
        self.get_logger().info(f"model {current.model} on {self.model.device}")
        if self.model.missing_kernels:
            self.get_logger().warning(self.model.missing_kernels)
        self._tell_missing(self._outputs.missing)
        self.state = "inactive"
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        super().on_activate(state)
        assert self.model is not None and self._outputs is not None  # only an inactive node is activated
        pipeline = Pipeline(self.model, Tracker(), self.world)
        self.answering = Answering(
            self, pipeline, self._outputs, self.statistics, lambda: self.live.current, self._service.wake
        )
        self._outputs.describe()
        self._listen_to_transforms(self.live.current, pipeline)
        self.state = "active"
        if self._enabled:
            self._open_input(self.answering)
        else:
            self.get_logger().info("active, but paused by ~/enable")
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(LAST_CLOUD)
        self.state = "inactive"
        self.get_logger().info("deactivated: clouds are not read; the model stays loaded")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_cleanup(state)
        self._free()
        self.state = "unconfigured"
        self.get_logger().info("cleaned up: the model is unloaded")
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(SHUTDOWN)  # the model is not freed, because the process ends
        self.state = "finalized"
        self._finished()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop(LAST_CLOUD)
        self._free()
        self.state = "unconfigured"
        return TransitionCallbackReturn.SUCCESS

    def start(self) -> bool:
        """Configure and activate; False if the model could not be loaded (`error` says why)."""
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def _fail(self, text: str) -> TransitionCallbackReturn:
        self.error = text
        self.statistics.trouble(text)
        if not self.live.current.autostart:  # with autostart the process prints this text when it exits
            self.get_logger().error(text)
        return TransitionCallbackReturn.FAILURE

    def _stop(self, patience: float) -> None:
        self._close_input()
        answering, self.answering = self.answering, None
        if answering is not None and not answering.stop(patience):
            text = f"the segmentation of a cloud did not end within {patience:g} s; its answer is dropped"
            self.get_logger().warning(text)
        if self._transforms is not None:
            self._transforms.close()
        self._transforms = None

    def _free(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        if self.model is not None:
            self.model.free()
        if self.world is not None:
            self.world.destroy()
        self._outputs = self.model = self.world = None

    def _tell_missing(self, missing: list[topics.Topic]) -> None:
        for package in dict.fromkeys(topic.type.split("/")[0] for topic in missing):
            names = ", ".join(topic.name for topic in missing if topic.type.startswith(package))
            debian = f"ros-{os.environ.get('ROS_DISTRO', 'jazzy')}-{package.replace('_', '-')}"
            self.get_logger().info(
                f"{names} not published: {package} is not installed or too old (sudo apt install {debian})"
            )

    # the input

    def _open_input(self, answering: Answering) -> None:
        current = self.live.current
        if current.input == "depth":
            names = (topics.DEPTH.name, topics.IMAGE.name, topics.CAMERA_INFO.name)
            self._input = DepthInput(self, names, current.reliability, answering.receive)
        else:
            self._input = CloudInput(self, topics.INPUT.name, current.reliability, answering.receive)
        self.statistics.opened()
        self._warned.clear()
        self.get_logger().info(f"waiting for clouds on {self._input.topic}")

    def _close_input(self) -> None:
        if self._input is not None:
            self._input.close()
        self._input = None

    def enable(self, enabled: bool) -> str:
        """Pause or resume. A pause closes the input, so that no cloud is transported; the model stays loaded.

        Returns the new state as text.
        """
        self._enabled = enabled
        if not enabled:
            self._close_input()
        elif self.answering is not None and self._input is None:
            self.answering.pipeline.reset()
            self._open_input(self.answering)
        text = "running" if enabled else "paused"
        return text if self.state == "active" else f"{text} once the node is active; it is {self.state}"

    def open_for_request(self) -> None:
        """Open the input of a paused node until `close_after_request`.

        An open input of transient-local publishers is reopened, so that the last cloud is delivered again.
        """
        if self.answering is not None and (self._input is None or self._input.latched):
            self._close_input()
            self._open_input(self.answering)

    def close_after_request(self) -> None:
        if not self._enabled and self.answering is not None and not self.answering.requested():
            self._close_input()

    def input_problem(self) -> str:
        """The reason why no cloud arrives, as text; empty if unknown."""
        return diagnostics.silence(self._condition(), self.statistics.summary(), self.live.current)

    def _follow_publishers(self) -> None:
        if self._input is not None:
            self._input.check()
            if self._input.problem:
                self._log("input", self._input.problem)

    # while it runs

    def _refuse(self, values: Parameters) -> str:
        return "" if self.model is None else self.model.reason_against(values)

    def _retune(self, before: Parameters, values: Parameters) -> None:
        if self.model is not None:
            self.model.apply(values)
        if self.answering is not None and self._outputs is not None:
            self._listen_to_transforms(values, self.answering.pipeline)
            if values.select != before.select and self.answering.last is not None:
                self._outputs.publish(self.answering.last, values, SELECTED)

    def _listen_to_transforms(self, values: Parameters, pipeline: Pipeline) -> None:
        if self._transforms is None and (values.target_frame or values.fixed_frame):
            try:
                self._transforms = transforms.listen(self)
            except InputError as error:
                self.statistics.trouble(str(error))
                self.get_logger().error(str(error))
        pipeline.transforms = self._transforms

    def _time_jumped(self, jump: TimeJump) -> None:
        if self._transforms is not None:
            self._transforms.clear()
        if self.answering is not None:
            self.answering.pipeline.reset()
            self._log("time", "time has jumped back: transforms and object ids are reset")

    def _condition(self) -> diagnostics.Condition:
        source, model = self._input, self.model
        return diagnostics.Condition(
            state=self.state,
            enabled=self._enabled,
            watched=self.answering is None or self.answering.watched(),
            topic=self.resolve_topic_name(topics.INPUT.name) if source is None else source.topic,
            publishers=0 if source is None else source.publishers(),
            reliability="" if source is None else source.reliability.name.lower(),
            latched=source is not None and source.latched,
            lost=0 if source is None else source.lost,
            problem="" if source is None else source.problem,
            device="" if model is None else model.device,
            model=self.live.current.model,
            simulated=self.get_parameter("use_sim_time").value,
            missing_kernels="" if model is None else model.missing_kernels,
        )

    def _report(self) -> None:
        current, condition, counts = self.live.current, self._condition(), self.statistics.summary()
        if condition.state == "active" and self._input is not None:
            for kind in (diagnostics.silence, diagnostics.losses, diagnostics.clock_difference):
                text = kind(condition, counts, current)
                if text and kind.__name__ not in self._warned:
                    self._warned.add(kind.__name__)
                    self.get_logger().warning(text)
        level, text = diagnostics.judge(condition, counts, current)
        name = f"{self.get_fully_qualified_name().lstrip('/')}: segmentation"
        values = diagnostics.numbers(condition, counts)
        if self.world is not None:
            values |= self.world.numbers()
        self._diagnostics.publish(diagnostics.message(self, name, level, text, values, condition.device))

    def _answer_impossible_transitions(self) -> None:
        """Make impossible transitions, such as `cleanup` of an active node, answer with a failure.

        In rclpy they raise an exception in the executor, and the caller waits for ever.
        """
        service = self._service_change_state
        change = service.callback

        def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
            try:
                return change(request, response)
            except rclpy_implementation.RCLError:
                response.success = False
                return response

        service.callback = answer


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else "no message"
