"""Places the names of objects: on a visible part of each object, without overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MIN_SHARE = 0.0008  # share of the picture below which an object has no name
ROUNDS = 60


@dataclass
class Name:
    """A text with its middle at pixel (x, y); anchor: a pixel of the object that it names."""

    text: str
    x: float
    y: float
    anchor: tuple[float, float]
    id: int

    @property
    def moved(self) -> float:
        """Pixels between the name and its anchor."""
        return float(np.hypot(self.x - self.anchor[0], self.y - self.anchor[1]))


def place_names(ids: np.ndarray, texts: dict[int, str], character: tuple[float, float], most: int = 24) -> list[Name]:
    """Names for the `most` largest objects in an image (H, W) of ids, without overlaps.

    character: width and height of a letter, in pixels.
    """
    found, counts = np.unique(ids, return_counts=True)
    sizes = {int(one): int(count) for one, count in zip(found, counts) if one in texts and count > MIN_SHARE * ids.size}
    names = []
    for one in sorted(sizes, key=lambda key: -sizes[key])[:most]:
        x, y = _inside(ids == one)
        names.append(Name(texts[one], x, y, (x, y), one))
    _separate(names, character, ids.shape)
    return names


def _inside(mask: np.ndarray) -> tuple[float, float]:
    """A pixel (x, y) deep inside a mask, near its middle."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    step = max(1, int(np.sqrt(cut.size / 20_000)))
    cut = np.pad(cut[::step, ::step], 1)
    depth = distance_transform_edt(cut)
    y, x = np.nonzero(cut)
    off = np.hypot(x - x.mean(), y - y.mean())
    best = int(np.argmax(depth[y, x] - 0.35 * off))
    return float(columns[0] + (x[best] - 1) * step), float(rows[0] + (y[best] - 1) * step)


def _separate(names: list[Name], character: tuple[float, float], shape: tuple[int, int]) -> None:
    """Move overlapping names apart in small steps, and keep them in the picture."""
    half = np.array([((len(name.text) + 1.2) * character[0] / 2, character[1] * 0.72) for name in names])
    place = np.array([(name.x, name.y) for name in names], float).reshape(-1, 2)
    limit = np.array((shape[1], shape[0]), float)
    for _ in range(ROUNDS):
        still = True
        for i in range(len(names)):
            for j in range(i):
                overlap = half[i] + half[j] - np.abs(place[i] - place[j])
                if (overlap > 0).all():
                    still = False
                    axis = 1 if overlap[1] <= overlap[0] else 0  # along the axis of the smaller overlap
                    direction = 1.0 if place[i][axis] >= place[j][axis] else -1.0
                    place[i][axis] += direction * (overlap[axis] / 2 + 0.5)
                    place[j][axis] -= direction * (overlap[axis] / 2 + 0.5)
        if len(names):
            place = np.clip(place, half, np.maximum(limit - half, half))
        if still:
            break
    for name, (x, y) in zip(names, place):
        name.x, name.y = float(x), float(y)
