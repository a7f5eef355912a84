import numpy as np
import pytest
import torch

from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.segmentation.instances import find_instances
from instseg3d_ros.segmentation.merging import (
    ALLOWANCE,
    CLASS_WEIGHT,
    TYPICAL,
    merge_alike,
    merging_steps,
)
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.state import Evidence
from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.sparse import voxelize

LABELS = LabelSet("two", (LabelClass("table", 1, (1, 1, 1)), LabelClass("box", 2, (2, 2, 2))))


pytestmark = [pytest.mark.usefixtures("way"), pytest.mark.kernel("merging")]


def random_votes(rng, parts: int, classes: int = 3):
    member = np.concatenate((np.arange(parts), rng.integers(0, parts, 5 * parts)))
    probability = torch.from_numpy(rng.dirichlet(np.ones(classes), len(member)).astype(np.float32))
    embedding = torch.from_numpy(rng.normal(0, 0.7, (len(member), 4)).astype(np.float32))
    return Votes.count(probability, embedding, member, rng.integers(1, 20, len(member)))


def partition(numbers):
    return {frozenset(np.flatnonzero(numbers == one).tolist()) for one in np.unique(numbers)}


def by_the_book(votes: Votes, voxels: np.ndarray, pairs: np.ndarray, limit: float):
    """All pairs of groups anew in each round, in float64."""
    groups = [[k] for k in range(len(votes.points))]
    touch = {frozenset(pair) for pair in pairs.tolist()}
    while True:
        best = (np.inf, -1, -1)
        for i, one in enumerate(groups):
            for j, other in enumerate(groups[:i]):
                if not any(frozenset((a, b)) in touch for a in one for b in other):
                    continue
                mean, share = [], []
                larger = max(voxels[one].sum(), voxels[other].sum())
                for members in (one, other):
                    weight = votes.points[members].sum()
                    mean.append(votes.sums[members].sum(0) / weight)
                    share.append(votes.votes[members].sum(0) / weight)
                apart = np.sqrt(((mean[0] - mean[1]) ** 2).sum())
                apart += CLASS_WEIGHT * np.abs(share[0] - share[1]).sum() / 2
                best = min(best, (apart - ALLOWANCE * np.log(larger / TYPICAL), i, j))
        if best[0] > limit:
            return {frozenset(members) for members in groups}
        _, i, j = best
        groups[j] += groups.pop(i)


@pytest.mark.parametrize("seed", range(12))
def test_most_alike_first_as_by_the_book(seed):
    rng = np.random.default_rng(seed)
    votes = random_votes(rng, 14)
    pairs, voxels = rng.integers(0, 14, (30, 2)), rng.integers(1, 2000, 14)
    for limit in (0.5, 1.0, 1.5):
        expected = by_the_book(votes, voxels, pairs[pairs[:, 0] != pairs[:, 1]], limit)
        assert partition(merge_alike(votes, voxels, pairs, limit)) == expected
        steps, differences = merging_steps(votes, voxels, pairs, limit)
        assert len(steps) == 14 - len(expected) and (differences <= limit).all() and (steps[:, 0] < steps[:, 1]).all()


def test_numbers_are_consecutive_and_the_input_stays():
    votes = random_votes(np.random.default_rng(0), 9)
    before = votes.points.copy(), votes.sums.copy(), votes.votes.copy()
    target = merge_alike(votes, np.full(9, TYPICAL), np.array([[0, 1], [1, 2], [7, 8]]), 100.0)
    assert sorted(set(target)) == list(range(6)) and target[0] == target[1] == target[2] and target[7] == target[8]
    for value, old in zip((votes.points, votes.sums, votes.votes), before):
        assert np.array_equal(value, old)


def test_without_contact_or_parts_nothing_happens():
    votes = random_votes(np.random.default_rng(0), 4)
    assert merge_alike(votes, np.ones(4), np.zeros((0, 2), np.int64), 100.0).tolist() == [0, 1, 2, 3]
    none = Votes.count(torch.zeros(3, 2), torch.zeros(3, 4), np.full(3, -1), np.ones(3))
    assert merge_alike(none, np.zeros(0), np.zeros((0, 2), np.int64), 1.0).shape == (0,)


def test_nothing_to_merge():
    voxels, probability, embedding, *_ = _board_and_boxes()
    nothing = torch.full((len(embedding),), -1)
    found = find_instances(Evidence(voxels, probability, embedding, nothing, nothing), LABELS, Options(merge=1.0))
    assert not found.instances and not found.instance.any()


def _board_and_boxes():
    """A board of 1.6 m whose embedding drifts along it; behind it two boxes, side by side, 0.9 apart in embedding."""
    board = np.stack(np.meshgrid(np.arange(0, 0.4, 0.01), np.arange(0, 1.6, 0.01), [0.0]), -1).reshape(-1, 3)
    boxes = np.stack(np.meshgrid(np.arange(2, 2.2, 0.01), np.arange(0, 0.4, 0.01), np.arange(0, 0.2, 0.02)), -1)
    boxes = boxes.reshape(-1, 3)
    points = torch.from_numpy(np.concatenate((board, boxes)).astype(np.float32) + 0.005)
    voxels = voxelize(points, None, 0.02)
    x, y = voxels.positions[:, 0], voxels.positions[:, 1]
    on_board = x < 1
    embedding = torch.zeros(len(x), 4)
    embedding[:, 0] = torch.where(on_board, 10 + 0.9 * y, torch.where(y < 0.2, 0.0, 0.9))
    probability = torch.where(on_board[:, None], torch.tensor([0.9, 0.1]), torch.tensor([0.1, 0.9]))
    fine = torch.where(on_board, 2 + (y / 0.4).long(), (y >= 0.2).long())  # as half the bandwidth would
    coarse = torch.where(on_board, 1 + (y / 0.8).long(), 0)
    return voxels, probability, embedding, coarse, fine, on_board


def test_boxes_side_by_side_part_and_a_long_board_stays_whole():
    voxels, probability, embedding, coarse, fine, on_board = _board_and_boxes()
    plain = find_instances(Evidence(voxels, probability, embedding, coarse), LABELS, Options(gap=1))
    assert len(np.unique(plain.instance[on_board])) == 2 and len(np.unique(plain.instance[~on_board])) == 1
    found = find_instances(Evidence(voxels, probability, embedding, coarse, fine), LABELS, Options(gap=1, merge=0.75))
    assert len(np.unique(found.instance[on_board])) == 1 and len(np.unique(found.instance[~on_board])) == 2
    assert sorted(one.label for one in found.instances) == ["box", "box", "table"]
    scores = {one.label: one.score for one in found.instances}
    assert scores["box"] < 0.75 * 0.9, "half of its cluster each"


def test_merging_counts_classes():
    voxels, probability, embedding, coarse, fine, on_board = _board_and_boxes()
    probability[fine == 1] = torch.tensor([0.9, 0.1])
    found = find_instances(Evidence(voxels, probability, embedding, coarse, fine), LABELS, Options(gap=1, merge=0.95))
    assert len(np.unique(found.instance[~on_board])) == 2
    far = find_instances(
        Evidence(voxels, probability, embedding, coarse, fine), LABELS, Options(gap=1, merge=0.95 + CLASS_WEIGHT)
    )
    assert len(np.unique(far.instance[~on_board])) == 1
