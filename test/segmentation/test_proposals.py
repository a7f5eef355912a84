"""Proposals: the tree of merges, the parts of each proposal, and the best choice of proposals."""

import itertools

import numpy as np
import pytest
import torch

from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.description import input_widths
from instseg3d_ros.segmentation.instances import find_instances
from instseg3d_ros.segmentation.merging import merge_alike
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.proposals import BATCH, WORTH, Proposals, _tree, merge_proposals
from instseg3d_ros.segmentation.state import Evidence
from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse import voxelize

pytestmark = [pytest.mark.usefixtures("way"), pytest.mark.kernel("merging")]


def random_proposals(seed: int, parts: int = 9):
    rng = np.random.default_rng(seed)
    member = np.arange(parts)
    embedding = torch.from_numpy(rng.normal(0, 0.6, (parts, 4)).astype(np.float32))
    votes = Votes.count(torch.ones(parts, 1), embedding, member, rng.integers(1, 20, parts))
    pairs, voxels = rng.integers(0, parts, (14, 2)), rng.integers(1, 900, parts)
    return votes, voxels, pairs, merge_proposals(votes, voxels, pairs, 0.3, 1.4)[1]


def parts_of(proposals: Proposals, number: int) -> frozenset:
    return frozenset(proposals.sequence[proposals.first[number] : proposals.last[number]].tolist())


@pytest.mark.parametrize("seed", range(6))
def test_each_step_of_merging_is_a_proposal(seed):
    votes, voxels, pairs, proposals = random_proposals(seed)
    assert len(proposals) > 9 and sorted(proposals.sequence) == list(range(9))
    assert [parts_of(proposals, k) for k in range(9)] == [{k} for k in range(9)]
    for number, (one, other) in enumerate(proposals.halves, 9):
        assert parts_of(proposals, number) == parts_of(proposals, one) | parts_of(proposals, other)
        assert not parts_of(proposals, one) & parts_of(proposals, other)
        assert proposals.beyond[one] == proposals.beyond[other] == proposals.difference[number] <= 1.4
    roots = np.setdiff1d(np.arange(len(proposals)), proposals.halves)
    assert (proposals.beyond[roots] == 1.4).all() and (proposals.difference[:9] == 0.3).all()
    target = merge_alike(votes, voxels, pairs, 1.4)
    merged = {frozenset(np.flatnonzero(target == one).tolist()) for one in target}
    assert {parts_of(proposals, root) for root in roots} == merged
    assert np.allclose(np.exp(proposals.measures[:, 2]), [len(parts_of(proposals, k)) for k in range(len(proposals))])
    values = np.random.default_rng(seed).normal(size=(9, 2))
    sums = proposals.sums(values)
    for number, total in enumerate(sums):
        assert np.allclose(total, values[list(parts_of(proposals, number))].sum(axis=0))
    halves = proposals.of_halves(sums)
    assert not halves[:, :9].any()
    for number, pair in enumerate(proposals.halves, 9):
        assert np.array_equal(halves[:, number], sums[pair])


@pytest.mark.parametrize("seed", range(6))
def test_specks_are_no_choice(seed):
    votes, voxels, pairs, every = random_proposals(seed)
    target, proposals = merge_proposals(votes, voxels, pairs, 0.3, 1.4, min_points=8)
    assert sorted(set(target)) == list(range(len(proposals.sequence)))
    points = proposals.sums(votes.merged(target).points)
    assert (points[proposals.halves] >= 8).all()
    original = {frozenset(np.flatnonzero(np.isin(target, list(parts_of(proposals, k)))).tolist())
                for k in np.setdiff1d(np.arange(len(proposals)), proposals.halves)}  # fmt: skip
    assert original == {parts_of(every, k) for k in np.setdiff1d(np.arange(len(every)), every.halves)}, "same wholes"
    nothing, all_of_them = merge_proposals(votes, voxels, pairs, 0.3, 1.4, min_points=10**6)
    assert len(all_of_them.halves) == 0 and np.array_equal(nothing, merge_alike(votes, voxels, pairs, 1.4))


def test_members_are_those_of_all_parts():
    proposals, rng = random_proposals(1)[3], np.random.default_rng(0)
    part = rng.integers(-1, 9, 200)
    which = rng.permutation(len(proposals))[:7]
    order, begin = proposals.members(part, which)
    for number, first, last in zip(which, begin, begin[1:]):
        assert sorted(order[first:last]) == np.flatnonzero(np.isin(part, list(parts_of(proposals, number)))).tolist()
    nothing = proposals.members(part, which[:0])
    assert [len(value) for value in nothing] == [0, 1]


def test_batches_are_members_a_few_at_a_time():
    """A chain: each step adds one part to all before, so the members of all proposals are quadratic in the parts."""
    num = 60
    proposals = _tree(num, np.column_stack((np.zeros(num - 1, int), np.arange(1, num))), np.zeros(num - 1), 0.0, 1.0)
    part = np.random.default_rng(0).integers(-1, num, 500)
    which = np.arange(len(proposals))
    order, begin = proposals.members(part, which)
    assert len(order) > 20 * len(part)
    done = 0
    for some, few, start in proposals.batches(part, which):
        assert len(few) <= (BATCH + 1) * len(part)
        assert np.array_equal(some, np.arange(done, done + len(some)))
        assert np.array_equal(few, order[begin[done] : begin[done + len(some)]])
        assert np.array_equal(start, begin[done : done + len(some) + 1] - begin[done])
        done += len(some)
    assert done == len(which)
    times = [sum(k in parts_of(proposals, n) for n in which) for k in range(num)]
    assert np.array_equal(proposals.memberships(), times)
    assert next(iter(proposals.batches(part, which[:0])))[0].tolist() == []


@pytest.mark.parametrize("seed", range(10))
def test_the_choice_is_the_best_of_all(seed):
    proposals = random_proposals(seed, parts=7)[3]
    quality = np.random.default_rng(seed).uniform(0.2, 1.0, len(proposals))
    chosen = proposals.choose(quality)
    covered = sorted(part for number in chosen for part in parts_of(proposals, number))
    assert covered == list(range(7)), "each part once"
    best = 0.0
    for some in itertools.product((False, True), repeat=len(proposals)):
        taken = [parts_of(proposals, k) for k in np.flatnonzero(some)]
        if sum(map(len, taken)) == len(frozenset().union(*taken)):
            best = max(best, (quality[np.array(some)] - WORTH).clip(min=0).sum())
    assert (quality[chosen] - WORTH).clip(min=0).sum() == pytest.approx(best)


def test_of_equals_the_larger_and_without_merges_all():
    proposals = random_proposals(2)[3]
    roots = np.setdiff1d(np.arange(len(proposals)), proposals.halves)
    assert set(proposals.choose(np.full(len(proposals), 0.1))) == set(roots)
    assert Proposals.of_parts(4).choose(np.zeros(4)).tolist() == [0, 1, 2, 3]
    assert len(Proposals.of_parts(0).choose(np.zeros(0))) == 0


class Taste(ObjectHead):
    """An object head that knows a single class and prefers boxes of a given length."""

    def __init__(self, length: float):
        super().__init__(2, sum(width for _, width in input_widths(2, 0)))
        self.length = length

    def forward(self, descriptions, encoded=None):
        near = (descriptions[:, 10 + 2 * 2 + 1] - self.length).abs() < 0.1
        return torch.tensor([0.0, 9.0]).repeat(len(near), 1), torch.where(near, 3.0, -3.0)


@pytest.mark.parametrize("length, count", [(0.4, 4), (0.8, 2), (1.6, 1)])
def test_the_head_decides_how_far_parts_go_together(length, count):
    """A bar of four pieces: 0.5 apart in the embedding within either half, 1.0 between the halves."""
    board = np.stack(np.meshgrid(np.arange(0, 0.2, 0.01), np.arange(0, 1.6, 0.01), [0.0]), -1).reshape(-1, 3)
    voxels = voxelize(torch.from_numpy((board + np.array([2.005, 0.005, 0.005])).astype(np.float32)), None, 0.02)
    piece = (voxels.positions[:, 1] / 0.4).long()
    embedding = torch.tensor([0.0, 0.5, 1.25, 1.75])[piece][:, None]
    probability, coarse = torch.tensor([[0.1, 0.9]]).repeat(len(piece), 1), torch.zeros_like(piece)
    labels = LabelSet("one", (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("bar", 2, (1, 1, 1))))
    evidence = Evidence(voxels, probability, embedding, coarse, fine=piece)
    found = find_instances(evidence, labels, Options(gap=1, merge=0.8, choose=0.6), Taste(length))
    assert len(found.instances) == count and len(found.candidates.which) == 7
    assert len(np.unique(found.instance)) == count and (found.instance > 0).all()
    for one in found.instances:
        assert max(one.box.size) == pytest.approx(length, abs=0.05)
