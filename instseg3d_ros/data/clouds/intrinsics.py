"""Reads the intrinsics of pinhole cameras from the file formats of many programs (docs/files.md lists them)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError

MATRIX_KEYS = ("camera_matrix", "cameramatrix", "intrinsic_matrix", "k", "cam_k", "intrinsic", "intrinsics", "matrix")
NUMBER_KEYS = {
    "fx": ("fx", "fl_x", "f_x", "focal_x", "fx_depth"), "fy": ("fy", "fl_y", "f_y", "focal_y", "fy_depth"),
    "cx": ("cx", "ppx", "c_x", "px", "mx_depth"), "cy": ("cy", "ppy", "c_y", "py", "my_depth"),
}  # fmt: skip
WIDTH_KEYS, HEIGHT_KEYS = ("width", "image_width", "w", "depthwidth"), ("height", "image_height", "h", "depthheight")
SIZE_KEYS = ("resolution", "image_size", "img_size")
DISTORTION_KEYS = ("d", "coeffs", "distortion_coefficients", "dist_coeffs", "distortion")
DEPTH_WORDS = ("depth", "ir")  # parts of the name of a depth camera, in files with several cameras
ALIKE = 0.02  # largest relative difference of equal aspect ratios
MARGIN = 0.1  # share of the image's side; a principal point nearer to the edge is refused
BENT = 0.01  # distortion coefficient above which the distortion is visible


@dataclass(frozen=True)
class Intrinsics:
    """Intrinsics in pixels of an image of width × height; the size is None if it is unknown.

    distortion: the distortion coefficient with the largest absolute value.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int | None = None
    height: int | None = None
    distortion: float = 0.0

    @staticmethod
    def from_matrix(matrix: np.ndarray, width: int | None = None, height: int | None = None) -> Intrinsics:
        """From a camera matrix K (3, 3) in pixels, by rows or by columns. Raises InputError if it is invalid."""
        matrix = np.asarray(matrix, float)
        if not matrix[:2, 2].any() and matrix[2, :2].any():
            matrix = matrix.T
        fx, fy, cx, cy = (float(matrix[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
        camera = Intrinsics(fx, fy, cx, cy, width, height)
        if not np.isfinite(matrix).all() or camera.fx <= 0 or camera.fy <= 0:
            raise InputError(f"intrinsics have focal lengths {camera.fx}, {camera.fy}; expected positive pixels")
        return camera

    @staticmethod
    def parse(text: str) -> Intrinsics:
        """From a text `fx,fy,cx,cy`, or from the path of a file (`read`)."""
        numbers = text.split(",")
        if len(numbers) == 4:
            try:
                fx, fy, cx, cy = (float(number) for number in numbers)
            except ValueError:
                raise InputError(f"intrinsics '{text}' are not four numbers fx,fy,cx,cy in pixels") from None
            return Intrinsics.from_matrix(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
        return Intrinsics.read(Path(text))

    @staticmethod
    def read(path: Path, size: tuple[int, int] | None = None) -> Intrinsics:
        """From a JSON, YAML or text file. Raises InputError that names the problem of the file.

        size (width, height): if the file has several cameras, the camera with this image size is chosen.
        """
        with reading(path, "camera intrinsics", "see docs/files.md for the files that are understood"):
            cameras = list(_cameras(_content(path)))
            if not cameras:
                raise ValueError("the file has neither a camera matrix nor fx, fy, cx, cy")
        same = [camera for _, camera in cameras if size is not None and (camera.width, camera.height) == size]
        depth = [camera for name, camera in cameras if any(word in name.lower() for word in DEPTH_WORDS)]
        return (same or depth or [camera for _, camera in cameras])[0]

    def for_image(self, width: int, height: int) -> Intrinsics:
        """The intrinsics scaled to an image size. Raises InputError if the image cannot be of this camera."""
        if self.width and self.height and (self.width, self.height) != (width, height):
            if abs(self.width * height / (self.height * width) - 1) > ALIKE:
                raise InputError(
                    f"intrinsics are for {self.width} × {self.height} pixels, but the depth image has {width} × "
                    f"{height}, another aspect ratio; give the intrinsics of the depth image"
                )
            x, y = width / self.width, height / self.height
            return replace(
                self, fx=self.fx * x, fy=self.fy * y, cx=(self.cx + 0.5) * x - 0.5, cy=(self.cy + 0.5) * y - 0.5,
                width=width, height=height,
            )  # fmt: skip
        if not (MARGIN < self.cx / width < 1 - MARGIN and MARGIN < self.cy / height < 1 - MARGIN):
            raise InputError(
                f"the principal point {self.cx:g}, {self.cy:g} is far from the middle of a depth image of {width} × "
                f"{height} pixels; give the intrinsics of the depth image"
            )
        return replace(self, width=width, height=height)


def _content(path: Path) -> Any:
    """Content of a file as dictionaries, lists and numbers."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".json":
        return json.loads(text)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _yaml(text)
    pairs = re.findall(r"^\s*([A-Za-z][\w.]*)\s*[:=]\s*(\S+)\s*$", text, re.MULTILINE)
    if pairs:  # ScanNet's `fx_depth = 577.87`
        return dict(pairs)
    return [float(word) for word in re.split(r"[\s,;\[\]]+", text) if word]


def _yaml(text: str) -> Any:
    """The first document of a YAML file of ROS, camera_calibration, Kalibr or OpenCV."""
    import yaml

    class Loader(yaml.SafeLoader):
        """A YAML loader that reads OpenCV's matrices as mappings of rows, cols and data."""

    Loader.add_multi_constructor(
        "tag:yaml.org,2002:opencv-", lambda loader, _, node: loader.construct_mapping(node, deep=True)
    )
    # OpenCV's files begin with "%YAML:1.0", which is not a valid directive.
    text = re.sub(r"^%YAML.*$", "", text, flags=re.MULTILINE).strip().removeprefix("---")
    return next((document for document in yaml.load_all(text, Loader) if document), None)


def _cameras(content: Any, name: str = "") -> list[tuple[str, Intrinsics]]:
    """All cameras in the content, with their keys; cameras with fewer enclosing keys come first."""
    if isinstance(content, list):
        matrix = _matrix(content)
        return [] if matrix is None else [(name, Intrinsics.from_matrix(matrix))]
    if not isinstance(content, dict):
        return []
    # ORB-SLAM writes Camera.fx, Camera1.fx
    entries = {re.sub(r"^camera\d*\.", "", str(key).lower()): value for key, value in content.items()}
    matrix = next((m for key in MATRIX_KEYS if (m := _matrix(entries.get(key))) is not None), None)
    if matrix is None:
        numbers = [next((entries[key] for key in keys if key in entries), None) for keys in NUMBER_KEYS.values()]
        if None not in numbers:
            fx, fy, cx, cy = (float(number) for number in numbers)  # type: ignore[arg-type]
            matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    if matrix is not None:
        camera = Intrinsics.from_matrix(matrix, *_size(entries))
        return [(name, replace(camera, distortion=_distortion(entries)))]
    return [camera for key, value in content.items() for camera in _cameras(value, f"{name}.{key}")]


def _matrix(value: Any) -> np.ndarray | None:
    """Matrix (3, 3) from nested or flat lists, or from fx, fy, cx, cy; None if the value is none of these."""
    if isinstance(value, dict):
        value = value.get("data")
    try:
        numbers = np.array(value, float)
    except (TypeError, ValueError):
        return None
    if numbers.size == 4 and numbers.ndim == 1:
        fx, fy, cx, cy = numbers
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    if numbers.size not in (9, 12, 16):  # 3 × 4 is a projection; ScanNet writes 4 × 4
        return None
    return numbers.reshape(3 if numbers.size < 16 else 4, -1)[:3, :3]


def _size(entries: dict[str, Any]) -> tuple[int | None, int | None]:
    listed = next((entries[key] for key in SIZE_KEYS if key in entries), None)
    listed = listed.get("data") if isinstance(listed, dict) else listed
    if isinstance(listed, list) and len(listed) == 2:
        return int(listed[0]), int(listed[1])
    sides = [
        next((int(float(entries[key])) for key in keys if key in entries), 0) for keys in (WIDTH_KEYS, HEIGHT_KEYS)
    ]
    return (sides[0], sides[1]) if all(sides) else (None, None)


def _distortion(entries: dict[str, Any]) -> float:
    value = next((entries[key] for key in DISTORTION_KEYS if key in entries), None)
    if value is None:
        return 0.0
    try:
        return float(np.abs(np.array(value.get("data") if isinstance(value, dict) else value, float)).max(initial=0))
    except (TypeError, ValueError):
        return 0.0
