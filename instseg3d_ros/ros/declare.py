"""Declares the node's ROS parameters, validates each change of them as a whole, and provides one `Parameters`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from instseg3d_ros.errors import InputError
from instseg3d_ros.ros.parameters import CONFIGURE, MODEL, START, Entry, Parameters

_CHANGE_OF = (
    "{name} is read when the node configures; deactivate and clean up first "
    "(ros2 lifecycle set NODE deactivate, … cleanup), set it, then configure and activate"
)


class LiveParameters:
    """The parameters of a running node; `live.current` is always a valid set of values.

    configured() returns whether the node is configured, which fixes the CONFIGURE parameters; refuse(values) returns
    the reason to refuse `values`, or ""; changed(before, values) is called after each change.
    """

    def __init__(
        self,
        node: Node,
        configured: Callable[[], bool],
        refuse: Callable[[Parameters], str],
        changed: Callable[[Parameters, Parameters], None],
    ):
        self._node, self._configured, self._refuse, self._changed = node, configured, refuse, changed
        self._entries = {entry.name: entry for entry in Parameters.entries()}
        values = {entry.name: _declare(node, entry) for entry in self._entries.values()}
        self.current = Parameters(**values)
        for reason in (
            *(e.reason_against(values[e.name]) for e in self._entries.values()),
            self.current.reason_against(),
        ):
            if reason:
                raise InputError(reason)
        self._warn_of_unknown()
        if hasattr(node, "add_post_set_parameters_callback"):
            node.add_pre_set_parameters_callback(self._as_meant)
            node.add_on_set_parameters_callback(self._check)
            node.add_post_set_parameters_callback(self._apply)
        else:  # Humble
            node.add_on_set_parameters_callback(self._check_and_apply)

    def _as_meant(self, changes: list[Parameter]) -> list[Parameter]:
        """Convert values to the types of the parameters (`Entry.meant`), before rclpy compares the types."""
        return [self._converted(change) for change in changes]

    def _converted(self, change: Parameter) -> Parameter:
        entry = self._entries.get(change.name)
        return change if entry is None else Parameter(change.name, value=entry.meant(change.value))

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        ours = [change for change in changes if change.name in self._entries]
        for change in ours:
            entry = self._entries[change.name]
            if _plain(change.value) == getattr(self.current, change.name):
                continue  # `ros2 param load` sets every value of a dump, including parameters that are read only once
            if entry.when == START:
                return SetParametersResult(successful=False, reason=f"{change.name} is read when the process starts")
            if entry.when == CONFIGURE and self._configured():
                return SetParametersResult(successful=False, reason=_CHANGE_OF.format(name=change.name))
            reason = entry.reason_against(change.value)
            if reason:
                return SetParametersResult(successful=False, reason=reason)
        after = self._with(ours)
        reason = after.reason_against() or self._refuse(after)
        return SetParametersResult(successful=not reason, reason=reason)

    def _check_and_apply(self, changes: list[Parameter]) -> SetParametersResult:
        result = self._check(changes)
        if result.successful:
            self._apply(changes)
        return result

    def _apply(self, changes: list[Parameter]) -> None:
        ours = [change for change in changes if change.name in self._entries]
        if ours:
            before, self.current = self.current, self._with(ours)
            self._changed(before, self.current)

    def _with(self, changes: list[Parameter]) -> Parameters:
        return replace(self.current, **{change.name: _plain(change.value) for change in changes})

    def _warn_of_unknown(self) -> None:
        """Warn of unknown names in a parameter file, which ROS ignores without a message."""
        known = [*self._entries, "use_sim_time", "start_type_description_service"]
        for name in getattr(self._node, "_parameter_overrides", {}):
            if name not in known and not name.startswith("qos_overrides."):
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._node.get_logger().warning(f"parameter '{name}' is unknown and has no effect{hint}")


def _declare(node: Node, entry: Entry) -> Any:
    descriptor = ParameterDescriptor(description=entry.description)
    if entry.choices:
        descriptor.additional_constraints = f"one of: {', '.join(entry.choices)}"
    if entry.limits:
        low, high = entry.limits
        low = min(low, MODEL) if entry.left_to_model else low  # `reason_against` refuses what lies between
        if entry.type is float:
            descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
        else:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    given = node._parameter_overrides.get(entry.name)
    if given is not None:
        node._parameter_overrides[entry.name] = Parameter(entry.name, value=entry.meant(given.value))
    try:
        return _plain(node.declare_parameter(entry.name, entry.default, descriptor).value)
    except InvalidParameterTypeException:
        value = _given(node, entry.name)
        raise InputError(f"parameter {entry.name} is {value!r}; expected {entry.type.__name__}") from None
    except InvalidParameterValueException:
        reason = entry.reason_against(_given(node, entry.name))
        raise InputError(f"parameter {reason or entry.name + ' is refused'}") from None


def _given(node: Node, name: str) -> Any:
    """The value of parameter `name` in a parameter file or on the command line."""
    return node._parameter_overrides[name].value


def _plain(value: Any) -> Any:
    """Convert an array to a list, so that two sets of values can be compared with ==."""
    return list(value) if hasattr(value, "typecode") or isinstance(value, (list, tuple)) else value
