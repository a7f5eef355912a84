"""Writes the outputs for a segmented cloud: the labelled cloud, its objects as JSON, a picture, and a page."""

from __future__ import annotations

import json
from pathlib import Path

from instseg3d_ros.data.clouds import write_extended
from instseg3d_ros.data.clouds.files import WRITERS
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.pointcloud2 import label_columns
from instseg3d_ros.offline.segmenting import Segmented
from instseg3d_ros.offline.settings import Settings
from instseg3d_ros.replacing import replacing
from instseg3d_ros.segmentation.result import Instance


def labelled_kind(source: Path) -> str:
    """Extension of the labelled cloud's file: the input's extension, or .ply for a depth image."""
    extension = source.suffix.lower()
    return extension if extension in WRITERS else ".ply"


def write_labelled(path: Path, segmented: Segmented) -> list[str]:
    """Write the cloud with `label` (65535: none), `instance` and `confidence` added to its fields; returns remarks."""
    result, cloud = segmented.result, segmented.cloud
    columns = label_columns(result.semantic, result.instance, result.confidence)
    return write_extended(path, cloud, columns)


def write_views(stem: Path, segmented: Segmented, labels: LabelSet, settings: Settings, title: str) -> None:
    """Write `stem`.png and, if in settings, `stem`.html."""
    from instseg3d_ros.viewing.picture import three_panels

    points, result = segmented.body_points, segmented.body_result
    cloud = segmented.cloud
    three_panels(points, cloud.colors, result, labels, f"{stem}.png", cloud.shape, title)
    if settings.html:
        from instseg3d_ros.viewing.page import write_page

        write_page(f"{stem}.html", points, cloud.colors, result, labels, title, settings.budget, segmented.from_camera)


def instance_json(one: Instance) -> dict:
    """id, class, score, points and box (metres, in the axes of the input) of an object."""
    return {
        "id": one.id,
        "class": one.label,
        "score": round(float(one.score), 4),
        "points": one.num_points,
        "box": {
            "center": [round(float(v), 5) for v in one.box.center],
            "size": [round(float(v), 5) for v in one.box.size],
            "rotation": [[round(float(v), 7) for v in row] for row in one.box.rotation],
        },
    }


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file atomically (`replacing`)."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(content, indent=1) + "\n")
