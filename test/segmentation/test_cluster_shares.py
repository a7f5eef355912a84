"""Points of parts in clusters, against a dense table; the home of each proposal, against its definition."""

import numpy as np
import pytest

from instseg3d_ros.segmentation.cluster_shares import ClusterShares
from instseg3d_ros.segmentation.proposals import Proposals, _tree


def random_tree(rng, parts: int) -> Proposals:
    """Unions of random pairs of the remaining parts, sometimes a long chain."""
    left, steps = list(range(parts)), []
    while len(left) > 3:
        gone = left.pop(rng.integers(1, len(left)))
        steps.append((left[0] if rng.random() < 0.6 else left[rng.integers(len(left))], gone))
    return _tree(parts, np.array(steps), rng.random(len(steps)), 0.0, 1.0)


@pytest.mark.parametrize("seed", range(8))
def test_homes_equal_those_of_a_dense_table(seed):
    rng = np.random.default_rng(seed)
    parts, clusters = 12, 7
    part = np.concatenate((np.arange(parts), rng.integers(0, parts, 60)))
    cluster, points = rng.integers(0, clusters, len(part)), rng.integers(1, 5, len(part))  # with ties
    table = np.zeros((parts, clusters))
    np.add.at(table, (part, cluster), points)
    shares = ClusterShares.count(part, cluster, points, parts)
    assert np.array_equal(shares.home(), table.argmax(axis=1))
    assert len(shares.points) == np.count_nonzero(table)
    proposals = random_tree(rng, parts)
    sums = proposals.sums(table)
    expected = sums.sum(axis=0)[sums.argmax(axis=1)]
    assert np.array_equal(shares.home_points(proposals), expected)
    target = rng.integers(0, 5, parts)
    target = np.unique(target, return_inverse=True)[1]
    united = np.zeros((target.max() + 1, clusters))
    np.add.at(united, target, table)
    assert np.array_equal(shares.united(target).home(), united.argmax(axis=1))


def test_no_parts():
    none = np.zeros(0, np.int64)
    shares = ClusterShares.count(none, none, none, 0)
    assert len(shares.home()) == 0 and len(shares.home_points(Proposals.of_parts(0))) == 0
    assert len(shares.united(none).home()) == 0


def test_memory_grows_with_the_entries():
    """A hundred thousand parts and clusters: a table of them would have 80 GB."""
    many = np.arange(100_000)
    shares = ClusterShares.count(many, many[::-1].copy(), np.ones(len(many)), len(many))
    assert np.array_equal(shares.home(), many[::-1])
    assert (shares.home_points(Proposals.of_parts(len(many))) == 1).all()
