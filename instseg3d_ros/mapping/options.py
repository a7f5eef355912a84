"""What a user may tune of a map."""

from __future__ import annotations

from dataclasses import dataclass

from instseg3d_ros.errors import InputError


@dataclass(frozen=True)
class MapOptions:
    """Settings of an `ObjectMap`; lengths in metres."""

    cell: float = 0.03  # edge of a cell; smaller shows more and costs more memory
    max_cells: int = 2_000_000  # above it, the cells that were seen longest ago and lie farthest away are forgotten
    max_range: float = 5.0  # points farther from the sensor empty cells but fill none
    radius: float = 50.0  # cells farther than this from the sensor are forgotten
    min_cells: int = 40  # objects of fewer cells are not reported
    min_views: int = 1  # objects that were seen in fewer views are not reported
    align: bool = True  # align each view with the map before it is added
    align_distance: float = 0.15  # largest shift of a view by alignment
    align_angle: float = 3.0  # largest turn of a view by alignment, degrees
    max_distance: float = 10_000.0  # poses farther than this from the frame's origin are refused

    def __post_init__(self) -> None:
        for name, low, high in (
            ("cell", 0.005, 0.5), ("max_cells", 1000, 100_000_000), ("max_range", 0.1, 1e6), ("radius", 0.5, 1e6),
            ("min_cells", 1, 10**6), ("min_views", 1, 10**6), ("align_distance", 0, 2), ("align_angle", 0, 45),
            ("max_distance", 1, 10_000),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} is {value}; expected {low:g} to {high:g}")
