"""The node's diagnostics: level (OK, WARN or ERROR), the reason as text, and measured values."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.statistics import Summary

if TYPE_CHECKING:
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.node import Node

OK, WARN, ERROR = range(3)
PERSISTENT = 3  # consecutive failures from which the level is ERROR instead of WARN


SLOW_ERROR = 10.0  # seconds of slow answers after which it is an ERROR
LOST = 0.2  # share of the clouds lost since the input was opened, from which the level is WARN
YEAR_MS, HOUR_MS = 365.25 * 86.4e6, 3.6e6


@dataclass(frozen=True)
class Condition:
    """Condition of the node besides its counts. state: lifecycle state; problem: of the input, as text."""

    state: str = "active"
    enabled: bool = True
    watched: bool = True  # a topic has a subscriber, a request is pending, or `lazy` is false
    topic: str = ""
    publishers: int = 1
    reliability: str = ""
    latched: bool = False  # the publishers are transient local: they may publish once and then stay silent
    lost: int = 0  # clouds that the middleware has reported as lost since the input was opened
    problem: str = ""
    device: str = ""
    model: str = ""
    simulated: bool = False  # use_sim_time
    missing_kernels: str = ""  # the kernels that could not be compiled, and why


def judge(condition: Condition, counts: Summary, parameters: Parameters) -> tuple[int, str]:
    """Level and message: the worst level of all problems, and every reason of that level."""
    problems: list[tuple[int, str]] = []
    if condition.state != "active":
        if condition.state == "unconfigured" and counts.last_error:
            problems.append((ERROR, counts.last_error))
        return _worst(problems, condition.state)
    if not condition.enabled:
        return _worst(problems, "paused by ~/enable")
    silent = counts.silent_for > parameters.silence_warn
    if condition.problem:
        problems.append((ERROR if silent else WARN, condition.problem))
    else:
        problems.append((WARN, silence(condition, counts, parameters)))
    problems.append((WARN, losses(condition, counts, parameters)))
    problems.append((WARN, clock_difference(condition, counts, parameters)))
    if counts.failures:
        level = ERROR if counts.failures >= PERSISTENT else WARN
        problems.append((level, f"the last {counts.failures} clouds were not answered: {counts.last_error}"))
    if counts.remark:
        problems.append((WARN, counts.remark))
    if counts.latency_ms is not None and counts.slow_for > 0:
        level = ERROR if counts.slow_for >= SLOW_ERROR else WARN
        text = f"slow: {counts.latency_ms:.0f} ms per cloud"
        stages = {name: value for name, value in counts.stages.items() if name not in ("total", "segment")}
        if stages:
            stage = max(stages, key=stages.__getitem__)
            text += f", {stages[stage]:.0f} of them in stage '{stage}'"
        problems.append(
            (level, f"{text}; limit the number of voxels with max_voxels, or use a model with larger voxels")
        )
    return _worst(problems, "running" if condition.watched else "idle: no output has a subscriber")


def silence(condition: Condition, counts: Summary, parameters: Parameters) -> str:
    """The reason why no cloud arrives, with a remedy; empty while clouds arrive."""
    if counts.silent_for <= parameters.silence_warn or (condition.latched and counts.received_now):
        return ""
    if not condition.publishers:
        return f"{condition.topic} has no publisher; remap `{parameters.input}` to the camera's topic"
    text = f"no cloud on {condition.topic} for {counts.silent_for:.0f} s"
    if condition.reliability == "best_effort" and not counts.received_now:
        text += f", though it has {condition.publishers} publisher{'s' * (condition.publishers > 1)}: {_best_effort()}"
    return text


def losses(condition: Condition, counts: Summary, parameters: Parameters) -> str:
    """The number of clouds that the middleware lost, with a remedy; empty if their share is below `LOST`."""
    sent = condition.lost + counts.received_now
    if condition.lost < LOST * sent or not condition.lost:
        return ""
    return f"{condition.lost} of {sent} clouds on {condition.topic} were lost in transport: {_best_effort()}"


def _best_effort() -> str:
    from instseg3d_ros.ros.transport import PROFILE, profile_path

    return (
        "large best-effort clouds are lost unless the camera's driver was started with "
        f"export {PROFILE}={profile_path()} (or make its publisher reliable; see docs/transport.md)"
    )


def clock_difference(condition: Condition, counts: Summary, parameters: Parameters) -> str:
    """A text about stamps that are far from the node's clock, with a remedy; empty if they agree."""
    latency = counts.pipeline_latency_ms
    if latency is None or abs(latency) < HOUR_MS:
        return ""
    size = f"{abs(latency) / YEAR_MS:.1f} years" if abs(latency) > YEAR_MS else f"{abs(latency) / HOUR_MS:.1f} hours"
    remedy = (
        "use_sim_time is true: check that /clock is published" if condition.simulated
        else "for a recording set use_sim_time to true and play it with --clock"
    )  # fmt: skip
    return f"the clouds' stamps and the node's clock differ by {size}; {remedy}"


def _worst(problems: list[tuple[int, str]], otherwise: str) -> tuple[int, str]:
    problems = [(level, text) for level, text in problems if text]
    level = max((level for level, _ in problems), default=OK)
    words = [text for other, text in problems if other == level]
    return level, "; ".join(words) or otherwise


def numbers(condition: Condition, counts: Summary) -> dict[str, str]:
    """Values for the diagnostics: key → value as text, in a fixed order."""
    values = {
        "state": condition.state if condition.enabled else f"{condition.state}, paused",
        "input topic": condition.topic,
        "input frame": counts.frame,
        "input reliability": condition.reliability + (", latched" if condition.latched else ""),
        "publishers": str(condition.publishers),
        "input rate (Hz)": f"{counts.rate_in:.2f}",
        "output rate (Hz)": f"{counts.rate_out:.2f}",
        "clouds received": str(counts.received),
        "clouds lost in transport": str(condition.lost),
        "clouds answered": str(counts.answered),
        "latency (ms)": _number(counts.latency_ms),
        "pipeline latency (ms)": _number(counts.pipeline_latency_ms),
        **{f"stage {name} (ms)": f"{value:.1f}" for name, value in counts.stages.items()},
        **{f"dropped: {reason}": str(count) for reason, count in sorted(counts.drops.items())},
        "model": condition.model,
        "device": condition.device,
        "missing kernels": condition.missing_kernels,
        "memory (MB)": f"{resident_bytes() / 1e6:.0f}",
        "last error": counts.last_error,
    }
    gpu = gpu_bytes()
    if gpu is not None:
        values["GPU memory (MB)"] = f"{gpu / 1e6:.0f}"
    return values


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def resident_bytes() -> int:
    """Resident memory of this process in bytes; 0 if the operating system does not report it."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def gpu_bytes() -> int | None:
    """Bytes that torch has reserved on the GPU; None without a GPU. Does not import torch by itself."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return torch.cuda.memory_reserved()


def message(node: Node, name: str, level: int, text: str, values: dict[str, str], hardware: str) -> DiagnosticArray:
    """DiagnosticArray with one status, stamped with the node's clock."""
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

    array = DiagnosticArray()
    array.header.stamp = node.get_clock().now().to_msg()
    status = DiagnosticStatus(level=bytes([level]), name=name, message=text, hardware_id=hardware)
    status.values = [KeyValue(key=key, value=value) for key, value in values.items()]
    array.status = [status]
    return array
