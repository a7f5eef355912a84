"""Hours in small: memory and open files of a node that works without pause stay where they are.

SOAK_MINUTES=10 is the long run (`make soak`); otherwise the test ends after CLOUDS clouds.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from live_node import ask
from make_clouds import make_cloud
from scipy.stats import theilslopes
from test_live_fuzz import resident
from test_live_load import set_parameters

from instseg3d_ros.messages import topics

pytestmark = [pytest.mark.live, pytest.mark.slow]
MINUTES = float(os.environ.get("SOAK_MINUTES", 0))
CLOUDS = 300
SAMPLE = 15  # clouds between two samples
WARM_UP = 0.25  # share of the clouds after which caches are full


def files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


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
    end, second, samples = time.monotonic() + 60 * MINUTES, 0, []
    while second < CLOUDS or time.monotonic() < end:
        second += 1
        message = clouds[second % 3]
        message.header.stamp.sec = second
        ask(camera, ear, topics.SEGMENTED, message)
        ear.messages = {topic: [] for topic in wanted}
        if second % SAMPLE == 0:  # sample, listeners come and go, parameters change
            assert node.running(), node.text
            samples.append((second, resident(node.pid), files(node.pid)))
            passing = live.listen(node.path, topics.SEGMENTED)
            (answer,) = set_parameters(live, node, min_points=1 + second % 7)
            assert answer.successful
            passing.close()
    ask(camera, ear, topics.MARKERS, clouds[0])  # it still answers
    number, memory, descriptors = np.array(samples).T
    late = number > WARM_UP * number[-1]
    slope = 1000 * theilslopes(memory[late], number[late]).slope  # a single step of the heap does not change it
    print(
        f"\nsoak of {second} clouds: memory {memory[0]:.0f} → {memory[-1]:.0f} MB, slope {slope:+.2f} MB per 1000 "
        f"clouds, open files {descriptors.min():.0f} to {descriptors.max():.0f}"
    )
    # A leak of a cloud's arrays (3.3 MB) in a hundred clouds would show as 33 MB per 1000 clouds, in a long run one in
    # a thousand as 3.3 MB.
    assert slope < (25 if MINUTES < 5 else 1.6), samples
    assert np.median(descriptors[-5:]) <= np.median(descriptors[:5]) + 2, samples
    node.signal()
    assert node.wait() == 0
