"""PLY files: vertices of ascii and binary files of either byte order; faces are passed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from instseg3d_ros.data.clouds.cloud import far_again, near_origin, reading, to_bytes
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
NAMES = {
    "i1": "char",
    "u1": "uchar",
    "i2": "short",
    "u2": "ushort",
    "i4": "int",
    "u4": "uint",
    "f4": "float",
    "f8": "double",
}
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
COLOR_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
MAX_HEADER = 10_000  # lines


@dataclass
class Element:
    """One element of the header; properties (name, type) and, for lists, (name, (count type, item type))."""

    name: str
    count: int
    properties: list[tuple[str, str | tuple[str, str]]] = field(default_factory=list)

    @property
    def has_list(self) -> bool:
        return any(isinstance(kind, tuple) for _, kind in self.properties)


def read_ply(path: Path) -> Cloud:
    """Read the vertices of a PLY; InputError on a header that does not fit the data."""
    path = Path(path)
    with reading(path, "PLY"), open(path, "rb") as file:
        order, elements = _read_header(file, path)
        names = [element.name for element in elements]
        if "vertex" not in names:
            raise InputError(f"{path}: has no element 'vertex'; its elements: {', '.join(names) or 'none'}")
        position = names.index("vertex")
        vertex = elements[position]
        if vertex.has_list:
            raise InputError(f"{path}: vertices hold lists; expected plain numbers per vertex")
        for element in elements[:position]:
            _skip(file, element, order)
        last = not any(element.count for element in elements[position + 1 :])
        table = _read_ascii(file, vertex, last, path) if not order else _read_binary(file, vertex, order, last, path)
    return _cloud(table, path)


def _read_header(file: BinaryIO, path: Path) -> tuple[str, list[Element]]:
    if file.readline(8).strip() != b"ply":
        raise InputError(f"{path}: does not begin with 'ply'; not a PLY file")
    order, elements = None, []
    for _ in range(MAX_HEADER):
        line = file.readline(4096)
        words = line.decode("ascii", "replace").split()
        if not line:
            break
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "end_header":
            if order is None:
                raise InputError(f"{path}: the header names no format; expected one of: {', '.join(FORMATS)}")
            return order, elements
        try:
            if words[0] == "format":
                order = FORMATS[words[1]]
            elif words[0] == "element":
                elements.append(Element(words[1], int(words[2])))
                if elements[-1].count < 0:
                    raise ValueError
            elif words[0] == "property" and words[1] == "list":
                elements[-1].properties.append((words[4], (TYPES[words[2]], TYPES[words[3]])))
            elif words[0] == "property":
                elements[-1].properties.append((words[2], TYPES[words[1]]))
            else:
                raise ValueError
        except (IndexError, KeyError, ValueError):
            raise InputError(f"{path}: header line '{' '.join(words)[:80]}' is not PLY; write the file again") from None
    raise InputError(f"{path}: the header has no end_header; the file is cut off or not a PLY file")


def _skip(file: BinaryIO, element: Element, order: str) -> None:
    """Pass over an element that stands before the vertices."""
    if not order:
        for _ in range(element.count):
            file.readline()
    elif not element.has_list:
        file.seek(element.count * _dtype(element, order).itemsize, 1)
    else:
        for _ in range(element.count):
            for _, kind in element.properties:
                if isinstance(kind, tuple):
                    size = np.dtype(order + kind[0])
                    items = int(np.frombuffer(file.read(size.itemsize), size)[0])
                    file.seek(items * np.dtype(kind[1]).itemsize, 1)
                else:
                    file.seek(np.dtype(kind).itemsize, 1)


def _dtype(element: Element, order: str) -> np.dtype:
    return np.dtype([(name, order + str(kind)) for name, kind in element.properties])


def _read_binary(file: BinaryIO, vertex: Element, order: str, last: bool, path: Path) -> np.ndarray:
    dtype = _dtype(vertex, order)
    start = file.tell()
    rest = file.seek(0, 2) - start
    file.seek(start)
    if rest < vertex.count * dtype.itemsize:
        raise InputError(
            f"{path}: the header promises {vertex.count} vertices, the file holds {rest // max(dtype.itemsize, 1)}; "
            "it is cut off or its header is wrong"
        )
    surplus = rest - vertex.count * dtype.itemsize
    if last and surplus >= dtype.itemsize:
        raise InputError(
            f"{path}: {surplus} bytes follow the {vertex.count} vertices of the header; the count is wrong"
        )
    return np.fromfile(file, dtype, vertex.count)


def _read_ascii(file: BinaryIO, vertex: Element, last: bool, path: Path) -> np.ndarray:
    values = np.zeros((0, len(vertex.properties)))
    if vertex.count:
        values = np.loadtxt(file, max_rows=vertex.count, ndmin=2, comments=None)
    if values.shape != (vertex.count, len(vertex.properties)):
        raise InputError(
            f"{path}: the header promises {vertex.count} vertices of {len(vertex.properties)} numbers, "
            f"the file holds {values.shape[0]} of {values.shape[1]}; it is cut off or its header is wrong"
        )
    if last and file.read(65536).strip():
        raise InputError(f"{path}: lines follow the {vertex.count} vertices of the header; the count is wrong")
    table = np.zeros(vertex.count, _dtype(vertex, "<"))
    for index, (name, _) in enumerate(vertex.properties):
        table[name] = values[:, index]
    return table


def _cloud(table: np.ndarray, path: Path) -> Cloud:
    names = table.dtype.names or ()
    missing = [axis for axis in "xyz" if axis not in names]
    if missing:
        raise InputError(f"{path}: vertices lack {', '.join(missing)}; they have {', '.join(names) or 'nothing'}")
    points, origin = near_origin(np.stack([table[axis] for axis in "xyz"], axis=1))
    taken, colors = set("xyz"), None
    for triple in COLOR_NAMES:
        if all(name in names for name in triple):
            colors = to_bytes(np.stack([table[name] for name in triple], axis=1))
            taken |= set(triple)
            break
    columns = {name: np.ascontiguousarray(table[name]) for name in names if name not in taken}
    return Cloud(points, colors, name=path.stem, columns=columns, origin=origin)


def write_ply(path: Path, cloud: Cloud) -> None:
    """Write a binary little-endian PLY of points, colours and columns."""
    points = far_again(cloud)
    parts = [(axis, points[:, index]) for index, axis in enumerate("xyz")]
    if cloud.colors is not None:
        parts += [(name, cloud.colors[:, index]) for index, name in enumerate(COLOR_NAMES[0])]
    parts += [(name, _storable(column)) for name, column in cloud.columns.items()]
    table = np.zeros(len(cloud), [(name, column.dtype.newbyteorder("<")) for name, column in parts])
    for name, column in parts:
        table[name] = column
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(cloud)}"]
    header += [f"property {NAMES[column.dtype.str[1:]]} {name}" for name, column in parts]
    with open(path, "wb") as file:
        file.write(("\n".join([*header, "end_header"]) + "\n").encode("ascii"))
        table.tofile(file)


def _storable(column: np.ndarray) -> np.ndarray:
    """PLY has no 64-bit integers and no booleans."""
    if column.dtype.kind == "b":
        return column.astype(np.uint8)
    if column.dtype.itemsize == 8 and column.dtype.kind in "iu":
        return column.astype(np.float64)
    return column.astype(np.float32) if column.dtype == np.float16 else column
