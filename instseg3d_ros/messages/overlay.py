"""Draws the objects over the camera image, for organised clouds."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.colors import object_colors
from instseg3d_ros.segmentation.result import Result

OPACITY = 0.45
EDGE = (255, 255, 255)
GRID = 4  # pixels between samples for the middle of an object


def overlay_picture(cloud: Cloud, result: Result) -> np.ndarray:
    """(height, width, 3) uint8 of an organised cloud: objects tinted, outlined and named."""
    assert cloud.shape is not None
    height, width = cloud.shape
    picture = _background(cloud)
    ids, rows = np.unique(result.instance, return_inverse=True)
    # Blending by lookup table: for each object and brightness, opacity × its colour + (1 − opacity) × brightness.
    tint = np.rint(OPACITY * object_colors(ids)).astype(np.uint8)
    dimmed = np.rint((1 - OPACITY) * np.arange(256)).astype(np.uint8)
    picture = np.where((result.instance > 0)[:, None], dimmed[picture] + tint[rows], picture)
    picture = picture.reshape(height, width, 3)
    ids = result.instance.reshape(height, width)
    edge = np.zeros((height, width), bool)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    picture[edge & (ids > 0)] = EDGE
    _write_names(picture, ids, result)
    return picture


def _background(cloud: Cloud) -> np.ndarray:
    """(N, 3) uint8: the colours of the cloud, or, without colours, the distance in grey (near is bright)."""
    if cloud.colors is not None:
        return cloud.colors
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.nan_to_num(np.linalg.norm(cloud.points, axis=1), nan=np.inf, posinf=np.inf)
        grey = np.clip(230 / (1 + distance / 3), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, None], 3, axis=1)


def _write_names(picture: np.ndarray, ids: np.ndarray, result: Result) -> None:
    try:
        from PIL import Image as Canvas
        from PIL import ImageDraw, ImageFont
    except ImportError:  # without Pillow objects have no names
        return
    canvas = Canvas.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    try:
        font = ImageFont.load_default(size=max(10, picture.shape[0] // 30))
    except TypeError:  # Pillow before 10.1 has one small font
        font = ImageFont.load_default()
    coarse = ids[::GRID, ::GRID]  # a coarse grid is exact enough for the middle of an object
    for one in result.instances:
        rows, columns = np.nonzero(coarse == one.id)
        if len(rows):
            place = GRID * float(np.median(columns)), GRID * float(np.median(rows))
            draw.text(place, f"{one.label} #{one.id}", fill=(255, 255, 255), font=font, anchor="mm", stroke_width=1,
                      stroke_fill=(0, 0, 0))  # fmt: skip
    picture[:] = np.asarray(canvas)
