"""A point renderer in NumPy: discs in a depth buffer, closing of small gaps, shading, outlines.

Open3D's offscreen renderer needs EGL, which is not installed on every machine; this renderer needs only NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.viewing.viewpoint import Viewpoint

MAX_RADIUS = 9  # pixels
EMPTY = np.uint64(2**64 - 1)
LIGHT = np.array((-0.45, -0.75, -0.6), np.float32)  # right, down, forward: from the upper left behind the camera
AMBIENT = 0.62
CREASES = ((1, 0.5), (3, 0.7), (7, 0.8))  # distance in pixels of a picture 900 pixels wide, strength
STRAIGHT = 0.003  # largest bend of a plane, as a share of the depth
LAYERS = 12


@dataclass(frozen=True)
class Raster:
    """A depth buffer. index (H, W) int32: nearest point, or -1; depth (H, W) float32: metres, inf without a point."""

    index: np.ndarray
    depth: np.ndarray
    camera: Viewpoint


def rasterize(points: np.ndarray, camera: Viewpoint, radius: np.ndarray | float = 0.5) -> Raster:
    """Draw each point (N, 3) as a disc of `radius` (N,) pixels; a pixel shows the nearest point."""
    column, row, depth = camera.project(points)
    edge = MAX_RADIUS
    with np.errstate(invalid="ignore"):
        inside = (depth > 1e-3) & (column > -edge) & (column < camera.width + edge - 1)
        inside &= (row > -edge) & (row < camera.height + edge - 1)
    chosen = np.flatnonzero(inside)
    # The bits of positive floats sort as integers. A key has the depth in its upper and the index in its lower bits, so
    # that the smallest key is the nearest point.
    key = depth[chosen].astype(np.float32).view(np.uint32).astype(np.uint64) << np.uint64(32)
    key |= chosen.astype(np.uint64)
    # A margin of twice the largest disc holds pixels outside of the picture.
    wide, high = camera.width + 4 * edge, camera.height + 4 * edge
    position = (np.floor(row[chosen]).astype(np.int64) + 2 * edge) * wide + np.floor(column[chosen]).astype(np.int64)
    position += 2 * edge
    buffer = np.full(wide * high, EMPTY)
    reach = np.clip(np.broadcast_to(np.float32(radius), len(points))[chosen], 0.5, edge)
    np.minimum.at(buffer, position, key)
    largest = int(reach.max(initial=0))
    steps = [
        (np.hypot(dx, dy), dy * wide + dx) for dy in range(-largest, largest + 1) for dx in range(-largest, largest + 1)
    ]
    for away, step in sorted(steps)[1:]:
        bigger = reach >= away
        if not bigger.all():  # offsets are sorted by distance: discs that are too small now remain too small
            reach, position, key = reach[bigger], position[bigger], key[bigger]
        np.minimum.at(buffer, position + step, key)
    image = buffer.reshape(high, wide)[2 * edge : -2 * edge, 2 * edge : -2 * edge]
    empty = image == EMPTY
    index = (image & np.uint64(0xFFFFFFFF)).astype(np.int32)
    index[empty] = -1
    distance = (image >> np.uint64(32)).astype(np.uint32).view(np.float32)
    distance[empty] = np.inf
    return close_gaps(Raster(index, distance, camera))


def close_gaps(raster: Raster, rounds: int = 2) -> Raster:
    """Fill pixels that have points on most sides with the nearest of these points. Wider gaps stay open."""
    index, depth = raster.index.copy(), raster.depth.copy()
    for _ in range(rounds):
        around = [(_shift(index, dy, dx, -1), _shift(depth, dy, dx, np.inf)) for dy, dx in _RING]
        filled = sum((neighbor >= 0).astype(np.int8) for neighbor, _ in around)
        gap = (index < 0) & (filled >= 5)
        if not gap.any():
            break
        for neighbor, distance in around:
            better = gap & (distance < depth)
            depth[better], index[better] = distance[better], neighbor[better]
    return Raster(index, depth, raster.camera)


_HALF_RING = ((0, 1), (1, 0), (1, 1), (1, -1))
_RING = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)


def _shift(image: np.ndarray, dy: int, dx: int, fill: float) -> np.ndarray:
    """image[row + dy, column + dx], and `fill` outside of the image."""
    height, width = image.shape
    out = np.empty_like(image)
    # Only the border that the shift uncovers needs filling.
    out[: max(-dy, 0)] = out[height - max(dy, 0) :] = fill
    out[:, : max(-dx, 0)] = out[:, width - max(dx, 0) :] = fill
    if abs(dy) < height and abs(dx) < width:
        out[max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)] = image[
            max(dy, 0) : height - max(-dy, 0), max(dx, 0) : width - max(-dx, 0)
        ]
    return out


def noise_of(depth: np.ndarray) -> np.ndarray:
    """(H, W): noise of the depth in metres, which grows with the depth.

    It is the median bend of pixels relative to their neighbours, by layers of depth, because most pixels lie on smooth
    surfaces.
    """
    with np.errstate(invalid="ignore"):
        # Pixels at a distance of four belong to different points, because discs are a few pixels wide.
        bend = np.abs(2 * depth - _shift(depth, 4, 0, np.inf) - _shift(depth, -4, 0, np.inf)) / 2
    known = np.isfinite(bend)
    if known.sum() < 100:
        return np.zeros_like(depth)
    edges = np.quantile(depth[known], np.linspace(0, 1, LAYERS + 1))
    layer = np.clip(np.searchsorted(edges, depth[known]) - 1, 0, LAYERS - 1)
    bends = bend[known]
    median = [np.median(bends[layer == one]) if (layer == one).any() else 0 for one in range(LAYERS)]
    return np.interp(depth, (edges[1:] + edges[:-1]) / 2, median).astype(np.float32)


def smooth(image: np.ndarray, depth: np.ndarray, noise: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Smooth an image (H, W) over pairs of opposite neighbours that lie on a straight line in depth.

    On a plane all pairs are averaged; at a depth edge none are, so that the edge stays sharp. The distance of the pairs
    grows with each round.
    """
    straight = np.float32(STRAIGHT) * np.where(np.isfinite(depth), depth, 1) + 5 * noise
    for step in (2**k for k in range(rounds)):
        total, weight = image.copy(), np.ones_like(image)
        for dy, dx in _HALF_RING:
            dy, dx = dy * step, dx * step
            with np.errstate(invalid="ignore"):
                bend = _shift(depth, dy, dx, np.inf) + _shift(depth, -dy, -dx, np.inf) - 2 * depth
                same = np.abs(bend) < straight
            total += np.where(same, _shift(image, dy, dx, 0) + _shift(image, -dy, -dx, 0), 0)
            weight += 2 * same
        image = total / weight
    return image


def creases(depth: np.ndarray, noise: np.ndarray, focal: float) -> np.ndarray:
    """Shading (H, W) float32 of a smooth depth image: 1 on open surfaces, about 0.5 in creases and behind edges.

    A pixel is dark if it lies behind the middle of two opposite neighbours, so that planes of any tilt are bright.
    """
    footprint = np.where(np.isfinite(depth), depth, 1) / np.float32(focal)  # metres per pixel
    darkness = np.zeros_like(depth)
    for step, strength in CREASES:
        step = max(1, round(step * depth.shape[1] / 900))
        for dy, dx in _HALF_RING:
            ahead, behind = _shift(depth, dy * step, dx * step, np.inf), _shift(depth, -dy * step, -dx * step, np.inf)
            with np.errstate(invalid="ignore"):
                bend = (2 * depth - ahead - behind - 2 * noise) / (footprint * np.float32(step * np.hypot(dx, dy)))
            bend[~np.isfinite(bend)] = 0
            darkness += np.float32(strength / 12) * np.clip(bend - 0.5, 0, 2.5)
    return np.exp(-darkness)


def shade(raster: Raster, normals: np.ndarray, scale: int = 1) -> np.ndarray:
    """Factor (H, W) float32 for colours: light from `LIGHT`, times `creases`.

    normals (N, 3) of the points; scale: pixels of the raster per pixel of the final picture. The factor is computed at
    the size of the final picture.
    """
    depth, index = raster.depth[::scale, ::scale], raster.index[::scale, ::scale]
    noise = noise_of(depth)
    local = np.abs(normals @ (raster.camera.rotation.T @ (LIGHT / np.linalg.norm(LIGHT))).astype(np.float32))
    lit = smooth((AMBIENT + (1 - AMBIENT) * local)[index], depth, noise)
    even = smooth(np.where(np.isfinite(depth), depth, 0), depth, noise, rounds=4)
    even[~np.isfinite(depth)] = np.inf
    light = lit * creases(even, noise, raster.camera.focal / scale)
    height, width = raster.index.shape
    return np.repeat(np.repeat(light, scale, axis=0), scale, axis=1)[:height, :width]


def outlines(ids: np.ndarray, width: int = 1) -> np.ndarray:
    """(H, W) bool: pixels of an object at most `width` pixels from a pixel with another id. ids (H, W) int."""
    edge = np.zeros(ids.shape, bool)
    for step in range(1, width + 1):
        for dy, dx in ((0, step), (0, -step), (step, 0), (-step, 0)):
            edge |= _shift(ids, dy, dx, -1) != ids
    return edge & (ids > 0)


def paint(
    raster: Raster, colors: np.ndarray, light: np.ndarray, scale: int = 1, background: tuple = (255, 255, 255)
) -> np.ndarray:
    """Picture (H/scale, W/scale, 3) uint8: colours, of points (N, 3) or pixels (H, W, 3) uint8, times light (H, W)."""
    picture = colors if colors.ndim == 3 else colors[raster.index]
    picture = picture.astype(np.float32) * light[..., None]
    picture[raster.index < 0] = background
    height, width = (size // scale for size in raster.index.shape)
    picture = picture[: height * scale, : width * scale].reshape(height, scale, width, scale, 3).mean(axis=(1, 3))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
