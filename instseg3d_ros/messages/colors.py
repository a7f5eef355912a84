"""Colours of objects and classes, the same for the same id in every output and every cloud."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.segmentation.result import Result

NOTHING = (90, 90, 90)  # points that belong to no object
_GOLDEN_TURN = 0.6180339887498949  # successive ids fall far apart on the colour circle


def instance_colors(ids: np.ndarray) -> np.ndarray:
    """(…,) ids → (…, 3) uint8. Hues by the golden ratio, brightness in three steps; id 0 is grey."""
    ids = np.asarray(ids)
    hue = (ids * _GOLDEN_TURN) % 1.0
    value = np.array((1.0, 0.82, 0.66))[ids % 3]
    # hsv → rgb with saturation 0.75
    sector = (np.array((5.0, 3.0, 1.0)) + 6 * hue[..., None]) % 6
    shade = np.clip(np.minimum(sector, 4 - sector), 0, 1)
    rgb = 255 * value[..., None] * (1 - 0.75 * shade)
    return np.where((ids > 0)[..., None], rgb, NOTHING).astype(np.uint8)


def packed_point_colors(result: Result, labels, by: str) -> np.ndarray:
    """(N,) uint32, 0x00RRGGBB, of all points; `by` is instance or class."""
    if by == "class":
        return pack_colors(np.array([*labels.colors, NOTHING], np.uint8))[result.semantic]  # index -1 is the last
    largest = int(result.instance.max(initial=0))
    if largest <= 4 * len(result.instances) + 1000:
        return pack_colors(instance_colors(np.arange(largest + 1)))[result.instance]
    ids, rows = np.unique(result.instance, return_inverse=True)  # ids count on for hours
    return pack_colors(instance_colors(ids))[rows]


def pack_colors(colors: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 → (N,) uint32 of 0x00RRGGBB."""
    wide = colors.astype("<u4")
    return wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]
