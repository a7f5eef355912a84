"""Cloud files: round trips, agreement with other programs, and a message of one line for each kind of damage."""

import os
import re

import numpy as np
import pytest

from instseg3d_ros.data.clouds import Cloud, find_inputs, read_cloud, write_cloud
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.errors import InputError

KINDS = (".ply", ".pcd", ".npz", ".las", ".laz")


def need(kind):
    if kind in (".las", ".laz"):
        pytest.importorskip("laspy", reason="LAS needs laspy")
    if kind == ".laz":
        pytest.importorskip("lazrs", reason="LAZ needs lazrs")


def random_cloud(count=30, colored=True, seed=0, shape=None, **columns):
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (count, 3), np.uint8) if colored else None
    return Cloud(rng.normal(size=(count, 3)).astype(np.float32), colors, shape, columns=columns)


def labelled(count=30, **options):
    rng = np.random.default_rng(1)
    return random_cloud(
        count,
        label=rng.integers(0, 65536, count).astype(np.uint16),
        instance=rng.integers(0, 9, count).astype(np.int32),
        confidence=rng.random(count, np.float32),
        **options,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colored", [True, False])
def test_written_and_read_back(tmp_path, kind, colored):
    need(kind)
    cloud = labelled(colored=colored)
    write_cloud(tmp_path / f"a{kind}", cloud)
    back = read_cloud(tmp_path / f"a{kind}")
    np.testing.assert_allclose(back.points, cloud.points, atol=6e-5 if kind.startswith(".la") else 0)
    assert (back.colors is None) == (not colored)
    if colored:
        np.testing.assert_array_equal(back.colors, cloud.colors)
    for name, column in cloud.columns.items():
        np.testing.assert_array_equal(back.columns[name], column)
        assert back.columns[name].dtype == column.dtype
    assert back.name == "a"
    assert os.listdir(tmp_path) == [f"a{kind}"]  # nothing is left beside it


@pytest.mark.parametrize("kind", (".pcd", ".npz"))
def test_organised_clouds_keep_shape_and_nan(tmp_path, kind):
    cloud = random_cloud(12, shape=(3, 4))
    cloud.points[5] = np.nan
    write_cloud(tmp_path / f"a{kind}", cloud)
    back = read_cloud(tmp_path / f"a{kind}")
    assert back.shape == (3, 4)
    np.testing.assert_array_equal(back.points, cloud.points)
    assert back.finite.sum() == 11


@pytest.mark.parametrize("kind", KINDS)
def test_surveyed_coordinates_lose_nothing(tmp_path, kind):
    need(kind)
    cloud = random_cloud()
    cloud.origin = np.array([432100.0, 5412345.0, 300.0])
    write_cloud(tmp_path / f"a{kind}", cloud)
    back = read_cloud(tmp_path / f"a{kind}")
    assert back.origin is not None and np.abs(back.points).max() < 10
    np.testing.assert_allclose(back.points + back.origin, cloud.points + cloud.origin, atol=1e-4)


@pytest.mark.parametrize("kind", (".ply", ".pcd"))
def test_open3d_reads_what_we_write(tmp_path, kind):
    open3d = pytest.importorskip("open3d")
    cloud = labelled()
    write_cloud(tmp_path / f"a{kind}", cloud)
    theirs = open3d.t.io.read_point_cloud(str(tmp_path / f"a{kind}")).point
    np.testing.assert_array_equal(theirs["positions"].numpy(), cloud.points)
    np.testing.assert_array_equal(theirs["colors"].numpy(), cloud.colors)
    np.testing.assert_array_equal(theirs["instance"].numpy().reshape(-1), cloud.columns["instance"])


@pytest.mark.parametrize("kind", (".ply", ".pcd"))
@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("compressed", [True, False])
def test_we_read_what_open3d_writes(tmp_path, kind, ascii, compressed):
    open3d = pytest.importorskip("open3d")
    cloud = random_cloud(500)
    cloud.points[100:300] = 0.25  # something for the compression to find
    theirs = open3d.t.geometry.PointCloud(cloud.points)
    theirs.point["colors"] = cloud.colors
    path = tmp_path / f"a{kind}"
    assert open3d.t.io.write_point_cloud(str(path), theirs, write_ascii=ascii, compressed=compressed)
    back = read_cloud(path)
    np.testing.assert_allclose(back.points, cloud.points, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(back.colors, cloud.colors)


def test_ply_of_big_endian_doubles_behind_another_element(tmp_path):
    points = np.random.default_rng(0).normal(size=(4, 3))
    body = b"".join(bytes([n]) + np.arange(n, dtype=">i4").tobytes() for n in (3, 4))
    table = np.zeros(4, [("x", ">f8"), ("y", ">f8"), ("z", ">f8"), ("red", "u1"), ("green", "u1"), ("blue", "u1")])
    table["x"], table["y"], table["z"] = points.T
    table["red"] = 200
    header = (
        "ply\r\nformat binary_big_endian 1.0\r\ncomment faces first\r\nelement face 2\r\n"
        "property list uchar int vertex_indices\r\nelement vertex 4\r\n"
        + "".join(f"property double {a}\r\n" for a in "xyz")
        + "".join(f"property uchar {c}\r\n" for c in ("red", "green", "blue"))
        + "end_header\r\n"
    )
    (tmp_path / "a.ply").write_bytes(header.encode() + body + table.tobytes())
    back = read_cloud(tmp_path / "a.ply")
    np.testing.assert_array_equal(back.points, points.astype(np.float32))
    assert (back.colors == (200, 0, 0)).all()


def test_pcd_with_padding_histograms_and_old_colour(tmp_path):
    text = (
        "VERSION .7\nFIELDS x y z _ rgb hist\nSIZE 4 4 4 1 4 4\nTYPE F F F U F F\nCOUNT 1 1 1 4 1 2\nWIDTH 2\n"
        "HEIGHT 1\nPOINTS 2\nDATA ascii\n0.5 1 2 0 0 0 0 4.2108e+06 9 9\nnan nan nan 0 0 0 0 4.808e+06 9 9\n"
    )
    (tmp_path / "a.pcd").write_text(text)
    back = read_cloud(tmp_path / "a.pcd")
    np.testing.assert_array_equal(back.points, [[0.5, 1, 2], [np.nan] * 3])
    packed = np.array([4.2108e06, 4.808e06], np.float32).view(np.uint32)
    np.testing.assert_array_equal(back.colors[:, 0], packed >> 16 & 255)
    assert not back.columns


def test_npz_of_a_depth_image(tmp_path):
    depth = np.array([[1000, 0], [2000, 500]], np.uint16)
    matrix = np.array([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    np.savez(tmp_path / "a.npz", depth=depth, K=matrix, color=np.full((2, 2, 3), 7, np.uint8))
    back = read_cloud(tmp_path / "a.npz")
    assert back.shape == (2, 2) and "optical" in back.frame
    np.testing.assert_allclose(back.points[[0, 2, 3]], [[-0.25, -0.25, 1], [-0.5, 0.5, 2], [0.125, 0.125, 0.5]])
    assert np.isnan(back.points[1]).all()


def ply(header, body=b""):
    return ("ply\nformat binary_little_endian 1.0\n" + header + "end_header\n").encode() + body


def pcd(height=1, width=2, points=2, data="binary", fields="x y z", body=bytes(24)):
    n = len(fields.split())
    head = f"VERSION 0.7\nFIELDS {fields}\nSIZE {'4 ' * n}\nTYPE {'F ' * n}\nCOUNT {'1 ' * n}\nWIDTH {width}\n"
    return (head + f"HEIGHT {height}\nPOINTS {points}\nDATA {data}\n").encode() + body


def lzf_pcd(compressed, size, block):
    return pcd(data="binary_compressed", body=np.array([compressed, size], "<u4").tobytes() + block)


def ascii_ply(count, rows):
    return f"ply\nformat ascii 1.0\nelement vertex {count}\n{XYZ}end_header\n{rows}".encode()


XYZ = "property float x\nproperty float y\nproperty float z\n"
NAN = np.full(6, np.nan, np.float32).tobytes()
MALFORMED = {
    "cut.ply": (ply("element vertex 3\n" + XYZ, bytes(24)), "promises 3 vertices, the file holds 2"),
    "surplus.ply": (ply("element vertex 1\n" + XYZ, bytes(range(24))), "12 bytes follow"),
    "none.ply": (ply("element vertex 0\n" + XYZ), "holds no points"),
    "nan.ply": (ply("element vertex 2\n" + XYZ, NAN), "all 2 points are NaN"),
    "noz.ply": (ply("element vertex 1\nproperty float x\n", bytes(4)), "lack y, z"),
    "list.ply": (ply("element vertex 1\nproperty list uchar int x\n", bytes(4)), "lack x, y, z"),
    "novertex.ply": (ply("element face 0\n"), "no element 'vertex'"),
    "negative.ply": (ply("element vertex -1\n" + XYZ), "'element vertex -1' is not valid PLY"),
    "type.ply": (ply("element vertex 1\nproperty half x\n"), "'property half x' is not valid PLY"),
    "noend.ply": (b"ply\nformat ascii 1.0\nelement vertex 2\n", "no end_header"),
    "noformat.ply": (b"ply\nelement vertex 0\nend_header\n", "names no format"),
    "asciicut.ply": (ascii_ply(3, "1 2 3\n4 5 6\n"), "holds 2"),
    "asciimore.ply": (ascii_ply(1, "1 2 3\n4 5 6\n"), "follow"),
    "asciibad.ply": (ascii_ply(1, "1 b 3\n"), "cannot be read"),
    "garbage.ply": (bytes(range(1, 200)), "does not begin with 'ply'"),
    "empty.ply": (b"", "is empty"),
    "cut.pcd": (pcd(width=3, points=3), "promises 3 points, the file holds 2"),
    "wrong.pcd": (pcd(points=7), "POINTS 7 is not WIDTH 2"),
    "none.pcd": (pcd(width=0, points=0, body=b""), "holds no points"),
    "nan.pcd": (pcd(body=NAN), "all 2 points are NaN"),
    "noz.pcd": (pcd(fields="x y a"), "lacks the fields z"),
    "coding.pcd": (pcd(data="zip"), "DATA zip is unknown"),
    "asciicut.pcd": (pcd(data="ascii", body=b"1 2 3\n"), "promises 2 points"),
    "lzfcut.pcd": (lzf_pcd(90, 24, bytes(9)), "of 90"),
    "lzfbad.pcd": (lzf_pcd(9, 24, b"\xff" * 9), "gives 0 bytes"),
    "lzfsize.pcd": (lzf_pcd(9, 12, bytes(9)), "holds 1"),
    "nodata.pcd": (b"VERSION 0.7\nFIELDS x y z\n", "no DATA line"),
    "nowidth.pcd": (b"FIELDS x\nSIZE 4\nTYPE F\nDATA ascii\n", "lacks or misspells"),
    "garbage.pcd": (bytes(range(1, 200)), "not a PCD file|no DATA"),
    "empty.pcd": (b"", "is empty"),
    "garbage.npz": (bytes(range(1, 200)), "cannot be read as npz"),
    "cut.npz": (b"PK\x03\x04" + bytes(50), "cannot be read as npz"),
    "empty.npz": (b"", "is empty"),
    "garbage.las": (bytes(range(1, 200)), "cannot be read as LAS"),
    "cut.las": (b"LASF" + bytes(100), "cannot be read as LAS"),
    "empty.laz": (b"", "is empty"),
    "garbage.png": (bytes(range(1, 200)), "no file of intrinsics"),
    "wrong_extension.ply": (pcd(), "its first bytes are those of a PCD file; rename it to wrong_extension.pcd"),
    "room.xyz": (b"1 2 3\n", "unknown file type '.xyz'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_end_in_one_line(tmp_path, name):
    content, expected = MALFORMED[name]
    need(os.path.splitext(name)[1])
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected) as caught:
        read_cloud(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("arrays, expected", [
    ({}, "neither points nor depth"),
    ({"points": np.zeros((4, 2))}, r"shape \(4, 2\)"),
    ({"points": np.zeros((0, 3))}, "no points"),
    ({"points": np.array(["a"])}, "shape"),
    ({"points": np.full((2, 3), np.nan)}, "NaN"),
    ({"points": np.zeros((4, 3)), "colors": np.zeros((3, 3), np.uint8)}, "colors have shape"),
    ({"depth": np.zeros((4, 3)), "K": np.eye(4)}, "K"),
    ({"depth": np.zeros((4, 3)), "K": np.zeros((3, 3))}, "focal lengths"),
    ({"points": np.array([None])}, "pickle"),
])  # fmt: skip
def test_malformed_archives(tmp_path, arrays, expected):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=expected) as caught:
        read_cloud(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_an_input_error(tmp_path, kind):
    need(kind)
    write_cloud(tmp_path / f"a{kind}", labelled(40))
    whole = (tmp_path / f"a{kind}").read_bytes()
    for length in np.linspace(0, len(whole) - 20, 25).astype(int):
        (tmp_path / f"b{kind}").write_bytes(whole[:length])
        with pytest.raises(InputError) as caught:
            read_cloud(tmp_path / f"b{kind}")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_flipped_at_random_never_crash(tmp_path, kind):
    need(kind)
    write_cloud(tmp_path / f"a{kind}", labelled(10))
    whole = np.frombuffer((tmp_path / f"a{kind}").read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), 4)] = rng.integers(0, 256, 4)
        (tmp_path / f"b{kind}").write_bytes(damaged.tobytes())
        try:
            read_cloud(tmp_path / f"b{kind}")
        except InputError as error:
            assert "\n" not in str(error)


def test_missing_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_cloud(tmp_path / "a.ply")
    (tmp_path / "b.ply").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read_cloud(tmp_path / "b.ply")


@pytest.mark.parametrize("kind", [*KINDS, ".mcap", ".db3", ".bag"])
def test_unreadable(tmp_path, monkeypatch, kind):
    """Refused by `open` itself, since tests may run as a user to whom permissions mean nothing."""
    path = tmp_path / f"a{kind}"
    path.write_bytes(b"secret")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match="permissions"):
        if kind in KINDS:
            read_cloud(path)
        else:
            Bag(path).__enter__()


def test_inputs_are_found_once_and_in_order(tmp_path):
    write_cloud(tmp_path / "b.ply", random_cloud())
    write_cloud(tmp_path / "a.pcd", random_cloud())
    (tmp_path / "sub").mkdir()
    write_cloud(tmp_path / "sub" / "c.npz", random_cloud())
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "metadata.yaml").write_text("x: 1\n")
    (tmp_path / "bag" / "bag.mcap").write_bytes(b"")
    (tmp_path / "photo.png").write_bytes(b"")
    names = [
        p.relative_to(tmp_path).as_posix() for p in find_inputs([tmp_path, f"{tmp_path}/*.ply", tmp_path / "a.pcd"])
    ]
    assert names == ["a.pcd", "b.ply", "bag", "sub/c.npz"]
    with pytest.raises(InputError, match="no file matches"):
        find_inputs([tmp_path / "*.las"])
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match=re.escape("no clouds in this folder")):
        find_inputs([tmp_path / "nothing"])
