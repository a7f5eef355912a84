"""The map behind a live node over many clouds: the camera goes round and round, its poses err a little.

With -s, times from cloud to answer are printed, early and late. They are not asserted: what they would grow with is,
memory, cells and objects.
"""

import time

import numpy as np
import pytest
from live_node import ask, wait_for
from make_clouds import make_cloud
from test_live_fuzz import resident
from test_live_outputs import health
from test_live_tf import TFMESSAGE
from tf_bytes import SECOND, edge, serialized

from instseg3d_ros.messages import topics
from instseg3d_ros.messages.pointcloud2 import read_fields
from instseg3d_ros.messages.rotations import inverse, rigid
from instseg3d_ros.sparse.rigid import transform_points

pytestmark = pytest.mark.live
CLOUDS = 2000
ROUND = 250  # clouds until the camera is where it began
ERROR = 0.02  # metres
PLACES = [(2, -1, 0), (2, 1, 0), (3, 0, 0.5)]


class Robot:
    """A camera that circles 0.4 m about its place before three crates, and publishes clouds with transforms."""

    def __init__(self, live, topic):
        self._transforms = live.node.create_publisher(TFMESSAGE, "/tf", 100)
        self._camera = live.camera(topic)
        self._rng = np.random.default_rng(0)
        shape = self._rng.uniform(-0.15, 0.15, (60, 3))
        places = np.add(PLACES, (0, 0, 1))
        self._points = np.concatenate([shape + place for place in places]).astype(np.float32)
        self._colors = self._rng.integers(0, 256, self._points.shape).astype(np.uint8)

    def ask(self, ear, number):
        """The answer to a cloud, which is published with its transform until it is answered."""
        angle = 2 * np.pi * number / ROUND
        place = np.array([0.4 * np.cos(angle), 0.4 * np.sin(angle), 1.0])
        seen = transform_points(self._points, inverse(rigid(place, (0, 0, 0, 1))))
        told = place + self._rng.normal(0, ERROR / 3**0.5, 3)
        transform = serialized([edge("odom", "camera", number * SECOND, tuple(told), (0, 0, 0, 1))])[0]
        cloud = make_cloud(seen, self._colors, frame="camera", stamp=(number, 0))
        return ask(self._camera, ear, topics.SEGMENTED, cloud, before=lambda: self._transforms.publish(transform))


def test_two_thousand_clouds_leave_memory_and_map_as_they_are(live):
    node = live.start("points:=/long", name="long", map=True, fixed_frame="odom", axes="body", tf_timeout=1.0)
    found = health(live, "long")
    ear = live.listen(node.path, topics.SEGMENTED).matched()
    robot = Robot(live, "/long")
    memory, cells, seconds = [], [], []
    for number in range(1, CLOUDS + 1):
        began = time.monotonic()
        answer = robot.ask(ear, number)
        seconds.append(time.monotonic() - began)
        ear.messages[topics.SEGMENTED].clear()
        if number % ROUND == 0:
            memory.append(resident(node.pid))
            cells.append(int(found.get("map cells", 0)))  # about a second old
    wait_for(lambda: int(found.get("map views", 0)) >= CLOUDS, "all are in the map")
    early, late = (1000 * np.array(part) for part in (seconds[ROUND : 2 * ROUND], seconds[-ROUND:]))
    print(
        f"\n{CLOUDS} clouds in {sum(seconds):.1f} s. From cloud to answer, second and last round: median "
        f"{np.median(early):.1f} → {np.median(late):.1f} ms, slowest {early.max():.0f} → {late.max():.0f} ms. "
        f"Each {ROUND} clouds: resident (MB) {[round(value, 1) for value in memory]}, cells {cells}"
    )
    assert memory[-1] < memory[1] + 5, memory
    assert cells[-1] < 1.25 * cells[len(cells) // 2], cells  # the poses' errors go on filling a few
    assert found["map objects"] == str(len(PLACES))
    assert set(np.unique(read_fields(answer, ("instance",))[0])) - {0} == set(range(1, len(PLACES) + 1))
