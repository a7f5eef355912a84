"""Bytes of a PointCloud2: all colour encodings, paddings and byte orders; malformed layouts give one line."""

import array
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import pointcloud2

HEADER = SimpleNamespace(frame_id="lens", stamp=SimpleNamespace(sec=3, nanosec=5))


def field(name, offset, datatype):
    return SimpleNamespace(name=name, offset=offset, datatype=datatype, count=1)


def cloud_message(rng, height, width, color="rgb", datatype=7, padding=0, big=False, tail=0, number="f"):
    """A message built by struct, point by point: independent of the code under test."""
    points = rng.normal(size=(height * width, 3)).astype(np.float32)
    colors = rng.integers(0, 256, (height * width, 3))
    order = ">" if big else "<"
    size = struct.calcsize(number)
    fields = [field(n, i * size, 7 if number == "f" else 8) for i, n in enumerate("xyz")]
    base = 3 * size
    if color in ("rgb", "rgba"):
        fields.append(field(color, base + 4, datatype))
    elif color == "separate":
        fields += [field(n, base + 4 + i, 2) for i, n in enumerate("rgb")]
    elif color == "floats":
        fields += [field(n, base + 4 + 4 * i, 7) for i, n in enumerate("rgb")]
    rows = []
    for row in range(height):
        for column in range(width):
            index = row * width + column
            r, g, b = (int(v) for v in colors[index])
            body = struct.pack(f"{order}3{number}4x", *(float(v) for v in points[index]))
            if color in ("rgb", "rgba"):
                body += struct.pack(order + "I", 0xFF << 24 | r << 16 | g << 8 | b)  # alpha set: as a float, often NaN
            elif color == "separate":
                body += bytes((r, g, b))
            elif color == "floats":
                body += struct.pack(order + "3f", r / 255, g / 255, b / 255)
            rows.append(body + bytes(tail))
        rows.append(bytes(padding))
    step = len(rows[0])
    message = SimpleNamespace(
        height=height, width=width, fields=fields, is_bigendian=big, point_step=step,
        row_step=step * width + padding, data=b"".join(rows), is_dense=False, header=HEADER,
    )  # fmt: skip
    return message, points, colors if color else None


@pytest.mark.parametrize(
    "color, datatype", [("rgb", 7), ("rgb", 6), ("rgba", 6), ("rgba", 7), ("separate", 2), ("floats", 7), (None, 0)]
)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding, tail, number", [(0, 0, "f"), (24, 5, "f"), (8, 0, "d")])
def test_every_encoding_reads_the_same(color, datatype, big, padding, tail, number):
    message, points, colors = cloud_message(np.random.default_rng(0), 4, 5, color, datatype, padding, big, tail, number)
    got = pointcloud2.decode(message)
    np.testing.assert_array_equal(got.points, points)
    assert got.points.dtype == np.float32
    assert (got.shape, got.frame, got.stamp) == ((4, 5), "lens", 3_000_000_005)
    if color:
        np.testing.assert_array_equal(got.colors, colors)
        assert got.colors.dtype == np.uint8
    else:
        assert got.colors is None


@pytest.mark.parametrize(
    "kind", [bytes, bytearray, list, lambda d: array.array("B", d), lambda d: np.frombuffer(d, np.uint8)]
)
def test_every_kind_of_data(kind):
    message, points, _ = cloud_message(np.random.default_rng(1), 2, 3)
    message.data = kind(message.data)
    np.testing.assert_array_equal(pointcloud2.decode(message).points, points)


def test_nan_points_stay_and_one_row_is_unorganised():
    points = np.array([[0, 0, 1], [np.nan] * 3, [np.inf, 0, 0]], np.float32)
    got = pointcloud2.decode(as_message(pointcloud2.encode(points)))
    np.testing.assert_array_equal(got.points, points)
    assert got.shape is None and got.colors is None


def test_empty_clouds():
    for height, width in ((1, 0), (0, 0), (0, 5)):
        message, _, _ = cloud_message(np.random.default_rng(0), 1, 1)
        message.height, message.width, message.row_step, message.data = height, width, 0, b""
        got = pointcloud2.decode(message)
        assert got.points.shape == (0, 3) and got.colors.shape == (0, 3)
    again = pointcloud2.decode(as_message(pointcloud2.encode(got.points, got.colors)))
    assert again.points.shape == (0, 3) and again.colors.shape == (0, 3)


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda m: m.fields.pop(2), "no field z"),
        (lambda m: setattr(m, "fields", []), "its fields: none"),
        (lambda m: setattr(m, "data", m.data[:-1]), "holds"),
        (lambda m: setattr(m, "row_step", 3), "row_step 3"),
        (lambda m: setattr(m, "point_step", 6), "point_step 6"),
        (lambda m: setattr(m.fields[0], "datatype", 9), "datatype 9"),
    ],
)
def test_malformed_layouts_are_named(change, expected):
    message, _, _ = cloud_message(np.random.default_rng(0), 3, 2)
    change(message)
    with pytest.raises(InputError, match=expected) as caught:
        pointcloud2.decode(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda m: setattr(m.fields[3], "datatype", 2), "packed"),
        (lambda m: setattr(m.fields[3], "offset", 9999), "does not fit"),
        (lambda m: m.fields.append(m.fields[3]), "several times"),
    ],
)
def test_a_colour_that_cannot_be_understood_costs_the_colour_alone(change, expected):
    message, points, _ = cloud_message(np.random.default_rng(0), 3, 2)
    change(message)
    got = pointcloud2.decode(message)
    np.testing.assert_array_equal(got.points, points)
    assert got.colors is None and expected in got.remarks[0]


@pytest.mark.parametrize("row_step", [0, 1, 10**6])
def test_one_row_needs_no_row_step(row_step):
    message, points, _ = cloud_message(np.random.default_rng(0), 1, 6)
    message.row_step = row_step
    np.testing.assert_array_equal(pointcloud2.decode(message).points, points)


def test_coordinates_far_from_zero_keep_their_millimetres():
    message, _, _ = cloud_message(np.random.default_rng(0), 1, 1, number="d")
    far = np.array([512_345.678, 5_412_345.234, 310.125])
    message.data = struct.pack("<3d", *far) + message.data[24:]
    got = pointcloud2.decode(message)
    np.testing.assert_allclose(got.points[0] + got.origin, far, atol=1e-3)
    again = pointcloud2.decode(as_message(pointcloud2.encode(far[None], double=True)))
    np.testing.assert_allclose(again.points[0] + again.origin, far, atol=1e-3)


def as_message(packed):
    fields = [field(*entry) for entry in packed.fields]
    return SimpleNamespace(**{**packed.__dict__, "fields": fields, "is_bigendian": False, "header": HEADER})


@pytest.mark.parametrize("shape", [None, (3, 4)])
@pytest.mark.parametrize("colored", [True, False])
def test_encode_and_back(shape, colored):
    rng = np.random.default_rng(2)
    points = rng.normal(size=(12, 3)).astype(np.float32)
    colors = rng.integers(0, 256, (12, 3), np.uint8) if colored else None
    semantic = rng.integers(-1, 5, 12).astype(np.int16)
    instance = rng.integers(0, 9, 12).astype(np.int32)
    confidence = rng.random(12, np.float32)
    columns = pointcloud2.label_columns(semantic, instance, confidence)
    message = as_message(pointcloud2.encode(points, colors, shape, **columns))
    got = pointcloud2.decode(message)
    np.testing.assert_array_equal(got.points, points)
    assert got.shape == shape
    assert (got.colors is None) == (colors is None)
    if colored:
        np.testing.assert_array_equal(got.colors, colors)
    label, ids, sure = (v.reshape(-1) for v in pointcloud2.read_fields(message, ("label", "instance", "confidence")))
    np.testing.assert_array_equal(np.where(label == pointcloud2.NO_LABEL, -1, label.astype(int)), semantic)
    np.testing.assert_array_equal(ids, instance)
    np.testing.assert_array_equal(sure, confidence)
    assert (label.dtype, ids.dtype, sure.dtype) == (np.uint16, np.uint32, np.float32)
