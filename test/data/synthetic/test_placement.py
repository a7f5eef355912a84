"""Footprints and heights of rest."""

import numpy as np
import pytest

from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.clutter import clutter
from instseg3d_ros.data.synthetic.materials import Material
from instseg3d_ros.data.synthetic.mesh import Shape, rotation
from instseg3d_ros.data.synthetic.placement import Relief, fits, footprint, gap, rectangle, sample
from instseg3d_ros.data.synthetic.primitives import box, cylinder, ellipsoid

GREY = Material((0.5, 0.5, 0.5))


@pytest.mark.parametrize("seed", range(20))
def test_gap_tells_overlap_like_dense_sampling(seed):
    rng = np.random.default_rng(seed)
    a = rectangle(0, 0, *rng.uniform(0.2, 1, 2), rng.uniform(0, 7))
    b = rectangle(*rng.uniform(-0.8, 0.8, 2), *rng.uniform(0.2, 1, 2), rng.uniform(0, 7))

    def inside(points, corners):
        edges = np.roll(corners, -1, 0) - corners
        offsets = points[:, None] - corners
        return (edges[:, 0] * offsets[..., 1] - edges[:, 1] * offsets[..., 0] >= 0).all(1)

    grid = np.stack(np.meshgrid(*[np.linspace(-1.6, 1.6, 161)] * 2), -1).reshape(-1, 2)
    overlap = (inside(grid, a) & inside(grid, b)).any()
    if abs(gap(a, b)) > 0.03:  # finer than the sampling
        assert overlap == (gap(a, b) < 0)
    assert gap(a, b) == pytest.approx(gap(b, a))
    assert fits(a, [b]) == (gap(a, b) >= 0)


def test_footprint_of_a_turned_box_is_its_rectangle():
    shape = box(0.4, 0.2, 0.3, GREY).turned(0.7).moved(1, 2, 0)
    expected = rectangle(1, 2, 0.4, 0.2, 0.7)
    found = footprint(shape)
    assert len(found) == 4
    for corner in expected:
        assert np.linalg.norm(found - corner, axis=1).min() < 2e-4


def test_things_come_to_rest_on_what_lies_below():
    relief = Relief(1.0, 1.0, 0.005)
    base = box(0.3, 0.3, 0.1, GREY)
    assert relief.rest(base) == pytest.approx(0, abs=1e-6)
    relief.add(base)
    assert relief.rest(cylinder(0.05, 0.2, GREY)) == pytest.approx(0.1, abs=1e-5)
    assert relief.rest(cylinder(0.05, 0.2, GREY).moved(0.4)) == pytest.approx(0, abs=1e-6)
    ball = ellipsoid(0.1, 0.1, 0.1, GREY).moved(0.19)  # beside: its belly passes the edge, its bottom does not
    assert 0 < relief.rest(ball) < 0.1


def test_samples_lie_on_the_surface_and_leave_no_holes():
    shape = box(0.2, 0.1, 0.05, GREY).affine(rotation(0.5))
    points = sample(shape, 0.01) @ rotation(0.5)
    low, high = np.array([-0.1, -0.05, 0]), np.array([0.1, 0.05, 0.05])
    assert (points > low - 1e-5).all() and (points < high + 1e-5).all()
    assert np.minimum(points - low, high - points).min(1).max() < 1e-5
    cells = {tuple(cell) for cell in np.floor((points[:, :2] + [0.1, 0.05]) / 0.0101).astype(int)}
    assert len(cells) >= 19 * 9


def test_clutter_keeps_to_its_board_and_above_it():
    catalogue = Catalogue()
    for seed in range(3):
        things = clutter(catalogue, np.random.default_rng(seed), 0.8, 0.5, 10)
        assert things
        for thing in things:
            low, high = thing.shape.bounds()
            assert (
                low[2] > -1e-4 and (np.abs([low[0], high[0]]) < 0.44).all() and (np.abs([low[1], high[1]]) < 0.29).all()
            )


def test_shape_moves_are_new_shapes():
    shape = box(1, 1, 1, GREY)
    shape.moved(5)
    assert shape.bounds()[0][0] == pytest.approx(-0.5)
    assert isinstance(shape + shape, Shape) and len((shape + shape).parts) == 2
