"""Units of length, and what a cloud looks like whose unit is not the one it is taken for."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.errors import InputError

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "km": 1000.0, "ft": 0.3048, "in": 0.0254}  # metres of one
NEAR = 10  # voxels within which most points of a cloud that can be segmented have a neighbour
WIDE = 20.0  # metres; a table of half a metre has as many inches
SAMPLE = 50_000  # points that are looked at


def metres(unit: str) -> float:
    """Length of a unit; InputError where it is unknown."""
    if unit not in UNITS:
        raise InputError(f"unit '{unit}' is unknown; one of: {', '.join(UNITS)}")
    return UNITS[unit]


def unit_remark(points: np.ndarray, voxel: float, option: str = "--unit mm") -> str:
    """What is odd about the spacing of finite points (N, 3) metres for voxels of `voxel` metres; empty if nothing is.

    option: how a user names another unit.
    """
    if len(points) < 100:
        return ""
    span = float(np.ptp(points, axis=0).max())
    if span < NEAR * voxel:
        return (
            f"the whole cloud spans {span:.3g} m, {NEAR} voxels of {voxel:g} m or less; if its numbers are not metres, "
            f"name their unit ({option.replace('mm', 'km')}; one of: {', '.join(UNITS)})"
        )
    if span < WIDE:
        return ""
    alone = share_alone(points, NEAR * voxel)
    if alone < 0.5:
        return ""
    return (
        f"{alone:.0%} of the points have no neighbour within {NEAR * voxel:g} m, and the cloud spans {span:,.0f} m: "
        f"too far apart for voxels of {voxel:g} m. If its numbers are millimetres, say so with {option} (or one of: "
        f"{', '.join(UNITS)}); if they are metres, the cloud is too sparse for this network"
    )


def share_alone(points: np.ndarray, cell: float) -> float:
    """Share of the points (N, 3) that are the only one in their cubic cell of this edge length.

    For large clouds a sample of whole cells is looked at, so that the answer does not depend on the number of points.
    """
    key = np.zeros(len(points), np.uint64)
    with np.errstate(over="ignore"):
        for axis, factor in enumerate((0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)):
            index = np.floor(points[:, axis].astype(np.float64) / cell).astype(np.int64).view(np.uint64)
            key = (key ^ index) * np.uint64(factor)
            key ^= key >> np.uint64(29)
    kept = max(1, len(points) // SAMPLE)
    key = key[(key >> np.uint64(17)) % np.uint64(kept) == 0]
    counts = np.unique(key, return_counts=True)[1]
    return float((counts == 1).sum() / max(len(key), 1))
