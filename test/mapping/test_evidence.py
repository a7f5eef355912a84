"""Evidence against loops that spell it."""

import numpy as np
import pytest

from instseg3d_ros.mapping import evidence
from instseg3d_ros.mapping.cells import SLOTS, Cells

CLASSES = 5


@pytest.fixture
def cells():
    cells = Cells(CLASSES)
    cells.insert(np.arange(40))
    return cells


def test_class_evidence_is_bayes_with_independent_views():
    """Adding it up and taking the softmax is multiplying the views' probabilities, the rest shared evenly."""
    rng = np.random.default_rng(0)
    product, total = np.ones(CLASSES), np.zeros(CLASSES)
    for _ in range(4):
        label, p = rng.integers(CLASSES), rng.uniform(0.3, 0.9)
        product *= [p if c == label else (1 - p) / (CLASSES - 1) for c in range(CLASSES)]
        total[label] += evidence.class_evidence(np.array([p]), CLASSES)[0]
    assert np.allclose(np.exp(total) / np.exp(total).sum(), product / product.sum())
    assert evidence.class_evidence(np.array([0.0, 1 / CLASSES]), CLASSES).tolist() == [0, 0]
    assert np.isfinite(evidence.class_evidence(np.array([1.0]), CLASSES)).all()


def test_classes_equal_a_loop(cells):
    rng = np.random.default_rng(1)
    expected = np.zeros((40, CLASSES))
    for _ in range(60):
        rows = np.sort(rng.permutation(40)[:25])
        label, amount = rng.integers(0, CLASSES, 25), rng.uniform(0, 9, 25)
        evidence.add_classes(cells, rows, label, amount)
        for row, which, more in zip(rows, label, amount):
            expected[row, which] += more
            if expected[row].max() > evidence.MOST_EVIDENCE:
                expected[row] *= evidence.MOST_EVIDENCE / expected[row].max()
    assert np.allclose(cells["evidence"][:40], expected, rtol=1e-4)
    assert expected.max() > evidence.MOST_EVIDENCE - 1, "the cap took part"


def test_votes_equal_a_loop(cells):
    rng = np.random.default_rng(2)
    expected = [{} for _ in range(40)]  # of each cell: fragment → votes, at most SLOTS
    for _ in range(80):
        rows = np.sort(rng.permutation(40)[:30])
        fragment, amount = rng.integers(0, 7, 30), rng.uniform(0.1, 2, 30).round(3)
        lead = evidence.add_votes(cells, rows, fragment, amount)
        for place, (row, number, more) in enumerate(zip(rows, fragment.tolist(), amount)):
            votes = expected[row]
            if number in votes or len(votes) < SLOTS:
                votes[number] = min(votes.get(number, 0) + more, evidence.MOST_VOTES)
            else:
                weakest = min(votes, key=votes.get)
                left = more - votes[weakest]
                if left > 0:
                    del votes[weakest]
                    votes[number] = left
                else:
                    votes[weakest] = -left
            assert lead[place] == max(votes, key=votes.get)
    for row, votes in enumerate(expected):
        held = dict(zip(cells["ids"][row].tolist(), cells["votes"][row].tolist()))
        assert held == pytest.approx(votes, rel=1e-4)


def test_a_fragment_that_returns_wins_over_many_that_came_once(cells):
    row = np.array([0])
    for number in range(1, 30):
        evidence.add_votes(cells, row, np.array([number]), np.array([1.0]))
        evidence.add_votes(cells, row, np.array([100]), np.array([1.0]))
    assert cells["fragment"][0] == 100


def test_renamed_votes_go_on_under_the_new_number(cells):
    rows = np.arange(3)
    evidence.add_votes(cells, rows, np.array([4, 5, 4]), np.ones(3))
    evidence.rename_votes(cells, rows[:2], 4, 9)
    assert cells["fragment"][:3].tolist() == [9, 5, 4]
    assert evidence.add_votes(cells, rows, np.array([9, 9, 9]), np.full(3, 0.5)).tolist() == [9, 5, 4]


def test_votes_for_a_fragment_that_no_longer_exists_are_withdrawn(cells):
    rows = np.arange(2)
    evidence.add_votes(cells, rows, np.array([4, 5]), np.ones(2))
    evidence.add_votes(cells, rows, np.array([6, 6]), np.full(2, 0.5))
    assert evidence.withdraw_votes(cells, rows, np.array([4])).tolist() == [6, 5]
    assert cells["fragment"][:2].tolist() == [6, 5] and 4 not in cells["ids"][:2]
    assert evidence.withdraw_votes(cells, rows, np.array([5, 6])).tolist() == [0, 0]


def test_places_are_weighted_means(cells):
    rng = np.random.default_rng(3)
    row, places, weights = np.array([7]), rng.normal(size=(12, 3)), rng.uniform(0.1, 1, 12)
    for where, weight in zip(places, weights):
        evidence.add_places(cells, row, where[None], where[None] * 9, np.array([weight]))
    assert np.allclose(cells["position"][7], np.average(places, axis=0, weights=weights), atol=1e-5)
    assert np.allclose(cells["color"][7], np.average(places * 9, axis=0, weights=weights), atol=1e-4)


def test_a_cell_is_empty_after_as_many_misses_as_its_capped_hits(cells):
    row = np.array([3])
    for _ in range(100):
        evidence.add_places(cells, row, np.zeros((1, 3)), None, np.ones(1))
    misses = 0
    while not len(evidence.add_misses(cells, row)):
        misses += 1
    assert misses + 1 == evidence.MOST_OCCUPIED
