"""The options of an `ObjectMap`, with their defaults and limits."""

from __future__ import annotations

from dataclasses import dataclass

from instseg3d_ros.errors import InputError


@dataclass(frozen=True)
class MapOptions:
    """Options of an `ObjectMap`; lengths in metres."""

    cell: float = 0.03  # edge length of a cell; smaller cells show more detail and need more memory
    max_cells: int = 2_000_000  # beyond it, the oldest and farthest cells are removed
    max_range: float = 5.0  # points beyond it empty cells on their rays, but do not occupy cells
    radius: float = 50.0  # cells beyond this distance from the sensor are removed
    min_cells: int = 40  # objects with fewer cells are not reported
    min_views: int = 1  # objects with fewer views are not reported
    align: bool = True  # align each view with the map before it is added
    align_distance: float = 0.15  # largest shift of a view by its alignment
    align_angle: float = 3.0  # largest rotation of a view by its alignment, degrees
    max_distance: float = 10_000.0  # poses beyond this distance from the frame's origin are refused

    def __post_init__(self) -> None:
        for name, low, high in (
            ("cell", 0.005, 0.5), ("max_cells", 1000, 100_000_000), ("max_range", 0.1, 1e6), ("radius", 0.5, 1e6),
            ("min_cells", 1, 10**6), ("min_views", 1, 10**6), ("align_distance", 0, 2), ("align_angle", 0, 45),
            ("max_distance", 1, 10_000),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} {value}: expected {low:g} to {high:g}")
