import numpy as np
import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.network.object_head import CLIP, ObjectHead
from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.description import INPUTS, Description, columns, input_widths
from instseg3d_ros.segmentation.instances import find_instances
from instseg3d_ros.segmentation.judging import ask
from instseg3d_ros.segmentation.measures import Measures, moments, moments_numpy
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.segmenter import Segmenter

LABELS = LabelSet(
    "three",
    (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("cup", 2, (1, 1, 1)), LabelClass("box", 3, (2, 2, 2))),
)
WIDTH = sum(width for _, width in input_widths(3, 0))  # of a description with three classes and no features


def _description(positions, part, num, points, features=None, seed=0):
    """A description of `num` parts as proposals, with random values for inputs from other sources."""
    rng = np.random.default_rng(seed)
    order, begin = Proposals.of_parts(num).members(part, np.arange(num))
    probability, around = rng.dirichlet(np.ones(3), (2, num))
    measures = Measures(points, probability, *rng.random((2, num)), upright_boxes(positions, order, begin))
    moment = moments(positions, part, num, features)
    halves = np.stack((moment[::-1], np.roll(moment, 1, 0)))
    halves[:, :1] = 0  # the first is a part
    own = rng.random(num), rng.random((num, 3)), around, rng.random((num, 4))
    return Description(measures, *own, moment, halves, -1.7)


def test_columns_are_what_they_say():
    rng = np.random.default_rng(0)
    positions = rng.normal(0, 1, (300, 3)).astype(np.float32)
    counts = rng.integers(1, 20, 300)
    part = rng.integers(-1, 4, 300)
    points = np.bincount(part[part >= 0], counts[part >= 0])
    features = rng.normal(size=(300, 5)).astype(np.float32)
    d = _description(positions, part, 4, points, features)
    found = columns(d)
    assert np.array_equal(columns(_description(positions, part, 4, points)), found[:, :-10])
    assert found.shape == (4, sum(width for _, width in input_widths(3, 5))) and found.dtype == np.float32
    for k in range(4):
        mine = positions[part == k].astype(np.float64)
        centered = mine - mine.mean(0)
        deviations = np.sqrt(np.linalg.eigvalsh(centered.T @ centered / len(mine)))
        one, other = (features[part == half].mean(0) for half in (3 - k, (k - 1) % 4))
        apart = np.abs(one - other) if k else np.zeros(5)
        z, size = mine[:, 2] - d.floor, d.measures.boxes[k].size
        expected = [d.formula_score[k], d.measures.tightness[k], d.measures.cluster_share[k], *d.merging[k],
                    *d.contacts[k], *np.log(d.measures.probability[k] + 1e-3), *np.log(d.around[k] + 1e-3),
                    min(size[:2]), max(size[:2]), size[2], z.min(), z.mean(), z.max(), np.linalg.norm(mine.mean(0)),
                    np.log(points[k]), np.log(len(mine)), np.log(points[k] / len(mine)),
                    *deviations, *features[part == k].mean(0), *apart]  # fmt: skip
        np.testing.assert_allclose(found[k], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [0, 7])
def test_moments_are_those_of_numpy(width):
    rng = np.random.default_rng(2)
    part = rng.permutation(np.concatenate((np.arange(-1, 9), rng.integers(-1, 9, 700))))
    positions, features = (rng.normal(size=(len(part), columns)).astype(np.float32) for columns in (3, width))
    for given in (features, None):
        ours, twin = moments(positions, part, 9, given), moments_numpy(positions, part, 9, given)
        np.testing.assert_allclose(ours, twin, rtol=1e-12, atol=1e-12)


def test_each_input_has_the_width_that_it_states():
    rng = np.random.default_rng(1)
    positions, part = rng.normal(0, 1, (90, 3)).astype(np.float32), np.repeat(np.arange(3), 30)
    description = _description(positions, part, 3, np.full(3, 30), rng.normal(size=(90, 5)).astype(np.float32))
    for one, (name, width) in zip(INPUTS, input_widths(3, 5), strict=True):
        assert one.name == name and one.columns(description).reshape(3, -1).shape == (3, width), name
    assert len({one.name for one in INPUTS}) == len(INPUTS)


def test_a_head_sees_the_inputs_that_it_names():
    rng = np.random.default_rng(3)
    positions, part = rng.normal(0, 1, (90, 3)).astype(np.float32), np.repeat(np.arange(3), 30)
    description = _description(positions, part, 3, np.full(3, 30), rng.normal(size=(90, 5)).astype(np.float32))
    widths = input_widths(3, 5)
    names, begin = [name for name, _ in widths], np.cumsum([0, *(width for _, width in widths)])
    every = columns(description)
    for chosen in ((0, 1, 2), (7, 15), (15, 7)):
        expected = np.hstack([every[:, begin[i] : begin[i + 1]] for i in chosen])
        assert np.array_equal(columns(description, [names[i] for i in chosen]), expected)
    older = Architecture(width=5, classes=3, graph_layers=0, object_inputs=widths[:-1])
    points = rng.uniform(0, 1, (2000, 3)).astype(np.float32)
    candidates = Segmenter(Network(older), ModelCard(older, LABELS), min_thing=0.0, level="off").candidates(points)
    assert candidates.descriptions.shape[1] == begin[-2]


def test_no_objects_have_no_descriptions():
    none = np.zeros((0, 3), np.float32)
    found = columns(_description(none, np.zeros(0, np.int64), 0, np.zeros(0), np.zeros((0, 2), np.float32)))
    assert found.shape == (0, WIDTH + 4)
    found = found[:, :-4]
    for stuff in (False, True):
        head = ObjectHead(3, WIDTH, stuff=stuff).eval()
        assert [answer.shape for answer in ask(head, found, np.array([1, 2]))] == [(0,)] * 3


def test_the_head_sees_standard_deviations_and_nothing_extreme():
    head = ObjectHead(3, WIDTH)
    head.mean.fill_(2.0)
    head.scale.fill_(0.5)
    x = torch.full((1, WIDTH), 3.0)
    assert torch.equal(head.normalized(x), torch.full_like(x, 2.0))
    assert head.normalized(x * 1e6).max() == CLIP and head.normalized(-x * 1e6).min() == -CLIP


def test_judgement_is_among_things_and_scores_as_written():
    torch.manual_seed(0)
    head = ObjectHead(3, WIDTH).eval()
    x = np.random.default_rng(0).normal(size=(50, WIDTH)).astype(np.float32)
    winner, score, quality = ask(head, x, np.array([1, 2]))
    with torch.no_grad():
        classes, right = head(torch.from_numpy(x))
    share = classes[:, 1:].softmax(1)
    assert np.array_equal(winner, 1 + share.argmax(1).numpy()) and len(set(winner)) == 2
    np.testing.assert_allclose(quality, right.sigmoid(), rtol=1e-5)
    np.testing.assert_allclose(score, quality * share.amax(1).numpy() ** (1 / 3), rtol=1e-5)


class Stub(ObjectHead):
    """Says that the taller of two objects is a box, and the other, surer, a cup."""

    def forward(self, descriptions, encoded=None):
        tall = descriptions[:, 10 + 6 + 2] > 0.5
        classes = torch.where(tall[:, None], torch.tensor([9.0, 0, 6]), torch.tensor([9.0, 6, 0]))
        return classes, torch.where(tall, -1.0, 1.0)


def test_a_head_names_and_scores_objects(two_blocks):
    scene = two_blocks()
    plain = find_instances(scene, LABELS, Options())
    assert {one.label for one in plain.instances} == {"cup"} and plain.candidates is None
    found = find_instances(scene, LABELS, Options(), Stub(3, WIDTH))
    assert [one.label for one in found.instances] == ["cup", "box"]
    sure = float(torch.tensor([6.0, 0]).softmax(0)[0] ** (1 / 3))
    assert [one.score for one in found.instances] == pytest.approx([sure * 0.7310586, sure * 0.2689414], rel=1e-5)
    descriptions = found.candidates.descriptions
    assert descriptions.shape == (2, WIDTH) and sorted(descriptions[:, 18] > 0.5) == [False, True]
    low = scene.cluster.numpy() == 1
    assert (found.semantic[low] == 1).all() and (found.semantic[~low] == 2).all()
    surest = find_instances(scene, LABELS, Options(min_score=0.5), Stub(3, WIDTH))
    assert [one.label for one in surest.instances] == ["cup"]
    halved = {"raw": [0, 1], "calibrated": [0, 0.5]}
    half = find_instances(scene, LABELS, Options(), Stub(3, WIDTH), halved)
    assert [one.score for one in half.instances] == pytest.approx([one.score / 2 for one in found.instances])


def test_a_network_with_a_head_segments_and_tells_its_candidates():
    torch.manual_seed(0)
    architecture = Architecture(width=4, classes=3, graph_layers=0, voxel_size=0.05, object_inputs=input_widths(3, 4))
    segmenter = Segmenter(Network(architecture), ModelCard(architecture, LABELS), min_thing=0.0, level="off")
    points = np.random.default_rng(0).uniform(0, 1, (3000, 3)).astype(np.float32)
    points[7] = np.nan
    result, candidates = segmenter(points), segmenter.candidates(points)
    assert result.instances and candidates.descriptions.shape == (len(candidates.which), WIDTH + 8)
    assert candidates.part.shape == (3000,) and candidates.part[7] == -1
    assert segmenter.candidates(np.full((5, 3), np.nan)) is None


def test_a_head_trained_with_other_inputs_is_refused():
    widths = input_widths(3, 4)
    for trained, told in (
        ((*widths, ("normals", 3)), "'normals' of width 3, but this version computes no input 'normals'"),
        ((("height", 2), *widths), "'height' of width 2, but this version computes 'height' of width 1"),
    ):
        architecture = Architecture(width=4, classes=3, graph_layers=0, object_inputs=trained)
        with pytest.raises(InputError, match=told):
            Segmenter(Network(architecture), ModelCard(architecture, LABELS))
