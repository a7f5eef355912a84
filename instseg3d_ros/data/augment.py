"""Augmentation of scenes in training: SparseConvNet's recipe for ScanNet, and effects of a robot's camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.scene import Scene


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the augmentation.

    Lengths are in metres, angles in degrees, probabilities 0 to 1. The value 0 switches a distortion off.

    Args:
        affine: standard deviation of stretch and shear; the matrix is I + affine * N(0, 1)
        flip: probability of mirroring x
        yaw: largest rotation about the vertical, in degrees, uniform
        tilt: standard deviation of pitch and roll that remain after levelling, in degrees
        steep: probability of an unlevelled camera: pitch uniform -10 to 60 degrees, roll -10 to 10 degrees
        shift: largest shift of the voxel grid, in voxels, uniform
        scale: largest relative change of the overall size, uniform
        color: standard deviation of the colour offset of a scene, in units of 127.5
        contrast: largest relative change of a scene's contrast, per colour channel, uniform
        drop_color: probability that a scene has no colour
        drop_points: largest share of points that are removed
        crop: probability that only a box around a random point is kept
        elastic: probability of an elastic distortion
        elastic_strength: magnitude of elastic distortions; 1 is SparseConvNet's value, which deforms small objects
        max_points: largest number of points of a scene; more are reduced to this number
        max_range: largest distance of a point from the camera, in metres; used only for scenes with a camera pose
    """

    affine: float = 0.1
    flip: float = 0.5
    yaw: float = 180.0
    tilt: float = 4.0
    steep: float = 0.0
    shift: float = 1.0
    scale: float = 0.1
    color: float = 0.1
    contrast: float = 0.3
    drop_color: float = 0.3
    drop_points: float = 0.3
    crop: float = 0.2
    elastic: float = 0.3
    elastic_strength: float = 0.1
    max_points: int = 120_000
    max_range: float = float("inf")


def augment(scene: Scene, options: Augmentation, rng: np.random.Generator, voxel_size: float) -> Scene:
    """A distorted copy of the scene; points keep their labels. The result depends only on the state of `rng`."""
    o = options
    keep = _kept_points(scene, o, rng)
    points = scene.points[keep].astype(np.float64)
    points -= np.full(len(points), 1 / len(points)) @ points  # the mean; 20 times as fast as `mean` on three columns
    points = points @ _affine(o, rng).T
    if rng.random() < o.elastic:
        # The recipe's (granularity, magnitude) of (6, 40) and (20, 160) are in units of 2 cm voxels.
        for granularity, magnitude in ((0.12, 0.8), (0.4, 3.2)):
            points = _elastic(points, granularity, o.elastic_strength * magnitude, rng)
    points += rng.uniform(0, 1, 3) * o.shift * voxel_size
    return Scene(
        points.astype(np.float32),
        _colors(None if scene.colors is None else scene.colors[keep], o, rng),
        scene.semantic[keep],
        scene.instance[keep],
        scene.name,
    )


def _kept_points(scene: Scene, o: Augmentation, rng: np.random.Generator) -> np.ndarray:
    keep = np.arange(len(scene))
    if np.isfinite(o.max_range) and "camera" in scene.extras:
        ray = scene.points - scene.extras["camera"][:3, 3].astype(np.float32)
        near = np.einsum("ni,ni->n", ray, ray) < o.max_range**2
        keep = np.flatnonzero(near) if near.any() else keep
    if rng.random() < o.crop:
        middle = scene.points[keep[rng.integers(len(keep))]]
        radius = rng.uniform(0.4, 2.0)
        inside = (np.abs(scene.points[keep, :2] - middle[:2]) < radius).all(axis=1)
        if inside.sum() > 500:
            keep = keep[inside]
    count = min(o.max_points, int(len(keep) * (1 - rng.uniform(0, o.drop_points))))
    if count < len(keep):
        keep = keep[rng.random(len(keep)) < count / len(keep)]
    return keep if len(keep) else np.arange(len(scene))[:1]


def _affine(o: Augmentation, rng: np.random.Generator) -> np.ndarray:
    matrix = np.eye(3) + o.affine * rng.normal(size=(3, 3))
    if rng.random() < o.flip:
        matrix[:, 0] *= -1
    matrix *= 1 + rng.uniform(-o.scale, o.scale)
    if rng.random() < o.steep:
        # The forward axis of an unlevelled camera must not change: with a random yaw the up direction would be unknown.
        return _turn(0, rng.uniform(-10, 10)) @ _turn(1, rng.uniform(-10, 60)) @ matrix
    yaw = _turn(2, rng.uniform(-o.yaw, o.yaw))
    return _turn(0, o.tilt * rng.normal()) @ _turn(1, o.tilt * rng.normal()) @ matrix @ yaw


def _turn(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


def _colors(colors: np.ndarray | None, o: Augmentation, rng: np.random.Generator) -> np.ndarray | None:
    if colors is None or rng.random() < o.drop_color:
        return None
    gain = 1 + rng.uniform(-o.contrast, o.contrast, 3)
    offset = 127.5 * (o.color * rng.normal(size=3) + o.color * rng.normal())
    changed = (np.arange(256)[:, None] - 127.5) * gain + 127.5 + offset  # of each value in each channel
    table = np.clip(changed, 0, 255).astype(np.uint8)
    return table[colors, np.arange(3)]


def _elastic(points: np.ndarray, granularity: float, magnitude: float, rng: np.random.Generator) -> np.ndarray:
    """Add smooth noise: N(0, 1) on a grid of `granularity` metres, blurred twice by a box of 3, times `magnitude`."""
    from scipy.ndimage import map_coordinates, uniform_filter

    low = points.min(axis=0)
    size = np.minimum(((points.max(axis=0) - low) // granularity).astype(int) + 3, 128)
    noise = rng.normal(size=(3, *size)).astype(np.float32)
    where = ((points - low) / granularity).T
    moved = points.copy()
    for axis in range(3):
        smooth = uniform_filter(uniform_filter(noise[axis], 3, mode="constant"), 3, mode="constant")
        moved[:, axis] += magnitude * map_coordinates(smooth, where, order=1, mode="nearest")
    return moved
