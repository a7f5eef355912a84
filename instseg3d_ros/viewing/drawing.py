"""Rasterizes a cloud from a viewpoint once; the drawing is then painted in any colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.viewing.choose_view import choose_view
from instseg3d_ros.viewing.colors import instance_colors
from instseg3d_ros.viewing.raster import Raster, outlines, paint, rasterize, shade
from instseg3d_ros.viewing.surface import describe, thin
from instseg3d_ros.viewing.viewpoint import Viewpoint

SCALE = 2  # the drawing is larger by this factor and averaged down, for smooth edges
MAX_POINTS = 600_000  # largest number of drawn points, about the number of pixels of a panel
DISC = 0.85  # radius of a point's disc, as a multiple of the point spacing, so that neighbours overlap


@dataclass
class Drawing:
    """A rasterized cloud. rows (M,): indices of the drawn points; `raster.index` contains indices into `rows`."""

    raster: Raster
    light: np.ndarray
    rows: np.ndarray
    scale: int = SCALE

    def panel(self, colors: np.ndarray) -> np.ndarray:
        """Picture (H, W, 3) uint8 for colours (N, 3) of all points of the cloud."""
        return paint(self.raster, self._drawn(colors), self.light, self.scale)

    def instance_panel(self, instance: np.ndarray, table: dict[int, np.ndarray]) -> np.ndarray:
        """Picture with outlined objects in the colours of `table`; all other points are grey."""
        colors = instance_colors(self._drawn(instance), table)[self.raster.index].astype(np.float32)
        colors[outlines(self.pixels(instance), self.scale)] *= 0.45
        return paint(self.raster, colors, self.light, self.scale)

    def pixels(self, values: np.ndarray, empty: int = 0) -> np.ndarray:
        """(H·scale, W·scale): the value (N,) of the point at each pixel, or `empty` without a point."""
        return np.where(self.raster.index >= 0, self._drawn(values)[self.raster.index], empty)

    def _drawn(self, values: np.ndarray) -> np.ndarray:
        """Rows of `values` of the drawn points; a single row of zeros if no points were drawn."""
        return values[self.rows] if len(self.rows) else np.zeros((1, *values.shape[1:]), values.dtype)


def draw(
    points: np.ndarray,
    shape: tuple[int, int] | None = None,
    instance: np.ndarray | None = None,
    camera: Viewpoint | None = None,
    width: int = 900,
) -> Drawing:
    """Draw a cloud (N, 3) in body axes, NaN allowed, `width` pixels wide, from `camera` or from a chosen viewpoint."""
    rows = np.flatnonzero(np.isfinite(points).all(axis=1))
    cell = 0.004
    while len(rows) > MAX_POINTS:
        rows = rows[thin(points[rows], cell)]
        cell *= 1.4
    if not len(rows):
        return _nothing(width)
    seen = points[rows].astype(np.float32)
    normals, spacing = describe(seen)
    if camera is None:
        camera, keep = choose_view(seen, normals, shape, None if instance is None else instance[rows], width)
        rows, seen, normals, spacing = rows[keep], seen[keep], normals[keep], spacing[keep]
    camera = camera.scaled(SCALE)
    depth = np.maximum(camera.project(seen)[2], 1e-3)
    raster = rasterize(seen, camera, DISC * spacing * np.float32(camera.focal) / depth)
    return Drawing(raster, shade(raster, normals, SCALE), rows)


def _nothing(width: int) -> Drawing:
    """An empty picture of a cloud without points."""
    size = (int(0.75 * width) * SCALE, width * SCALE)
    camera = Viewpoint(np.zeros(3), np.eye(3), 1.0, (0.0, 0.0), size[1], size[0])
    raster = Raster(np.full(size, -1, np.int32), np.full(size, np.inf, np.float32), camera)
    return Drawing(raster, np.ones(size, np.float32), np.zeros(0, np.int64))
