"""Renders assemblies as images of a perfect camera.

A `World` is built once for a room or a table and rendered from several viewpoints, because building its ray tree takes
most of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.synthetic.camera import Camera
from instseg3d_ros.data.synthetic.materials import Material, Palette
from instseg3d_ros.data.synthetic.mesh import Body


@dataclass(frozen=True)
class View:
    """Rendered images with P = H·W pixels, row by row. If a ray has no hit, depth is inf and body is -1.

    depth (P,): metres along the optical axis; color (P,3) float32 0..1; body (P,): index of the world's body;
    incidence (P,): cosine between ray and surface normal; infrared (P,) 0..1; gloss (P,) 0..1.
    """

    camera: Camera
    depth: np.ndarray
    color: np.ndarray
    body: np.ndarray
    incidence: np.ndarray
    infrared: np.ndarray
    gloss: np.ndarray


@dataclass(frozen=True)
class Light:
    """A lamp at `position` (3,) with `strength`; `shadows` needs a ray per pixel."""

    position: np.ndarray
    strength: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shadows: bool = False


class World:
    """The triangles of all bodies with a ray tree.

    semantic (B,) and instance (B,): labels of each body; several bodies may belong to the same instance.
    """

    def __init__(self, bodies: Sequence[Body], semantic: np.ndarray, instance: np.ndarray):
        import open3d

        self.bodies = tuple(bodies)
        self.semantic = np.asarray(semantic, np.int16)
        self.instance = np.asarray(instance, np.int32)
        self.materials: list[Material] = []
        vertices, triangles, local, material, owner, tints = [], [], [], [], [], []
        first = 0
        known: dict[int, int] = {}
        for index, body in enumerate(self.bodies):
            for part in body.shape.parts:
                slot = known.setdefault(id(part.material), len(self.materials))
                if slot == len(self.materials):
                    self.materials.append(part.material)
                vertices.append(part.vertices)
                local.append(part.local)
                triangles.append(part.triangles + first)
                material.append(np.full(len(part.triangles), slot, np.int32))
                owner.append(np.full(len(part.triangles), index, np.int32))
                if part.tint is not None:
                    tints.append((first, part.tint))
                first += len(part.vertices)
        self.vertices = np.concatenate(vertices).astype(np.float32)
        self.triangles = np.concatenate(triangles).astype(np.uint32)
        self.local = np.concatenate(local)
        self.material = np.concatenate(material)
        self.body = np.concatenate(owner)
        self.tinted = np.zeros(first, bool)
        self.tint = np.zeros((first, 3), np.uint8)
        for start, colors in tints:
            self.tinted[start : start + len(colors)] = True
            self.tint[start : start + len(colors)] = colors[:, :3]
        self.any_tint = bool(tints)
        self.palette = Palette(self.materials)
        self._rays = open3d.t.geometry.RaycastingScene(nthreads=1)
        self._rays.add_triangles(open3d.core.Tensor(self.vertices), open3d.core.Tensor(self.triangles))

    def look(self, camera: Camera, lights: Sequence[Light] = (), ambient: float = 0.5) -> View:
        """Render a view."""
        rays = camera.rays()
        hit, triangle, uv, normal = self.cast(rays)
        seen = np.flatnonzero(np.isfinite(hit))
        tri, direction, normal = triangle[seen], rays[seen, 3:], normal[seen]
        toward = direction / _length(direction)[:, None]
        facing = _dot(normal, toward)
        normal *= -np.sign(facing)[:, None]  # sheets are visible from both sides
        points = rays[seen, :3] + direction * hit[seen, None]
        slot = self.material[tri]
        gloss = self.palette.gloss[slot]
        color = self.surface_color(tri, uv[seen])
        color *= self.light(points, normal, lights, ambient, -toward, gloss)

        def image(values: np.ndarray, empty: float = 0.0) -> np.ndarray:
            full = np.full((len(rays), *values.shape[1:]), empty, values.dtype)
            full[seen] = values
            return full

        return View(
            camera, hit, image(color), image(self.body[tri], -1), image(np.abs(facing)),
            image(self.palette.infrared[slot]), image(gloss),
        )  # fmt: skip

    def cast(self, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Cast rays (R,6): distance in units of the direction (inf: no hit), triangle, barycentric uv, normal."""
        import open3d

        answer = self._rays.cast_rays(open3d.core.Tensor(np.ascontiguousarray(rays, np.float32)), nthreads=1)
        return tuple(answer[key].numpy() for key in ("t_hit", "primitive_ids", "primitive_uvs", "primitive_normals"))

    def blocked(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """(N,) bool: whether a surface lies between the points `start` and `end` (N,3)."""
        import open3d

        rays = np.concatenate([start, end - start], 1).astype(np.float32)
        return self._rays.test_occlusions(open3d.core.Tensor(rays), tnear=1e-3, tfar=0.999, nthreads=1).numpy()

    def surface(self, triangle: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position and unit normal, each (N,3), at barycentric coordinates (N,2) of triangles (N,)."""
        a, b, c = (self.vertices[self.triangles[triangle, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        normal /= _length(normal)[:, None] + np.float32(1e-12)
        return a + uv[:, :1] * (b - a) + uv[:, 1:] * (c - a), normal

    def surface_color(self, triangle: np.ndarray, uv: np.ndarray) -> np.ndarray:
        """Unlit colour (N,3) in 0..1 at barycentric coordinates of triangles (N,)."""
        a, b, c = self.triangles[triangle].astype(np.int64).T
        v, w = uv[:, :1], uv[:, 1:]
        u = 1 - v - w
        local = self.local[a] * u + self.local[b] * v + self.local[c] * w
        color = self.palette.shade(self.material[triangle], local)
        own = np.flatnonzero(self.tinted[a]) if self.any_tint else ()
        if len(own):
            color[own] *= (self.tint[a[own]] * u[own] + self.tint[b[own]] * v[own] + self.tint[c[own]] * w[own]) / 255
        return color

    def light(
        self, points: np.ndarray, normal: np.ndarray, lights: Sequence[Light], ambient: float,
        toward: np.ndarray | None = None, gloss: np.ndarray | float = 0.0,
    ) -> np.ndarray:  # fmt: skip
        """Light (N,3) per unit of surface colour; highlights need the directions `toward` the eye (N,3)."""
        total = np.empty((len(points), 3), np.float32)
        total[:] = (ambient * (0.85 + 0.15 * normal[:, 2]))[:, None]  # the ceiling reflects light on upward faces
        for light in lights:
            position = light.position.astype(np.float32)
            way = position - points
            distance = _length(way)
            way /= distance[:, None]
            amount = np.clip(_dot(normal, way), 0, 1)
            if toward is not None:
                half = way + toward
                half /= _length(half)[:, None] + np.float32(1e-9)
                amount += 1.5 * gloss * np.clip(_dot(normal, half), 0, 1) ** 40
            amount *= light.strength / (0.5 + 0.25 * distance)
            if light.shadows:
                dark = self.blocked(points + normal * np.float32(2e-3), np.broadcast_to(position, points.shape))
                amount *= 1 - 0.85 * dark.astype(np.float32)
            total += amount[:, None] * np.asarray(light.tint, np.float32)
        return total


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", a, b)


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(_dot(vectors, vectors))
