"""PointCloud2 in and out without middleware: all layouts and colour encodings, hostile shapes."""

import array

import numpy as np
import pytest
from make_clouds import make_cloud
from sensor_msgs.msg import PointCloud2, PointField

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.colors import pack_colors
from instseg3d_ros.ros.clouds import colored_cloud, read_cloud, segmented_cloud
from instseg3d_ros.segmentation.result import Result


@pytest.mark.parametrize("encoding", ["rgb", "rgb_uint32", "rgba_uint32", "separate", "none"])
@pytest.mark.parametrize("bigendian", [False, True])
@pytest.mark.parametrize("xyz", ["f4", "f8"])
@pytest.mark.parametrize("padding", [0, 24])
def test_every_layout_gives_the_same_points_and_colours(encoding, bigendian, xyz, padding):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(12, 3)).astype(np.float32)
    points[3, 1] = np.nan
    colors = rng.integers(0, 256, (12, 3)).astype(np.uint8)
    message = make_cloud(points, colors, (3, 4), encoding=encoding, bigendian=bigendian, xyz=xyz, row_padding=padding)
    cloud = read_cloud(message, 100).cloud
    np.testing.assert_array_equal(cloud.points, points)
    assert cloud.shape == (3, 4)
    if encoding == "none":
        assert cloud.colors is None
    else:
        np.testing.assert_array_equal(cloud.colors, colors)


def test_any_field_order_with_intensity_only():
    """As Ouster and Gazebo write them: fields in no order, more of them, no colour."""
    table = np.zeros(5, [("ring", "<u2"), ("z", "<f4"), ("intensity", "<f4"), ("x", "<f4"), ("t", "<u4"), ("y", "<f4")])
    points = np.arange(15, dtype=np.float32).reshape(5, 3)
    table["x"], table["y"], table["z"] = points.T
    kinds = {"<u2": PointField.UINT16, "<f4": PointField.FLOAT32, "<u4": PointField.UINT32}
    message = PointCloud2(height=1, width=5, point_step=table.itemsize, row_step=5 * table.itemsize)
    message.fields = [
        PointField(name=name, offset=offset, datatype=kinds[kind.str], count=1)
        for name, (kind, offset) in table.dtype.fields.items()
    ]
    message.data = array.array("B", table.tobytes())
    cloud = read_cloud(message, 100).cloud
    np.testing.assert_array_equal(cloud.points, points)
    assert cloud.colors is None and cloud.shape is None


def result_for(count):
    rng = np.random.default_rng(1)
    semantic = rng.integers(-1, 20, count).astype(np.int16)
    return Result(semantic, rng.integers(0, 5, count).astype(np.int32), rng.random(count).astype(np.float32))


@pytest.mark.parametrize("encoding", ["rgb", "rgb_uint32", "none"])
def test_segmented_cloud_keeps_what_came_and_adds_three_fields(encoding):
    rng = np.random.default_rng(0)
    points, colors = rng.normal(size=(12, 3)).astype(np.float32), rng.integers(0, 256, (12, 3)).astype(np.uint8)
    points[5] = np.nan
    colors[0] = 255  # packed white is a NaN
    message = make_cloud(points, colors, (3, 4), encoding=encoding, alpha=0xFF)
    result = result_for(12)
    answer = segmented_cloud(read_cloud(message, 100), result)
    assert answer.header == message.header
    assert (answer.height, answer.width) == (3, 4)
    assert answer.row_step == 4 * answer.point_step and len(answer.data) == 3 * answer.row_step
    fields = {f.name: f for f in answer.fields}
    table = np.frombuffer(answer.data, np.uint8).reshape(12, answer.point_step)

    def column(name, kind):
        field = fields[name]
        return table[:, field.offset : field.offset + np.dtype(kind).itemsize].copy().view(kind)[:, 0]

    for axis, name in enumerate("xyz"):
        np.testing.assert_array_equal(column(name, "<f4"), points[:, axis])
    np.testing.assert_array_equal(column("label", "<u2"), result.semantic.astype(int) % 65536)
    np.testing.assert_array_equal(column("instance", "<u4"), result.instance)
    np.testing.assert_array_equal(column("confidence", "<f4"), result.confidence)
    types = {name: field.datatype for name, field in fields.items()}
    assert (types["label"], types["instance"], types["confidence"]) == (
        PointField.UINT16, PointField.UINT32, PointField.FLOAT32,
    )  # fmt: skip
    if encoding == "none":
        assert "rgb" not in fields
    else:
        assert types["rgb"] == (PointField.FLOAT32 if encoding == "rgb" else PointField.UINT32)
        packed = 0xFF << 24 | colors[:, 0].astype(np.uint32) << 16 | colors[:, 1].astype(np.uint32) << 8 | colors[:, 2]
        np.testing.assert_array_equal(column("rgb", "<u4"), packed)


def test_colored_cloud_reads_back():
    points = np.zeros((6, 3), np.float32)
    colors = np.arange(18, dtype=np.uint8).reshape(6, 3) * 14
    cloud = read_cloud(make_cloud(points, None, (2, 3), encoding="none"), 100)
    answer = colored_cloud(cloud, pack_colors(colors))
    np.testing.assert_array_equal(read_cloud(answer, 100).cloud.colors, colors)


def test_an_empty_cloud_is_a_cloud():
    message = make_cloud(np.zeros((0, 3), np.float32), None, (0, 0), encoding="none")
    cloud = read_cloud(message, 100)
    assert len(cloud.cloud.points) == 0
    assert len(segmented_cloud(cloud, result_for(0)).data) == 0


def test_a_column_stays_a_column():
    """Height and width are those of the input, also where they are no image."""
    received = read_cloud(make_cloud(np.zeros((5, 3), np.float32), None, (5, 1), encoding="none"), 100)
    answer = segmented_cloud(received, result_for(5))
    assert received.cloud.shape is None and (answer.height, answer.width) == (5, 1)


BROKEN = {
    "no z": (lambda m: m.fields.pop(2), "z"),
    "no field": (lambda m: m.fields.clear(), "x, y, z"),
    "short data": (lambda m: setattr(m, "data", m.data[:-20]), "needs"),
    "row_step": (lambda m: setattr(m, "row_step", 3), "row_step"),
    "point_step 0": (lambda m: setattr(m, "point_step", 0), "point_step is 0"),
    "offset": (lambda m: setattr(m.fields[0], "offset", 4_000_000_000), "offset"),
    "wrong type": (lambda m: setattr(m.fields[1], "datatype", PointField.UINT8), "datatype"),
    "unknown type": (lambda m: setattr(m.fields[1], "datatype", 99), "datatype"),
    "twice": (lambda m: m.fields.append(PointField(name="x", datatype=7, count=1)), "2 times"),
    "too many": (lambda m: setattr(m, "height", 1_000_000_000), "max_points"),
    "no data": (lambda m: setattr(m, "data", array.array("B")), "needs"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_cloud_says_what_is_wrong_in_one_line(name):
    rng = np.random.default_rng(0)
    points, colors = rng.normal(size=(12, 3)).astype(np.float32), rng.integers(0, 256, (12, 3)).astype(np.uint8)
    message = make_cloud(points, colors, (3, 4), encoding="rgb")
    damage, word = BROKEN[name]
    damage(message)
    with pytest.raises(InputError, match=word) as error:
        read_cloud(message, 100)
    assert "\n" not in str(error.value)
