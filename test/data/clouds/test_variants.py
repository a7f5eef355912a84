"""Files as other programs write them: spellings, colours, padding; labels are added without other changes."""

import os
import re

import numpy as np
import pytest

from instseg3d_ros.data.clouds import Cloud, read_cloud, write_cloud, write_extended
from instseg3d_ros.errors import InputError

HEAD = (
    "# .PCD v0.7\nVERSION 0.7\nFIELDS {0}\nSIZE {1}\nTYPE {2}\nWIDTH 2\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 2\n"
    "DATA {3}\n"
)
XYZ = ("x y z", "4 4 4", "F F F")
POINTS = np.arange(6, dtype="<f4").tobytes()
TEXT = "0 1 2{0}\n3 4 5{0}\n"
PLAIN = TEXT.format("")
ADDED = {
    "label": np.array([3, 65535], np.uint16),
    "instance": np.array([7, 0], np.uint32),
    "confidence": np.array([0.1, 0], np.float32),
}


def pcd(fields=XYZ[0], sizes=XYZ[1], types=XYZ[2], data="ascii", body=PLAIN):
    return HEAD.format(fields, sizes, types, data).encode() + (body.encode() if isinstance(body, str) else body)


def ply(properties="", body=PLAIN, kind="ascii", lists=""):
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    head = f"ply\nformat {kind} 1.0\nelement vertex 2\n{axes}{properties}{lists}end_header\n"
    return head.encode() + (body.encode() if isinstance(body, str) else body)


def properties(kind, *names):
    return "".join(f"property {kind} {name}\n" for name in names)


VARIANTS = {
    "zeros.pcd": pcd(data="binary", body=POINTS + bytes(4000)),
    "capitals.pcd": pcd("X Y Z"),
    "ascii.pcd": pcd(data="ASCII"),
    "binary.pcd": pcd(data="Binary", body=POINTS),
    "mark.pcd": b"\xef\xbb\xbf" + pcd(),
    "windows.pcd": pcd().replace(b"\n", b"\r\n"),
    "small.pcd": pcd().replace(b"FIELDS", b"fields").replace(b"TYPE F F F", b"type f f f"),
    "mark.ply": b"\xef\xbb\xbf" + ply(),
    "capitals.ply": re.sub(rb"float ([xyz])", lambda found: found[0][:-1] + found[1].upper(), ply()),
    "zeros.ply": ply(kind="binary_little_endian", body=POINTS + bytes(100)),
    "list.ply": ply(body="0 1 2 3 9 9 9\n3 4 5 1 9\n", lists="property list uchar int near\n"),
    "binary_list.ply": ply(
        kind="binary_little_endian", lists="property list uchar uchar near\n",
        body=POINTS[:12] + b"\3abc" + POINTS[12:] + b"\1a",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_every_spelling_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(VARIANTS[name])
    np.testing.assert_array_equal(read_cloud(tmp_path / name).points.ravel(), range(6))


NINE = [[9, 8, 7]] * 2
COLORED = {
    "red_green_blue.pcd": pcd("x y z red green blue", "4 4 4 1 1 1", "F F F U U U", body=TEXT.format(" 9 8 7")),
    "Red_Green_Blue.pcd": pcd("X Y Z Red Green Blue", "4 4 4 2 2 2", "F F F U U U", body=TEXT.format(" 9 8 7")),
    "integers.pcd": pcd("x y z r g b", "4 4 4 4 4 4", "F F F I I I", body=TEXT.format(" 9 8 7")),
    "RGB.pcd": pcd("x y z RGB", "4 4 4 4", "F F F U", body=TEXT.format(f" {9 << 16 | 8 << 8 | 7}")),
    "floats.pcd": pcd("x y z r g b", "4 4 4 4 4 4", "F F F F F F", body=TEXT.format(f" {9 / 255} {8 / 255} {7 / 255}")),
    "floats.ply": ply(properties("float", "red", "green", "blue"), TEXT.format(f" {9 / 255} {8 / 255} {7 / 255}")),
    "bytes.ply": ply(properties("float", "red", "green", "blue"), TEXT.format(" 9 8 7")),
    "words.ply": ply(properties("ushort", "red", "green", "blue"), TEXT.format(" 2313 2056 1799")),
    "splat.ply": ply(
        properties("float", "f_dc_0", "f_dc_1", "f_dc_2"),
        TEXT.format("".join(f" {(c / 255 - 0.5) / 0.28209479177387814}" for c in (9, 8, 7))),
    ),
}


@pytest.mark.parametrize("name", COLORED)
def test_every_spelling_of_colour(tmp_path, name):
    (tmp_path / name).write_bytes(COLORED[name])
    cloud = read_cloud(tmp_path / name)
    np.testing.assert_array_equal(cloud.colors, NINE)
    assert not cloud.remarks


PUZZLES = {
    "double.pcd": pcd("x y z rgb", "4 4 4 8", "F F F F", body=TEXT.format(" 9")),
    "byte.pcd": pcd("x y z rgb", "4 4 4 1", "F F F U", body=TEXT.format(" 9")),
    "two.ply": ply(properties("uchar", "red", "green"), TEXT.format(" 9 8")),
    "huge.ply": ply(properties("float", "red", "green", "blue"), TEXT.format(" 1e9 0 0")),
    "negative.ply": ply(properties("int", "red", "green", "blue"), TEXT.format(" -7 0 0")),
}


@pytest.mark.parametrize("name", PUZZLES)
def test_a_colour_that_cannot_be_understood_costs_the_colour_alone(tmp_path, name):
    (tmp_path / name).write_bytes(PUZZLES[name])
    cloud = read_cloud(tmp_path / name)
    assert cloud.colors is None and len(cloud) == 2
    assert len(cloud.remarks) == 1 and "without colour" in cloud.remarks[0]


@pytest.mark.parametrize("kind", ["pcd", "ply"])
@pytest.mark.parametrize("text", ["-nan(ind)", "-nan", "nan(snan)", "1.#QNAN", "-1.#IND00", "1.#INF"])
def test_no_number_in_every_way_it_is_written(tmp_path, kind, text):
    body = f"{text} 1 2\n3 4 5\n"
    (tmp_path / f"a.{kind}").write_bytes(pcd(body=body) if kind == "pcd" else ply(body=body))
    points = read_cloud(tmp_path / f"a.{kind}").points
    assert not np.isfinite(points[0, 0])
    np.testing.assert_array_equal(points.ravel()[1:], range(1, 6))


def test_bytes_that_mean_something_behind_the_last_point_are_told(tmp_path):
    (tmp_path / "a.pcd").write_bytes(pcd(data="binary", body=POINTS + b"surplus bytes"))
    cloud = read_cloud(tmp_path / "a.pcd")
    assert len(cloud) == 2 and "13 bytes" in cloud.remarks[0]


def extended(path, cloud=None):
    cloud = cloud or read_cloud(path)
    out = path.with_stem("out")
    return out, write_extended(out, cloud, ADDED)


@pytest.mark.parametrize("data", ["ascii", "binary"])
def test_a_pcd_comes_back_as_it_went_in(tmp_path, data):
    rgb = np.array([0xFF808080, 0xFF010203], "<u4")  # with alpha, as a float the first is NaN
    table = np.zeros(2, [("x", "<f4"), ("y", "<f4"), ("z", "<f8"), ("_", "u1", 3), ("rgb", "<u4"), ("hist", "<f4", 2)])
    table["x"], table["z"], table["rgb"], table["hist"] = (0.1, 3), (2, 512345.6789), rgb, [[1, 2], [3, 4]]
    text = "".join(
        f"{float(r['x'])!r} 0 {float(r['z'])!r} 0 0 0 {r['rgb']} {r['hist'][0]} {r['hist'][1]}\n" for r in table
    )
    head = pcd("x y z _ rgb hist", "4 4 8 1 4 4", "F F F U U F", data, text if data == "ascii" else table.tobytes())
    head = head.replace(b"WIDTH", b"COUNT 1 1 1 3 1 2\nWIDTH").replace(b"0 0 0 1 0 0 0", b"1 2 3 1 0 0 0")
    (tmp_path / "a.pcd").write_bytes(b"# made by a robot\n" + head)
    out, remarks = extended(tmp_path / "a.pcd")
    written = out.read_bytes()
    assert not remarks and b"# made by a robot" in written and b"VIEWPOINT 1 2 3" in written
    assert f"DATA {data}".encode() in written
    before, after = (read_cloud(p).original for p in (tmp_path / "a.pcd", out))
    assert after.header.names == [*before.header.names, *ADDED]
    for number in range(len(before.header.names)):
        np.testing.assert_array_equal(before.table[str(number)], after.table[str(number)])
    for name, column in ADDED.items():
        np.testing.assert_array_equal(read_cloud(out).columns[name], column)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_ply_comes_back_as_it_went_in(tmp_path, kind):
    order = ">" if "big" in kind else "<"
    table = np.zeros(
        2, [("x", order + "f8"), ("y", order + "f4"), ("z", order + "f4"), ("alpha", "u1"), ("label", order + "i4")]
    )
    table["x"], table["alpha"], table["label"] = (512345.6789, 512346.25), (255, 7), (40, 41)
    rows = "".join(f"{float(r['x'])!r} 0 0 {r['alpha']} {r['label']}\n" for r in table).encode()
    first, last = b"3 0 1 0\n", b"2 1\n0 0\n"
    if kind != "ascii":
        first, last = (
            b"\3" + np.array([0, 1, 0], order + "i4").tobytes(),
            np.array([2, 1, 0, 0], order + "i2").tobytes(),
        )
    head = (
        f"ply\nformat {kind} 1.0\ncomment made by a robot\nelement face 1\nproperty list uchar int vertex_indices\n"
        "element vertex 2\nproperty double x\nproperty float y\nproperty float z\nproperty uchar alpha\n"
        "property int label\nelement edge 2\nproperty short a\nproperty short b\nend_header\n"
    )
    body = rows if kind == "ascii" else table.tobytes()
    (tmp_path / "a.ply").write_bytes(head.encode() + first + body + last)
    out, remarks = extended(tmp_path / "a.ply")
    assert remarks == ["column 'label' of the input is written as 'input_label'"]
    written = out.read_bytes()
    assert kind.encode() in written and b"comment made by a robot" in written and written.endswith(last)
    cloud = read_cloud(out)
    back = cloud.original.table
    for name in ("x", "y", "z", "alpha"):
        np.testing.assert_array_equal(back[name], table[name])
    np.testing.assert_array_equal(back["input_label"], (40, 41))
    np.testing.assert_allclose(cloud.columns["confidence"], ADDED["confidence"], rtol=1e-7)
    np.testing.assert_array_equal(cloud.columns["label"], ADDED["label"])


def test_an_npz_comes_back_as_it_went_in(tmp_path):
    arrays = {
        "xyz": np.random.default_rng(0).normal(size=(1, 2, 3)) + 5e5, "normals": np.ones((1, 2, 3), np.float16),
        "rgb": np.full((1, 2, 4), 0.5), "camera": np.eye(4), "name": np.array("kitchen"),
        "Instance": np.array([[4, 5]]),
    }  # fmt: skip
    np.savez(tmp_path / "a.npz", **arrays)
    cloud = read_cloud(tmp_path / "a.npz")
    assert cloud.shape == (1, 2) and (cloud.colors == 128).all()
    out, remarks = extended(tmp_path / "a.npz", cloud)
    assert remarks == ["column 'Instance' of the input is written as 'input_Instance'"]
    with np.load(out) as back:
        arrays["input_Instance"] = arrays.pop("Instance")
        assert set(back.files) == {*arrays, *ADDED}
        for name, array in {**arrays, **{k: v.reshape(1, 2) for k, v in ADDED.items()}}.items():
            np.testing.assert_array_equal(back[name], array)
            assert back[name].dtype == array.dtype


@pytest.mark.parametrize("form, version", [(3, "1.2"), (1, "1.3"), (7, "1.4"), (8, "1.4")])
@pytest.mark.parametrize("kind", ["las", "laz"])
def test_a_las_comes_back_as_it_went_in(tmp_path, form, version, kind):
    laspy = pytest.importorskip("laspy", reason="LAS needs laspy")
    header = laspy.LasHeader(point_format=form, version=version)
    header.scales, header.offsets = [0.01] * 3, [600000, 5100000, 0]
    header.vlrs.append(laspy.VLR("LASF_Projection", 34737, "GeoAsciiParams", b"WGS 84 / UTM zone 33N|"))
    header.add_extra_dims([laspy.ExtraBytesParams("label", "int32"), laspy.ExtraBytesParams("height", "float32")])
    las = laspy.LasData(header)
    las.x, las.y, las.z = np.array([[600001.5, 5100002.5, 100], [600002.5, 5100003.25, 101]]).T
    rng = np.random.default_rng(0)
    for name in set(las.point_format.dimension_names) - {*"XYZ"}:
        bits = next(d for d in las.point_format.dimensions if d.name == name).num_bits
        las[name] = rng.integers(0, 2 ** min(bits - 1, 7) if bits > 1 else 2, 2)  # colours stay below 256: bytes
    las.write(tmp_path / f"a.{kind}")
    cloud = read_cloud(tmp_path / f"a.{kind}")
    assert cloud.origin is not None
    out, remarks = extended(tmp_path / f"a.{kind}", cloud)
    assert remarks == ["column 'label' of the input is written as 'input_label'"]
    back = laspy.read(out)
    for name in las.point_format.dimension_names:
        other = "input_label" if name == "label" else name
        np.testing.assert_array_equal(np.asarray(back[other]), np.asarray(las[name]), name)
    for name, column in ADDED.items():
        np.testing.assert_array_equal(back[name], column)
    assert (back.header.point_format.id, str(back.header.version)) == (form, version)
    np.testing.assert_array_equal([back.header.scales, back.header.offsets], [header.scales, header.offsets])
    assert any(record.user_id == "LASF_Projection" for record in back.header.vlrs)


def test_another_kind_keeps_the_columns(tmp_path):
    cloud = Cloud(np.zeros((2, 3), np.float32), columns={"label": np.array([1, 2])})
    assert write_extended(tmp_path / "a.ply", cloud, ADDED) == [
        "column 'label' of the input is written as 'input_label'"
    ]
    assert set(read_cloud(tmp_path / "a.ply").columns) == {"input_label", *ADDED}


def test_a_decoder_that_panics_is_one_line(tmp_path, monkeypatch, capfd):
    laspy = pytest.importorskip("laspy", reason="LAS needs laspy")

    class PanicException(BaseException):
        pass

    def panic(*_, **__):
        os.write(2, b"thread panicked at src/laz.rs\nstack backtrace:\n")  # as the decoder does it, past Python
        raise PanicException("range end index 9\nout of range")

    write_cloud(tmp_path / "a.las", Cloud(np.zeros((3, 3), np.float32)))
    monkeypatch.setattr(laspy, "read", panic)
    with pytest.raises(InputError, match=r"a\.las: cannot be read as LAS \(range end index 9 out of range\)"):
        read_cloud(tmp_path / "a.las")
    assert capfd.readouterr().err == ""
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"
