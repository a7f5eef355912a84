"""Units of length, and a check for clouds whose coordinates are in another unit than assumed."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.errors import InputError

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "km": 1000.0, "ft": 0.3048, "in": 0.0254}  # length in metres
NEAR = 10  # voxels; in a cloud with the right unit most points have a neighbour within this distance
WIDE = 20.0  # metres; half a metre given in inches reads as 20 metres
SAMPLE = 50_000  # approximate number of points that are checked


def metres(unit: str) -> float:
    """Length of a unit in metres. Raises InputError for an unknown unit."""
    if unit not in UNITS:
        raise InputError(f"unit '{unit}' is unknown; one of: {', '.join(UNITS)}")
    return UNITS[unit]


def unit_remark(points: np.ndarray, voxel: float, option: str = "--unit mm") -> str:
    """A remark if the spacing of finite points (N, 3) suggests that they are not in metres; empty otherwise.

    voxel: edge length of the voxels in metres; option: the command-line option that sets another unit.
    """
    if len(points) < 100:
        return ""
    span = float(np.ptp(points, axis=0).max())
    if span < NEAR * voxel:
        return (
            f"the whole cloud spans {span:.3g} m, {NEAR} voxels of {voxel:g} m or less; if its unit is not metres, "
            f"set the unit ({option.replace('mm', 'km')}; one of: {', '.join(UNITS)})"
        )
    if span < WIDE:
        return ""
    alone = share_alone(points, NEAR * voxel)
    if alone < 0.5:
        return ""
    return (
        f"{alone:.0%} of the points have no neighbour within {NEAR * voxel:g} m, and the cloud spans {span:,.0f} m: "
        f"too far apart for voxels of {voxel:g} m. If its unit is millimetres, set {option} (or one of: "
        f"{', '.join(UNITS)}); if they are metres, the cloud is too sparse for this network"
    )


def share_alone(points: np.ndarray, cell: float) -> float:
    """Fraction of the points (N, 3) that are alone in their cubic cell with the edge length `cell`.

    For large clouds a sample of whole cells is used, so that the result does not depend on the size of the cloud.
    """
    key = np.zeros(len(points), np.uint64)
    with np.errstate(over="ignore"):
        for axis, factor in enumerate((0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)):
            index = np.floor(points[:, axis].astype(np.float64) / cell).astype(np.int64).view(np.uint64)
            key = (key ^ index) * np.uint64(factor)
            key ^= key >> np.uint64(29)
    stride = max(1, len(points) // SAMPLE)
    key = key[(key >> np.uint64(17)) % np.uint64(stride) == 0]
    counts = np.unique(key, return_counts=True)[1]
    return float((counts == 1).sum() / max(len(key), 1))
