"""The nearest range in each direction of a view: where its rays ended, and so what they passed through."""

from __future__ import annotations

import numpy as np

STEEP = 6.0  # tangent of the half opening up to which a view is a pinhole picture; wider ones use angles
BORDER = 0.06  # share of the picture's width or height within which it counts as the edge of the picture
LARGEST = 1024  # bins along either side


class RangeImage:
    """Of points (N, 3) finite, in metres, in body axes with the sensor at the origin.

    Directions are (y/x, z/x) where all points are well in front of the sensor, else azimuth and elevation. A bin is
    about two points wide, so that a view without holes fills all of them.
    """

    def __init__(self, points: np.ndarray):
        x = points[:, 0]
        wide = np.maximum(np.abs(points[:, 1]), np.abs(points[:, 2]))
        self.pinhole = bool((wide < STEEP * x).all())
        u, v, distance = self.project(points)
        self.low = np.array([u.min(), v.min()])
        self.extent = np.maximum(np.array([u.max(), v.max()]) - self.low, 1e-3)
        self.bin = max(2 * float(np.sqrt(self.extent.prod() / len(points))), float(self.extent.max()) / LARGEST)
        self.shape = tuple((self.extent / self.bin).astype(int) + 1)
        index = self._bins(u, v)
        nearest = np.full(self.shape[0] * self.shape[1], np.inf, np.float32)
        np.minimum.at(nearest, index, distance)
        self.nearest = nearest.reshape(self.shape)
        self.farthest = float(distance.max())
        self._before: np.ndarray | None = None

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Two coordinates of each point's direction, and its range."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        distance = np.sqrt(x * x + y * y + z * z)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.pinhole:
                return y / x, z / x, distance
            return np.arctan2(y, x), np.arcsin(np.clip(z / distance, -1, 1)), distance

    def _bins(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        column = ((u - self.low[0]) / self.bin).astype(np.int32)
        row = ((v - self.low[1]) / self.bin).astype(np.int32)
        return column * self.shape[1] + row

    def inside(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which points (rows) lie within the picture, their bins, and their ranges."""
        u, v, distance = self.project(points)
        high = self.low + self.extent
        with np.errstate(invalid="ignore"):
            within = (u >= self.low[0]) & (u <= high[0]) & (v >= self.low[1]) & (v <= high[1])
        if self.pinhole:
            within &= points[:, 0] > 0
        rows = np.flatnonzero(within)
        return rows, self._bins(u[rows], v[rows]), distance[rows]

    def passed_through(self, points: np.ndarray, margin: np.ndarray) -> np.ndarray:
        """(N,) bool: rays went through the place of a point and ended more than `margin` (N,) metres behind it.

        All rays of the point's bin and of the eight around it have to, so that an outline that is a little off does
        not empty what stands at it.
        """
        from scipy.ndimage import minimum_filter

        if self._before is None:
            self._before = np.where(np.isfinite(self.nearest), minimum_filter(self.nearest, 3), 0)
        rows, index, distance = self.inside(points)
        through = np.zeros(len(points), bool)
        through[rows] = self._before.ravel()[index] > distance + margin[rows]
        return through

    def at_edge(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) bool each: points near the edge of the picture; points right behind or before a jump in range."""
        from scipy.ndimage import maximum_filter, minimum_filter

        u, v, distance = self.project(points)
        near = np.minimum((u - self.low[0]) / self.extent[0], (v - self.low[1]) / self.extent[1])
        far = np.minimum(1 - (u - self.low[0]) / self.extent[0], 1 - (v - self.low[1]) / self.extent[1])
        border = np.minimum(near, far) < BORDER
        index = self._bins(u, v).clip(0, self.nearest.size - 1)
        filled = np.isfinite(self.nearest)
        front = minimum_filter(self.nearest, 3)
        back = maximum_filter(np.where(filled, self.nearest, 0), 3)
        step = (back - front).ravel()[index]
        return border, step > 0.06 + 0.06 * distance
