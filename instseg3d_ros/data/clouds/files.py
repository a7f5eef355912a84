"""Reads and writes cloud files of all formats by extension, and checks the extension against the first bytes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.data.clouds.las import read_las, write_las
from instseg3d_ros.data.clouds.npz import read_npz, write_npz
from instseg3d_ros.data.clouds.pcd import read_pcd, write_pcd
from instseg3d_ros.data.clouds.ply import read_ply, write_ply
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.data.clouds.rgbd import find_intrinsics, is_depth_image, read_rgbd
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.replacing import replacing

READERS: dict[str, Callable[..., Cloud]] = {
    ".ply": read_ply, ".pcd": read_pcd, ".npz": read_npz, ".las": read_las, ".laz": read_las, ".png": read_rgbd,
}  # fmt: skip
WRITERS = {".ply": write_ply, ".pcd": write_pcd, ".npz": write_npz, ".las": write_las, ".laz": write_las}
BAG_EXTENSIONS = (".mcap", ".db3", ".bag")
BAG_SIBLINGS = (".mcap.zstd", ".db3.zstd", ".bag.active")
EXTENSIONS = (*READERS, *BAG_EXTENSIONS)

_MAGIC = (
    (b"ply", ".ply"), (b"# .PCD", ".pcd"), (b"VERSION", ".pcd"), (b"PK\x03\x04", ".npz"), (b"LASF", ".las"),
    (b"\x89PNG", ".png"), (b"\x89MCAP", ".mcap"), (b"SQLite format 3", ".db3"), (b"#ROSBAG", ".bag"),
)  # fmt: skip
_SAME = {".laz": ".las"}


def is_bag(path: Path) -> bool:
    """Whether a path is a bag file, or a folder of a ROS 2 bag: with metadata.yaml, or with only name_0, name_1 …"""
    path = Path(path)
    if not path.is_dir():
        return kind_of(path) in (*BAG_EXTENSIONS, *BAG_SIBLINGS)
    if (path / "metadata.yaml").is_file():
        return True
    files = [file for file in path.iterdir() if not file.name.startswith(".")]
    parts = [re.fullmatch(r"(.+)_(\d+)\.(mcap|db3)(\.zstd)?", file.name) for file in files]
    return bool(files) and all(parts) and len({part[1] for part in parts if part}) == 1


def kind_of(path: Path) -> str:
    """The extension in lower case; both parts of extensions such as .mcap.zstd."""
    name = Path(path).name.lower()
    return next((kind for kind in BAG_SIBLINGS if name.endswith(kind)), Path(name).suffix)


def sniff(path: Path) -> str | None:
    """The extension that belongs to the file's first bytes; None if they are unknown."""
    with reading(path, "a cloud"), open(path, "rb") as file:
        head = file.read(32).removeprefix(b"\xef\xbb\xbf")  # the byte order mark of Windows' editors
    return next((extension for magic, extension in _MAGIC if head.startswith(magic)), None)


def check_kind(path: Path) -> str:
    """The extension in lower case. Raises InputError if it is unknown or contradicts the file, or the file is empty."""
    path = Path(path)
    extension = kind_of(path)
    if extension in BAG_SIBLINGS:
        return extension
    if extension not in EXTENSIONS:
        raise InputError(
            f"{path}: unknown file type '{extension}'; expected {', '.join(EXTENSIONS)} or a ROS 2 bag's folder"
        )
    actual = sniff(path)
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    if actual and actual != _SAME.get(extension, extension):
        raise InputError(
            f"{path}: its first bytes are those of a {actual[1:].upper()} file; rename it to {path.stem}{actual}"
        )
    return extension


def read_cloud(path: Path, **options: Any) -> Cloud:
    """Read a cloud. Raises InputError with one line that names the file and the problem.

    options are passed to the reader; only `read_rgbd` has options (color_path, camera, scale).
    """
    path = Path(path)
    extension = check_kind(path)
    if extension in (*BAG_EXTENSIONS, *BAG_SIBLINGS):
        raise InputError(f"{path}: is a bag; expected a file with one cloud")
    return READERS[extension](path, **options).checked(path)


def write_cloud(path: Path, cloud: Cloud) -> None:
    """Write a cloud atomically, in the format of the extension."""
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: cannot write '{path.suffix}'; one of: {', '.join(WRITERS)}")
    _replace(path, lambda beside: writer(beside, cloud))


def write_extended(path: Path, cloud: Cloud, added: dict[str, np.ndarray]) -> list[str]:
    """Write the cloud with additional columns (N,). In the format of the input file all its other data are kept.

    A column of the cloud with one of these names is renamed to `input_NAME`; returns a remark for each such column.
    """
    path = Path(path)
    original = cloud.original
    if original is not None and path.suffix.lower() not in original.kinds:
        original = None
    taken = (*cloud.columns, *(original.names if original is not None else ()))
    renamed = {name: _free_name(name, (*taken, *added)) for name in dict.fromkeys(taken) if name.lower() in added}
    if original is not None:
        _replace(path, lambda beside: original.write(beside, added, renamed))
    else:
        columns = {renamed.get(name, name): column for name, column in cloud.columns.items()}
        write_cloud(path, replace(cloud, columns={**columns, **added}))
    return [f"column '{name}' of the input is written as '{other}'" for name, other in renamed.items()]


def _free_name(name: str, taken: tuple[str, ...]) -> str:
    known = {word.lower() for word in taken}
    names = (f"input_{name}{number or ''}" for number in itertools.count())
    return next(candidate for candidate in names if candidate.lower() not in known)


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    with replacing(path) as beside:
        write(beside)


def find_inputs(patterns: Iterable[str | Path], camera_known: bool = False) -> list[Path]:
    """Cloud files and bags for paths, folders and globs, in the order of their names and without duplicates.

    A folder gives all inputs in it and in its sub-folders. The colour image of a depth image is not an input. Depth
    images of a folder need a file of intrinsics, unless the camera is known. Raises InputError if a pattern matches no
    input.
    """
    import glob

    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir() and not is_bag(path):
            inside = _inside(path, camera_known)
            if not inside:
                raise _nothing_in(path)
        elif path.exists():
            inside = [path]
        else:
            inside = []
            for match in map(Path, sorted(glob.glob(str(pattern), recursive=True))):
                if match.is_dir() and not is_bag(match):
                    inside += _inside(match, camera_known)
                elif match.suffix.lower() != ".png" or is_depth_image(match):
                    inside.append(match)
            if not inside:
                raise InputError(f"{pattern}: no such file, and no file matches it as a pattern")
        found.update(dict.fromkeys(inside))
    return list(found)


def _nothing_in(folder: Path) -> InputError:
    depth = len(_inside(folder, camera_known=True))
    if depth:
        return InputError(f"{folder}: {depth} depth images without intrinsics; give --intrinsics fx,fy,cx,cy or a file")
    return InputError(f"{folder}: no clouds in this folder; expected {', '.join('*' + e for e in EXTENSIONS)}")


def _inside(folder: Path, camera_known: bool) -> list[Path]:
    inputs = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inputs += [path] if is_bag(path) else _inside(path, camera_known)
        elif path.suffix.lower() == ".png":
            if is_depth_image(path) and (camera_known or find_intrinsics(path) is not None):
                inputs.append(path)
        elif kind_of(path) in (*EXTENSIONS, *BAG_SIBLINGS):
            inputs.append(path)
    return inputs
