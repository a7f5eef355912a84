"""Reads and writes the vertices of PLY files, ascii or binary of either byte order; other elements are copied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from instseg3d_ros.data.clouds.ascii_rows import read_rows, write_rows
from instseg3d_ros.data.clouds.ply_header import NAMES, Element, Header, parse_header, vertex_lines
from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud, far_again, near_origin
from instseg3d_ros.messages.point_colors import TRIPLES, find_colors


@dataclass
class OriginalPLY:
    """The whole file except lists of the vertices; `before` and `after`: bytes of the other elements."""

    header: Header
    table: np.ndarray  # (N,) structured
    before: bytes
    after: bytes
    kinds: ClassVar[tuple[str, ...]] = (".ply",)

    @property
    def names(self) -> tuple[str, ...]:
        return self.table.dtype.names or ()

    def write(self, path: Path, added: dict[str, np.ndarray], renamed: dict[str, str]) -> None:
        """See `Original`. The format remains ascii, or binary with the same byte order."""
        stored = {name: _storable(column) for name, column in added.items()}
        lines = [f"property {NAMES[column.dtype.str[1:]]} {name}" for name, column in stored.items()]
        columns = {**{renamed.get(name, name): self.table[name] for name in self.names}, **stored}
        _write(
            path, vertex_lines(self.header.lines, renamed, lines), self.header.order, columns, self.before, self.after
        )


def read_ply(path: Path) -> Cloud:
    """Read the vertices of a PLY; InputError on a header that does not fit the data."""
    path = Path(path)
    remarks: list[str] = []
    with reading(path, "PLY"), open(path, "rb") as file:
        header = parse_header(file, path)
        names = [element.name for element in header.elements]
        if "vertex" not in names:
            raise InputError(f"{path}: has no element 'vertex'; its elements: {', '.join(names) or 'none'}")
        position = names.index("vertex")
        vertex = header.elements[position]
        start = file.tell()
        for element in header.elements[:position]:
            _skip(file, element, header.order)
        length = file.tell() - start
        file.seek(start)
        before = file.read(length)
        if vertex.has_list:
            lists = ", ".join(name for name, kind in vertex.properties if isinstance(kind, tuple))
            remarks.append(f"the list of each vertex ({lists}) is passed over")
            table = _read_with_lists(file, vertex, header.order, path)
        else:
            table = (_read_binary if header.order else _read_ascii)(file, vertex, header.order, path)
        after = file.read()
        if not any(element.count for element in header.elements[position + 1 :]):
            _check_end(after, vertex, header.order, path)
            after = b""
    return _cloud(table, path, remarks, OriginalPLY(header, table, before, after))


def _skip(file: BinaryIO, element: Element, order: str) -> None:
    """Skip an element before the vertices."""
    if not order:
        for _ in range(element.count):
            file.readline()
    elif not element.has_list:
        file.seek(element.count * element.dtype(order).itemsize, 1)
    else:
        for _ in range(element.count):
            for _, kind in element.properties:
                if isinstance(kind, tuple):
                    size = np.dtype(order + kind[0])
                    items = int(np.frombuffer(file.read(size.itemsize), size)[0])
                    file.seek(items * np.dtype(kind[1]).itemsize, 1)
                else:
                    file.seek(np.dtype(kind).itemsize, 1)


def _read_binary(file: BinaryIO, vertex: Element, order: str, path: Path) -> np.ndarray:
    dtype = vertex.dtype(order)
    start = file.tell()
    rest = file.seek(0, 2) - start
    file.seek(start)
    if rest < vertex.count * dtype.itemsize:
        raise _cut_off(path, vertex, rest // max(dtype.itemsize, 1))
    return np.fromfile(file, dtype, vertex.count)


def _cut_off(path: Path, vertex: Element, held: int | str) -> InputError:
    return InputError(
        f"{path}: the header promises {vertex.count} vertices, the file holds {held}; "
        "it is cut off or its header is wrong"
    )


def _check_end(after: bytes, vertex: Element, order: str, path: Path) -> None:
    """Raise InputError if more follows the last vertex than zeros, blanks, or less than a whole vertex."""
    if order and len(after) >= vertex.dtype(order).itemsize and any(after):
        raise InputError(
            f"{path}: {len(after)} bytes follow the {vertex.count} vertices of the header; the count is wrong"
        )
    if not order and after.strip(b"\0 \t\r\n\x1a"):
        raise InputError(f"{path}: lines follow the {vertex.count} vertices of the header; the count is wrong")


def _read_ascii(file: BinaryIO, vertex: Element, order: str, path: Path) -> np.ndarray:
    values = np.zeros((0, len(vertex.properties)))
    if vertex.count:
        values = read_rows(file, vertex.count)
    if values.shape != (vertex.count, len(vertex.properties)):
        raise InputError(
            f"{path}: the header promises {vertex.count} vertices of {len(vertex.properties)} numbers, "
            f"the file holds {values.shape[0]} of {values.shape[1]}; it is cut off or its header is wrong"
        )
    table = np.zeros(vertex.count, vertex.dtype(order))
    for index, (name, _) in enumerate(vertex.properties):
        table[name] = values[:, index]
    return table


def _read_with_lists(file: BinaryIO, vertex: Element, order: str, path: Path) -> np.ndarray:
    """Read vertices one by one, because lists give them different lengths."""
    table = np.zeros(vertex.count, vertex.dtype(order))
    for row in range(vertex.count):
        words = [] if order else file.readline().split()
        place = 0
        try:
            for name, kind in vertex.properties:
                if isinstance(kind, tuple) and order:
                    items = _number(file, order + kind[0])
                    file.seek(int(items) * np.dtype(kind[1]).itemsize, 1)
                elif isinstance(kind, tuple):
                    place += 1 + int(words[place])
                elif order:
                    table[name][row] = _number(file, order + kind)
                else:
                    table[name][row] = float(words[place])
                    place += 1
        except (IndexError, ValueError):
            raise _cut_off(path, vertex, row) from None
    return table


def _number(file: BinaryIO, kind: str) -> np.generic:
    dtype = np.dtype(kind)
    return np.frombuffer(file.read(dtype.itemsize), dtype)[0]


def _cloud(table: np.ndarray, path: Path, remarks: list[str], original: OriginalPLY) -> Cloud:
    names = table.dtype.names or ()
    axes = [next((name for name in (axis, axis.upper()) if name in names), "") for axis in "xyz"]
    missing = [axis for axis, name in zip("xyz", axes) if not name]
    if missing:
        raise InputError(f"{path}: vertices lack {', '.join(missing)}; they have {', '.join(names) or 'nothing'}")
    points, origin = near_origin(np.stack([table[axis] for axis in axes], axis=1))
    columns = {name: table[name] for name in names if name not in axes}
    colors, used, remark = find_colors(columns)
    columns = {name: np.ascontiguousarray(column) for name, column in columns.items() if name not in used}
    remarks = [*remarks, remark] if remark else remarks
    return Cloud(
        points, colors, name=path.stem, columns=columns, origin=origin, remarks=remarks, original=original
    )  # fmt: skip


def write_ply(path: Path, cloud: Cloud) -> None:
    """Write a binary little-endian PLY of points, colours and columns."""
    points = far_again(cloud)
    columns = {axis: points[:, index] for index, axis in enumerate("xyz")}
    if cloud.colors is not None:
        columns |= {name: cloud.colors[:, index] for index, name in enumerate(TRIPLES[0])}
    columns |= {name: _storable(column) for name, column in cloud.columns.items()}
    lines = ["format binary_little_endian 1.0", f"element vertex {len(cloud)}"]
    lines += [f"property {NAMES[column.dtype.str[1:]]} {name}" for name, column in columns.items()]
    _write(path, lines, "<", columns)


def _write(
    path: Path, lines: list[str], order: str, columns: dict[str, np.ndarray], before: bytes = b"", after: bytes = b""
) -> None:
    """Write the columns between `before` and `after`, in the given byte order, or as text if `order` is empty."""
    with open(path, "wb") as file:
        file.write(("\n".join(["ply", *lines, "end_header"]) + "\n").encode("utf-8") + before)
        if not order:
            write_rows(file, list(columns.values()))
        else:
            count = len(next(iter(columns.values())))
            table = np.zeros(count, [(name, order + column.dtype.str[1:]) for name, column in columns.items()])
            for name, column in columns.items():
                table[name] = column
            table.tofile(file)
        file.write(after)


def _storable(column: np.ndarray) -> np.ndarray:
    """Convert 64-bit integers and booleans, which PLY does not have."""
    if column.dtype.kind == "b":
        return column.astype(np.uint8)
    if column.dtype.itemsize == 8 and column.dtype.kind in "iu":
        return column.astype(np.float64)
    return column.astype(np.float32) if column.dtype == np.float16 else column
