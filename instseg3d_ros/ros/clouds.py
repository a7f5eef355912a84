"""PointCloud2 messages to arrays and back. The one place that imports sensor_msgs_py.

Reading is our own even where sensor_msgs_py is there: it ignores row padding, and takes bright packed colours for NaN.
Messages are built by its `create_cloud` where it is installed, else in the same way here; a test compares the two.
"""

from __future__ import annotations

import array
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.colors import pack_colors
from instseg3d_ros.messages.pointcloud2 import DATATYPES, PACKED_COLOR, decode_colors, read_fields
from instseg3d_ros.segmentation.result import Result

try:
    from sensor_msgs_py.point_cloud2 import create_cloud
except ImportError:

    def create_cloud(header, fields, points: np.ndarray, point_step: int | None = None) -> PointCloud2:
        """A one-row cloud of a structured array whose type is that of `fields`."""
        data = array.array("B")
        data.frombytes(points.view(np.uint8).data)  # a list or a NumPy array here would cost seconds
        step = points.dtype.itemsize
        cloud = PointCloud2(header=header, height=1, width=len(points), fields=fields)
        cloud.point_step, cloud.row_step, cloud.data = step, step * len(points), data
        return cloud


PACKED_TYPES = (PointField.FLOAT32, PointField.UINT32, PointField.INT32)
XYZ = (("x", "<f4"), ("y", "<f4"), ("z", "<f4"))
LABELS = (("label", "<u2"), ("instance", "<u4"), ("confidence", "<f4"))
_DATATYPE_OF = {"<" + name: number for number, name in DATATYPES.items()}


@dataclass(frozen=True)
class Cloud:
    """One received cloud. points (N, 3) float32, colors (N, 3) uint8 or None, shape (height, width).

    packed (N,) uint32 holds the colour bits as received, packed_type whether they were a FLOAT32 or a UINT32.
    """

    header: Header
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
    shape = (message.height, message.width)
    points = np.empty((*shape, 3), np.float32)
    with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite, and is then ignored as such
        for axis, column in enumerate(read_fields(message, ("x", "y", "z"))):
            points[..., axis] = column
    packed, packed_type, colors = None, "<f4", None
    field = next((field for field in message.fields if field.name in PACKED_COLOR), None)
    if field is not None:
        (packed,) = read_fields(message, (field.name,), as_type="u4")
        packed = packed.astype("<u4").reshape(-1)
        packed_type = "<f4" if field.datatype == PointField.FLOAT32 else "<u4"
        colors = np.ascontiguousarray(packed.view(np.uint8).reshape(-1, 4)[:, 2::-1])  # little endian: blue first
    else:
        colors = decode_colors(message)
        if colors is not None:
            packed = pack_colors(colors)
    return Cloud(message.header, points.reshape(-1, 3), colors, packed, packed_type, shape)


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
        if field.name in PACKED_COLOR and field.datatype not in PACKED_TYPES:
            raise InputError(f"field '{field.name}' has datatype {field.datatype}; packed colour is FLOAT32 or UINT32")
    if count and not message.point_step:
        raise InputError(f"point_step is 0 for {count} points; the message is malformed")


def segmented_cloud(cloud: Cloud, result: Result) -> PointCloud2:
    """x y z rgb as received, label uint16 (65535: none), instance uint32, confidence float32."""
    fields = XYZ if cloud.packed is None else (*XYZ, ("rgb", cloud.packed_type))
    words = _words(cloud, len(fields) + len(LABELS))
    if cloud.packed is not None:
        words[:, 3] = cloud.packed
    words[:, -3] = result.semantic.astype(np.uint16)  # -1 becomes 65535; two bytes behind it stay free
    words[:, -2] = result.instance
    words[:, -1] = result.confidence.view(np.uint32)
    return _message(cloud, (*fields, *LABELS), words)


def colored_cloud(cloud: Cloud, packed: np.ndarray) -> PointCloud2:
    """x y z and our colours (N,) uint32, 0x00RRGGBB: what RViz shows."""
    words = _words(cloud, 4)
    words[:, 3] = packed
    return _message(cloud, (*XYZ, ("rgb", "<f4")), words)


def _words(cloud: Cloud, count: int) -> np.ndarray:
    """(N, count) uint32 that begin with x y z: each field has four bytes, NaN is moved as bits."""
    words = np.empty((len(cloud.points), count), np.uint32)
    for axis, column in enumerate(cloud.points.view(np.uint32).T):
        words[:, axis] = column
    return words


def _message(cloud: Cloud, fields, words: np.ndarray) -> PointCloud2:
    names, kinds = zip(*fields)
    step = 4 * words.shape[1]
    offsets = range(0, step, 4)
    structure = np.dtype({"names": names, "formats": kinds, "offsets": list(offsets), "itemsize": step})
    described = [
        PointField(name=name, offset=offset, datatype=_DATATYPE_OF[kind], count=1)
        for name, kind, offset in zip(names, kinds, offsets)
    ]
    message = create_cloud(cloud.header, described, words.view(structure).reshape(-1), step)
    message.height, message.width = cloud.shape
    message.row_step = message.point_step * message.width
    message.is_dense = False
    return message
