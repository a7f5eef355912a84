"""Writes an interactive page of a cloud: a single file with cloud, objects and code, which needs no network.

write_page("room.html", points, colors, result, labels)
"""

from __future__ import annotations

import base64
import html
import json
import os
import zlib
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping.objects import MapObject
from instseg3d_ros.replacing import replacing
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.segmentation.upright import upright_rotation
from instseg3d_ros.viewing.choose_view import choose_view, near_walls
from instseg3d_ros.viewing.colors import NO_COLOR, UNLABELED, neighbor_colors
from instseg3d_ros.viewing.surface import cell_keys, describe, thin

BUDGET = 400_000
HERE = Path(__file__).parent
NO_CLASS = 255
LIGHT = np.array((0.36, 0.48, 0.8))  # direction of the light, such that walls at a corner differ in brightness
AMBIENT = 0.62
SIDES = 16  # number of view directions for which near walls are determined
FIELD = 50.0  # field of view of the page, in degrees


def write_page(
    path: str | os.PathLike,
    points: np.ndarray,
    colors: np.ndarray | None,
    result: Result,
    labels: LabelSet,
    title: str = "",
    budget: int = BUDGET,
    from_camera: bool = False,
) -> None:
    """Write the page of a cloud (N, 3) in body axes, NaN allowed, and its result.

    budget: largest number of points on the page; a larger cloud is thinned evenly, and the page says so. from_camera:
    the cloud is a camera's view from the origin; it is levelled, and the first view is that of the camera.
    """
    path = Path(path)
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    rotation = upright_rotation(points[finite]) if from_camera and len(finite) else np.eye(3)
    rows = sample(points[finite], budget)
    rows = finite[rows]
    levelled = (points[rows] @ rotation.T).astype(np.float32)
    normals, spacing = describe(levelled) if len(levelled) else (np.zeros((0, 3)), np.zeros(0))
    walls = np.zeros(len(levelled), np.uint16) if from_camera else wall_sides(levelled, normals)
    table = neighbor_colors(points, result.instance)
    meta, blob = pack(levelled, normals, walls, rows, len(finite), colors, result, labels, table)
    meta["walls"] = SIDES if walls.any() else 0
    meta["spacing"] = float(np.median(spacing)) if len(levelled) else 0.01
    meta["objects"] = _objects(result, rotation, meta.pop("table"))
    meta["view"] = _view(levelled, normals, rotation, from_camera, result.instance[rows])
    meta["title"] = title
    data = base64.b64encode(zlib.compress(blob, 6)).decode("ascii")
    text = (HERE / "template.html").read_text()
    for name, value in (
        ("title", html.escape(title or "Segmented cloud")),
        ("style", (HERE / "page.css").read_text()),
        ("library", (HERE / "vendor" / "three.min.js").read_text()),
        ("program", (HERE / "page.js").read_text()),
        ("meta", json.dumps(meta).replace("</", "<\\/")),
        ("data", data),
    ):
        text = text.replace(f"{{{{{name}}}}}", value, 1)
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def sample(points: np.ndarray, budget: int) -> np.ndarray:
    """Ascending rows of at most `budget` finite points: one per cell of the finest grid with at most `budget` cells."""
    if len(points) <= budget:
        return np.arange(len(points))
    low, high = 0.001, float(np.ptp(points, axis=0).max()) + 0.001
    best = thin(points, high)
    for _ in range(12):
        cell = float(np.sqrt(low * high))
        rows = thin(points, cell)
        if len(rows) <= budget:
            best, high = rows, cell
        else:
            low = cell
        if len(best) > 0.9 * budget:
            break
    return best[:budget]


def wall_sides(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(M,) uint16: bit k is set if the point belongs to a wall that hides the room from side k of SIDES."""
    sides = np.zeros(len(points), np.uint16)
    if len(points):
        for side, turn in enumerate(np.arange(SIDES) * 2 * np.pi / SIDES):
            hides = near_walls(points, normals, np.array((np.cos(turn), np.sin(turn))))
            sides |= (hides.astype(np.uint16) << side).astype(np.uint16)
    return sides


def pack(
    points: np.ndarray,
    normals: np.ndarray,
    walls: np.ndarray,
    rows: np.ndarray,
    total: int,
    colors: np.ndarray | None,
    result: Result,
    labels: LabelSet,
    table: dict[int, np.ndarray],
) -> tuple[dict, bytes]:
    """The page's description of the points (M, 3), and their bytes.

    The bytes contain, for all points one after the other: x, y, z uint16; r, g, b; class; instance uint16; walls uint16
    (`wall_sides`); confidence; light (from the normals). The points are in the order of a grid, because this compresses
    well. `rows` (M,): indices of the points in the result.
    """
    count = len(points)
    order = np.argsort(cell_keys(points, 0.05), kind="stable") if count else np.zeros(0, np.int64)
    points, rows = points[order], rows[order]
    low = points.min(axis=0) if count else np.zeros(3)
    extent = np.maximum(points.max(axis=0) - low if count else np.ones(3), 1e-6)
    place = np.rint((points - low) / extent * 65535).astype("<u2")
    ids = sorted(table)
    index = np.zeros(int(result.instance.max(initial=0)) + 1, "<u2")
    index[ids] = np.arange(1, len(ids) + 1)
    rgb = np.broadcast_to(NO_COLOR, (count, 3)) if colors is None else colors[rows]
    semantic = result.semantic[rows]
    parts = [
        *(np.ascontiguousarray(place[:, axis]) for axis in range(3)),
        *(np.ascontiguousarray(rgb[:, channel]) for channel in range(3)),
        np.where((semantic < 0) | (semantic >= NO_CLASS), NO_CLASS, semantic).astype(np.uint8),
        index[np.maximum(result.instance[rows], 0)],
        walls[order].astype("<u2"),
        np.rint(np.clip(result.confidence[rows], 0, 1) * 255).astype(np.uint8),
        np.rint(255 * (AMBIENT + (1 - AMBIENT) * np.abs(normals[order] @ LIGHT))).astype(np.uint8),
    ]
    seen = np.unique(semantic[semantic >= 0])
    meta = {
        "count": count,
        "total": total,
        "low": [float(v) for v in low],
        "extent": [float(v) for v in extent],
        "colored": colors is not None,
        "classes": {int(one): {"name": labels[int(one)].name, "color": list(labels[int(one)].color)} for one in seen},
        "unlabeled": [int(v) for v in UNLABELED],
        "milliseconds": result.timings.get("total"),
        "table": {one: [int(v) for v in table[one]] for one in ids},
    }
    return meta, b"".join(part.tobytes() for part in parts)


def _objects(result: Result, rotation: np.ndarray, table: dict[int, list[int]]) -> list[dict]:
    """Description of the objects in `table`, ascending by id, which is the order of their numbers in the points."""
    described = {one.id: one for one in result.instances}
    objects = []
    ids, counts = np.unique(result.instance, return_counts=True)
    size = dict(zip(ids.tolist(), counts.tolist()))
    for one in sorted(table):
        found = described.get(one)
        entry = {"id": one, "color": table[one], "points": size.get(one, 0)}
        if found is not None:
            if isinstance(found, MapObject):
                entry["seen"] = f"seen in {found.views} views, {_clock(found.first_seen)} to {_clock(found.last_seen)}"
            entry |= {
                "label": found.label,
                "score": float(found.score),
                "center": [float(v) for v in rotation @ found.box.center],
                "size": [float(v) for v in found.box.size],
                "rotation": [[float(v) for v in row] for row in rotation @ found.box.rotation],
            }
        objects.append(entry)
    return objects


def _clock(seconds: float) -> str:
    """A time of day if `seconds` is a time since 1970, otherwise the number of seconds."""
    if seconds > 1e8:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%H:%M:%S.%f")[:-5]
    return f"{seconds:.1f} s"


def _view(
    levelled: np.ndarray, normals: np.ndarray, rotation: np.ndarray, from_camera: bool, instance: np.ndarray
) -> dict:
    """Initial position and target of the page's camera, and the height above which a ceiling is hidden."""
    if not len(levelled):
        return {"position": [2, -2, 2], "target": [0, 0, 0], "cut": None, "camera": False}
    if from_camera:
        distance = float(np.median(np.linalg.norm(levelled, axis=1)))
        forward = rotation @ np.array((1.0, 0, 0))
        position, target, cut = -0.25 * distance * forward, distance * forward, None
    else:
        camera, keep = choose_view(levelled, normals, None, instance, 400)
        target = (levelled[keep].min(axis=0) + levelled[keep].max(axis=0)) / 2
        radius = float(np.linalg.norm(levelled[keep] - target, axis=1).max())
        away = (camera.position - target) / np.linalg.norm(camera.position - target)
        position = target + 0.92 * away * radius / np.sin(np.radians(FIELD) / 2)
        highest = float(levelled[keep, 2].max())
        cut = highest if highest < float(levelled[:, 2].max()) - 0.05 else None
    return {"position": position.tolist(), "target": target.tolist(), "cut": cut, "camera": from_camera}
