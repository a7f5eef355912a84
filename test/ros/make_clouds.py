"""PointCloud2 messages in all layouts of drivers, and rooms with a few boxes."""

import array

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

NUMBERS = {"u1": 2, "u4": 6, "f4": 7, "f8": 8}


def make_cloud(
    points, colors, shape=None, *, encoding="rgb", bigendian=False, xyz="f4", row_padding=0, alpha=0,
    frame="camera", stamp=(1, 0), gap=4,
):  # fmt: skip
    """A message with a gap of bytes between xyz and colour. encoding: rgb, rgb_uint32, rgba_uint32, separate, none."""
    height, width = shape or (1, len(points))
    order = ">" if bigendian else "<"
    size = int(xyz[1])
    layout = [(name, xyz, size * axis) for axis, name in enumerate("xyz")]
    offset = 3 * size + gap
    if encoding in ("rgb", "rgb_uint32", "rgba_uint32"):
        layout.append((encoding.partition("_")[0], "f4" if encoding == "rgb" else "u4", offset))
        offset += 4
    elif encoding == "separate":
        layout += [(name, "u1", offset + i) for i, name in enumerate("rgb")]
        offset += 4
    names, kinds, offsets = zip(*layout)
    bits = ["u4" if name in ("rgb", "rgba") else kind for name, kind in zip(names, kinds)]
    table = np.zeros(
        len(points),
        np.dtype({"names": names, "formats": [order + b for b in bits], "offsets": offsets, "itemsize": offset}),
    )
    for axis, name in enumerate("xyz"):
        table[name] = points[:, axis]
    if encoding == "separate":
        for channel, name in enumerate("rgb"):
            table[name] = colors[:, channel]
    elif encoding != "none":
        wide = colors.astype(np.uint32)
        table[names[3]] = alpha << 24 | wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]
    rows = np.zeros((height, width * offset + row_padding), np.uint8)
    rows[:, : width * offset] = table.view(np.uint8).reshape(height, width * offset)
    message = PointCloud2(
        header=Header(frame_id=frame, stamp=Time(sec=stamp[0], nanosec=stamp[1])), height=height, width=width,
        point_step=offset, row_step=width * offset + row_padding, is_bigendian=bigendian,
    )  # fmt: skip
    message.fields = [
        PointField(name=n, offset=o, datatype=NUMBERS[k], count=1) for n, k, o in zip(names, kinds, offsets)
    ]
    message.data = array.array("B", rows.tobytes())
    return message


def two_boxes(count=600, apart=2.0, nan=0):
    """(points, colors): two cubes of 30 cm, `apart` metres apart in y, 2 m ahead, as body axes see them."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.15, 0.15, (count, 3)).astype(np.float32)
    points[:, 0] += 2
    points[: count // 2, 1] -= apart / 2
    points[count // 2 :, 1] += apart / 2
    points[:nan] = np.nan
    return points, rng.integers(0, 256, (count, 3)).astype(np.uint8)
