"""The nearest range in each direction of a view, which shows the space that its rays passed through."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from instseg3d_ros.sparse.native import kernels

STEEP = 6.0  # tangent of half the opening angle up to which a view is a pinhole image; wider views use angles
BORDER = 0.06  # fraction of the width or height of the image that counts as its edge
LARGEST = 1024  # largest number of bins along each side


class RangeImage:
    """Range image of finite points (N, 3) float32, in metres, in body axes with the sensor at the origin.

    Directions are (y/x, z/x) if all points are well in front of the sensor, otherwise azimuth and elevation. A bin is
    about two points wide, so that a view without holes fills all bins.
    """

    def __init__(self, points: np.ndarray):
        points = np.ascontiguousarray(points, np.float32)
        native = kernels.available("range_image")
        if native:
            values = np.empty(6)
            kernels.call("range_image", "extent", len(points), points, STEEP, values)
        else:
            values = self._extent(points)
        self.pinhole, self.farthest = bool(values[0]), float(values[5])
        self.low = values[[1, 3]]
        self.extent = np.maximum(values[[2, 4]] - self.low, 1e-3)
        self.bin = max(2 * float(np.sqrt(self.extent.prod() / len(points))), float(self.extent.max()) / LARGEST)
        self.shape = tuple((self.extent / self.bin).astype(int) + 1)
        self.nearest = np.full(self.shape, np.inf, np.float32)
        if native:
            view = self.pinhole, *self.low.tolist(), self.bin, *self.shape
            kernels.call("range_image", "fill", len(points), points, *view, self.nearest)
        else:
            u, v, distance = self.project(points)
            np.minimum.at(self.nearest.reshape(-1), self._bins(u, v), distance)

    def _extent(self, points: np.ndarray) -> np.ndarray:
        wide = np.maximum(np.abs(points[:, 1]), np.abs(points[:, 2]))
        self.pinhole = bool((wide < np.float32(STEEP) * points[:, 0]).all())
        u, v, distance = self.project(points)
        return np.array([self.pinhole, u.min(), u.max(), v.min(), v.max(), distance.max()], np.float64)

    @property
    def packed(self) -> np.ndarray:
        """The geometry of the image in the form that the kernels take."""
        return np.array([self.pinhole, *self.low, *self.extent, self.bin, self.farthest], np.float64)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Two coordinates of the direction of each point, and its range."""
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
        """Rows of the points inside the image, their bins, and their ranges."""
        u, v, distance = self.project(points)
        high = self.low + self.extent
        with np.errstate(invalid="ignore"):
            within = (u >= self.low[0]) & (u <= high[0]) & (v >= self.low[1]) & (v <= high[1])
        if self.pinhole:
            within &= points[:, 0] > 0
        rows = np.flatnonzero(within)
        return rows, self._bins(u[rows], v[rows]), distance[rows]

    @cached_property
    def _around(self) -> tuple[np.ndarray, np.ndarray]:
        """Over each bin and its eight neighbours: the least range, 0 if the bin is empty; largest minus least range."""
        if kernels.available("range_image"):
            before, jump = np.empty_like(self.nearest), np.empty_like(self.nearest)
            kernels.call("range_image", "around", *self.shape, self.nearest, before, jump)
            return before, jump
        from scipy.ndimage import maximum_filter, minimum_filter

        filled = np.isfinite(self.nearest)
        least = minimum_filter(self.nearest, 3)
        return np.where(filled, least, 0), maximum_filter(np.where(filled, self.nearest, 0), 3) - least

    @property
    def before(self) -> np.ndarray:
        """(columns, rows): the range up to which all rays of a bin and of its eight neighbours passed.

        With the neighbours, a small error of the pose does not empty cells at the outline of an object.
        """
        return self._around[0]

    @property
    def jump(self) -> np.ndarray:
        """(columns, rows): difference between the largest and the least range in a bin and its eight neighbours."""
        return self._around[1]

    def passed_through(self, points: np.ndarray, margin: np.ndarray) -> np.ndarray:
        """(N,) bool: whether rays passed through the point and ended more than `margin` (N,) metres behind it."""
        rows, index, distance = self.inside(points)
        through = np.zeros(len(points), bool)
        through[rows] = self.before.ravel()[index] > distance + margin[rows]
        return through

    def at_edge(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) bool each: whether points are near the edge of the image; whether they are beside a jump in range."""
        u, v, distance = self.project(points)
        near = np.minimum((u - self.low[0]) / self.extent[0], (v - self.low[1]) / self.extent[1])
        far = np.minimum(1 - (u - self.low[0]) / self.extent[0], 1 - (v - self.low[1]) / self.extent[1])
        border = np.minimum(near, far) < BORDER
        index = self._bins(u, v).clip(0, self.nearest.size - 1)
        return border, self.jump.ravel()[index] > 0.06 + 0.06 * distance
