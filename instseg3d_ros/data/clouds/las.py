"""Reads and writes LAS and LAZ files with laspy (an extra: `pip install laspy[lazrs]`)."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud, far_again, near_origin
from instseg3d_ros.messages.point_colors import find_colors

RGB = ("red", "green", "blue")


@dataclass
class OriginalLAS:
    """The file as laspy's LasData: projection records, scale, offset, and all dimensions in their types."""

    content: Any
    kinds: ClassVar[tuple[str, ...]] = (".las", ".laz")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.content.point_format.dimension_names)

    def write(self, path: Path, added: dict[str, np.ndarray], renamed: dict[str, str]) -> None:
        """See `Original`. New columns become extra bytes; only extra bytes can be renamed."""
        content, laspy = self.content, _laspy()
        form, array = content.point_format, content.points.array
        form.dimensions = [d._replace(name=renamed.get(d.name, d.name)) for d in form.dimensions]
        array.dtype.names = tuple(renamed.get(name, name) for name in array.dtype.names)
        content.add_extra_dims([laspy.ExtraBytesParams(name=name, type=c.dtype) for name, c in added.items()])
        for name, column in added.items():
            content[name] = column
        _save(content, path)


def _laspy() -> ModuleType:
    try:
        import laspy
    except ImportError:
        raise InputError("LAS and LAZ need laspy, which is not installed; run: pip install 'laspy[lazrs]'") from None
    return laspy


def read_las(path: Path) -> Cloud:
    """Read points and, if present, colours; intensity, classification and extra bytes become columns."""
    laspy, path = _laspy(), Path(path)
    with reading(path, "LAS"):
        _check_header(path)
        if path.suffix.lower() == ".laz" and not laspy.LazBackend.detect_available():
            raise InputError(f"{path}: LAZ needs lazrs, which is not installed: pip install 'laspy[lazrs]'")
        with _silent_decoder():
            content = laspy.read(path)
        promised, held = content.header.point_count, len(content.points)
        if promised != held:
            raise InputError(f"{path}: the header promises {promised} points, the file holds {held}; it is cut off")
        points, origin = near_origin(np.asarray(content.xyz, np.float64).reshape(-1, 3))
        names = set(content.point_format.dimension_names)
        colors, remark = None, ""
        if {*RGB} <= names and held:
            colors, _, remark = find_colors({name: np.asarray(content[name]) for name in RGB})
        kept = {"intensity", "classification", *content.point_format.extra_dimension_names} & names
        columns = {name: np.asarray(content[name]) for name in sorted(kept)}
    columns = {name: column for name, column in columns.items() if column.ndim == 1}
    remarks = [remark] if remark else []
    return Cloud(
        points, colors, name=path.stem, columns=columns, origin=origin, remarks=remarks, original=OriginalLAS(content)
    )


@contextmanager
def _silent_decoder() -> Iterator[None]:
    """Suppress the stack trace that the LAZ decoder writes to standard error when it panics."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _check_header(path: Path) -> None:
    """Check the counts of the header against the size of the file, because laspy does not and may loop very long."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(375)
    if len(head) < 227 or head[:4] != b"LASF":
        raise ValueError("no LAS header")
    first_point, records = struct.unpack_from("<II", head, 96)
    extended_start, extended = struct.unpack_from("<QI", head, 235) if head[25] >= 4 and len(head) == 375 else (0, 0)
    if first_point > size or 54 * records > first_point or (extended and extended_start + 60 * extended > size):
        raise ValueError("its header promises more than the file holds")


def write_las(path: Path, cloud: Cloud) -> None:
    """Write the finite points as LAS 1.4, or as LAZ by the extension; columns unknown to LAS become extra bytes."""
    laspy, path = _laspy(), Path(path)
    keep = cloud.finite
    points = far_again(cloud).astype(np.float64)[keep]
    header = laspy.LasHeader(point_format=7 if cloud.colors is not None else 6, version="1.4")
    header.scales = np.full(3, 0.0001)
    header.offsets = np.zeros(3) if cloud.origin is None else cloud.origin
    known = set(header.point_format.dimension_names)
    extra = {name: column for name, column in cloud.columns.items() if name not in known}
    header.add_extra_dims([laspy.ExtraBytesParams(name=name, type=column.dtype) for name, column in extra.items()])
    content = laspy.LasData(header)
    content.x, content.y, content.z = points.T
    if cloud.colors is not None:
        content.red, content.green, content.blue = cloud.colors[keep].T.astype(np.uint16) * 257
    for name, column in cloud.columns.items():
        content[name] = column[keep]
    _save(content, path)


def _save(content: Any, path: Path) -> None:
    with open(path, "wb") as file:
        content.write(file, do_compress=path.suffix.lower() == ".laz")
