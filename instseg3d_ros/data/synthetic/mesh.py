"""Triangles with a material: the stuff that primitives make and furniture is assembled from.

World and object frames: metres, z up. Furniture stands at the origin on z = 0 and looks towards -y.
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
    """One surface of one material. `local` are the texture coordinates: the vertices where the part was made.

    vertices (V,3) float32 metres · triangles (T,3) int32 · local (V,3) float32 metres · tint (V,3) uint8 RGB or None,
    which replaces the material's colour where a mesh brings its own.
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
        """x → matrix x + offset, for a (3,3) matrix. A mirror turns triangles round, which no renderer here minds."""
        matrix, offset = np.asarray(matrix, np.float32), np.asarray(offset, np.float32)
        return Shape(tuple(replace(part, vertices=part.vertices @ matrix.T + offset) for part in self.parts))

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Shape:
        """Shifted by metres."""
        offset = np.array([x, y, z], np.float32)
        return Shape(tuple(replace(part, vertices=part.vertices + offset) for part in self.parts))

    def turned(self, angle: float, axis: int = 2) -> Shape:
        """Rotate by `angle` radians about axis 0, 1 or 2 through the origin."""
        return self.affine(rotation(angle, axis))

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Shape:
        """About the origin; by one factor, or one per axis."""
        return self.affine(np.diag([x, x if y is None else y, x if z is None else z]))

    @property
    def vertices(self) -> np.ndarray:
        """(V,3) of all parts."""
        return np.concatenate([part.vertices for part in self.parts])

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner, each (3,)."""
        vertices = self.vertices
        return vertices.min(0), vertices.max(0)

    def grounded(self) -> Shape:
        """Centred in x and y with the lowest vertex at z = 0."""
        low, high = self.bounds()
        return self.moved(-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2])


@dataclass(frozen=True)
class Surface:
    """A level rectangle that things may stand on, in the frame of its furniture: middle, size, free height above."""

    x: float
    y: float
    z: float
    width: float
    depth: float
    headroom: float = 2.0
    yaw: float = 0.0  # about z, of the rectangle about its centre (x, y)


@dataclass(frozen=True)
class Body:
    """What gets one instance id: a shape and the name of its class."""

    label: str
    shape: Shape
    loose: bool = False  # a small thing that somebody put there


@dataclass(frozen=True)
class Assembly:
    """A piece of furniture or an object: one body or several of different classes, and where things may be put on it.

    `seats` says where chairs go: (x, y, yaw) in its frame, the yaw under which a chair faces the piece.
    """

    bodies: tuple[Body, ...]
    surfaces: tuple[Surface, ...] = ()
    seats: tuple[tuple[float, float, float], ...] = field(default=())

    @staticmethod
    def of(label: str, shape: Shape, *surfaces: Surface, seats: Iterable[tuple[float, float, float]] = ()) -> Assembly:
        """A single body of one class, with the surfaces and seats that it offers."""
        return Assembly((Body(label, shape),), surfaces, tuple(seats))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner over all bodies, each (3,)."""
        pairs = [body.shape.bounds() for body in self.bodies]
        return np.min([low for low, _ in pairs], 0), np.max([high for _, high in pairs], 0)

    def with_bodies(self, *bodies: Body) -> Assembly:
        """The same with more bodies; surfaces and seats stay."""
        return replace(self, bodies=self.bodies + bodies)

    def stretched(self, x: float, y: float = 1.0, z: float = 1.0) -> Assembly:
        """Scaled per axis about the origin."""
        surfaces = (
            replace(s, x=s.x * x, y=s.y * y, z=s.z * z, width=s.width * x, depth=s.depth * y, headroom=s.headroom * z)
            for s in self.surfaces
        )
        bodies = (replace(body, shape=body.shape.scaled(x, y, z)) for body in self.bodies)
        return Assembly(tuple(bodies), tuple(surfaces), tuple((sx * x, sy * y, yaw) for sx, sy, yaw in self.seats))

    def placed(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Assembly:
        """Turned by `yaw` about its origin, then moved."""
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
