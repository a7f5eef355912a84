"""Draws a contact sheet: colour, depth, classes and instances of scenes side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.replacing import replacing


def images(scene: Scene, labels: LabelSet) -> list[np.ndarray]:
    """Images (H,W,3) uint8 of colour, depth (or height), class and instance, or of a plan without ceiling."""
    if "camera" in scene.extras:
        height, width = scene.extras["shape"]
        pixel, pose = scene.extras["pixel"], scene.extras["camera"]
        depth = (scene.points - pose[:3, 3]) @ pose[:3, 2]
    else:
        scene, pixel, (height, width) = _plan(scene, labels)
        depth = scene.points[:, 2]
    near, far = np.percentile(depth, [1, 99]) if len(depth) else (0, 1)
    palette = np.random.default_rng(1).integers(40, 255, (4096, 3))
    palette[0] = 90
    columns = (
        scene.colors,
        _rainbow((depth - near) / max(far - near, 1e-6)),
        np.array(labels.colors)[scene.semantic],
        palette[scene.instance % 4096],
    )
    out = []
    for column in columns:
        image = np.zeros((height * width, 3), np.uint8)
        image[pixel] = column
        out.append(image.reshape(height, width, 3))
    return out


def _plan(scene: Scene, labels: LabelSet) -> tuple[Scene, np.ndarray, tuple[int, int]]:
    """Points below 2 m without the ceiling, lowest first, with their pixels in a plan of 2 cm per pixel."""
    shown = np.flatnonzero((scene.points[:, 2] < 2.0) & (scene.semantic != labels.index("ceiling")))
    shown = shown[np.argsort(scene.points[shown, 2], kind="stable")]
    points = scene.points[shown]
    column, row = ((points[:, :2] - points[:, :2].min(0)) / 0.02).astype(int).T
    size = (int(row.max()) + 1, int(column.max()) + 1)
    colors = None if scene.colors is None else scene.colors[shown]
    part = Scene(points, colors, scene.semantic[shown], scene.instance[shown], scene.name)
    return part, (size[0] - 1 - row) * size[1] + column, size


def _rainbow(value: np.ndarray) -> np.ndarray:
    v = np.clip(value, 0, 1)[:, None]
    return (255 * np.clip(1.5 - np.abs(4 * v - [3.0, 2.0, 1.0]), 0, 1)).astype(np.uint8)


def write_sheet(path: Path, files: list[Path], labels: LabelSet, columns: int = 3, most: int = 24) -> None:
    """Write a sheet of up to `most` scenes, evenly spread over `files`, with `columns` scenes in a row."""
    from PIL import Image

    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).astype(int))]
    strips = []
    for file in chosen:
        strip = np.concatenate(images(Scene.read(file), labels), 1)
        step = max(1, strip.shape[0] // 160)
        strips.append(strip[::step, ::step])
    height, width = np.max([strip.shape[:2] for strip in strips], 0)
    rows = -(-len(strips) // columns)
    canvas = np.full((rows * (height + 4), columns * (width + 8), 3), 255, np.uint8)
    for index, strip in enumerate(strips):
        y, x = (index // columns) * (height + 4), (index % columns) * (width + 8)
        canvas[y : y + strip.shape[0], x : x + strip.shape[1]] = strip
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        Image.fromarray(canvas).save(beside)
