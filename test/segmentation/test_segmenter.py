"""From cloud to result with an untrained network."""

import numpy as np
import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation.mean_shift import mean_shift_scales
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.native import kernels


def segmenter(**options):
    torch.manual_seed(0)
    architecture = Architecture(width=8, classes=len(SYNTHETIC), voxel_size=0.04)
    return Segmenter(Network(architecture), ModelCard(architecture, SYNTHETIC), "cpu", **options)


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(0)
    floor = np.column_stack((rng.uniform(1, 3, (6000, 1)), rng.uniform(-1, 1, (6000, 1)), np.full(6000, -1)))
    points = np.concatenate((floor, rng.uniform((1.8, -0.2, -1), (2.2, 0.2, -0.6), (3000, 3)))).astype(np.float32)
    return points, rng.integers(0, 256, points.shape, np.uint8)


@pytest.mark.parametrize("precision", ["fp32", "auto", *(["bf16"] if kernels.has_bf16() else [])])
def test_same_bits_on_every_run(cloud, precision):
    made = segmenter(precision=precision, min_points=1)
    first, second = made(*cloud), made(*cloud)
    for name in ("semantic", "instance", "confidence"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert (first.semantic >= 0).all() and first.timings["total"] > 0


@pytest.mark.skipif(not kernels.has_bf16(), reason="no bfloat16 instructions, or no compiler")
def test_bf16_gives_nearly_the_same(cloud):
    exact, rounded = (segmenter(precision=precision)(*cloud) for precision in ("fp32", "bf16"))
    assert (exact.semantic == rounded.semantic).mean() > 0.95  # scores of untrained weights lie close together
    assert not np.array_equal(exact.confidence, rounded.confidence)


def test_a_training_in_mixed_precision_validates_with_the_same_answer(cloud):
    made = segmenter(precision="fp32", min_points=1)
    expected = made(*cloud)
    with torch.autocast("cpu", torch.bfloat16):
        answer, candidates = made(*cloud), made.candidates(*cloud)
    for name in ("semantic", "instance", "confidence"):
        np.testing.assert_array_equal(getattr(answer, name), getattr(expected, name))
    assert candidates is None  # the network has no object head


def test_an_unknown_precision_is_named():
    with pytest.raises(InputError, match=r"'int8'.*auto, fp32, bf16"):
        segmenter(precision="int8")


def sure_of(segmenter, probabilities):
    """Let the network's semantic head say `probabilities` (by class name) for every voxel."""
    logits = torch.full((len(SYNTHETIC),), -30.0)
    for name, p in probabilities.items():
        logits[SYNTHETIC.index(name)] = np.log(p)
    head = segmenter.network.semantic_head[2]
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(logits)
    return segmenter


@pytest.mark.parametrize("min_thing, found", [(0.5, True), (0.61, False)])
def test_two_things_together_win_over_the_wall(cloud, min_thing, found):
    made = sure_of(segmenter(min_points=1, min_thing=min_thing), {"wall": 0.4, "chair": 0.35, "sofa": 0.25})
    result = made(*cloud)
    assert bool(result.instances) is found
    if found:
        assert {one.label for one in result.instances} == {"chair"}
        assert (result.semantic[result.instance > 0] == SYNTHETIC.index("chair")).all()
    assert (result.semantic[result.instance == 0] == SYNTHETIC.index("wall")).all()


def test_a_frame_where_every_voxel_is_a_thing(cloud, monkeypatch):
    clustered = []

    def scales(embedding, bandwidths):
        clustered.append(len(embedding))
        return mean_shift_scales(embedding, bandwidths)

    monkeypatch.setattr("instseg3d_ros.segmentation.segmenter.mean_shift_scales", scales)
    made = sure_of(segmenter(min_points=1, merge=0.5), {"chair": 0.6, "table": 0.4})
    result = made(*cloud)
    voxels = len(voxelize(torch.from_numpy(cloud[0]), None, 0.04).grid)
    assert clustered[0] > 0.9 * voxels  # nearly all: a cloud that is turned upright has others
    assert (result.instance > 0).all() and (result.semantic == SYNTHETIC.index("chair")).all()
    assert sum(one.num_points for one in result.instances) == len(cloud[0])


def test_min_thing_out_of_range_is_named():
    with pytest.raises(InputError, match=r"min_thing is 1\.5; expected 0 to 1"):
        segmenter(min_thing=1.5)


@pytest.mark.parametrize("most", [2000, 300, 20])
def test_max_voxels_bounds_the_voxels_of_a_cloud(cloud, most):
    made = sure_of(segmenter(min_points=1, max_voxels=most), {"chair": 1.0})
    points = torch.from_numpy(cloud[0])
    assert len(made._inputs(points, None, most).voxels.grid) == most
    assert len(made._inputs(points, None, 0).voxels.grid) > 2000
    result = made(*cloud)
    assert (result.semantic >= 0).all()
    assert [one.num_points for one in result.instances] == np.bincount(result.instance)[1:].tolist()


def test_the_result_says_where_up_is(cloud):
    points, colors = cloud
    angle = np.radians(20)
    tilt = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    tilted = (points @ tilt.T).astype(np.float32)
    assert np.array_equal(segmenter(level="off")(tilted, colors).up, (0, 0, 1))
    result = segmenter(level="auto", min_points=1, min_thing=0.0)(tilted, colors)
    assert np.degrees(np.arccos(result.up @ tilt[:, 2])) < 1.5
    assert all(np.allclose(one.box.rotation[:, 2], result.up) for one in result.instances)
    assert np.allclose(result.moved(tilt.T).up, tilt.T @ result.up)
