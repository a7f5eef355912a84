"""Reads the header of PLY files: elements, properties and lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from instseg3d_ros.errors import InputError

TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "long": "i8", "ulong": "u8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "int64": "i8", "uint64": "u8", "float32": "f4", "float64": "f8",
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
MAX_HEADER = 10_000  # lines
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # Windows' editors write it at the beginning of a text
List = tuple[str, str]  # types of a list's length and of its items


@dataclass
class Element:
    """An element of the header; properties (name, type) and, for lists, (name, (type of length, type of items))."""

    name: str
    count: int
    properties: list[tuple[str, str | List]] = field(default_factory=list)

    @property
    def has_list(self) -> bool:
        return any(isinstance(kind, tuple) for _, kind in self.properties)

    def dtype(self, order: str) -> np.dtype:
        """Structured type of a row without lists; `order` as in FORMATS."""
        return np.dtype([(name, (order or "<") + kind) for name, kind in self.properties if isinstance(kind, str)])


@dataclass
class Header:
    """A PLY header. order: "" for ascii, else NumPy's sign; lines: from the format line to the last property."""

    order: str
    elements: list[Element]
    lines: list[str]


def parse_header(file: BinaryIO, path: Path) -> Header:
    """Read up to end_header."""
    if file.read(3) != BYTE_ORDER_MARK:
        file.seek(0)
    if file.readline(8).strip() != b"ply":
        raise InputError(f"{path}: does not begin with 'ply'; not a PLY file")
    order, elements, lines = None, [], []
    for _ in range(MAX_HEADER):
        line = file.readline(4096)
        words = line.decode("utf-8", "replace").split()
        if not line:
            break
        if not words:
            continue
        if words[0] == "end_header":
            if order is None:
                raise InputError(f"{path}: the header names no format; expected one of: {', '.join(FORMATS)}")
            return Header(order, elements, lines)
        lines.append(" ".join(words))
        if words[0] in ("comment", "obj_info"):
            continue
        try:
            if words[0] == "format":
                order = FORMATS[words[1].lower()]
            elif words[0] == "element":
                elements.append(Element(words[1], int(words[2])))
                if elements[-1].count < 0:
                    raise ValueError
            elif words[0] == "property" and words[1] == "list":
                elements[-1].properties.append((words[4], (TYPES[words[2].lower()], TYPES[words[3].lower()])))
            elif words[0] == "property":
                elements[-1].properties.append((words[2], TYPES[words[1].lower()]))
            else:
                raise ValueError
        except (IndexError, KeyError, ValueError):
            raise InputError(
                f"{path}: header line '{' '.join(words)[:80]}' is not valid PLY; write the file again"
            ) from None
    raise InputError(f"{path}: the header has no end_header; the file is cut off or not a PLY file")


def vertex_lines(lines: list[str], renamed: dict[str, str], added: list[str]) -> list[str]:
    """Header lines without lists of the vertices, with renamed and additional properties of the vertices."""
    changed: list[str] = []
    inside = False
    for line in lines:
        words = line.split()
        if words[0] == "element":
            changed += added if inside else []
            inside = words[1] == "vertex"
        if inside and words[0] == "property":
            if words[1] == "list":
                continue
            line = f"property {words[1]} {renamed.get(words[2], words[2])}"
        changed.append(line)
    return changed + (added if inside else [])
