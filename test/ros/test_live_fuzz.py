"""A thousand hostile clouds for a node process: it survives, answers good clouds, and does not need more memory."""

import array
import os
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_node import ask, wait_for
from make_clouds import make_cloud, two_boxes
from rclpy.qos import ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from test_live_input import reliability
from test_live_outputs import health

from instseg3d_ros.messages import topics

pytestmark = pytest.mark.live
CLOUDS = int(os.environ.get("FUZZ_CLOUDS", "1000"))  # more of them show whether memory creeps
BATCH = 50  # clouds until a good one is answered; the queues of both sides hold more, so that none is lost

sizes = st.one_of(st.integers(0, 40), st.sampled_from([0, 1, 65_536, 2**31 - 1, 2**32 - 1]))
names = st.one_of(st.sampled_from(["x", "y", "z", "rgb", "rgba", "r", "g", "b", "intensity", ""]), st.text(max_size=5))
numbers = st.sampled_from([0.0, 1.0, -1.0, 1e30, -1e30, 3.4e38, 1e-40, float("nan"), float("inf"), float("-inf")])
fields = st.builds(
    PointField, name=names.filter(lambda text: "\0" not in text and text.isprintable()),
    offset=st.one_of(st.integers(0, 40), st.just(2**32 - 1)), datatype=st.integers(0, 255),
    count=st.sampled_from([0, 1, 2, 2**32 - 1]),
)  # fmt: skip


@st.composite
def any_layout(draw):
    """A cloud whose fields are independent of each other."""
    message = PointCloud2(
        height=draw(sizes), width=draw(sizes), point_step=draw(sizes), row_step=draw(sizes),
        is_bigendian=draw(st.booleans()), is_dense=draw(st.booleans()), fields=draw(st.lists(fields, max_size=6)),
    )  # fmt: skip
    message.data = array.array("B", draw(st.binary(max_size=400)))
    return message


@st.composite
def nearly_right(draw):
    """A valid cloud with unusual numbers, and at most one error in its layout."""
    count = draw(st.integers(0, 30))
    points = np.array(draw(st.lists(numbers, min_size=3 * count, max_size=3 * count)), np.float32).reshape(-1, 3)
    if draw(st.booleans()):
        points[:] = points[:1]  # all in one point
    xyz = draw(st.sampled_from(["f4", "f8"]))
    far = draw(st.sampled_from([None, "millimetres", "map"]))  # as cameras and surveys write them
    with np.errstate(all="ignore"):
        if far == "millimetres":
            points = points * np.float32(1000)
        elif far == "map" and xyz == "f8":
            points = points + np.array((512_345.5, 5_412_345.25, 310))
    encoding = draw(st.sampled_from(["rgb", "rgb_uint32", "rgba_uint32", "separate", "none"]))
    colors = np.zeros((count, 3), np.uint8)
    with np.errstate(all="ignore"):
        message = make_cloud(
            points, colors, encoding=encoding, bigendian=draw(st.booleans()), xyz=xyz,
            row_padding=draw(st.integers(0, 9)),
        )  # fmt: skip
    sizes_of = ["height", "width", "point_step", "row_step"]
    damage = draw(st.sampled_from(["", *sizes_of, "data", "field", "frame", "name", "color"]))
    if damage in sizes_of:
        setattr(message, damage, draw(sizes))
    elif damage == "data":
        message.data = message.data[: draw(st.integers(0, len(message.data)))]
    elif damage == "field":
        message.fields[draw(st.integers(0, 2))] = draw(fields)
    elif damage == "frame":
        frame = draw(st.sampled_from(["", "/", "/map", "/camera_optical_frame", "a" * 300, "é"]))
        message.header = Header(frame_id=frame, stamp=Time(sec=-(2**31)))
    elif damage == "color":  # a colour that nobody understands, or a row_step that no row needs
        message.row_step = 0
        for field in message.fields[3:]:
            field.datatype = draw(st.sampled_from([0, 1, 2, 8, 9, 255]))
    elif damage == "name":
        message.fields.append(message.fields[draw(st.integers(0, len(message.fields) - 1))])
    return message


# Fast DDS never delivers an empty message, and a reliable reader waits for it until it leaves the writer's history.
garbage = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.tuples(nearly_right(), st.integers(0, 200), st.integers(0, 255)).map(
        lambda t: flip(serialize_message(t[0]), *t[1:])
    ),
)


def flip(data, place, value):
    changed = bytearray(data)
    changed[place % len(changed)] = value
    return bytes(changed)


def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def test_a_thousand_hostile_clouds(live):
    node = live.start("points:=/fuzz", name="fuzz", model="fake:queue=100")
    found = health(live, "fuzz")
    camera = live.camera("/fuzz", depth=100)
    ear = live.listen(node.path, topics.SEGMENTED, topics.COLORED, topics.MARKERS, topics.OVERLAY).matched()
    points, colors = two_boxes()
    good = make_cloud(points, colors, (20, 30))

    def still_answers(second):
        good.header.stamp.sec = second
        answer = ask(camera, ear, topics.SEGMENTED, good)
        field = next(f for f in answer.fields if f.name == "instance")
        table = np.frombuffer(answer.data, np.uint8).reshape(-1, answer.point_step)
        instance = table[:, field.offset : field.offset + 4].copy().view("<u4").ravel()
        assert len(set(instance[:300])) == len(set(instance[300:])) == 1 and instance[0] != instance[-1]
        ear.messages = {topic: [] for topic in ear.messages}

    still_answers(1)
    wait_for(lambda: reliability(live, "/fuzz") == ReliabilityPolicy.RELIABLE, "the node reads reliably")
    sent = 0
    memory = []

    @settings(
        max_examples=CLOUDS, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.one_of(any_layout(), nearly_right(), garbage))
    def throw(message):
        nonlocal sent
        camera.publish(message)
        sent += 1
        if sent % BATCH == 0:
            assert node.running(), node.text
            still_answers(1 + sent)
            if sent % (5 * BATCH) == 0:
                memory.append(resident(node.pid))

    throw()
    assert sent >= CLOUDS
    wait_for(lambda: int(found.get("clouds received", 0)) >= CLOUDS, "all have arrived")
    still_answers(10**6)
    wait_for(lambda: int(found["dropped: malformed cloud"]) > CLOUDS / 4, "malformed ones are counted")
    assert "Traceback" not in node.text and "internal error" not in node.text and "callback failed" not in node.text
    print("resident (MB):", *(f"{value:.0f}" for value in memory))
    # The heap rises to what the largest clouds need, which the node keeps for the next one; then it is flat.
    assert memory[-1] < memory[len(memory) // 2] + 10, memory
    if CLOUDS <= 1000:  # longer runs also fill the heap that is kept for large clouds, some 30 MB
        assert memory[-1] < memory[0] + 20, memory
    node.signal()
    assert node.wait() == 0
