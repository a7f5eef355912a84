"""Placement of objects: convex footprints that may touch but not overlap, and the height at which an object rests."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from instseg3d_ros.data.synthetic.mesh import Shape


def footprint(shape: Shape) -> np.ndarray:
    """Convex hull (P,2) of a shape seen from above, counter-clockwise."""
    from scipy.spatial import ConvexHull, QhullError

    points = np.unique(np.round(shape.vertices[:, :2].astype(np.float64), 4), axis=0)
    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):  # the hull is degenerate for vertical flat shapes
        low, high = points.min(0) - 1e-3, points.max(0) + 1e-3
        return np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])


def rectangle(x: float, y: float, width: float, depth: float, yaw: float = 0.0) -> np.ndarray:
    """Corners (4,2) of a rectangle about (x, y), rotated by `yaw`."""
    c, s = np.cos(yaw), np.sin(yaw)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, depth / 2]
    return corners @ np.array([[c, s], [-s, c]]) + [x, y]


def gap(a: np.ndarray, b: np.ndarray) -> float:
    """Distance between convex polygons along the best separating edge normal; negative if they overlap."""
    best = -np.inf
    for first, second in ((a, b), (b, a)):
        edges = np.roll(first, -1, 0) - first
        normals = np.stack([edges[:, 1], -edges[:, 0]], 1)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
        reach = np.einsum("pi,pi->p", normals, first)  # no point of the polygon lies beyond the edge
        best = max(best, float(((normals @ second.T).min(1) - reach).max()))
    return best


def fits(outline: np.ndarray, others: Iterable[np.ndarray], margin: float = 0.0) -> bool:
    low, high = outline.min(0) - margin, outline.max(0) + margin
    for other in others:
        if (other.min(0) < high).all() and (other.max(0) > low).all() and gap(outline, other) < margin:
            return False
    return True


class Relief:
    """A height map of the objects on a rectangle, which gives the height at which a further object rests."""

    def __init__(self, width: float, depth: float, cell: float = 0.006):
        self.cell = cell
        self.reach = np.array([width, depth]) / 2
        self.origin = np.array([-width / 2 - 0.2, -depth / 2 - 0.2])
        self.top = np.zeros((int((width + 0.4) / cell) + 1, int((depth + 0.4) / cell) + 1), np.float32)

    def rest(self, shape: Shape) -> float:
        """The distance to move the shape up so that it touches the highest point below it."""
        index, low, _ = self._columns(shape)
        return float((self.top.ravel()[index] - low).max()) if len(index) else 0.0

    def add(self, shape: Shape) -> None:
        index, _, high = self._columns(shape)
        flat = self.top.reshape(-1)
        flat[index] = np.maximum(flat[index], high)

    def _columns(self, shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cells below the shape (flat index), with the lowest and highest height of the shape over each cell."""
        points = sample(shape, self.cell * 0.8)
        i, j = ((points[:, :2] - self.origin) / self.cell).astype(int).T
        inside = (i >= 0) & (j >= 0) & (i < self.top.shape[0]) & (j < self.top.shape[1])
        index, inverse = np.unique((i * self.top.shape[1] + j)[inside], return_inverse=True)
        low, high = np.full(len(index), np.inf), np.full(len(index), -np.inf)
        np.minimum.at(low, inverse, points[inside, 2])
        np.maximum.at(high, inverse, points[inside, 2])
        return index, low, high


def sample(shape: Shape, spacing: float) -> np.ndarray:
    """Points (N,3) on a shape, about `spacing` apart at most; each call returns the same points."""
    points = []
    for part in shape.parts:
        a, b, c = (part.vertices[part.triangles[:, k]] for k in range(3))
        longest = np.sqrt(np.maximum(((b - a) ** 2).sum(1), np.maximum(((c - a) ** 2).sum(1), ((c - b) ** 2).sum(1))))
        steps = np.minimum(np.ceil(longest / spacing).astype(int), 60)
        for n in np.unique(steps):
            own = steps == n
            u, v = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
            keep = u + v <= n
            u, v = u[keep][:, None, None] / max(n, 1), v[keep][:, None, None] / max(n, 1)
            points.append((a[own] + u * (b - a)[own] + v * (c - a)[own]).reshape(-1, 3))
    return np.concatenate(points)
