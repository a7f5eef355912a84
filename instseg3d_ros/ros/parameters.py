"""The node's parameters: one typed dataclass, from which ROS declarations, checks, documentation and YAML are made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from instseg3d_ros.data.units import UNITS
from instseg3d_ros.segmentation.options import FRAME_VOXELS

LIVE = "live"  # takes effect at the next cloud
CONFIGURE = "configure"  # read when the node configures
START = "start"  # read once, when the process starts


@dataclass(frozen=True)
class Entry:
    """One parameter as ROS and the documentation describe it."""

    name: str
    type: type
    default: Any
    description: str
    limits: tuple[float, float] | None  # without MODEL, which is allowed in addition if it is the default
    choices: tuple[str, ...]
    when: str

    @property
    def left_to_model(self) -> bool:
        """Whether the value MODEL selects the value in the model's card."""
        return type(self.default) is not bool and self.default == MODEL

    def meant(self, value: Any) -> Any:
        """Convert `value` to the parameter's type if unambiguous: YAML reads `off` as a boolean and 5 as an int."""
        if type(value) is bool and self.type is str:
            return next((word for word in (("on", "yes") if value else ("off", "no")) if word in self.choices), value)
        if type(value) is int and self.type is float:
            return float(value)
        if self.type is float:
            return _infinity(value)
        if (
            self.type is list
            and value is not None
            and not isinstance(value, (str, bytes))
            and hasattr(value, "__len__")
        ):
            numbers = [_infinity(item) for item in value]
            if numbers and all(type(number) in (int, float) for number in numbers):
                return [float(number) for number in numbers]
        return value

    def reason_against(self, value: Any) -> str:
        """The reason why `value` is refused, in one line; empty if it is valid."""
        if self.type is float and math.isnan(value):
            return f"{self.name} is not a number"
        if self.left_to_model and value == MODEL:
            return ""
        if self.limits and not self.limits[0] <= value <= self.limits[1]:
            model = f", or {MODEL:g} for the model's value" if self.left_to_model else ""
            return f"{self.name} is {value}; expected {self.limits[0]:g} to {self.limits[1]:g}{model}"
        if self.choices and value not in self.choices:
            return f"{self.name} is '{value}'; one of: {', '.join(self.choices)}"
        if self.type is list and (len(value) != len(self.default) or any(map(math.isnan, value))):
            return f"{self.name} is {list(value)}; expected {len(self.default)} numbers"
        return ""


def _infinity(value: Any) -> Any:
    """Convert `inf`, `-inf` and `.inf` to numbers: `ros2 param load` sends the infinities of a dump as strings."""
    if isinstance(value, str) and value.lower().lstrip("+-") in ("inf", ".inf"):
        return -math.inf if value.startswith("-") else math.inf
    return value


MODEL = -1.0  # selects the value in the model's card, which gave the best scores in its evaluation
INF = math.inf


def parameter(
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    when: str = LIVE,
) -> Any:
    limits = None if low is None else (low, high)
    extras = {"description": description, "limits": limits, "choices": choices, "when": when}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata={**extras, "default": default})
    return field(default=default, metadata={**extras, "default": default})


@dataclass(frozen=True)
class Parameters:
    """A set of parameter values. Lengths are in metres, times in seconds unless the name contains another unit.

    In every parameter -1 selects the model's value, infinity means no limit, `auto` a choice by the node, and an empty
    string not set. ROS integers have no infinity: for these 0 means no limit.
    """

    # the network
    model: str = parameter(
        "unet", "Name of a model in models/ (`unet` for rooms, `tabletop` for objects on tables), or path of a "
        ".safetensors file.", when=CONFIGURE,
    )  # fmt: skip
    device: str = parameter(
        "auto", "Device of the network: `cpu`, `cuda` or `cuda:N`; `auto` is CUDA if it is available, else the CPU.",
        when=CONFIGURE,
    )  # fmt: skip
    engine: str = parameter(
        "auto", "Library for the sparse convolutions; `auto` is spconv on CUDA if it is installed, else torch.",
        choices=("auto", "torch", "spconv"), when=CONFIGURE,
    )  # fmt: skip
    precision: str = parameter(
        "auto", "Number format of the backbone; `auto` is `fp16` on CUDA, and on a CPU `bf16` if it is faster there "
        "than `fp32`.", choices=("auto", "fp32", "bf16", "fp16"), when=CONFIGURE,
    )  # fmt: skip
    threads: int = parameter(
        0, "Number of CPU threads of the network; 0 leaves the number to PyTorch.", 0, 256, when=CONFIGURE
    )
    bandwidth: float = parameter(
        MODEL, "Bandwidth of mean shift, in units of the embedding; smaller values give more and smaller "
        "clusters; -1: the model's value.", 0.01, 100.0,
    )  # fmt: skip
    merge: float = parameter(
        MODEL, "Largest difference in embedding and class between touching parts of one object. Decrease it if "
        "neighbouring objects are merged, increase it if single objects are split; 0: no merging, -1: the model's "
        "value.", 0.0, 100.0,
    )  # fmt: skip
    min_points: int = parameter(
        int(MODEL), "Smallest number of points of an object that is published; -1: the model's value.", 1, 1_000_000
    )
    min_score: float = parameter(
        MODEL, "Lowest score, 0 to 1, of an object that is published. Increase it if false objects appear, decrease it "
        "if objects are missed; -1: the model's value.", 0.0, 1.0,
    )  # fmt: skip
    level: str = parameter(
        "auto", "Source of the vertical direction if `target_frame` is empty: `auto` estimates it from floors, tables "
        "and walls in each cloud, `off` takes the cloud's z axis.", choices=("auto", "off"),
    )  # fmt: skip

    # input
    input: str = parameter(
        "points", "What the camera publishes: a point cloud (`points`), or a depth image with its colour image "
        "(`depth`).", choices=("points", "depth"), when=CONFIGURE,
    )  # fmt: skip
    axes: str = parameter(
        "auto", "Axes of the cloud: `optical` (z forward, y down), `body` (x forward, z up); `auto` derives them from "
        "the rows and columns of an organised cloud, otherwise from a frame name that contains `optical`.",
        choices=("auto", "optical", "body"),
    )  # fmt: skip
    unit: str = parameter(
        "m", "Unit of the coordinates of the input clouds; all outputs are in metres.",
        choices=tuple(UNITS),
    )  # fmt: skip
    max_range: float = parameter(
        MODEL, "Largest distance from the camera, in metres, at which points are labelled; -1: the model's value.",
        0.01, 1e4,
    )  # fmt: skip
    min_range: float = parameter(
        0.0, "Smallest distance from the camera, in metres, at which points are labelled.", 0.0, 1e4
    )
    min_height: float = parameter(
        -INF, "Height, in metres, below which points are not labelled: z in `target_frame` if it is set, otherwise the "
        "height above the camera.",
    )  # fmt: skip
    max_height: float = parameter(
        INF, "Height, in metres, above which points are not labelled: z in `target_frame` if it is set, otherwise the "
        "height above the camera.",
    )  # fmt: skip
    crop_box: list = parameter(  # noqa: RUF009 (it calls field)
        [-INF, -INF, -INF, INF, INF, INF], "Region of interest: x y z of its lowest corner and x y z of its highest "
        "corner, in metres, in `target_frame` if it is set, otherwise in the camera's axes x forward, y left, z up. "
        "Points outside are not labelled.",
    )  # fmt: skip
    max_voxels: int = parameter(
        FRAME_VOXELS, "Largest number of voxels of a cloud. Of a cloud with more, voxels with few points are left out, "
        "which limits the time; their points get the answer of a voxel nearby. 0: no limit.", 0, 1_000_000_000,
    )  # fmt: skip
    max_points: int = parameter(
        4_000_000, "Largest number of points of a cloud; clouds with more points are dropped.", 1, 1_000_000_000
    )
    reliability: str = parameter(
        "auto", "QoS reliability of the input subscription; `auto` follows the camera's publisher.",
        choices=("auto", "reliable", "best_effort"), when=CONFIGURE,
    )  # fmt: skip

    # frames and ids
    target_frame: str = parameter(
        "", "Frame with z up, such as `base_link`, into which each cloud is transformed with TF. Empty: no transform; "
        "`level` then gives the vertical.",
    )  # fmt: skip
    tf_timeout: float = parameter(
        0.2,
        "Longest time, in seconds, that a cloud waits for its transform; after this time the cloud is dropped.",
        0.0,
        5.0,
    )
    track: bool = parameter(True, "Whether an object keeps its id from cloud to cloud.")
    fixed_frame: str = parameter(
        "", "Frame in which objects do not move, such as `odom`; `track` and `map` use it. Empty: `target_frame` if it "
        "is set, otherwise the cloud's frame.",
    )  # fmt: skip

    # output
    lazy: bool = parameter(True, "Whether the node ignores clouds while no output has a subscriber.")
    color_by: str = parameter(
        "instance", "Colours of `~/colored_points`: `instance` gives each object a colour, `class` each class.",
        choices=("instance", "class"),
    )  # fmt: skip
    select: str = parameter(
        "", "Objects whose points `~/object_points` contains and `~/remaining_points` omits: ids and class names, "
        "separated by commas, such as `7` or `object,chair`; empty: all objects.",
    )  # fmt: skip
    save_folder: str = parameter("", "Output folder of `~/save` and `~/map/save`; empty: both services fail.")
    once_timeout: float = parameter(
        10.0, "Longest time, in seconds, that `~/segment_once` waits for a cloud and its answer.", 0.1, 3600.0
    )
    marker_lifetime: float = parameter(
        1.0, "Time, in seconds, after which RViz removes markers that were not renewed; 0: never.", 0.0, 3600.0
    )

    # the map
    map: bool = parameter(
        False, "Whether the node builds a map of objects from all clouds, in `fixed_frame`, whose z axis must point "
        "up. All outputs then use the ids of the map.", when=CONFIGURE,
    )  # fmt: skip
    map_rate: float = parameter(
        0.5, "Largest rate, in messages per second, at which the map is published.", 0.01, 100.0
    )
    map_cell: float = parameter(
        0.03, "Edge of the map's cells, in metres; smaller cells show more detail and need more memory.", 0.005, 0.5,
        when=CONFIGURE,
    )  # fmt: skip
    map_max_cells: int = parameter(
        2_000_000, "Largest number of cells of the map; if there are more, the oldest and farthest cells are removed. "
        "A million cells take about 200 MB.", 1000, 100_000_000, when=CONFIGURE,
    )  # fmt: skip
    map_radius: float = parameter(
        50.0,
        "Distance from the camera, in metres, beyond which cells are removed from the map.",
        0.5,
        1e6,
        when=CONFIGURE,
    )

    # diagnostics
    latency_warn_ms: float = parameter(
        1000.0, "Largest time from a cloud's arrival to its answer, in milliseconds; above it diagnostics report WARN, "
        "and after ten seconds ERROR.", 0.0, 1e6,
    )  # fmt: skip
    silence_warn: float = parameter(
        3.0, "Time without a cloud, in seconds, after which diagnostics report WARN.", 0.1, 3600.0
    )
    autostart: bool = parameter(
        True, "Whether the node configures and activates itself; if false, a lifecycle manager must do so.", when=START
    )

    @staticmethod
    def entries() -> list[Entry]:
        return [Entry(f.name, type(f.metadata["default"]), **f.metadata) for f in fields(Parameters)]

    def reason_against(self) -> str:
        """The reason why these values contradict each other; empty if they do not."""
        if self.min_height > self.max_height:
            return f"min_height {self.min_height:g} exceeds max_height {self.max_height:g}; no point would be labelled"
        if 0 < self.max_range < self.min_range:
            return f"min_range {self.min_range:g} exceeds max_range {self.max_range:g}; no point would be labelled"
        if self.map and not self.fixed_frame:
            return "map is true, but fixed_frame is empty; set it to a frame of TF with z up, such as odom"
        if any(low > high for low, high in zip(self.crop_box[:3], self.crop_box[3:])):
            return f"crop_box {self.crop_box} has its lowest corner above its highest; no point would be labelled"
        return ""
