"""PointCloud2 messages to arrays and back. The one place that imports sensor_msgs_py.

Reading is our own even where sensor_msgs_py is there: it ignores row padding, and takes bright packed colours for NaN.
Messages are built by its `create_cloud` where it is installed, else in the same way here; a test compares the two.
"""

from __future__ import annotations

import array
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

from instseg3d_ros.data.pointcloud2 import DATATYPES, PACKED_COLOR, decode, read_fields
from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.result import Result

try:
    from sensor_msgs_py.point_cloud2 import create_cloud
except ImportError:

    def create_cloud(header, fields, points: np.ndarray, point_step: int | None = None) -> PointCloud2:
        """A one-row cloud of a structured array whose type is that of `fields`."""
        data = array.array("B")
        data.frombytes(points.view(np.uint8))  # a list or a NumPy array here would cost seconds
        step = points.dtype.itemsize
        cloud = PointCloud2(header=header, height=1, width=len(points), fields=fields)
        cloud.point_step, cloud.row_step, cloud.data = step, step * len(points), data
        return cloud


XYZ = (("x", "<f4", 0), ("y", "<f4", 4), ("z", "<f4", 8))
LABELS = (("label", "<u2"), ("instance", "<u4"), ("confidence", "<f4"))
_DATATYPE_OF = {"<" + name: number for number, name in DATATYPES.items()}


@dataclass(frozen=True)
class Cloud:
    """One received cloud. points (N, 3) float32, colors (N, 3) uint8 or None, shape (height, width).

    packed (N,) uint32 holds the colour bits as received, packed_type whether they were a FLOAT32 or a UINT32.
    """

    header: object
    points: np.ndarray
    colors: np.ndarray | None
    packed: np.ndarray | None
    packed_type: str
    shape: tuple[int, int]

    @property
    def organised(self) -> bool:
        return min(self.shape) > 1


def read_cloud(message: PointCloud2, max_points: int) -> Cloud:
    """Arrays of a message; InputError in one line where it makes no sense."""
    _check(message, max_points)
    arrays = decode(message)
    packed, packed_type = None, "<f4"
    if arrays.colors is not None:
        name = next((field.name for field in message.fields if field.name in PACKED_COLOR), None)
        if name:
            (packed,) = read_fields(message, (name,), as_type="u4")
            packed = packed.astype("<u4").reshape(-1)
            datatype = next(field.datatype for field in message.fields if field.name == name)
            packed_type = "<f4" if datatype == PointField.FLOAT32 else "<u4"
        else:
            packed = pack_colors(arrays.colors)
    shape = (message.height, message.width)
    return Cloud(message.header, arrays.points, arrays.colors, packed, packed_type, shape)


def _check(message: PointCloud2, max_points: int) -> None:
    count = message.height * message.width
    if count > max_points:
        raise InputError(f"cloud has {count} points; max_points is {max_points}")
    names = [field.name for field in message.fields]
    for name in ("x", "y", "z", *PACKED_COLOR):
        if names.count(name) > 1:
            raise InputError(f"field '{name}' comes {names.count(name)} times; which one holds is unknown")
    for field in message.fields:
        if field.name in ("x", "y", "z") and field.datatype not in (PointField.FLOAT32, PointField.FLOAT64):
            raise InputError(f"field '{field.name}' has datatype {field.datatype}; expected FLOAT32 (7) or FLOAT64 (8)")
    if count and not message.point_step:
        raise InputError(f"point_step is 0 for {count} points; the message is malformed")


def pack_colors(colors: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 → (N,) uint32 of 0x00RRGGBB."""
    wide = colors.astype("<u4")
    return wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]


def segmented_cloud(cloud: Cloud, result: Result) -> PointCloud2:
    """x y z rgb as received, label uint16 (65535: none), instance uint32, confidence float32."""
    fields = [*XYZ]
    if cloud.packed is not None:
        fields.append(("rgb", cloud.packed_type, 12))
    offset = 4 * len(fields)
    for name, kind in LABELS:
        fields.append((name, kind, offset))
        offset += 4
    table = _table(cloud, fields, offset)
    table["label"] = result.semantic.astype("<u2")  # -1 becomes 65535
    table["instance"] = result.instance
    table["confidence"] = result.confidence
    return _message(cloud, fields, table)


def colored_cloud(cloud: Cloud, colors: np.ndarray) -> PointCloud2:
    """x y z and our colours (N, 3) uint8: what RViz shows."""
    fields = [*XYZ, ("rgb", "<f4", 12)]
    table = _table(cloud, fields, 16)
    table["rgb"] = pack_colors(colors)
    return _message(cloud, fields, table)


def _table(cloud: Cloud, fields, step: int) -> np.ndarray:
    """Points and colour filled in. rgb is an integer here: some machines quieten a float NaN on its way."""
    kinds = [(name, "<u4" if name == "rgb" else kind, offset) for name, kind, offset in fields]
    table = np.zeros(len(cloud.points), _structure(kinds, step))
    for axis, name in enumerate("xyz"):
        table[name] = cloud.points[:, axis]
    if cloud.packed is not None and "rgb" in table.dtype.names:
        table["rgb"] = cloud.packed
    return table


def _structure(fields, step: int) -> np.dtype:
    names, formats, offsets = zip(*fields)
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": step})


def _message(cloud: Cloud, fields, table: np.ndarray) -> PointCloud2:
    step = table.dtype.itemsize
    described = [
        PointField(name=name, offset=offset, datatype=_DATATYPE_OF[kind], count=1) for name, kind, offset in fields
    ]
    message = create_cloud(cloud.header, described, table.view(_structure(fields, step)), step)
    message.height, message.width = cloud.shape
    message.row_step = message.point_step * message.width
    message.is_dense = False
    return message
