"""Decodes and encodes PointCloud2 with NumPy, for any object with the attributes of the message.

The module does not import ROS, so that the node (rclpy messages) and files (rosbags' classes) use the same code.
Cameras write colour as `rgb` or `rgba`, packed into a float32 or uint32, or as separate bytes `r g b`, or no colour;
rows may have padding. A packed colour may be NaN: only x, y and z decide whether a point is finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.cloud import Cloud, far_origin
from instseg3d_ros.messages.colors import pack_colors, unpack_colors
from instseg3d_ros.messages.point_colors import PACKED, TRIPLES, ColorError, to_bytes
from instseg3d_ros.messages.protocols import PointCloud2

if TYPE_CHECKING:
    from typing_extensions import Buffer

# sensor_msgs/msg/PointField: datatype → NumPy type without byte order
DATATYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
_DATATYPE_OF = {name: number for number, name in DATATYPES.items()}
SEPARATE_COLOR = (TRIPLES[2], TRIPLES[0])
NO_LABEL = 65535  # `label` is a uint16: this value stands for class index -1


@dataclass(frozen=True)
class PackedCloud:
    """Content of a PointCloud2 without its header. fields: (name, offset, datatype), each with count 1.

    data: (height · row_step,) uint8.
    """

    height: int
    width: int
    fields: tuple[tuple[str, int, int], ...]
    point_step: int
    row_step: int
    data: np.ndarray


def decode(message: PointCloud2, max_points: int | None = None) -> Cloud:
    """Decode a PointCloud2-like object. Raises InputError if its layout does not fit its data."""
    _check(message, max_points)
    height, width = int(message.height), int(message.width)
    points = np.empty((height, width, 3), np.float32)
    axes = read_fields(message, ("x", "y", "z"))
    step = height // 32 + 1, width // 32 + 1
    origin = far_origin(np.stack([column[:: step[0], :: step[1]] for column in axes], axis=-1).reshape(-1, 3))
    with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite and is then ignored
        for axis, column in enumerate(axes):
            points[..., axis] = column if origin is None else column - origin[axis]
    packed = colors = None
    remarks = []
    try:
        packed = _packed_colors(message)
        colors = unpack_colors(packed) if packed is not None else _separate_colors(message)
    except (InputError, ColorError) as error:
        remarks.append(f"read without colour: {error}")
    stamp = message.header.stamp
    return Cloud(
        points.reshape(-1, 3), colors, (height, width) if min(height, width) > 1 else None,
        message.header.frame_id, stamp.sec * 10**9 + stamp.nanosec, packed=packed, origin=origin, remarks=remarks,
    )  # fmt: skip


def _check(message: PointCloud2, max_points: int | None) -> None:
    count = message.height * message.width
    if max_points is not None and count > max_points:
        raise InputError(f"cloud has {count} points; max_points is {max_points}")
    names = [field.name for field in message.fields]
    for name in ("x", "y", "z"):
        if names.count(name) > 1:
            raise InputError(f"field '{name}' occurs {names.count(name)} times; expected once")
    for field in message.fields:
        if field.name in ("x", "y", "z") and DATATYPES.get(field.datatype) not in ("f4", "f8"):
            raise InputError(f"field '{field.name}' has datatype {field.datatype}; expected FLOAT32 (7) or FLOAT64 (8)")
    if count and not message.point_step:
        raise InputError(f"point_step is 0 for {count} points; the message is malformed")


def _packed_colors(message: PointCloud2) -> np.ndarray | None:
    """(N,) float32 or uint32 with the bits 0xAARRGGBB; None if the message has no packed colour."""
    fields = [field for field in message.fields if field.name in PACKED]
    if not fields:
        return None
    field = fields[0]
    if any(other.name == field.name for other in fields[1:]):
        raise InputError(f"field '{field.name}' occurs several times; expected once")
    kind = DATATYPES.get(field.datatype)
    if kind not in ("f4", "u4", "i4"):
        raise InputError(
            f"field '{field.name}' has datatype {field.datatype}; packed colour is FLOAT32 (7) or UINT32 (6)"
        )
    (packed,) = read_fields(message, (field.name,), as_type="u4")
    return packed.astype("<u4").reshape(-1).view("<f4" if kind == "f4" else "<u4")


def _separate_colors(message: PointCloud2) -> np.ndarray | None:
    """(N, 3) uint8 from the fields r, g and b; None if the message does not have them."""
    names = [field.name for field in message.fields]
    for separate in SEPARATE_COLOR:
        if all(name in names for name in separate):
            return to_bytes(np.stack(read_fields(message, separate), axis=-1).reshape(-1, 3))
    return None


def read_fields(message: PointCloud2, names: tuple[str, ...], as_type: str | None = None) -> list[np.ndarray]:
    """Views (height, width) of the message's bytes, one per name; `as_type` reinterprets the bytes ("u4")."""
    height, width, step, row = (int(getattr(message, name)) for name in ("height", "width", "point_step", "row_step"))
    fields = {field.name: field for field in message.fields}
    missing = [name for name in names if name not in fields]
    if missing:
        raise InputError(f"point cloud has no field {', '.join(missing)}; its fields: {', '.join(fields) or 'none'}")
    data = _as_bytes(message.data)
    if height == 1 or row == 0:  # some drivers leave row_step at 0, and one row needs none
        row = width * step
    if height * width:
        if row < width * step:
            raise InputError(f"row_step {row} is less than width {width} × point_step {step}; the message is malformed")
        # Some drivers omit the padding of the last row.
        needed = row * (height - 1) + width * step
        if needed > len(data):
            raise InputError(f"point cloud of {height} × {width} points needs {needed} bytes; it holds {len(data)}")
    order = ">" if message.is_bigendian else "<"
    views = []
    for name in names:
        field = fields[name]
        if field.datatype not in DATATYPES:
            raise InputError(f"field '{name}' has datatype {field.datatype}; expected 1 to 8 (PointField)")
        dtype = np.dtype(order + (as_type or DATATYPES[field.datatype]))
        if height * width == 0:
            views.append(np.zeros((height, width), dtype))
            continue
        if field.offset + dtype.itemsize > step:
            raise InputError(f"field '{name}' at offset {field.offset} does not fit into point_step {step}")
        views.append(np.ndarray((height, width), dtype, data, field.offset, (row, step)))
    return views


def _as_bytes(data: Buffer | list[int] | tuple[int, ...]) -> memoryview:
    """The data as memoryview: without a copy from bytes, array.array and NumPy arrays, with a copy from a list."""
    if isinstance(data, (list, tuple)):
        data = bytes(data)
    return memoryview(data).cast("B")


def encode(
    points: np.ndarray,
    colors: np.ndarray | None = None,
    shape: tuple[int, int] | None = None,
    double: bool = False,
    **columns: np.ndarray,
) -> PackedCloud:
    """Encode a PointCloud2 with x y z, `rgb` (packed into a float32, as RViz and PCL expect), and additional columns.

    points (N, 3); colors (N, 3) uint8, or (N,) packed float32 or uint32, or None; shape (height, width), or None for
    one row; double: x y z as float64; columns: name=(N,) array in its own type, aligned to its size. Little endian.
    """
    count = len(points)
    height, width = shape or (1, count)
    if height * width != count:
        raise InputError(f"shape {height} × {width} does not hold {count} points")
    kind = "<f8" if double else "<f4"
    parts = [(name, points[:, axis].astype(kind, copy=False)) for axis, name in enumerate("xyz")]
    if colors is not None:
        parts.append(("rgb", colors if colors.ndim == 1 else pack_colors(colors).view("<f4")))
    parts += [(name, np.asarray(column)) for name, column in columns.items()]
    fields, offset = [], 0
    for name, column in parts:
        size = column.dtype.itemsize
        offset = -(-offset // size) * size
        fields.append((name, offset, _DATATYPE_OF[column.dtype.str[1:]]))
        offset += size
    step = -(-offset // 4) * 4
    data = np.zeros(count * step, np.uint8)
    for (_, offset, _), (_, column) in zip(fields, parts if count else ()):
        # Copied as integers, because some processors change the bits of a NaN, and a packed colour may be a NaN.
        bits = f"<u{column.dtype.itemsize}"
        np.ndarray(count, bits, data, offset, (step,))[:] = column.view(bits)
    return PackedCloud(height, width, tuple(fields), step, step * width, data)


def label_columns(semantic: np.ndarray, instance: np.ndarray, confidence: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of a segmented cloud: label uint16 (NO_LABEL for -1), instance uint32, confidence float32."""
    return {
        "label": semantic.astype(np.uint16),  # -1 becomes 65535
        "instance": instance.astype(np.uint32),
        "confidence": confidence.astype(np.float32, copy=False),
    }
