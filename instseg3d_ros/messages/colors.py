"""Colours of objects and classes: one palette for clouds, markers, the overlay, pictures and pages."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.segmentation.result import Result

NOTHING = (90, 90, 90)  # points that belong to no object

# Colours that people with any colour blindness can distinguish (after Okabe and Ito, and Tol's schemes "bright" and
# "muted"). Their lightness also differs, so that edges are visible in a grey print.
OBJECT_PALETTE = np.array((
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (240, 228, 66), (93, 84, 190), (165, 50, 105), (40, 130, 60), (204, 102, 119), (170, 68, 153),
    (110, 205, 170), (238, 150, 120), (150, 110, 70), (160, 200, 90),
), np.uint8)  # fmt: skip
SHADES = (1.0, 0.75, 0.55)  # brightness of the palette in successive rounds of ids
_BY_ID = np.concatenate([np.rint(shade * OBJECT_PALETTE) for shade in SHADES]).astype(np.uint8)
ROUND = len(_BY_ID)  # ids after which colours repeat


def object_colors(ids: np.ndarray | int) -> np.ndarray:
    """Ids (…,) → colours (…, 3) uint8. An id has the same colour in all outputs and clouds; id 0 is grey."""
    ids = np.asarray(ids)
    return np.where((ids > 0)[..., None], _BY_ID[(ids - 1) % ROUND], NOTHING).astype(np.uint8)


def packed_point_colors(result: Result, labels: LabelSet, by: str) -> np.ndarray:
    """Colours (N,) uint32, 0x00RRGGBB, of all points; `by` is instance or class."""
    if by == "class":
        return pack_colors(np.array([*labels.colors, NOTHING], np.uint8))[result.semantic]  # index -1 is the last entry
    ids = result.instance
    return np.where(ids > 0, pack_colors(_BY_ID)[(ids - 1) % ROUND], pack_colors(np.array([NOTHING]))[0])


def pack_colors(colors: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 → (N,) uint32 of 0x00RRGGBB."""
    wide = colors.astype("<u4")
    return wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]


def unpack_colors(packed: np.ndarray) -> np.ndarray:
    """(N,) little-endian uint32 or float32 with the bits 0xAARRGGBB → (N, 3) uint8."""
    return np.ascontiguousarray(packed.view(np.uint8).reshape(-1, 4)[:, 2::-1])  # the first byte is blue
