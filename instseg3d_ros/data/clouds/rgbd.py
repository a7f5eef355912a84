"""Computes organised clouds from depth PNGs, colour images and intrinsics."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from instseg3d_ros.data.clouds.intrinsics import ALIKE, BENT, Intrinsics
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

OPTICAL_FRAME = "camera_optical_frame"
INTRINSICS_NAMES = (
    "intrinsics.json", "camera.json", "camera_info.json", "intrinsic.json", "camera_intrinsics.json", "transforms.json",
    "camera_info.yaml", "intrinsics.yaml", "camera.yaml", "calibration.yaml", "ost.yaml", "camera_info.yml",
    "intrinsics.yml", "camera.yml", "calibration.yml",
    "intrinsics.txt", "camera-intrinsics.txt", "intrinsic_depth.txt", "camera_matrix.csv",
)  # fmt: skip
COLOR_WORDS = ("color", "colour", "rgb", "image")
COLOR_KINDS = (".png", ".jpg", ".jpeg")
NO_DEPTH = (0, 65535)  # 16-bit values without a measurement
MAX_DEPTH = 65.0  # metres; if the median depth is larger, the scale is wrong
TOGETHER = 0.05  # seconds; largest difference between the stamps of a depth image and its colour image


def depth_in_metres(depth: np.ndarray, scale: float = 1000.0) -> np.ndarray:
    """Depth (H, W) float32 in metres; 0: no depth. Integers are multiples of 1/`scale` metres, floats are metres."""
    if depth.dtype.kind == "f":
        return depth.astype(np.float32)
    metres = depth.astype(np.float32) / np.float32(scale)
    metres[np.isin(depth, NO_DEPTH)] = 0
    return metres


def back_project(depth: np.ndarray, camera: Intrinsics) -> np.ndarray:
    """Points (H·W, 3) float32, in optical axes (x right, y down, z forward), of a depth image (H, W) in metres.

    A pixel with a depth that is zero, negative or not finite becomes a NaN point, so that the cloud stays organised.
    """
    height, width = depth.shape
    z = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan).astype(np.float32)
    x = (np.arange(width, dtype=np.float32) - np.float32(camera.cx)) / np.float32(camera.fx)
    y = (np.arange(height, dtype=np.float32) - np.float32(camera.cy)) / np.float32(camera.fy)
    return np.stack((x[None, :] * z, y[:, None] * z, z), axis=-1).reshape(-1, 3)


def is_depth_image(path: Path) -> bool:
    """Whether its name or folder marks a PNG as depth image: `depth/0001.png`, `0001_depth.png`, `depth.png`."""
    return path.suffix.lower() == ".png" and ("depth" in path.stem.lower() or "depth" in path.parent.name.lower())


def find_color(depth: Path) -> Path | None:
    """The colour image of a depth image: its name or folder has "color" or "rgb" in place of "depth".

    If no such name exists and names are stamps, as in TUM's data sets, it is the nearest image within `TOGETHER`.
    """
    nearby: list[Path] = []
    for word in COLOR_WORDS:
        stem = re.sub("depth", word, depth.stem, flags=re.IGNORECASE)
        folder = depth.parent.with_name(re.sub("depth", word, depth.parent.name, flags=re.IGNORECASE))
        for candidate in (depth.parent / stem, folder / stem, folder / depth.stem):
            for suffix in COLOR_KINDS:
                image = candidate.with_name(candidate.name + suffix)
                if image != depth and image.is_file():
                    return image
        if folder != depth.parent and folder.is_dir():
            nearby += folder.iterdir()
        elif "depth" in depth.stem.lower():
            nearby += depth.parent.glob(f"*{word}*")
    stamp = stamp_in(depth.stem)
    if stamp is None:
        return None
    images = {path: other for path in nearby if path.suffix.lower() in COLOR_KINDS
              and (other := stamp_in(path.stem)) is not None}  # fmt: skip
    best = min(images, key=lambda path: (abs(images[path] - stamp), path.name), default=None)
    return best if best is not None and abs(images[best] - stamp) <= TOGETHER else None


def stamp_in(name: str) -> float | None:
    """The last number in a name in seconds, if it is a time since 1970 in s, ms, µs or ns; otherwise None."""
    numbers = re.findall(r"\d+(?:\.\d+)?", name)
    value = float(numbers[-1]) if numbers else 0.0
    return next((value / unit for unit in (1.0, 1e3, 1e6, 1e9) if 1e8 <= value / unit < 1e10), None)


def find_intrinsics(depth: Path) -> Path | None:
    """`<depth's name>.json`, or one of INTRINSICS_NAMES in the folder of the image or in its parent folder."""
    beside = depth.with_suffix(".json")
    if beside.is_file():
        return beside
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
    """The cloud of a depth image. Colour image and intrinsics are searched (`find_color`, `find_intrinsics`) if None.

    scale: depth units per metre (1000: the PNG has millimetres). Intrinsics of another size are scaled. The colour
    image must be registered to the depth image. A colour image of another size is resampled; a colour image with
    another aspect ratio is ignored, with a remark.
    """
    from PIL import Image

    depth_path = Path(depth_path)
    source = find_intrinsics(depth_path) if camera is None else None
    if camera is None and source is None:
        raise InputError(
            f"{depth_path}: no file of intrinsics in its folder ({', '.join(INTRINSICS_NAMES[:3])} …); "
            "give --intrinsics fx,fy,cx,cy"
        )
    with reading(depth_path, "a depth image"), Image.open(depth_path) as image:
        if camera is None and source is not None:
            camera = Intrinsics.read(source, image.size)
        if image.mode not in ("I;16", "I;16B", "I", "F"):
            raise InputError(f"{depth_path}: has {image.mode} pixels; a depth image has one channel of 16 bits")
        depth = depth_in_metres(np.asarray(image), scale)
    height, width = depth.shape
    assert camera is not None
    try:
        camera = camera.for_image(width, height)
    except InputError as error:
        raise InputError(f"{depth_path}: {error}") from None
    valid = depth[np.isfinite(depth) & (depth > 0)]
    if len(valid) and float(np.median(valid)) > MAX_DEPTH:
        raise InputError(
            f"{depth_path}: with --depth-scale {scale:g} the median depth is {float(np.median(valid)):.0f} m; "
            "set --depth-scale to the units per metre"
        )
    remarks = _remarks(depth_path, camera, scale)
    colors = _colors(color_path or find_color(depth_path), width, height, remarks)
    name = depth_path.stem if depth_path.stem.lower() != "depth" else depth_path.parent.name
    points = back_project(depth, camera)
    return Cloud(points, colors, depth.shape, OPTICAL_FRAME, name=name, remarks=remarks).checked(depth_path)


def _remarks(depth: Path, camera: Intrinsics, scale: float) -> list[str]:
    remarks = []
    if camera.distortion > BENT:
        remarks.append("the intrinsics have lens distortion, which is not removed; rectify the images first")
    if scale == 1000 and (depth.parent.parent / "depth.txt").is_file() and (depth.parent.parent / "rgb.txt").is_file():
        remarks.append(
            "the folder has TUM's layout, whose depth images have 5000 units per metre; set --depth-scale 5000"
        )
    return remarks


def _colors(path: Path | None, width: int, height: int, remarks: list[str]) -> np.ndarray | None:
    """Colours (H·W, 3) uint8 at the size of the depth image; None, with a remark, if the aspect ratio differs."""
    from PIL import Image

    if path is None:
        return None
    with reading(path, "a colour image"), Image.open(path) as image:
        if abs(image.width * height / (image.height * width) - 1) > ALIKE:
            remarks.append(
                f"colour ignored: {path.name} has {image.width} × {image.height} pixels, the depth image "
                f"{width} × {height}: another aspect ratio, so that they are not registered"
            )
            return None
        image = image.convert("RGB")
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image).reshape(-1, 3)
