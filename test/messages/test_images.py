"""Depth and colour images of all supported encodings give the same numbers; others are refused with a single line."""

import io
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.header import read_header
from instseg3d_ros.messages.images import decode_color, decode_depth, match_size

RNG = np.random.default_rng(0)
MILLIMETRES = RNG.integers(0, 5000, (6, 8))
PICTURE = RNG.integers(0, 256, (6, 8, 3)).astype(np.uint8)


def image(array, encoding, padding=0, big=False):
    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder(">" if big else "<")))
    rows = array.view(np.uint8).reshape(len(array), -1)
    data = np.pad(rows, ((0, 0), (0, padding))).tobytes()
    return SimpleNamespace(
        height=array.shape[0], width=array.shape[1], encoding=encoding, is_bigendian=big,
        step=rows.shape[1] + padding, data=data,
    )  # fmt: skip


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 6])
def test_depth_in_millimetres_and_in_metres(big, padding):
    integers = image(MILLIMETRES.astype(np.uint16), "16UC1", padding, big)
    metres = image((MILLIMETRES / 1000).astype(np.float32), "32FC1", 2 * padding, big)
    np.testing.assert_allclose(decode_depth(integers), MILLIMETRES / 1000, atol=1e-6)
    np.testing.assert_allclose(decode_depth(metres), MILLIMETRES / 1000, atol=1e-6)
    assert decode_depth(integers).dtype == np.float32


@pytest.mark.parametrize(
    ("encoding", "pixels"),
    [
        ("rgb8", PICTURE), ("bgr8", PICTURE[..., ::-1]), ("rgba8", np.pad(PICTURE, ((0, 0), (0, 0), (0, 1)))),
        ("bgra8", np.pad(PICTURE[..., ::-1], ((0, 0), (0, 0), (0, 1)))),
    ],
)  # fmt: skip
def test_every_order_of_colours(encoding, pixels):
    np.testing.assert_array_equal(decode_color(image(np.ascontiguousarray(pixels), encoding, padding=4)), PICTURE)
    grey = decode_color(image(PICTURE[..., 0].copy(), "mono8"))
    np.testing.assert_array_equal(grey, np.repeat(PICTURE[..., :1], 3, axis=2))


def png(array):
    Image = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_compressed_images():
    color = SimpleNamespace(format="rgb8; png compressed bgr8", data=png(PICTURE))
    np.testing.assert_array_equal(decode_color(color), PICTURE)
    plain = SimpleNamespace(
        format="16UC1; compressedDepth png", data=struct.pack("<iff", 0, 0, 0) + png(MILLIMETRES.astype(np.uint16))
    )
    np.testing.assert_allclose(decode_depth(plain), MILLIMETRES / 1000, atol=1e-6)
    # 32FC1 is sent as inverse depth: value = A / depth + B (image_transport_plugins).
    depth = MILLIMETRES / 1000 + 0.5
    values = np.rint(1000.0 / depth + 3.0).astype(np.uint16)
    values[0, 0] = 0
    inverse = SimpleNamespace(format="32FC1; compressedDepth", data=struct.pack("<iff", 0, 1000, 3) + png(values))
    decoded = decode_depth(inverse)
    assert np.isnan(decoded[0, 0])
    np.testing.assert_allclose(decoded.ravel()[1:], depth.ravel()[1:], rtol=0.01)


@pytest.mark.parametrize(
    ("decode", "message", "word"),
    [
        (decode_depth, image(MILLIMETRES.astype(np.uint8), "8UC1"), "expected 16UC1"),
        (decode_color, image(MILLIMETRES.astype(np.uint16), "yuv422"), "encoding 'yuv422'"),
        (decode_depth, SimpleNamespace(format="16UC1; compressedDepth rvl", data=b"x" * 40), "set the camera's"),
        (decode_depth, SimpleNamespace(format="jpeg", data=b""), "expected '…; compressedDepth png'"),
        (decode_color, SimpleNamespace(format="jpeg", data=b"no picture"), "cannot be decoded"),
    ],
)
def test_what_is_refused(decode, message, word):
    with pytest.raises(InputError, match=word) as error:
        decode(message)
    assert "\n" not in str(error.value)


def test_truncated_images_and_other_views():
    message = image(PICTURE, "rgb8")
    message.data = message.data[:-1]
    with pytest.raises(InputError, match="malformed"):
        decode_color(message)
    np.testing.assert_array_equal(match_size(PICTURE, np.zeros((3, 4))), PICTURE[::2, ::2])
    with pytest.raises(InputError, match="register"):
        match_size(PICTURE, np.zeros((6, 7)))


def test_header_of_serialized_messages():
    data = b"\x00\x01\x00\x00" + struct.pack("<iII", 7, 9, 5) + b"lens\0" + b"rest"
    assert read_header(data) == (7_000_000_009, "lens")
    assert read_header(data[:10]) == read_header(b"") == (0, "")
