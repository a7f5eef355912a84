"""Piles: objects rest on something and do not intersect."""

import numpy as np
import pytest

from instseg3d_ros.data.synthetic import piles
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.clutter import clutter
from instseg3d_ros.data.synthetic.mesh import Shape


def pick_with(rng):
    catalogue = Catalogue()

    def pick(*names):
        bodies = catalogue.build("object", rng, "table", names or None).bodies
        return sum((body.shape for body in bodies), Shape()).grounded()

    return pick


@pytest.mark.parametrize("kind", sorted({*piles.KINDS, *piles.RESERVED}, key=lambda kind: kind.__name__))
def test_things_of_a_pile_stand_on_the_ground_or_on_each_other(kind):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        shapes = kind(rng, pick_with(rng))
        bounds = [shape.bounds() for shape in shapes]
        lows = [float(low[2]) for low, _ in bounds]
        assert len(shapes) >= 2 or kind is piles.filled
        assert min(lows) == pytest.approx(0, abs=1e-4)
        for number, (low, high) in enumerate(bounds):
            below = [b for k, b in enumerate(bounds) if k != number and (b[0][:2] < high[:2]).all()]
            reached = max([0.0, *(float(b[1][2]) for b in below if (b[1][:2] > low[:2]).all())])
            assert low[2] <= reached + 1e-3  # nothing hovers above all that is under it


@pytest.mark.parametrize("kind", [piles.row, piles.tins, piles.pyramid, piles.crossed])
def test_upright_packages_do_not_go_through_each_other(kind):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        bounds = [np.array(shape.bounds()) for shape in kind(rng, pick_with(rng))]
        for i, one in enumerate(bounds):
            for other in bounds[:i]:
                common = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
                assert common.min() < 0.008  # a turned tower's boxes of corners may share a little


def test_clutter_with_piles_stays_on_its_board(monkeypatch):
    monkeypatch.setattr("instseg3d_ros.data.synthetic.clutter.PILES", (0.9,))
    bodies = clutter(Catalogue(), np.random.default_rng(3), 1.2, 0.8, 20)
    assert len(bodies) >= 10
    for body in bodies:
        low, high = body.shape.bounds()
        assert (low > [-0.9, -0.7, -1e-4]).all() and (high < [0.9, 0.7, 1.5]).all()
