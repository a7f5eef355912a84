"""Depth images: a depth PNG, its colour image and the camera's intrinsics become an organised cloud."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

OPTICAL_FRAME = "camera_optical_frame"
INTRINSICS_NAMES = ("intrinsics.json", "camera.json", "camera_info.yaml", "intrinsics.yaml", "intrinsics.txt")
COLOR_WORDS = ("color", "colour", "rgb", "image")
MAX_DEPTH = 65.0  # metres; a scale that puts the median farther away than this is wrong


@dataclass(frozen=True)
class Intrinsics:
    """Pinhole camera, in pixels of the depth image."""

    fx: float
    fy: float
    cx: float
    cy: float

    @staticmethod
    def from_matrix(matrix: np.ndarray) -> Intrinsics:
        """From a camera matrix K (3,3) in pixels; InputError where it cannot be one."""
        matrix = np.asarray(matrix, float)
        camera = Intrinsics(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
        if not np.isfinite(matrix).all() or camera.fx <= 0 or camera.fy <= 0:
            raise InputError(f"intrinsics have focal lengths {camera.fx}, {camera.fy}; expected positive pixels")
        return camera

    @staticmethod
    def parse(text: str) -> Intrinsics:
        """`fx,fy,cx,cy`, or the path of a file: Open3D's or our JSON, a ROS camera_info YAML, or nine numbers."""
        numbers = text.split(",")
        if len(numbers) == 4:
            try:
                fx, fy, cx, cy = (float(number) for number in numbers)
            except ValueError:
                raise InputError(f"intrinsics '{text}' are not four numbers fx,fy,cx,cy in pixels") from None
            return Intrinsics.from_matrix(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
        return Intrinsics.read(Path(text))

    @staticmethod
    def read(path: Path) -> Intrinsics:
        """From `fx,fy,cx,cy`, a JSON or a camera_info YAML; InputError names what is wrong with it."""
        with reading(path, "camera intrinsics"):
            text = path.read_text()
            if path.suffix == ".json":
                content = json.loads(text)
                if "intrinsic_matrix" in content:  # Open3D: nine numbers by column
                    return Intrinsics.from_matrix(np.reshape(content["intrinsic_matrix"], (3, 3)).T)
                if "K" in content or "k" in content:
                    return Intrinsics.from_matrix(np.reshape(content.get("K", content.get("k")), (3, 3)))
                return Intrinsics.parse(",".join(str(content[key]) for key in ("fx", "fy", "cx", "cy")))
            if path.suffix in (".yaml", ".yml"):
                import yaml

                content = yaml.safe_load(text)
                for key in ("camera_matrix", "K", "k"):
                    if key in content:
                        matrix = content[key]["data"] if isinstance(content[key], dict) else content[key]
                        return Intrinsics.from_matrix(np.reshape(matrix, (3, 3)))
                raise ValueError("no camera_matrix or k in it")
            matrix = np.array(text.replace(",", " ").split(), float)
            side = 4 if matrix.size == 16 else 3  # ScanNet writes 4 × 4
            return Intrinsics.from_matrix(matrix.reshape(side, side)[:3, :3])


def back_project(depth: np.ndarray, camera: Intrinsics) -> np.ndarray:
    """(H·W, 3) float32 points in optical axes (x right, y down, z forward) of a depth image (H, W) in metres.

    Depth that is zero, negative or not finite becomes a NaN point, so that the cloud stays organised.
    """
    height, width = depth.shape
    z = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan).astype(np.float32)
    x = (np.arange(width, dtype=np.float32) - np.float32(camera.cx)) / np.float32(camera.fx)
    y = (np.arange(height, dtype=np.float32) - np.float32(camera.cy)) / np.float32(camera.fy)
    return np.stack((x[None, :] * z, y[:, None] * z, z), axis=-1).reshape(-1, 3)


NO_DEPTH = (0, 65535)  # of 16 bits: both mean that the sensor saw nothing


def depth_in_metres(depth: np.ndarray, scale: float = 1000.0) -> np.ndarray:
    """(H, W) float32 metres, 0 where there is none; integers are `scale` to the metre, floats are metres."""
    if depth.dtype.kind == "f":
        return depth.astype(np.float32)
    metres = depth.astype(np.float32) / np.float32(scale)
    metres[np.isin(depth, NO_DEPTH)] = 0
    return metres


def is_depth_image(path: Path) -> bool:
    """Whether a PNG is a depth image by its name or its folder's: `depth/0001.png`, `0001_depth.png`, `depth.png`."""
    return path.suffix.lower() == ".png" and ("depth" in path.stem.lower() or "depth" in path.parent.name.lower())


def is_depth_of_pair(path: Path) -> bool:
    """A depth image whose camera is known: what a folder is searched for."""
    return is_depth_image(path) and (find_intrinsics(path) is not None)


def find_color(depth: Path) -> Path | None:
    """The colour image of a depth image: "color" or "rgb" stands for "depth" in its name or in its folder's."""
    for word in COLOR_WORDS:
        stem = re.sub("depth", word, depth.stem, flags=re.IGNORECASE)
        folder = depth.parent.with_name(re.sub("depth", word, depth.parent.name, flags=re.IGNORECASE))
        for candidate in (depth.parent / stem, folder / stem, folder / depth.stem):
            for suffix in (".png", ".jpg", ".jpeg"):
                image = candidate.with_name(candidate.name + suffix)
                if image != depth and image.is_file():
                    return image
    return None


def find_intrinsics(depth: Path) -> Path | None:
    """`<depth's name>.json`, or one of INTRINSICS_NAMES beside the image or a folder above."""
    own = depth.with_suffix(".json")
    if own.is_file():
        return own
    return next(
        (p / name for p in (depth.parent, depth.parent.parent) for name in INTRINSICS_NAMES if (p / name).is_file()),
        None,
    )


def read_rgbd(
    depth_path: Path,
    color_path: Path | None = None,
    camera: Intrinsics | None = None,
    scale: float = 1000.0,
) -> Cloud:
    """Cloud of a depth image. What is not given is looked for beside it (`find_color`, `find_intrinsics`).

    scale: depth units per metre (1000: the PNG holds millimetres). A colour image of another size is resampled: it must
    show what the depth image shows, pixel for pixel.
    """
    from PIL import Image

    depth_path = Path(depth_path)
    if camera is None:
        found = find_intrinsics(depth_path)
        if found is None:
            raise InputError(
                f"{depth_path}: no intrinsics beside it ({', '.join(INTRINSICS_NAMES)}); give --intrinsics fx,fy,cx,cy"
            )
        camera = Intrinsics.read(found)
    with reading(depth_path, "a depth image"), Image.open(depth_path) as image:
        if image.mode not in ("I;16", "I;16B", "I", "F"):
            raise InputError(f"{depth_path}: has {image.mode} pixels; a depth image has one channel of 16 bits")
        depth = np.asarray(image).astype(np.float32) / np.float32(scale)
    valid = depth[depth > 0]
    if len(valid) and float(np.median(valid)) > MAX_DEPTH:
        raise InputError(
            f"{depth_path}: with --depth-scale {scale:g} the median depth is {float(np.median(valid)):.0f} m; "
            "give the units per metre"
        )
    color_path = color_path or find_color(depth_path)
    colors = None
    if color_path is not None:
        with reading(color_path, "a colour image"), Image.open(color_path) as image:
            image = image.convert("RGB")
            if image.size != depth.shape[::-1]:
                image = image.resize(depth.shape[::-1], Image.Resampling.BILINEAR)
            colors = np.asarray(image).reshape(-1, 3)
    name = depth_path.stem if depth_path.stem.lower() != "depth" else depth_path.parent.name
    return Cloud(back_project(depth, camera), colors, depth.shape, OPTICAL_FRAME, name=name).checked(depth_path)
