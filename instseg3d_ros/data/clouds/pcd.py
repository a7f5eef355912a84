"""PCD files (Point Cloud Library): ascii, binary and binary_compressed; organised clouds keep their shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from instseg3d_ros.data.clouds.ascii_rows import read_rows, write_rows
from instseg3d_ros.data.clouds.lzf import decompress
from instseg3d_ros.data.clouds.pcd_header import Header, parse_header
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud, far_again, near_origin
from instseg3d_ros.messages.point_colors import find_colors


@dataclass
class OriginalPCD:
    """The whole file, including padding, histograms, alpha, comments and viewpoint."""

    header: Header
    table: np.ndarray  # (N,) structured; a field's name is its number, because names may repeat
    kinds: ClassVar[tuple[str, ...]] = (".pcd",)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.header.names)

    def write(self, path: Path, added: dict[str, np.ndarray], renamed: dict[str, str]) -> None:
        """See `Original`. An ascii file stays ascii, the others become binary."""
        names = [renamed.get(name, name) for name in self.header.names]
        columns = [self.table[field] for field in self.table.dtype.names or ()]
        _write(path, self.header, [*zip(names, columns), *added.items()])


def read_pcd(path: Path) -> Cloud:
    """Read a PCD; InputError on a header that does not fit the data. Field names may have capital letters."""
    path = Path(path)
    with reading(path, "PCD"), open(path, "rb") as file:
        header = parse_header(file, path)
        remarks: list[str] = []
        table = {"ascii": _read_ascii, "binary": _read_binary, "binary_compressed": _read_compressed}[header.encoding](
            file, header, path, remarks
        )
    columns: dict[str, np.ndarray] = {}
    for number, (name, count) in enumerate(zip(header.names, header.counts)):
        if name != "_" and count == 1:
            columns.setdefault(name, table[str(number)][:, 0])
    axes = [next((name for name in (axis, axis.upper()) if name in columns), None) for axis in "xyz"]
    missing = [axis for axis, name in zip("xyz", axes) if name is None]
    if missing:
        raise InputError(f"{path}: lacks the fields {', '.join(missing)}; it has {', '.join(header.names) or 'none'}")
    points, origin = near_origin(np.stack([columns.pop(name) for name in axes if name], axis=1))
    colors, used, remark = find_colors(columns)
    columns = {name: np.ascontiguousarray(column) for name, column in columns.items() if name not in used}
    shape = (header.height, header.width) if header.height > 1 and header.width > 1 else None
    return Cloud(
        points, colors, shape, name=path.stem, columns=columns, origin=origin,
        remarks=[*remarks, *([remark] if remark else [])], original=OriginalPCD(header, table),
    )  # fmt: skip


def _wrong_count(path: Path, header: Header, held: int | str) -> InputError:
    return InputError(
        f"{path}: the header promises {header.points} points, the file holds {held}; "
        "it is cut off or its header is wrong"
    )


def _read_ascii(file: BinaryIO, header: Header, path: Path, remarks: list[str]) -> np.ndarray:
    width = sum(header.counts)
    values = read_rows(file) if header.points else np.zeros((0, width))
    if values.shape != (header.points, width):
        raise _wrong_count(path, header, f"{values.shape[0]} of {values.shape[1]} numbers")
    table, start = np.zeros(header.points, header.dtype), 0
    with np.errstate(invalid="ignore", over="ignore"):  # NaN becomes 0 in integer columns
        for number, count in enumerate(header.counts):
            table[str(number)] = values[:, start : start + count]
            start += count
    return table


def _read_binary(file: BinaryIO, header: Header, path: Path, remarks: list[str]) -> np.ndarray:
    data = file.read()
    needed = header.points * header.step
    if len(data) < needed:
        raise _wrong_count(path, header, len(data) // max(header.step, 1))
    # PCL writes whole memory pages, with zeros after the last point.
    if len(data) - needed >= header.step and any(data[needed:]):
        remarks.append(f"{len(data) - needed} bytes behind the {header.points} points of the header were passed over")
    return np.frombuffer(data, header.dtype, header.points)


def _read_compressed(file: BinaryIO, header: Header, path: Path, remarks: list[str]) -> np.ndarray:
    """Read the LZF block, which contains the fields one after the other, each for all points."""
    sizes = np.frombuffer(file.read(8), "<u4")
    block = file.read()
    if len(sizes) < 2 or len(block) < sizes[0]:
        raise _wrong_count(path, header, f"{len(block)} compressed bytes of {sizes[0] if len(sizes) else '?'}")
    if sizes[1] != header.points * header.step:
        raise _wrong_count(path, header, int(sizes[1]) // max(header.step, 1))
    data = decompress(block[: sizes[0]], int(sizes[1]))
    table, offset = np.zeros(header.points, header.dtype), 0
    for number, (kind, count) in enumerate(zip(header.types, header.counts)):
        table[str(number)] = np.frombuffer(data, kind, header.points * count, offset).reshape(-1, count)
        offset += kind.itemsize * count * header.points
    return table


def write_pcd(path: Path, cloud: Cloud) -> None:
    """Write a binary PCD; an organised cloud stays organised."""
    points = far_again(cloud)
    parts = [(axis, points[:, index]) for index, axis in enumerate("xyz")]
    if cloud.colors is not None:
        rgb = cloud.colors.astype("<u4")
        # PCL expects a float rgb
        parts.append(("rgb", (rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]).view("<f4")))
    parts += [(name, column.astype(np.uint8) if column.dtype.kind == "b" else column)
              for name, column in cloud.columns.items()]  # fmt: skip
    height, width = cloud.shape or (1, len(cloud))
    _write(path, Header([], [], [], height, width, "binary"), parts)


def _write(path: Path, header: Header, parts: list[tuple[str, np.ndarray]]) -> None:
    """Write a file with the header's shape, encoding, comments and viewpoint, and the columns (N,) or (N, k)."""
    columns = [column.reshape(header.points, -1) for _, column in parts]
    types = [column.dtype.newbyteorder("<") for column in columns]
    whole = Header(
        [name for name, _ in parts], types, [column.shape[1] for column in columns], header.height, header.width,
        "ascii" if header.encoding == "ascii" else "binary", header.comments, header.viewpoint,
    )  # fmt: skip
    with open(path, "wb") as file:
        file.write(whole.text().encode("utf-8"))
        if whole.encoding == "ascii":
            write_rows(file, columns)
            return
        table = np.zeros(header.points, whole.dtype)
        for number, column in enumerate(columns):
            # Colours in a float are copied as integers, because some processors change the bits of a NaN.
            if column.dtype == np.dtype("<f4"):
                table[str(number)].view("<u4")[:] = np.ascontiguousarray(column).view("<u4")
            else:
                table[str(number)] = column
        table.tofile(file)
