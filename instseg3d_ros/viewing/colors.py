"""Colours of classes and instances, (N, 3) uint8."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.colors import OBJECT_PALETTE

STUFF = np.array((203, 205, 209), np.uint8)  # points in no instance
UNLABELED = np.array((120, 122, 128), np.uint8)  # points that were not finite, too far, or without ground truth
NO_COLOR = np.array((176, 180, 188), np.uint8)  # input without colour

SHADE = 0.7  # brightness of a surface that is turned away from the light

# Viénot, Brettel and Mollon (1999): linear RGB as seen without the long, or without the medium cones.
_PROTANOPIA = np.array(((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)))
_DEUTERANOPIA = np.array(((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)))
AROUND = 64  # nearest objects that are searched for objects with a colour
NEIGHBORS = 8  # nearest objects whose colours an object should differ from


def class_colors(semantic: np.ndarray, labels: LabelSet) -> np.ndarray:
    """Colour of each point by its class; grey without a class."""
    table = np.vstack((np.array(labels.colors, np.uint8).reshape(-1, 3), UNLABELED[None]))
    return table[semantic]  # index -1 is the last row


def instance_colors(instance: np.ndarray, table: dict[int, np.ndarray], rest: np.ndarray = STUFF) -> np.ndarray:
    """Colour of each point by its instance, from `table` (`neighbor_colors`); points without an instance get `rest`.

    rest: one colour (3,), or a colour for each point (N, 3).
    """
    colors = np.broadcast_to(rest, (len(instance), 3)).copy()
    if table:
        ids = np.array(sorted(table))
        rows = np.minimum(np.searchsorted(ids, instance), len(ids) - 1)
        known = ids[rows] == instance
        colors[known] = np.array([table[int(one)] for one in ids], np.uint8)[rows[known]]
    return colors


def neighbor_colors(points: np.ndarray, instance: np.ndarray) -> dict[int, np.ndarray]:
    """Colour (3,) uint8 of each id > 0, chosen such that nearby objects have different colours.

    In order of size, each object gets the colour with the greatest contrast (`color_contrast`) to its nearest objects;
    of equal colours, the one that was used least.
    """
    from scipy.spatial import cKDTree

    present = (instance > 0) & np.isfinite(points).all(axis=1)
    ids, owner, counts = np.unique(instance[present], return_inverse=True, return_counts=True)
    if not len(ids):
        return {}
    centers = np.stack([np.bincount(owner, points[present, axis]) for axis in range(3)], axis=1) / counts[:, None]
    # A building has thousands of objects; a table of all pairs would not fit into memory.
    reach = min(len(ids), AROUND)
    distance, around = (table.reshape(len(ids), reach) for table in cKDTree(centers).query(centers, reach))
    contrast = color_contrast(OBJECT_PALETTE)
    chosen: dict[int, int] = {}
    used = np.zeros(len(OBJECT_PALETTE))
    for row in np.argsort(-counts, kind="stable"):
        places = [place for place, other in enumerate(around[row].tolist()) if other in chosen][:NEIGHBORS]
        near = around[row, places].tolist()
        worst = contrast.max(axis=1)
        if near:
            # The farther an object is, the more similar its colour may be.
            apart = np.clip(distance[row, places] / max(distance[row, places].min(), 1e-6), 1, 3)
            worst = (contrast[:, [chosen[other] for other in near]] * apart).min(axis=1)
        chosen[int(row)] = int(np.argmax(worst - 2.0 * used))
        used[chosen[int(row)]] += 1
    return {int(ids[row]): OBJECT_PALETTE[color] for row, color in chosen.items()}


def color_contrast(colors: np.ndarray) -> np.ndarray:
    """(K, K): smallest CIELAB distance of each pair, for full colour vision, protanopia and deuteranopia, lit or
    shaded.

    Shading matters: the shaded side of a yellow object is olive.
    """
    least = np.full((len(colors), len(colors)), np.inf)
    for simulate in (np.eye(3), _PROTANOPIA, _DEUTERANOPIA):
        lit, shaded = (
            _lab(np.clip(_linear(np.asarray(colors, float) * share) @ simulate.T, 0, 1)) for share in (1, SHADE)
        )
        across = np.linalg.norm(lit[:, None] - shaded[None], axis=2)
        np.fill_diagonal(across, 0)
        for distance in (np.linalg.norm(lit[:, None] - lit[None], axis=2), across, across.T):
            least = np.minimum(least, distance)
    return least


def _linear(colors: np.ndarray) -> np.ndarray:
    value = np.asarray(colors, float) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of linear sRGB (K, 3)."""
    matrix = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
    ratio = linear @ matrix.T / np.array((0.9505, 1.0, 1.089))
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])), axis=1)
