"""The settings of `segment`, which apply to all inputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.data.units import metres
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.axes import AXES
from instseg3d_ros.segmentation.options import LEVELS


@dataclass(frozen=True)
class Settings:
    """The settings of `segment` for all inputs. They are plain values, which can be sent to worker processes."""

    out: Path
    model: str = "unet"
    device: str = "auto"
    axes: str = "auto"
    level: str | None = None  # None: "auto" for clouds of a camera, "off" for scans, which have z up
    voxel: float | None = None  # metres; None: the model's training value
    min_score: float | None = None  # None: the model's value
    max_range: float | None = None  # metres; None: the model's value for clouds of a camera, no limit for scans
    max_voxels: int | None = None  # per cloud or tile; voxels with few points are left out. None: no limit
    classes: tuple[str, ...] = ()  # classes of the objects in the output; empty: all
    topic: str | None = None
    all_topics: bool = False  # copy the other topics of a bag into the output
    unit: str = "m"  # unit of the input's coordinates; results are in metres
    intrinsics: str | None = None
    depth_scale: float = 1000.0
    html: bool = False
    budget: int = 400_000  # maximum number of points on the page
    threads: int = 0  # threads of the network on a CPU; 0: torch's default

    def __post_init__(self) -> None:
        if self.axes not in AXES:
            raise InputError(f"axes '{self.axes}' is unknown; one of: {', '.join(AXES)}")
        if self.level is not None and self.level not in LEVELS:
            raise InputError(f"level '{self.level}' is unknown; one of: {', '.join(LEVELS)}")
        metres(self.unit)
        for name, low, high in (
            ("voxel", 0.002, 1), ("min_score", 0, 1), ("max_range", 0.01, 1e6), ("depth_scale", 1e-3, 1e6),
            ("budget", 1000, 5_000_000), ("max_voxels", 1000, 1_000_000_000), ("threads", 0, 1024),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{name} is {value:g}; expected {low:g} to {high:g}")
        if self.intrinsics is not None:
            Intrinsics.parse(self.intrinsics)  # raises for invalid intrinsics before the first depth image is read

    def fingerprint(self) -> dict:
        """The settings on which results depend. An input is processed again if they differ from those of its result."""
        content = {key: value for key, value in asdict(self).items() if key not in ("out", "device", "threads")}
        return {**content, "classes": list(self.classes)}
