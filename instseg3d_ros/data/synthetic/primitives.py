"""Primitive shapes of furniture: boxes, solids of revolution, extrusions, tubes, cushions and folded sheets.

Sizes are full extents in metres. By default a primitive stands on z = 0, centred in x and y.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from instseg3d_ros.data.synthetic.materials import Material
from instseg3d_ros.data.synthetic.mesh import Part, Point, Shape

_BOX_CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)], np.float32)
_BOX_TRIANGLES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]], np.int32)  # fmt: skip


def surface(vertices: ArrayLike, triangles: ArrayLike, material: Material) -> Shape:
    """A shape from raw arrays (V,3) and (T,3)."""
    vertices = np.ascontiguousarray(vertices, np.float32)
    return Shape((Part(vertices, np.ascontiguousarray(triangles, np.int32), material, vertices),))


def box(width: float, depth: float, height: float, material: Material, at: Point = (0.0, 0.0, 0.0)) -> Shape:
    """An axis-aligned block; `at` is the centre of its bottom face."""
    vertices = _BOX_CORNERS * np.array([width, depth, height], np.float32) + np.asarray(at, np.float32)
    return Shape((Part(vertices, _BOX_TRIANGLES, material, vertices),))


def grid(rows: int, columns: int, wrap: bool = False) -> np.ndarray:
    """Triangles (T,3) over a rows × columns lattice of vertices in row order; `wrap` closes each row."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if wrap else columns - 1), indexing="ij")
    a = (i * columns + j).ravel()
    b = (i * columns + (j + 1) % columns).ravel()
    return np.concatenate([np.stack([a, b, b + columns], 1), np.stack([a, b + columns, a + columns], 1)])


def revolve(
    profile: ArrayLike, material: Material, segments: int = 24, squeeze: float = 1.0, corner: float = 0.0
) -> Shape:
    """A solid of revolution of a profile [(radius, z), …]. squeeze: factor of y; corner: 0 round to 1 square."""
    profile = np.asarray(profile, np.float32)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    if corner > 0:  # a superellipse of growing exponent
        power = 1.0 / (1.0 + 4.0 * corner)
        c, s = np.sign(c) * np.abs(c) ** power, np.sign(s) * np.abs(s) ** power
    ring = np.stack([c, s * squeeze], 1)
    vertices = np.concatenate(
        [profile[:, None, :1] * ring, np.broadcast_to(profile[:, None, 1:], (len(profile), segments, 1))], 2
    )
    return surface(vertices.reshape(-1, 3), grid(len(profile), segments, wrap=True), material)


def cylinder(radius: float, height: float, material: Material, at: Point = (0.0, 0.0, 0.0),
             top: float | None = None, segments: int = 16) -> Shape:  # fmt: skip
    """A closed cylinder, or a frustum with the radius `top`; `at` is the centre of its bottom."""
    top = radius if top is None else top
    return revolve([(0, 0), (radius, 0), (top, height), (0, height)], material, segments).moved(*at)


def ellipsoid(width: float, depth: float, height: float, material: Material, corner: float = 0.0,
              segments: int = 20) -> Shape:  # fmt: skip
    """An ellipsoid that stands on z = 0; corner: 0 for an ellipsoid to 1 for a rounded block."""
    polar = np.linspace(-np.pi / 2, np.pi / 2, max(segments // 2, 7))
    power = 1.0 / (1.0 + 4.0 * corner)
    radius = np.abs(np.cos(polar)) ** power
    z = np.sign(np.sin(polar)) * np.abs(np.sin(polar)) ** power
    radius[[0, -1]] = 0
    shape = revolve(np.stack([radius, z], 1), material, segments, corner=corner)
    return shape.affine(np.diag([width / 2, depth / 2, height / 2]), (0, 0, height / 2))


def rounded_box(width: float, depth: float, height: float, material: Material, radius: float = 0.02,
                crown: float = 0.0) -> Shape:  # fmt: skip
    """A block with rounded edges (upholstery, cushions, appliances); `crown` metres bulge its top."""
    radius = min(radius, 0.49 * min(width, depth, height))
    polar = np.linspace(0, np.pi / 2, 4)
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False) + np.pi / 16
    corner_x = np.sign(np.cos(angle)) * (width / 2 - radius)
    corner_y = np.sign(np.sin(angle)) * (depth / 2 - radius)
    rows = []
    for z, out in [(radius - radius * np.cos(p), np.sin(p)) for p in polar]:
        rows.append((z, out))
    for z, out in [(height - radius + radius * np.sin(p), np.cos(p)) for p in polar]:
        rows.append((z, out))
    vertices = [np.zeros((16, 3))]
    for z, out in rows:
        vertices.append(np.stack([corner_x + out * radius * np.cos(angle), corner_y + out * radius * np.sin(angle),
                                  np.full(16, z)], 1))  # fmt: skip
    top = vertices[-1]
    for share in (0.66, 0.33, 0.0):
        ring = top * [share, share, 1]
        ring[:, 2] += crown * (1 - share**2)
        vertices.append(ring)
    return surface(
        np.concatenate([np.asarray(v, np.float32) for v in vertices]), grid(len(vertices), 16, True), material
    )


def cushion(width: float, depth: float, height: float, material: Material, sag: float = 0.35) -> Shape:
    """A pillow that lies flat: thick in the middle, thin at the rim, with pointed corners."""
    n = 9
    u = np.linspace(-1, 1, n)
    x, y = np.meshgrid(u, u, indexing="ij")
    thick = ((1 - x**4) * (1 - y**4)) ** sag
    pull = 1 - 0.12 * (1 - x**2) * (np.abs(y) > 0.99) - 0.12 * (1 - y**2) * (np.abs(x) > 0.99)
    plan = np.stack([x * pull * width / 2, y * pull * depth / 2], -1)
    up = np.concatenate([plan, (height / 2 * (1 + thick))[..., None]], -1).reshape(-1, 3)
    low = np.concatenate([plan, (height / 2 * (1 - thick))[..., None]], -1).reshape(-1, 3)
    triangles = grid(n, n)
    return surface(np.concatenate([up, low]), np.concatenate([triangles, triangles + n * n]), material)


def extrude(outline: ArrayLike, height: float, material: Material) -> Shape:
    """A prism over a convex or star-shaped outline (P,2), from z = 0 up; it is not centred."""
    outline = np.asarray(outline, np.float32)
    count = len(outline)
    centre = outline.mean(0)
    rings = [np.concatenate([np.repeat(centre[None], count, 0), np.zeros((count, 1))], 1)]
    rings += [np.concatenate([outline, np.full((count, 1), z)], 1) for z in (0.0, height)]
    rings += [np.concatenate([np.repeat(centre[None], count, 0), np.full((count, 1), height)], 1)]
    return surface(np.concatenate(rings), grid(4, count, wrap=True), material)


def tube(path: ArrayLike, radius: float | Sequence[float] | np.ndarray, material: Material, segments: int = 8) -> Shape:
    """A pipe along a polyline (P,3) with one radius, or a radius per point; it is not centred."""
    path = np.asarray(path, np.float64)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
    # One reference direction for all, away from every tangent: no twist worth the name in furniture.
    reference = np.eye(3)[np.argmin(np.abs(tangent).max(0))]
    side = np.cross(tangent, reference)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-12
    up = np.cross(side, tangent)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(path))[:, None, None]
    rings = path[:, None] + radii * (np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * up[:, None])
    ends = [np.repeat(path[:1, None], segments, 1), rings, np.repeat(path[-1:, None], segments, 1)]
    vertices = np.concatenate(ends).reshape(-1, 3)
    return surface(vertices, grid(len(path) + 2, segments, wrap=True), material)


def bar(start: ArrayLike, end: ArrayLike, width: float, depth: float, material: Material) -> Shape:
    """A straight beam of rectangular section, width × depth, between two points."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    along = end - start
    length = np.linalg.norm(along) + 1e-9
    z = along / length
    x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
    x /= np.linalg.norm(x)
    return box(width, depth, length, material).affine(np.stack([x, np.cross(z, x), z], 1), start)


def plate(corners: ArrayLike, thickness: float, material: Material) -> Shape:
    """A board with four corners (4,3), given in order, and a thickness along its normal."""
    corners = np.asarray(corners, np.float64)
    normal = np.cross(corners[1] - corners[0], corners[3] - corners[0])
    normal *= thickness / 2 / (np.linalg.norm(normal) + 1e-12)
    vertices = np.concatenate([corners - normal, corners + normal])
    triangles = [[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6]]
    for i in range(4):
        j = (i + 1) % 4
        triangles += [[i, j, j + 4], [i, j + 4, i + 4]]
    return surface(vertices, triangles, material)


def heightfield(x: np.ndarray, y: np.ndarray, z: np.ndarray, material: Material) -> Shape:
    """A sheet through the grids x, y, z of shape (rows, columns)."""
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    return surface(vertices, grid(*np.shape(x)), material)


def folded_sheet(
    width: float, height: float, folds: float, amplitude: float, material: Material, rng: np.random.Generator
) -> Shape:
    """A hanging cloth in the plane y = 0 from z = 0 to `height`; folds are less regular near the bottom."""
    columns, rows = int(max(24, min(160, folds * 8))), 8
    u = np.linspace(0, 1, columns)
    warp = u + 0.25 / folds * np.sin(2 * np.pi * (u * rng.uniform(1, 3) + rng.random()))
    phase = 2 * np.pi * folds * warp
    sway = rng.normal(0, 0.4, (rows, 1)).cumsum(0) * 0.25
    v = np.linspace(0, 1, rows)[:, None]
    depth = amplitude * (np.sin(phase + sway) * (0.75 + 0.5 * (1 - v)) + 0.35 * np.sin(2.3 * phase + sway * 2))
    return heightfield(np.broadcast_to((u - 0.5) * width, depth.shape), depth,
                       np.broadcast_to(v * height, depth.shape), material)  # fmt: skip


def bent_box(width: float, depth: float, height: float, bend: float, material: Material, columns: int = 12) -> Shape:
    """A curved panel, such as the back of a chair: its middle lies `bend` metres behind (+y) its ends."""
    u = np.linspace(-1, 1, columns)
    middle = bend * (1 - u**2)
    ring = []
    for y, z in ((-depth / 2, 0), (depth / 2, 0), (depth / 2, height), (-depth / 2, height)):
        ring.append(np.stack([u * width / 2, middle + y, np.full(columns, z)], 1))
    vertices = np.stack(ring, 1).reshape(-1, 3)  # (columns * 4, 3), four vertices a column
    triangles = grid(columns, 4, wrap=True)
    ends = [[0, 1, 2], [0, 2, 3]]
    ends += [[4 * columns - 4 + k for k in t] for t in ends]
    return surface(vertices, np.concatenate([triangles, ends]), material)
