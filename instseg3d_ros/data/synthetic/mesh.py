"""Triangle meshes with materials, of which primitives and furniture consist.

Coordinates are in metres, z up. Furniture stands at the origin on z = 0 with its front towards -y.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from instseg3d_ros.data.synthetic.materials import Material

Point = Sequence[float] | np.ndarray  # (3,) metres


@dataclass(frozen=True)
class Part:
    """A surface with a single material.

    vertices (V,3) float32, metres; triangles (T,3) int32; local (V,3) float32, metres: texture coordinates, which are
    the vertices before the part was moved; tint (V,3) uint8 RGB or None: colours of a mesh file, which replace the
    material's colour.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    material: Material
    local: np.ndarray
    tint: np.ndarray | None = None


@dataclass(frozen=True)
class Shape:
    """Parts that move together. All methods return a new shape."""

    parts: tuple[Part, ...] = ()

    def __add__(self, other: Shape) -> Shape:
        return Shape(self.parts + other.parts)

    def affine(self, matrix: np.ndarray, offset: ArrayLike = (0.0, 0.0, 0.0)) -> Shape:
        """Transform x → matrix x + offset, for a (3,3) matrix. Mirroring reverses triangles, without effect."""
        matrix, offset = np.asarray(matrix, np.float32), np.asarray(offset, np.float32)
        return Shape(tuple(replace(part, vertices=part.vertices @ matrix.T + offset) for part in self.parts))

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Shape:
        """Move by an offset in metres."""
        offset = np.array([x, y, z], np.float32)
        return Shape(tuple(replace(part, vertices=part.vertices + offset) for part in self.parts))

    def turned(self, angle: float, axis: int = 2) -> Shape:
        """Rotate by `angle` radians about axis 0, 1 or 2 through the origin."""
        return self.affine(rotation(angle, axis))

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Shape:
        """Scale about the origin, by one factor or by a factor per axis."""
        return self.affine(np.diag([x, x if y is None else y, x if z is None else z]))

    @property
    def vertices(self) -> np.ndarray:
        """Vertices (V,3) of all parts."""
        return np.concatenate([part.vertices for part in self.parts])

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner, each (3,)."""
        vertices = self.vertices
        return vertices.min(0), vertices.max(0)

    def grounded(self) -> Shape:
        """Move the middle of the bounds to x = y = 0 and the lowest vertex to z = 0."""
        low, high = self.bounds()
        return self.moved(-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2])


@dataclass(frozen=True)
class Surface:
    """A horizontal rectangle for loose objects, in the axes of its furniture: middle, size, free height above it."""

    x: float
    y: float
    z: float
    width: float
    depth: float
    headroom: float = 2.0
    yaw: float = 0.0  # rotation of the rectangle about its centre


@dataclass(frozen=True)
class Body:
    """A shape with a class; in a scene it becomes an instance."""

    label: str
    shape: Shape
    loose: bool = False  # a small object that can be moved


@dataclass(frozen=True)
class Assembly:
    """A piece of furniture or an object: a body or several bodies, and surfaces for loose objects.

    seats: positions of chairs as (x, y, yaw) in the axes of the piece; a chair with this yaw faces the piece.
    """

    bodies: tuple[Body, ...]
    surfaces: tuple[Surface, ...] = ()
    seats: tuple[tuple[float, float, float], ...] = field(default=())

    @staticmethod
    def of(label: str, shape: Shape, *surfaces: Surface, seats: Iterable[tuple[float, float, float]] = ()) -> Assembly:
        """An assembly with a single body, and its surfaces and seats."""
        return Assembly((Body(label, shape),), surfaces, tuple(seats))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner of all bodies, each (3,)."""
        pairs = [body.shape.bounds() for body in self.bodies]
        return np.min([low for low, _ in pairs], 0), np.max([high for _, high in pairs], 0)

    def with_bodies(self, *bodies: Body) -> Assembly:
        """Add bodies; surfaces and seats stay the same."""
        return replace(self, bodies=self.bodies + bodies)

    def stretched(self, x: float, y: float = 1.0, z: float = 1.0) -> Assembly:
        """Scale about the origin by a factor per axis."""
        surfaces = (
            replace(s, x=s.x * x, y=s.y * y, z=s.z * z, width=s.width * x, depth=s.depth * y, headroom=s.headroom * z)
            for s in self.surfaces
        )
        bodies = (replace(body, shape=body.shape.scaled(x, y, z)) for body in self.bodies)
        return Assembly(tuple(bodies), tuple(surfaces), tuple((sx * x, sy * y, yaw) for sx, sy, yaw in self.seats))

    def placed(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Assembly:
        """Rotate by `yaw` about the origin, then move."""
        matrix, offset = rotation(yaw), np.array([x, y, z])

        def carry(px: float, py: float) -> tuple[float, float]:
            return float(matrix[0, 0] * px + matrix[0, 1] * py + x), float(matrix[1, 0] * px + matrix[1, 1] * py + y)

        return Assembly(
            tuple(replace(body, shape=body.shape.affine(matrix, offset)) for body in self.bodies),
            tuple(
                replace(s, x=carry(s.x, s.y)[0], y=carry(s.x, s.y)[1], z=s.z + z, yaw=s.yaw + yaw)
                for s in self.surfaces
            ),
            tuple((*carry(sx, sy), turn + yaw) for sx, sy, turn in self.seats),
        )


def rotation(angle: float, axis: int = 2) -> np.ndarray:
    """(3,3) right-handed rotation by `angle` radians about a coordinate axis."""
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix
