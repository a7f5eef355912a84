"""The node with a real network: with random weights, and with the shipped weights if they are installed."""

import json
import sys

import numpy as np
import pytest
from live_node import ask, wait_for
from make_clouds import make_cloud, two_boxes
from test_live_answers import column

from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.messages import topics
from instseg3d_ros.paths import share

pytestmark = pytest.mark.live
NODE = [sys.executable, "-m", "instseg3d_ros", "segment_node"]
SHIPPED = share("models") / "unet.safetensors"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    import torch

    from instseg3d_ros.network import checkpoint
    from instseg3d_ros.network.architecture import Architecture
    from instseg3d_ros.network.model import Network

    torch.manual_seed(0)
    architecture = Architecture(width=4, classes=len(SYNTHETIC), graph_layers=1, voxel_size=0.05)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    checkpoint.save(path, Network(architecture), checkpoint.ModelCard(architecture, SYNTHETIC))
    return path


def test_a_network_answers_and_its_thresholds_change_while_it_runs(live, weights):
    from test_live_load import set_parameters

    node = live.start("points:=/net", name="net", model=weights, command=NODE, device="cpu", threads=1)
    camera, ear = live.camera("/net"), live.listen(node.path, topics.SEGMENTED, topics.MARKERS).matched()
    points, colors = two_boxes(count=3000, nan=10)
    answer = ask(camera, ear, topics.SEGMENTED, make_cloud(points, colors, stamp=(1, 0)))
    label = column(answer, "label", "<u2")
    assert (label[:10] == 65535).all() and (label[10:] < len(SYNTHETIC)).all()
    assert set_parameters(live, node, max_range=1.0)[0].successful  # everything is 2 m away
    answer = ask(camera, ear, topics.SEGMENTED, make_cloud(points, colors, stamp=(2, 0)))
    assert (column(answer, "label", "<u2") == 65535).all()
    node.signal()
    assert node.wait() == 0


def test_a_tampered_model_is_refused_with_its_reason(live, weights, tmp_path):
    data = bytearray(weights.read_bytes())
    data[:8] = (2**62).to_bytes(8, "little")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(bytes(data))
    node = live.start(name="tampered", model=broken, command=NODE, ready=False)
    assert node.wait(60) == 2
    (line,) = [line for line in node.lines if line.startswith("segment_node:")]
    assert str(broken) in line and "Traceback" not in node.text


@pytest.mark.skipif(not SHIPPED.is_file(), reason="models/unet.safetensors is not there")
def test_the_shipped_model_finds_two_boxes_on_a_table(live):
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import String

    node = live.start("points:=/shipped", name="shipped", model="unet", command=NODE, device="cpu", ready=False)
    node.expect("waiting for clouds")  # kernels may be compiled first
    labels = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    live.node.create_subscription(String, f"{node.path}/labels", labels.append, latched)
    camera, ear = live.camera("/shipped"), live.listen(node.path, topics.SEGMENTED, topics.MARKERS).matched()
    points, colors, truth = table_with_boxes()
    answer = ask(camera, ear, topics.SEGMENTED, make_cloud(points, colors, stamp=(1, 0), frame="base"))
    instance = column(answer, "instance", "<u4")
    for box in (1, 2):
        mine = truth == box
        found = np.bincount(instance[mine]).argmax()
        shared = (mine & (instance == found)).sum() / (mine | (instance == found)).sum()
        assert found > 0 and shared > 0.5, (box, found, shared)
    wait_for(lambda: labels, "the labels are latched")
    assert len(json.loads(labels[0].data)["classes"]) >= 20


def table_with_boxes():
    """A table top seen from 60 cm above, two boxes on it 40 cm apart: points, colours, and 1 and 2 where they are."""
    rng = np.random.default_rng(0)
    parts = [np.stack((rng.uniform(0.6, 1.4, 60_000), rng.uniform(-0.5, 0.5, 60_000), np.zeros(60_000)), axis=1)]
    owner, colors = [np.zeros(60_000, int)], [np.full((60_000, 3), (150, 110, 70))]
    for number, (y, color) in enumerate(((-0.2, (200, 40, 40)), (0.2, (40, 60, 200))), start=1):
        faces = rng.uniform(-0.06, 0.06, (12_000, 3))
        side = rng.integers(0, 3, 12_000)
        faces[side == 0, 0], faces[side == 1, 1] = -0.06, -0.06 * np.sign(y)
        faces[side == 2, 2] = 0.06
        parts.append(faces + np.array((1.0, y, 0.06)))
        owner.append(np.full(12_000, number))
        colors.append(np.full((12_000, 3), color))
    points = np.concatenate(parts) - (0, 0, 0.6) + rng.normal(0, 0.001, (84_000, 3))
    return points.astype(np.float32), np.concatenate(colors).astype(np.uint8), np.concatenate(owner)
