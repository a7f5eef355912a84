"""Assemblies to triangles to images: what a perfect camera would measure.

One `World` is built for a room or a table and looked at many times; building its ray tree is the dear part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.synthetic.camera import Camera
from instseg3d_ros.data.synthetic.materials import Material, shade_textures
from instseg3d_ros.data.synthetic.mesh import Body


@dataclass(frozen=True)
class View:
    """Flat images of H·W pixels, row by row; where a ray met nothing, depth is inf and `body` -1.

    depth (P,) metres along the optical axis · color (P,3) float32 0..1 · body (P,) index into the world's bodies ·
    incidence (P,) cosine between ray and surface · infrared (P,) 0..1 · gloss (P,) 0..1.
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
    """A lamp at `position` (3,) of `strength`, over an ambient share; `shadows` costs a ray per pixel."""

    position: np.ndarray
    strength: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shadows: bool = False


class World:
    """Bodies as one triangle soup with a ray tree.

    `semantic` (B,) and `instance` (B,) are the labels of body b; bodies of one instance may be several.
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
        self._rays = open3d.t.geometry.RaycastingScene(nthreads=1)
        self._rays.add_triangles(open3d.core.Tensor(self.vertices), open3d.core.Tensor(self.triangles))

    def look(self, camera: Camera, lights: Sequence[Light] = (), ambient: float = 0.5) -> View:
        """Render one view; shades only what was hit."""
        rays = camera.rays()
        hit, triangle, uv, normal = self.cast(rays)
        count = len(rays)
        seen = np.flatnonzero(np.isfinite(hit))
        color = np.zeros((count, 3), np.float32)
        body = np.full(count, -1, np.int32)
        incidence = np.zeros(count, np.float32)
        infrared, gloss = np.zeros(count, np.float32), np.zeros(count, np.float32)
        tri, direction = triangle[seen], rays[seen, 3:]
        length = np.linalg.norm(direction, axis=1)
        toward = direction / length[:, None]
        facing = np.einsum("ij,ij->i", normal[seen], toward)
        outward = -normal[seen] * np.sign(facing)[:, None]
        points = rays[seen, :3] + direction * hit[seen, None]
        body[seen] = self.body[tri]
        incidence[seen] = np.abs(facing)
        slots = self.material[tri]
        infrared[seen] = np.array([m.infrared for m in self.materials], np.float32)[slots]
        shine = np.array([m.gloss for m in self.materials], np.float32)[slots]
        gloss[seen] = shine
        surface_color = self.surface_color(tri, uv[seen])
        color[seen] = surface_color * self._light(points, outward, -toward, shine, lights, ambient)
        return View(camera, hit, color, body, incidence, infrared, gloss)

    def cast(self, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rays (R,6) → distance in units of the direction (inf: none), triangle, barycentric uv, normal."""
        import open3d

        answer = self._rays.cast_rays(open3d.core.Tensor(np.ascontiguousarray(rays, np.float32)), nthreads=1)
        return tuple(answer[key].numpy() for key in ("t_hit", "primitive_ids", "primitive_uvs", "primitive_normals"))

    def blocked(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """(N,) whether something stands between points `start` and `end` (N,3)."""
        import open3d

        rays = np.concatenate([start, end - start], 1).astype(np.float32)
        return self._rays.test_occlusions(open3d.core.Tensor(rays), tnear=1e-3, tfar=0.999, nthreads=1).numpy()

    def surface_color(self, triangle: np.ndarray, uv: np.ndarray) -> np.ndarray:
        """Unlit colour (N,3) in 0..1 at barycentric coordinates of triangles (N,)."""
        corners = self.triangles[triangle].astype(np.int64)
        weight = np.stack([1 - uv.sum(1), uv[:, 0], uv[:, 1]], 1)[:, :, None]
        local = (self.local[corners] * weight).sum(1)
        color = shade_textures(self.materials, self.material[triangle], local)
        tinted = np.flatnonzero(self.tinted[corners[:, 0]])
        if len(tinted):
            color[tinted] *= (self.tint[corners[tinted]] * weight[tinted]).sum(1) / 255
        return color

    def _light(self, points, normal, toward, shine, lights, ambient) -> np.ndarray:
        """(N,3) how much light of each colour leaves towards the camera, per unit of surface colour."""
        level = np.full((len(points), 3), ambient, np.float32)
        level *= (0.85 + 0.15 * normal[:, 2:3]).astype(np.float32)  # the ceiling's bounce lights what faces up
        for light in lights:
            way = light.position - points
            distance = np.linalg.norm(way, axis=1, keepdims=True)
            way = way / distance
            cosine = np.clip(np.einsum("ij,ij->i", normal, way), 0, 1)
            half = way + toward
            half /= np.linalg.norm(half, axis=1, keepdims=True) + 1e-9
            glint = shine * np.clip(np.einsum("ij,ij->i", normal, half), 0, 1) ** 40
            amount = light.strength * (cosine + 1.5 * glint) / (0.5 + 0.25 * distance[:, 0])
            if light.shadows:
                start = points + normal * 2e-3
                amount *= 1 - 0.85 * self.blocked(start, np.broadcast_to(light.position, points.shape))
            level += amount[:, None] * np.asarray(light.tint, np.float32)
        return level
