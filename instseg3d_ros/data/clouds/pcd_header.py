"""Reads and writes the header of PCD files, in all spellings that occur."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from instseg3d_ros.errors import InputError

KINDS = {"I": "i", "U": "u", "F": "f"}
ENCODINGS = ("ascii", "binary", "binary_compressed")
KEYWORDS = ("VERSION", "FIELDS", "COLUMNS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS", "DATA")
MAX_HEADER = 1000  # lines
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # Windows' editors write it at the beginning of a text
COMMENT = "# .PCD v0.7 - Point Cloud Data file format"
NOWHERE = "0 0 0 1 0 0 0"


@dataclass
class Header:
    """A PCD header: name, NumPy type and count of each field; height × width points; encoding of the data."""

    names: list[str]
    types: list[np.dtype]
    counts: list[int]
    height: int
    width: int
    encoding: str
    comments: list[str] = field(default_factory=lambda: [COMMENT])
    viewpoint: str = NOWHERE

    @property
    def points(self) -> int:
        """Points that the header promises."""
        return self.height * self.width

    @property
    def step(self) -> int:
        """Bytes per point."""
        return sum(kind.itemsize * count for kind, count in zip(self.types, self.counts))

    @property
    def dtype(self) -> np.dtype:
        """Structured type of a point. Fields have numbers as names, because names may repeat ("_" is padding)."""
        return np.dtype(
            [(str(number), kind, (count,)) for number, (kind, count) in enumerate(zip(self.types, self.counts))]
        )

    def text(self) -> str:
        """The text of the header."""
        lines = [
            *self.comments,
            "VERSION 0.7",
            "FIELDS " + " ".join(self.names),
            "SIZE " + " ".join(str(kind.itemsize) for kind in self.types),
            "TYPE " + " ".join(kind.kind.upper() for kind in self.types),
            "COUNT " + " ".join(map(str, self.counts)),
            f"WIDTH {self.width}",
            f"HEIGHT {self.height}",
            f"VIEWPOINT {self.viewpoint}",
            f"POINTS {self.points}",
            f"DATA {self.encoding}",
        ]
        return "\n".join(lines) + "\n"


def parse_header(file: BinaryIO, path: Path) -> Header:
    """Read up to the DATA line. Keywords, types and the encoding may be in lower or upper case."""
    entries: dict[str, list[str]] = {}
    comments: list[str] = []
    if file.read(3) != BYTE_ORDER_MARK:
        file.seek(0)
    for _ in range(MAX_HEADER):
        line = file.readline(65536)
        words = line.decode("utf-8", "replace").split()
        if not line:
            break
        if not words:
            continue
        if words[0].startswith("#"):
            comments.append(" ".join(words))
            continue
        keyword = words[0].upper()
        if keyword not in KEYWORDS:
            raise InputError(f"{path}: header line '{' '.join(words)[:60]}' is unknown; this is not a PCD file")
        entries[keyword] = words[1:]
        if keyword == "DATA":
            break
    if "DATA" not in entries:
        raise InputError(f"{path}: the header has no DATA line; the file is cut off or not a PCD file")
    try:
        names = entries.get("FIELDS") or entries["COLUMNS"]
        types = [np.dtype(f"<{KINDS[kind.upper()]}{int(size)}") for kind, size in zip(entries["TYPE"], entries["SIZE"])]
        counts = [int(count) for count in entries.get("COUNT", ["1"] * len(names))]
        width, height = int(entries["WIDTH"][0]), int(entries.get("HEIGHT", ["1"])[0])
        promised = int(entries.get("POINTS", [width * height])[0])
        encoding = entries["DATA"][0].lower()
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: the header lacks or misspells an entry ({error}); write the file again") from None
    if not len(names) == len(types) == len(counts) or min(counts, default=1) < 1 or min(width, height) < 0:
        raise InputError(f"{path}: FIELDS, SIZE, TYPE and COUNT of the header do not agree; write the file again")
    if promised != width * height:
        raise InputError(f"{path}: POINTS {promised} is not WIDTH {width} × HEIGHT {height}; the header is wrong")
    if encoding not in ENCODINGS:
        raise InputError(f"{path}: DATA {encoding} is unknown; one of: {', '.join(ENCODINGS)}")
    viewpoint = " ".join(entries.get("VIEWPOINT", [])) or NOWHERE
    return Header(names, types, counts, height, width, encoding, comments or [COMMENT], viewpoint)
