"""Draw a cloud from one viewpoint once, then paint it in any colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.viewing.choose_view import choose_view
from instseg3d_ros.viewing.colors import instance_colors
from instseg3d_ros.viewing.raster import Raster, outlines, paint, rasterize, shade
from instseg3d_ros.viewing.surface import describe, thin
from instseg3d_ros.viewing.viewpoint import Viewpoint

SCALE = 2  # drawn larger and averaged down: smooth edges
MAX_POINTS = 600_000  # about the number of pixels of a panel
DISC = 0.85  # radius of a point's disc, in spacings: neighbours just overlap


@dataclass
class Drawing:
    """rows (M,): of the cloud's points, those that were drawn; `raster.index` counts in them."""

    raster: Raster
    light: np.ndarray
    rows: np.ndarray
    scale: int = SCALE

    def panel(self, colors: np.ndarray) -> np.ndarray:
        """Picture (H, W, 3) uint8 of colours (N, 3) given for every point of the cloud."""
        return paint(self.raster, self._drawn(colors), self.light, self.scale)

    def instance_panel(self, instance: np.ndarray, table: dict[int, np.ndarray]) -> np.ndarray:
        """The same with objects in the colours of `table`, outlined, on a grey rest."""
        colors = instance_colors(self._drawn(instance), table)[self.raster.index].astype(np.float32)
        colors[outlines(self.pixels(instance), self.scale)] *= 0.45
        return paint(self.raster, colors, self.light, self.scale)

    def pixels(self, values: np.ndarray, empty: int = 0) -> np.ndarray:
        """(H·scale, W·scale) values (N,) of the points seen, `empty` where there is none."""
        return np.where(self.raster.index >= 0, self._drawn(values)[self.raster.index], empty)

    def _drawn(self, values: np.ndarray) -> np.ndarray:
        """Rows of `values` that were drawn; one of zeros where none was, for pixels without a point to look up."""
        return values[self.rows] if len(self.rows) else np.zeros((1, *values.shape[1:]), values.dtype)


def draw(
    points: np.ndarray,
    shape: tuple[int, int] | None = None,
    instance: np.ndarray | None = None,
    camera: Viewpoint | None = None,
    width: int = 900,
) -> Drawing:
    """Choose a view (or take `camera`) and draw a cloud (N, 3) in body axes, NaN allowed, `width` pixels wide."""
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
