"""The surroundings of a proposal, against a loop over contacts."""

import numpy as np
import pytest

from instseg3d_ros.segmentation.contacts import Contacts
from instseg3d_ros.segmentation.proposals import Proposals
from instseg3d_ros.segmentation.surroundings import FAR, surroundings

STEPS = [(0, 3), (1, 2), (6, 7), (4, 8)]  # of parts 0 … 5, then of what came of them
PROPOSALS = Proposals(
    np.array(STEPS), np.array([4, 0, 3, 1, 2, 5]), np.array([1, 3, 4, 2, 0, 5, 1, 3, 1, 0]),
    np.array([2, 4, 5, 3, 1, 6, 3, 5, 5, 5]), np.zeros(10), np.zeros(10),
)  # fmt: skip
MEMBERS = [{0}, {1}, {2}, {3}, {4}, {5}, {0, 3}, {1, 2}, {0, 1, 2, 3}, {0, 1, 2, 3, 4}]


@pytest.mark.parametrize("seed", range(5))
def test_against_a_loop(seed):
    rng = np.random.default_rng(seed)
    every = np.argwhere(np.triu(np.ones((6, 9), bool), 1))  # 6 parts, 3 classes
    every = every[rng.permutation(len(every))[:16]]
    pairs, places = np.concatenate((every, every[:4])), rng.integers(1, 30, 20)  # some twice
    shares, means = rng.dirichlet(np.ones(3), 10), rng.normal(0, 1.5, (10, 4))
    which = np.array([0, 2, 5, 6, 8, 9])
    around, measures = surroundings(Contacts(6, pairs, places), PROPOSALS, which, shares, means)
    for k, number in enumerate(which):
        classes, touched, unlike = np.zeros(3), [0, 0], []
        for pair, place in zip(pairs.tolist(), places):
            if len(MEMBERS[number] & set(pair)) == 1:
                (other,) = set(pair) - MEMBERS[number]
                classes += place * (shares[other] if other < 6 else np.eye(3)[other - 6])
                touched[other >= 6] += place
                if other < 6:
                    unlike += [min(np.linalg.norm(means[number] - means[other]), FAR)] * place
        assert np.allclose(around[k], classes / max(classes.sum(), 1))
        expected = [*np.log1p(touched), np.mean(unlike) if unlike else FAR, min(unlike, default=FAR)]
        assert np.allclose(measures[k], expected)


def test_alone_and_none_at_all():
    alone = Contacts(1, np.zeros((0, 2), np.int64), np.zeros(0, np.int64))
    around, measures = surroundings(alone, Proposals.of_parts(1), np.arange(1), np.ones((1, 3)), np.zeros((1, 4)))
    assert around.tolist() == [[0, 0, 0]] and measures.tolist() == [[0, 0, FAR, FAR]]
    none = Contacts(0, np.zeros((0, 2), np.int64), np.zeros(0, np.int64))
    around, measures = surroundings(none, Proposals.of_parts(0), np.arange(0), np.ones((0, 3)), np.zeros((0, 4)))
    assert around.shape == (0, 3) and measures.shape == (0, 4)
