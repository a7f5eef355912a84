import numpy as np
import pytest
import torch

from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.votes import Votes, most_probable

pytestmark = [pytest.mark.usefixtures("way"), pytest.mark.kernel("votes")]


@pytest.mark.parametrize("classes", [1, 2, 8, 22])
def test_sums_are_those_of_a_loop(classes):
    rng = np.random.default_rng(classes)
    probability = torch.from_numpy(rng.random((200, classes), dtype=np.float32))
    embedding = torch.from_numpy(rng.normal(size=(200, 4)).astype(np.float32))
    part, weight = rng.integers(-1, 5, 200), rng.integers(1, 9, 200)
    votes = Votes.count(probability, embedding, part, weight)
    semantic, confidence = most_probable(probability)
    assert semantic.dtype == np.int16
    assert np.array_equal(semantic, probability.argmax(1))
    assert np.array_equal(confidence, probability.amax(1))
    inside = np.flatnonzero(part >= 0)
    order, begin = group(part[inside], 5)
    tight = votes.tightness(inside[order], begin, votes.mean)
    for k in range(5):
        mine = part == k
        w = weight[mine, None]
        assert votes.points[k] == w.sum()
        np.testing.assert_allclose(votes.votes[k], (w * probability.numpy()[mine]).sum(0), rtol=1e-5)
        mean = (w * embedding.numpy()[mine]).sum(0) / w.sum()
        np.testing.assert_allclose(votes.mean[k], mean, rtol=1e-5, atol=1e-6)
        square = ((embedding.numpy()[mine] - mean) ** 2).sum(1)
        assert tight[k] == pytest.approx((w[:, 0] * np.exp(-square)).sum() / w.sum(), rel=1e-5)


def test_merged_parts_count_as_one():
    rng = np.random.default_rng(0)
    probability = torch.from_numpy(rng.random((100, 5), dtype=np.float32))
    embedding = torch.from_numpy(rng.normal(size=(100, 3)).astype(np.float32))
    part, weight = rng.integers(0, 4, 100), rng.integers(1, 9, 100)
    target = np.array([0, 1, 0, 2])
    merged = Votes.count(probability, embedding, part, weight).merged(target)
    anew = Votes.count(probability, embedding, target[part], weight)
    np.testing.assert_allclose(merged.votes, anew.votes, rtol=1e-6)
    np.testing.assert_allclose(merged.mean, anew.mean, rtol=1e-6)


def test_groups_may_share_voxels():
    rng = np.random.default_rng(0)
    probability, embedding = torch.rand(50, 2), torch.from_numpy(rng.normal(size=(50, 3)).astype(np.float32))
    votes = Votes.count(probability, embedding, np.zeros(50, int), rng.integers(1, 9, 50))
    rows, begin = np.concatenate((np.arange(30), np.arange(20, 50))), np.array([0, 30, 60])
    means = rng.normal(size=(2, 3))
    both = votes.tightness(rows, begin, means)
    for k in range(2):
        alone = votes.tightness(rows[30 * k : 30 * k + 30], np.array([0, 30]), means[k : k + 1])
        np.testing.assert_allclose(both[k], alone[0], rtol=1e-6)


def test_no_parts():
    votes = Votes.count(torch.rand(6, 3), torch.rand(6, 2), np.full(6, -1), np.ones(6))
    assert votes.votes.shape == (0, 3) and votes.tightness(np.zeros(0, int), np.zeros(1, int), votes.mean).shape == (0,)
