"""Recordings in all common forms: in parts, compressed, without metadata, beside messages in other encodings."""

import struct

import numpy as np
import pytest
from bag_files import FIRST, write_bag

from instseg3d_ros.data.clouds import find_inputs, is_bag
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.errors import InputError

pytest.importorskip("rosbags")


def count(path):
    with Bag(path) as bag:
        return sum(len(cloud) == 6 for cloud in bag.clouds())


def compress(path):
    zstd = pytest.importorskip("backports.zstd")
    packed = path.with_name(path.name + ".zstd")
    packed.write_bytes(zstd.compress(path.read_bytes()))
    path.unlink()
    return packed


def edit(folder, *changes):
    text = (folder / "metadata.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "metadata.yaml").write_text(text)


@pytest.mark.parametrize("kind, identifier", [("mcap", "mcap"), ("db3", "sqlite3")])
def test_an_empty_storage_identifier(tmp_path, kind, identifier):
    path = write_bag(tmp_path / "a", kind)
    edit(path, (f"storage_identifier: {identifier}", "storage_identifier: ''"))
    assert count(path) == 3


@pytest.mark.parametrize("kind", ["mcap", "db3"])
@pytest.mark.parametrize("text", ["", "nonsense", "rosbag2_bagfile_information: {version: 8}", None, "moved"])
def test_metadata_that_is_wrong_or_missing(tmp_path, kind, text):
    path = write_bag(tmp_path / "a", kind)
    (path / f"a.{kind}").rename(path / f"other_0.{kind}")
    if text is None:
        (path / "metadata.yaml").unlink()
    elif text != "moved":
        (path / "metadata.yaml").write_text(text)
    assert count(path) == 3
    assert is_bag(path) and find_inputs([tmp_path]) == [path]


def test_parts_of_a_folder_without_metadata_are_one_recording(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for number in range(2):
        part = write_bag(tmp_path / f"part{number}")
        (part / f"part{number}.mcap").rename(folder / f"run_{number}.mcap")
    assert find_inputs([folder]) == [folder] and count(folder) == 6
    (folder / "other_0.mcap").write_bytes((folder / "run_0.mcap").read_bytes())
    assert len(find_inputs([folder])) == 3  # recordings of their own


@pytest.mark.parametrize("kind", ["mcap", "db3"])
@pytest.mark.parametrize("metadata", [True, False])
def test_compressed_files(tmp_path, kind, metadata):
    path = write_bag(tmp_path / "a", kind)
    (path / f"a.{kind}").rename(path / f"a_0.{kind}")
    packed = compress(path / f"a_0.{kind}")
    if metadata:
        edit(path, (f"a.{kind}", f"a_0.{kind}.zstd"), ("compression_format: ''", "compression_format: zstd"),
             ("compression_mode: ''", "compression_mode: FILE"))  # fmt: skip
    else:
        (path / "metadata.yaml").unlink()
    assert count(path) == 3 and count(packed) == 3
    assert find_inputs([tmp_path]) == [path] and is_bag(packed)


def mcap_file(path, channels, profile="ros2"):
    """An mcap written record by record. channels: (topic, message encoding, schema name, encoding, text, messages)."""

    def record(code, body):
        return bytes([code]) + struct.pack("<Q", len(body)) + body

    def text(value):
        value = value if isinstance(value, bytes) else value.encode()
        return struct.pack("<I", len(value)) + value

    magic = b"\x89MCAP0\r\n"
    parts = [magic, record(1, text(profile) + text(""))]
    for number, (topic, encoding, name, schema, definition, messages) in enumerate(channels, 1):
        head = struct.pack("<H", number)
        parts.append(record(3, head + text(name) + text(schema) + text(definition)))
        parts.append(record(4, head + head + text(topic) + text(encoding) + text("")))
        for order, data in enumerate(messages):
            parts.append(record(5, head + struct.pack("<IQQ", order, FIRST + order, FIRST + order) + data))
    path.write_bytes(b"".join(parts) + record(15, bytes(4)) + record(2, bytes(20)) + magic)
    return path


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    """The channel of a recording with three clouds, as `mcap_file` takes it."""
    from rosbags.rosbag2 import Reader
    from rosbags.typesys import Stores, get_typestore

    kind = "sensor_msgs/msg/PointCloud2"
    definition = get_typestore(Stores.ROS2_JAZZY).generate_msgdef(kind, ros_version=2)[0]
    with Reader(write_bag(tmp_path_factory.mktemp("bag") / "a", transforms=False)) as bag:
        return "/points", "cdr", kind, "ros2msg", definition, [bytes(data) for _, _, data in bag.messages()]


OTHERS = [
    ("/log", "protobuf", "foxglove.Log", "protobuf", b"\n\0", [b""]),
    ("/state", "json", "state", "jsonschema", "{}", [b"{}", b"{}"]),
    ("/old", "ros1", "std_msgs/String", "ros1msg", "string data", [b"\1\0\0\0a"]),
    ("/flat", "flatbuffer", "flat", "flatbuffer", b"\xff\xfe", []),
]


@pytest.mark.parametrize("profile", ["ros2", "", "x", "a longer profile"])
def test_other_encodings_beside_ros2(tmp_path, clouds, profile):
    path = mcap_file(tmp_path / "a.mcap", [OTHERS[0], clouds, *OTHERS[1:]], profile)
    assert count(path) == 3
    with Bag(path) as bag:
        assert (bag.topic, bag.count) == ("/points", 3)


def test_messages_of_ros1_in_mcap_are_named_for_what_they_are(tmp_path):
    with (
        pytest.raises(InputError, match=r"ROS 1 \(/old \(ros1\)\).*rosbags-convert"),
        Bag(mcap_file(tmp_path / "a.mcap", [OTHERS[2]], "ros1")),
    ):
        pass
    with (
        pytest.raises(InputError, match=r"/log \(protobuf\), /state \(json\)"),
        Bag(mcap_file(tmp_path / "b.mcap", OTHERS[:2], "")),
    ):
        pass


def test_a_recording_that_did_not_end_is_named_for_what_it_is(tmp_path):
    whole = write_bag(tmp_path / "a.bag", "bag")
    active = whole.rename(tmp_path / "a.bag.active")
    assert is_bag(active) and find_inputs([tmp_path]) == [active]
    with pytest.raises(InputError, match="rosbag reindex"), Bag(active):
        pass


@pytest.mark.parametrize("kind, tool", [("mcap", "mcap recover a.mcap"), ("db3", "sqlite3 a.db3 .recover"),
                                        ("bag", "rosbag reindex a.bag")])  # fmt: skip
def test_the_remedy_for_a_damaged_recording_is_a_tool(tmp_path, kind, tool):
    path = write_bag(tmp_path / ("a.bag" if kind == "bag" else "a"), kind, points=5000)
    path = path if kind == "bag" else path / f"a.{kind}"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=tool) as caught, Bag(path) as bag:
        list(bag.clouds())
    assert "write it again" not in str(caught.value)


def test_a_folder_with_metadata_alone(tmp_path):
    path = write_bag(tmp_path / "a")
    (path / "a.mcap").unlink()
    with pytest.raises(InputError, match="ros2 bag reindex a"), Bag(path):
        pass


@pytest.mark.parametrize("shape", ["no metadata", "mixed", "compressed"])
def test_what_segments_plays_too(tmp_path, clouds, shape):
    pytest.importorskip("rclpy")
    from instseg3d_ros.ros.standalone.recording import Recording

    if shape == "mixed":
        path = mcap_file(tmp_path / "a.mcap", [OTHERS[0], clouds])
    else:
        path = write_bag(tmp_path / "a", transforms=False)
        (path / "metadata.yaml").unlink()
        if shape == "compressed":
            compress(path / "a.mcap")
    with Recording(path) as recording:
        assert [(track.topic, track.count) for track in recording.tracks if track.count] == [("/points", 3)]
        assert len(list(recording.messages(0))) == 3
    assert np.isfinite(recording.start)
