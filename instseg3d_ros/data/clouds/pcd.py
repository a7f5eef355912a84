"""PCD files (Point Cloud Library): ascii, binary and binary_compressed; organised clouds keep their shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from instseg3d_ros.data.clouds.cloud import far_again, near_origin, reading, to_bytes
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud

KINDS = {"I": "i", "U": "u", "F": "f"}
ENCODINGS = ("ascii", "binary", "binary_compressed")
MAX_HEADER = 1000  # lines


@dataclass
class Header:
    """names, NumPy types and counts per field; height × width points; how the data is written."""

    names: list[str]
    types: list[np.dtype]
    counts: list[int]
    height: int
    width: int
    encoding: str

    @property
    def points(self) -> int:
        """Points that the header promises."""
        return self.height * self.width

    @property
    def step(self) -> int:
        """Bytes of one point."""
        return sum(kind.itemsize * count for kind, count in zip(self.types, self.counts))


def read_pcd(path: Path) -> Cloud:
    """Read a PCD; InputError on a header that does not fit the data."""
    path = Path(path)
    with reading(path, "PCD"), open(path, "rb") as file:
        header = _read_header(file, path)
        missing = [axis for axis in "xyz" if axis not in header.names]
        if missing:
            raise InputError(
                f"{path}: lacks the fields {', '.join(missing)}; it has {', '.join(header.names) or 'none'}"
            )
        read = {"ascii": _read_ascii, "binary": _read_binary, "binary_compressed": _read_compressed}[header.encoding]
        columns = read(file, header, path)
    points, origin = near_origin(np.stack([columns.pop(axis) for axis in "xyz"], axis=1))
    colors = _take_colors(columns)
    shape = (header.height, header.width) if header.height > 1 and header.width > 1 else None
    return Cloud(points, colors, shape, name=path.stem, columns=columns, origin=origin)


def _read_header(file: BinaryIO, path: Path) -> Header:
    entries: dict[str, list[str]] = {}
    for _ in range(MAX_HEADER):
        line = file.readline(65536)
        words = line.decode("ascii", "replace").split()
        if not line:
            break
        if not words or words[0].startswith("#"):
            continue
        entries[words[0]] = words[1:]
        if words[0] == "DATA":
            break
        if words[0] not in (
            "VERSION",
            "FIELDS",
            "COLUMNS",
            "SIZE",
            "TYPE",
            "COUNT",
            "WIDTH",
            "HEIGHT",
            "VIEWPOINT",
            "POINTS",
        ):
            raise InputError(f"{path}: header line '{' '.join(words)[:60]}' is not PCD; not a PCD file")
    if "DATA" not in entries:
        raise InputError(f"{path}: the header has no DATA line; the file is cut off or not a PCD file")
    try:
        names = entries.get("FIELDS") or entries["COLUMNS"]
        types = [np.dtype(f"<{KINDS[kind]}{int(size)}") for kind, size in zip(entries["TYPE"], entries["SIZE"])]
        counts = [int(count) for count in entries.get("COUNT", ["1"] * len(names))]
        width, height = int(entries["WIDTH"][0]), int(entries.get("HEIGHT", ["1"])[0])
        promised = int(entries.get("POINTS", [width * height])[0])
        encoding = entries["DATA"][0]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: the header lacks or misspells an entry ({error}); write the file again") from None
    if not len(names) == len(types) == len(counts) or min(counts, default=1) < 1 or min(width, height) < 0:
        raise InputError(f"{path}: FIELDS, SIZE, TYPE and COUNT of the header do not agree; write the file again")
    if promised != width * height:
        raise InputError(f"{path}: POINTS {promised} is not WIDTH {width} × HEIGHT {height}; the header is wrong")
    if encoding not in ENCODINGS:
        raise InputError(f"{path}: DATA {encoding} is unknown; one of: {', '.join(ENCODINGS)}")
    return Header(names, types, counts, height, width, encoding)


def _wrong_count(path: Path, header: Header, held: int | str) -> InputError:
    return InputError(
        f"{path}: the header promises {header.points} points, the file holds {held}; "
        "it is cut off or its header is wrong"
    )


def _read_ascii(file: BinaryIO, header: Header, path: Path) -> dict[str, np.ndarray]:
    width = sum(header.counts)
    values = np.loadtxt(file, ndmin=2, comments=None) if header.points else np.zeros((0, width))
    if values.shape != (header.points, width):
        raise _wrong_count(path, header, f"{values.shape[0]} of {values.shape[1]} numbers")
    columns, start = {}, 0
    for name, kind, count in zip(header.names, header.types, header.counts):
        if count == 1 and name != "_":
            columns[name] = values[:, start].astype(kind)
        start += count
    return columns


def _read_binary(file: BinaryIO, header: Header, path: Path) -> dict[str, np.ndarray]:
    data = file.read()
    if len(data) < header.points * header.step:
        raise _wrong_count(path, header, len(data) // max(header.step, 1))
    if len(data) - header.points * header.step >= header.step:
        raise _wrong_count(path, header, f"{len(data) // header.step} or more")
    # Names may repeat ("_" is padding): numbers stand for them.
    layout = [(str(index), kind, (count,)) for index, (kind, count) in enumerate(zip(header.types, header.counts))]
    table = np.frombuffer(data, np.dtype(layout), header.points)
    return {
        name: table[str(index)][:, 0].copy()
        for index, (name, count) in enumerate(zip(header.names, header.counts))
        if count == 1 and name != "_"  # histograms and the like are left behind
    }


def _read_compressed(file: BinaryIO, header: Header, path: Path) -> dict[str, np.ndarray]:
    """One block of LZF in which the fields stand one after the other, each for all points."""
    sizes = np.frombuffer(file.read(8), "<u4")
    block = file.read()
    if len(sizes) < 2 or len(block) < sizes[0]:
        raise _wrong_count(path, header, f"{len(block)} compressed bytes of {sizes[0] if len(sizes) else '?'}")
    if sizes[1] != header.points * header.step:
        raise _wrong_count(path, header, int(sizes[1]) // max(header.step, 1))
    data = lzf_decompress(block[: sizes[0]], int(sizes[1]))
    columns, offset = {}, 0
    for name, kind, count in zip(header.names, header.types, header.counts):
        if count == 1 and name != "_":
            columns[name] = np.frombuffer(data, kind, header.points, offset)
        offset += kind.itemsize * count * header.points
    return columns


def lzf_decompress(data: bytes, size: int) -> bytearray:
    """Undo LZF: runs of literal bytes (control < 32) and back references of 3 to 264 bytes. ValueError if malformed."""
    out = bytearray()
    position, end = 0, len(data)
    try:
        while position < end:
            control = data[position]
            position += 1
            if control < 32:
                out += data[position : position + control + 1]
                position += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += data[position]
                position += 1
            length += 2
            distance = ((control & 31) << 8) + data[position] + 1
            position += 1
            start = len(out) - distance
            if start < 0 or len(out) + length > size:
                break
            if distance >= length:
                out += out[start : start + length]
            else:  # the reference overlaps what it writes: a repeating pattern
                out += (out[start:] * (length // distance + 1))[:length]
    except IndexError:
        pass
    if len(out) != size:
        raise ValueError(f"the compressed block gives {len(out)} bytes instead of {size}")
    return out


def _take_colors(columns: dict[str, np.ndarray]) -> np.ndarray | None:
    for name in ("rgb", "rgba"):
        if name in columns and columns[name].dtype.itemsize == 4:
            packed = np.ascontiguousarray(columns.pop(name)).view(np.uint32)
            return (packed[:, None] >> np.array((16, 8, 0), np.uint32)).astype(np.uint8)
    if all(name in columns for name in "rgb"):
        return to_bytes(np.stack([columns.pop(name) for name in "rgb"], axis=1))
    return None


def write_pcd(path: Path, cloud: Cloud) -> None:
    """Write a binary PCD; an organised cloud stays organised."""
    points = far_again(cloud)
    parts = [(axis, points[:, index]) for index, axis in enumerate("xyz")]
    if cloud.colors is not None:
        rgb = cloud.colors.astype(np.uint32)
        parts.append(("rgb", (rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]).astype("<u4")))
    for name, column in cloud.columns.items():
        parts.append((name, column.astype(np.uint8) if column.dtype.kind == "b" else column))
    table = np.zeros(len(cloud), [(name, column.dtype.newbyteorder("<")) for name, column in parts])
    for name, column in parts:
        table[name] = column
    height, width = cloud.shape or (1, len(cloud))
    kinds = ["F" if name == "rgb" else column.dtype.kind.upper() for name, column in parts]  # PCL looks for a float rgb
    header = (
        "# .PCD v0.7 - Point Cloud Data file format",
        "VERSION 0.7",
        "FIELDS " + " ".join(name for name, _ in parts),
        "SIZE " + " ".join(str(column.dtype.itemsize) for _, column in parts),
        "TYPE " + " ".join(kinds),
        "COUNT " + " ".join("1" for _ in parts),
        f"WIDTH {width}",
        f"HEIGHT {height}",
        "VIEWPOINT 0 0 0 1 0 0 0",
        f"POINTS {len(cloud)}",
        "DATA binary",
    )
    with open(path, "wb") as file:
        file.write(("\n".join(header) + "\n").encode("ascii"))
        table.tofile(file)
