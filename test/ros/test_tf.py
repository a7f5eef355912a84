"""Transform buffer and messages without middleware, against transforms3d and rosbags."""

import numpy as np
import pytest
from tf_bytes import SECOND, edge, serialized, typestore
from transforms3d.affines import compose
from transforms3d.quaternions import quat2mat

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.tf_buffer import KEPT, TransformBuffer, Unavailable
from instseg3d_ros.messages.tf_message import TYPE_HASH, StampedTransform, decode_transforms


def matrix(transform):
    x, y, z, w = transform.quaternion
    return compose(transform.translation, quat2mat((w, x, y, z)), np.ones(3))


def test_chains_up_and_down_equal_products_of_transforms3d():
    buffer = TransformBuffer()
    a, b = edge("map", "odom", SECOND), edge("odom", "base", SECOND)
    c, d = edge("base", "camera", 0), edge("map", "table", SECOND)
    buffer.add([a, b, d], fixed=False)
    buffer.add([c], fixed=True)
    np.testing.assert_allclose(buffer.lookup("map", "camera", SECOND), matrix(a) @ matrix(b) @ matrix(c), atol=1e-12)
    expected = np.linalg.inv(matrix(d)) @ matrix(a) @ matrix(b) @ matrix(c)
    np.testing.assert_allclose(buffer.lookup("table", "camera", SECOND), expected, atol=1e-12)
    np.testing.assert_allclose(buffer.lookup("camera", "table", SECOND), np.linalg.inv(expected), atol=1e-12)
    np.testing.assert_allclose(buffer.lookup("/camera", "camera", SECOND), np.eye(4), atol=1e-12)


def test_between_two_stamps_place_and_turn_are_interpolated():
    buffer = TransformBuffer()
    quarter = (0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4))
    stamps = [edge("map", "base", 0, (0, 0, 0), (0, 0, 0, 1)), edge("map", "base", SECOND, (4, 0, 0), quarter)]
    buffer.add(reversed(stamps), fixed=False)  # in any order
    found = buffer.lookup("map", "base", SECOND // 4)
    assert found[0, 3] == pytest.approx(1)
    assert np.degrees(np.arctan2(found[1, 0], found[0, 0])) == pytest.approx(22.5)


def test_every_refusal_names_both_frames_and_the_reason():
    buffer = TransformBuffer()
    buffer.add([edge("map", "base", SECOND), edge("map", "base", 2 * SECOND), edge("other", "tool", SECOND)], False)
    for target, source, stamp, word in (
        ("map", "base", 3 * SECOND, "base is 1.000 s older"),
        ("map", "base", SECOND // 2, "base is 0.500 s newer"),
        ("map", "camera", SECOND, "frame 'camera' is not published"),
        ("world", "base", SECOND, "frame 'world' is not published"),
        ("map", "tool", SECOND, "not connected"),
    ):
        with pytest.raises(Unavailable, match=word) as error:
            buffer.lookup(target, source, stamp)
        assert target in str(error.value) and source in str(error.value)
    assert buffer.lookup("map", "base", 0).shape == (4, 4)  # no stamp: the newest


def test_history_is_bounded_and_time_may_jump_back():
    buffer = TransformBuffer()
    for number in range(100):
        buffer.add([edge("map", "base", number * SECOND)], fixed=False)
    with pytest.raises(Unavailable, match="newer"):
        buffer.lookup("map", "base", 99 * SECOND - KEPT - SECOND)
    buffer.lookup("map", "base", 99 * SECOND - KEPT)
    again = edge("map", "base", 5 * SECOND)
    buffer.add([again], fixed=False)  # a bag begins anew
    np.testing.assert_allclose(buffer.lookup("map", "base", 5 * SECOND), matrix(again), atol=1e-12)
    with pytest.raises(Unavailable, match="older"):
        buffer.lookup("map", "base", 99 * SECOND)


def test_clear_keeps_what_is_fixed():
    buffer = TransformBuffer()
    buffer.add([edge("map", "base", SECOND)], fixed=False)
    buffer.add([edge("base", "camera", 0)], fixed=True)
    buffer.clear()
    buffer.lookup("base", "camera", 99 * SECOND)
    with pytest.raises(Unavailable):
        buffer.lookup("map", "camera", SECOND)


def test_loops_nonsense_and_new_parents():
    buffer = TransformBuffer()
    buffer.add([edge("a", "b", SECOND), edge("b", "a", SECOND), edge("x", "x", SECOND)], fixed=False)
    with pytest.raises(Unavailable):
        buffer.lookup("c", "a", SECOND)
    buffer.add([StampedTransform("map", "base", SECOND, (0, 0, np.nan), (0, 0, 0, 1))], fixed=False)
    buffer.add([StampedTransform("map", "base", SECOND, (0, 0, 0), (0, 0, 0, 0))], fixed=False)
    with pytest.raises(Unavailable):
        buffer.lookup("map", "base", SECOND)
    first, second = edge("odom", "base", SECOND), edge("map", "base", SECOND)
    buffer.add([first], fixed=False)
    buffer.add([second], fixed=False)
    np.testing.assert_allclose(buffer.lookup("map", "base", SECOND), matrix(second), atol=1e-12)


@pytest.mark.parametrize("names", [[], [("map", "odom")], [("m", "base_link"), ("base_link", "camera_é"), ("", "abc")]])
def test_messages_read_as_rosbags_writes_them(names):
    transforms = [edge(parent, child, 3 * SECOND + number) for number, (parent, child) in enumerate(names)]
    for data in serialized(transforms):
        assert decode_transforms(data) == transforms


def test_type_hash_is_that_of_the_definition():
    assert typestore().hash_rihs01("tf2_msgs/msg/TFMessage") == f"RIHS01_{TYPE_HASH}"


def test_bytes_that_end_early_are_refused():
    data = serialized([edge("map", "base", SECOND), edge("base", "camera", SECOND)])[0]
    for length in range(len(data)):
        with pytest.raises(InputError, match="bytes"):
            decode_transforms(data[:length])
    with pytest.raises(InputError):
        decode_transforms(bytes(data[:8]) + b"\xff" * 200)
