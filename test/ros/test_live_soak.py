"""Hours in small: memory and open files of a node that works without pause stay where they are.

SOAK_MINUTES=10 is the long run (`make soak`); one minute otherwise.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from live_node import ask
from make_clouds import make_cloud
from test_live_fuzz import resident
from test_live_load import set_parameters

from instseg3d_ros.messages import topics

pytestmark = [pytest.mark.live, pytest.mark.slow]
MINUTES = float(os.environ.get("SOAK_MINUTES", 1))
WARM_UP = 0.25  # share of the time after which caches are full


def files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.timeout(60 * MINUTES + 120)
def test_soak(live):
    node = live.start("points:=/soak", name="soak")
    rng = np.random.default_rng(0)
    clouds = []
    for shift in (0, 0.05, 0.1):
        places = np.array([(2, y, z) for y in (-1.2, -0.4, 0.4, 1.2) for z in (-0.4, 0.4)])
        points = places[rng.integers(0, 8, 240 * 320)] + rng.uniform(-0.12, 0.12, (240 * 320, 3)) + (0, shift, 0)
        colors = rng.integers(0, 256, points.shape).astype(np.uint8)
        clouds.append(make_cloud(points.astype(np.float32), colors, (240, 320)))
    camera = live.camera("/soak", depth=1)
    wanted = (topics.SEGMENTED, topics.COLORED, topics.MARKERS, topics.OVERLAY)
    ear = live.listen(node.path, *wanted).matched()
    ask(camera, ear, topics.SEGMENTED, clouds[0])
    began, second, samples = time.monotonic(), 0, []
    while time.monotonic() - began < 60 * MINUTES:
        second += 1
        message = clouds[second % 3]
        message.header.stamp.sec = second
        camera.publish(message)
        time.sleep(0.1)
        if second % 20 == 0:  # every two seconds: sample, listeners come and go, parameters change
            assert node.running(), node.text
            samples.append((time.monotonic() - began, resident(node.pid), files(node.pid)))
            ear.messages = {topic: [] for topic in wanted}
            passing = live.listen(node.path, topics.SEGMENTED)
            (answer,) = set_parameters(live, node, min_points=1 + second % 7)
            assert answer.successful
            passing.close()
    last = clouds[0]
    last.header.stamp.sec = second + 1
    ask(camera, ear, topics.MARKERS, last)  # it still answers
    times, memory, descriptors = np.array(samples).T
    late = times > WARM_UP * times[-1]
    slope = 60 * np.polyfit(times[late], memory[late], 1)[0]
    print(
        f"\nsoak of {MINUTES:g} min: {second} clouds, memory {memory[0]:.0f} → {memory[-1]:.0f} MB, "
        f"slope {slope:+.2f} MB/min, open files {descriptors.min():.0f} to {descriptors.max():.0f}"
    )
    # A leak of one cloud's arrays in a hundred would show as 20 MB a minute.
    assert slope < (15 if MINUTES < 5 else 1), samples
    assert np.median(descriptors[-5:]) <= np.median(descriptors[:5]) + 2, samples
    node.signal()
    assert node.wait() == 0
