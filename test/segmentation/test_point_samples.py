"""The points that an object head sees; its output does not depend on their order."""

import tracemalloc

import numpy as np
import pytest
import torch

from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.network.object_head import AROUND, GEOMETRY, OWN, ObjectHead, PointEncoder
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.description import input_widths
from instseg3d_ros.segmentation.judging import ask, encode
from instseg3d_ros.segmentation.point_samples import MARGIN, sample
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.segmenter import Segmenter

LABELS = LabelSet(
    "three",
    (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("cup", 2, (1, 1, 1)), LabelClass("box", 3, (2, 2, 2))),
)

WIDTH = 31  # of the descriptions in these tests


def _cloud(voxels, parts, seed=0, features=5):
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0, 2, (voxels, 3)).astype(np.float32)
    cells = np.floor(positions[:, 0] * parts / 2.2).astype(int)  # slices, the last of them in no part
    part = np.where(cells < parts, cells, -1)
    part = np.unique(np.append(part, -1), return_inverse=True)[1][:-1] - 1
    colors = rng.integers(0, 256, (voxels, 3)).astype(np.float32)
    return positions, part, colors, rng.normal(size=(voxels, features)).astype(np.float32)


def _samples(positions, part, colors, features, which=None, floor=-0.1):
    proposals = Proposals.of_parts(int(part.max()) + 1)
    which = np.arange(len(proposals)) if which is None else which
    boxes = upright_boxes(positions, *proposals.members(part, which))
    return sample(proposals, part, which, boxes, positions, colors, features, floor)


def test_inputs_are_what_a_loop_says():
    positions, part, colors, features = _cloud(900, 4)
    samples = _samples(positions, part, colors, features)
    found = samples.inputs()
    assert found.shape == (4, OWN + AROUND, GEOMETRY + 5) and found.dtype == np.float32 and samples.surrounded.all()
    for k in range(4):
        box = upright_boxes(positions, *Proposals.of_parts(4).members(part, np.array([k])))[0]
        mine = np.flatnonzero(part == k)
        assert set(samples.rows[k, :OWN]) <= set(mine) and len(set(samples.rows[k, :OWN])) == min(OWN, len(mine))
        for p, row in enumerate(samples.rows[k]):
            local = box.rotation.astype(np.float64).T @ (positions[row].astype(np.float64) - box.center)
            expected = [*local, positions[row, 2] + 0.1, *(colors[row].astype(np.float64) / 127.5 - 1), *features[row]]
            np.testing.assert_allclose(found[k, p], expected, rtol=1e-4, atol=1e-5)
            if p >= OWN:
                assert part[row] != k and (np.abs(local) <= box.size / 2 + MARGIN + 1e-5).all()


def test_the_encoder_is_a_loop_in_float64_and_knows_no_order():
    torch.manual_seed(0)
    encoder = PointEncoder(5, width=16).double()
    encoder.mean.normal_()
    encoder.scale.uniform_(0.5, 2)
    points = torch.randn(3, OWN + AROUND, GEOMETRY + 5, dtype=torch.float64)
    surrounded = torch.tensor([True, False, True])
    with torch.no_grad():
        found = encoder(points, surrounded)
        for k in range(3):
            rows = [
                encoder.layers(
                    torch.cat((((x - encoder.mean) / encoder.scale), torch.tensor([float(p < OWN)]).double()))
                )
                for p, x in enumerate(points[k])
            ]
            own, around = torch.stack(rows[:OWN]).amax(0), torch.stack(rows[OWN:]).amax(0)
            torch.testing.assert_close(found[k], torch.cat((own, around * float(surrounded[k]))))
        shuffled = torch.cat((torch.randperm(OWN), OWN + torch.randperm(AROUND)))
        torch.testing.assert_close(encoder(points[:, shuffled], surrounded), found)
        swapped = encoder(points[[2, 0]], surrounded[[2, 0]])
        torch.testing.assert_close(swapped, found[[2, 0]])


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_proposals_does_not_matter(seed):
    cloud = _cloud(1500, 7, seed)
    order = np.random.default_rng(seed).permutation(7)
    plain, turned = _samples(*cloud), _samples(*cloud, which=order)
    assert np.array_equal(plain.rows[order], turned.rows)
    assert np.array_equal(plain.inputs(order), turned.inputs())
    torch.manual_seed(seed)
    head, x = ObjectHead(3, WIDTH, points=5, stuff=True).eval(), np.random.default_rng(0).normal(size=(7, WIDTH))
    x = x.astype(np.float32)
    one, other = ask(head, x, np.array([1, 2]), plain), ask(head, x[order], np.array([1, 2]), turned)
    for a, b in zip(one, other):
        np.testing.assert_allclose(a[order], b, rtol=1e-5)


def test_the_order_of_points_does_not_matter():
    torch.manual_seed(0)
    architecture = Architecture(
        width=4, classes=3, graph_layers=0, voxel_size=0.05, object_inputs=input_widths(3, 4), object_points=True
    )
    segmenter = Segmenter(Network(architecture), ModelCard(architecture, LABELS), min_thing=0.0, level="off")
    rng = np.random.default_rng(0)
    points, colors = rng.uniform(0, 1, (3000, 3)).astype(np.float32), rng.integers(0, 256, (3000, 3)).astype(np.uint8)
    order = rng.permutation(3000)
    one, other = segmenter.candidates(points, colors), segmenter.candidates(points[order], colors[order])
    assert np.array_equal(one.samples.rows, other.samples.rows) and len(one.samples) == len(one.which) > 0
    np.testing.assert_allclose(one.samples.inputs(), other.samples.inputs(), atol=2e-5)
    assert segmenter(points, None).semantic.shape == (3000,), "a cloud without colour is grey"


def test_a_proposal_of_one_voxel_far_from_all_else():
    positions, part, *_ = _cloud(50, 1)
    positions = np.vstack((positions, [[30, 0, 0]])).astype(np.float32)
    part = np.append(part, part.max() + 1)
    samples = _samples(positions, part, None, np.zeros((51, 2), np.float32))
    last = samples.inputs()[-1]
    assert (samples.rows[-1] == 50).all() and not samples.surrounded[-1]
    np.testing.assert_allclose(last, np.tile([0, 0, 0, 0.1, 0, 0, 0, 0, 0], (OWN + AROUND, 1)), atol=1e-6)
    with torch.no_grad():
        assert torch.isfinite(encode(ObjectHead(3, WIDTH, points=2).eval(), samples)).all()


def test_no_proposals_have_no_samples():
    positions, _, colors, features = _cloud(30, 1)
    samples = _samples(positions, np.full(30, -1), colors, features)
    assert len(samples) == 0 and encode(ObjectHead(3, WIDTH, points=5), samples).shape == (0, 256)


def test_thousands_of_proposals_take_bounded_memory():
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 5, (3000, 3)).astype(np.float32)
    cloud = positions, np.arange(3000) // 2, None, np.zeros((3000, 16), np.float32)
    head = ObjectHead(3, WIDTH, points=16).eval()
    _samples(*cloud)
    tracemalloc.start()
    samples = _samples(*cloud)
    with torch.inference_mode():
        encoded = encode(head, samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert encoded.shape == (1500, 256)
    assert peak < 20e6, "all points of 1,500 proposals at once would take 35 MB, and their distances 36 MB"


class Wall(ObjectHead):
    """Says that the lower of two objects is floor."""

    def forward(self, descriptions, encoded=None):
        low = descriptions[:, 10 + 6 + 2] < 0.5
        classes = torch.where(low[:, None], torch.tensor([5.0, 1, 2]), torch.tensor([0.0, 1, 5]))
        return classes, torch.ones(len(classes))


def test_what_is_found_to_be_stuff_is_no_instance_but_gets_its_class(two_blocks):
    from instseg3d_ros.segmentation.instances import find_instances
    from instseg3d_ros.segmentation.options import Options

    evidence = two_blocks(features=2)
    found = find_instances(
        evidence, LABELS, Options(), Wall(3, sum(width for _, width in input_widths(3, 2)), points=2, stuff=True)
    )
    assert [one.label for one in found.instances] == ["box"] and len(found.candidates.samples) == 2
    low = evidence.cluster.numpy() == 1
    assert (found.semantic[low] == 0).all() and (found.instance[low] == 0).all()
    assert (found.semantic[~low] == 2).all() and (found.instance[~low] == 1).all()


def test_a_head_needs_a_place_to_see_points_from():
    from instseg3d_ros.errors import InputError

    with pytest.raises(InputError, match="object_points is true without object_inputs"):
        Architecture(object_points=True)
