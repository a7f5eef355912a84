"""The node's parameters: one typed dataclass, from which ROS declarations, checks, README and YAML are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from instseg3d_ros.data.units import UNITS

LIVE = "live"  # takes effect at the next cloud
CONFIGURE = "configure"  # read when the node configures
START = "start"  # read once, when the process starts


@dataclass(frozen=True)
class Entry:
    """One parameter as ROS and the README see it."""

    name: str
    type: type
    default: Any
    description: str
    limits: tuple[float, float] | None
    choices: tuple[str, ...]
    when: str

    def meant(self, value: Any) -> Any:
        """The value in the parameter's type, where there is no doubt: YAML reads `off` as a boolean, 5 as an int."""
        if type(value) is bool and self.type is str:
            return next((word for word in (("on", "yes") if value else ("off", "no")) if word in self.choices), value)
        if type(value) is int and self.type is float:
            return float(value)
        if (
            self.type is list
            and value is not None
            and not isinstance(value, (str, bytes))
            and hasattr(value, "__len__")
        ):
            numbers = [*value]
            if numbers and all(type(number) in (int, float) for number in numbers):
                return [float(number) for number in numbers]
        return value

    def reason_against(self, value: Any) -> str:
        """Why `value` is refused, in one line; empty if it is fine."""
        if self.type is float and not math.isfinite(value):
            return f"{self.name} is {value}; expected a finite number"
        if self.limits and not self.limits[0] <= value <= self.limits[1]:
            return f"{self.name} is {value}; expected {self.limits[0]:g} to {self.limits[1]:g}"
        if self.choices and value not in self.choices:
            return f"{self.name} is '{value}'; one of: {', '.join(self.choices)}"
        if self.type is list and (len(value) != len(self.default) or not all(map(math.isfinite, value))):
            return f"{self.name} is {list(value)}; expected {len(self.default)} finite numbers"
        return ""


def parameter(default, description, low=None, high=None, choices=(), when=LIVE):
    limits = None if low is None else (low, high)
    extras = {"description": description, "limits": limits, "choices": choices, "when": when}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata={**extras, "default": default})
    return field(default=default, metadata={**extras, "default": default})


@dataclass(frozen=True)
class Parameters:
    """Values at one moment. Angles in degrees, lengths in metres, times as the name says."""

    # the network
    model: str = parameter("unet", "Name of a model in models/, or path of a .safetensors file.", when=CONFIGURE)
    device: str = parameter("auto", "`auto` (CUDA where there is one), `cpu`, `cuda` or `cuda:N`.", when=CONFIGURE)
    engine: str = parameter(
        "auto", "Sparse engine; `auto` is spconv on CUDA where it is installed, else torch.",
        choices=("auto", "torch", "spconv"), when=CONFIGURE,
    )  # fmt: skip
    precision: str = parameter(
        "auto", "Arithmetic of the backbone; `auto`: `fp16` on CUDA, on a CPU `bf16` where that is measurably faster.",
        choices=("auto", "fp32", "bf16", "fp16"), when=CONFIGURE,
    )  # fmt: skip
    threads: int = parameter(0, "CPU threads of the network; 0 leaves the choice to torch.", 0, 256, when=CONFIGURE)
    bandwidth: float = parameter(0.0, "Bandwidth of mean shift; 0 takes the model's own.", 0.0, 100.0)
    merge: float = parameter(
        -1.0, "How unlike parts that touch may be and still be one object: lower where objects stick together, higher "
        "where they fall to pieces; 0 leaves plain mean shift, -1 takes the model's own.", -1.0, 100.0,
    )  # fmt: skip
    min_points: int = parameter(0, "Smallest object in points; 0 takes the model's own.", 0, 1_000_000)
    min_score: float = parameter(-1.0, "Objects that score less are not reported; -1 takes the model's own.", -1.0, 1.0)
    level: str = parameter(
        "auto", "Without `target_frame`: find up in each cloud (`auto`), or trust the axes (`off`).",
        choices=("auto", "off"),
    )  # fmt: skip

    # input
    axes: str = parameter(
        "auto", "Axes of the cloud's frame: `optical` (z forward, y down), `body` (x forward, z up); `auto` decides by "
        "the frame's name (`*_optical*`).", choices=("auto", "optical", "body"),
    )  # fmt: skip
    unit: str = parameter(
        "m", "Unit of length of the clouds' coordinates; everything that is published is in metres.",
        choices=tuple(UNITS),
    )  # fmt: skip
    max_range: float = parameter(0.0, "Points farther than this are not labelled; 0 takes the model's own.", 0.0, 1e4)
    min_range: float = parameter(0.0, "Points nearer than this are not labelled.", 0.0, 1e4)
    min_height: float = parameter(
        -1000.0, "Points below are not labelled: along z of `target_frame`, else above the sensor.", -1000.0, 1000.0
    )
    max_height: float = parameter(1000.0, "Points above are not labelled.", -1000.0, 1000.0)
    crop_box: list = parameter(  # noqa: RUF009 (it calls field)
        [0.0] * 6, "Label only points inside: x y z of one corner, x y z of the opposite, in the axes of `min_height`; "
        "all 0 is off.",
    )  # fmt: skip
    max_points: int = parameter(4_000_000, "Larger clouds are refused.", 1, 1_000_000_000)
    reliability: str = parameter(
        "auto", "Reliability asked of the camera's publisher; `auto` follows what it offers.",
        choices=("auto", "reliable", "best_effort"), when=CONFIGURE,
    )  # fmt: skip
    depth: int = parameter(1, "Clouds that the middleware keeps for the node.", 1, 100, when=CONFIGURE)

    # frames and ids
    target_frame: str = parameter("", "Frame with z up in which clouds are levelled through TF; empty: without TF.")
    tf_timeout: float = parameter(0.2, "Longest wait for a transform, in seconds; then the cloud is dropped.", 0.0, 5.0)
    track: bool = parameter(True, "Objects keep their id from cloud to cloud.")
    fixed_frame: str = parameter("", "Frame in which objects stand still; empty: `target_frame`, else the cloud's own.")

    # output
    lazy: bool = parameter(True, "Do nothing while nobody subscribes to any output.")
    color_by: str = parameter("instance", "Colours of `~/colored_points`.", choices=("instance", "class"))
    marker_lifetime: float = parameter(1.0, "Seconds that markers outlive their message; 0: for ever.", 0.0, 3600.0)

    # diagnostics
    latency_warn_ms: float = parameter(1000.0, "Slower than this from arrival to answer is a WARN …", 0.0, 1e6)
    slow_error: float = parameter(10.0, "… and an ERROR once it has been so for this many seconds.", 0.0, 3600.0)
    silence_warn: float = parameter(3.0, "Seconds without a cloud after which diagnostics WARN.", 0.1, 3600.0)
    log_period: float = parameter(5.0, "Seconds between two log lines of one kind.", 0.0, 3600.0)
    autostart: bool = parameter(True, "Configure and activate by itself.", when=START)

    @staticmethod
    def entries() -> list[Entry]:
        return [Entry(f.name, type(f.metadata["default"]), **f.metadata) for f in fields(Parameters)]

    def reason_against(self) -> str:
        """Why these values do not go together; empty if they do."""
        if self.min_height > self.max_height:
            return f"min_height {self.min_height:g} is above max_height {self.max_height:g}; nothing would be labelled"
        if 0 < self.max_range < self.min_range:
            return f"min_range {self.min_range:g} is above max_range {self.max_range:g}; nothing would be labelled"
        return ""
