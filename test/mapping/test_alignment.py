"""A view that is off is moved back, within a bound, and not along what no plane holds."""

import numpy as np
import pytest

from instseg3d_ros.mapping.alignment import align
from instseg3d_ros.mapping.cells import Cells, pack
from instseg3d_ros.mapping.pose import from_twist, size_of

CELL = 0.03


def corner(step=0.04, size=2.0):
    """Points and normals of a floor and two walls that meet."""
    a, b = (grid.ravel() for grid in np.mgrid[0:size:step, 0:size:step])
    zero = np.zeros(len(a))
    faces = [np.stack(axes, axis=1) for axes in ((a, b, zero), (a, zero, b), (zero, a, b))]
    normals = [np.tile(np.eye(3)[axis], (len(a), 1)) for axis in (2, 1, 0)]
    return np.concatenate(faces), np.concatenate(normals)


def mapped(points):
    """A map with cells at these points."""
    cells = Cells(2)
    keys, first = np.unique(pack(np.floor(points / CELL)), return_index=True)
    rows = cells.insert(keys)
    cells["position"][rows] = points[first]
    return cells


@pytest.mark.parametrize("twist", [(0, 0, 0, 0.02, -0.03, 0.01), (0.01, -0.015, 0.02, 0.03, 0.02, -0.02)])
def test_a_view_that_is_off_is_moved_back(twist):
    target, _ = corner()
    wrong = from_twist(np.array(twist))
    center = corner(0.057)[0] @ wrong[:3, :3].T + wrong[:3, 3]
    turned = corner(0.057)[1] @ wrong[:3, :3].T
    found = align(center, turned, mapped(target), np.array([1.0, 1.0, 1.0]), CELL, 0.15, 4.0)
    shift, angle = size_of(found.transform @ wrong)
    assert shift < 0.01 and angle < 0.3
    assert found.fit > 0.9


def test_a_view_in_place_stays():
    target, normal = corner()
    found = align(target[::3], normal[::3], mapped(target), np.ones(3), CELL, 0.15, 3.0)
    assert np.allclose(found.transform, np.eye(4), atol=1e-3) and found.fit > 0.99


def test_a_single_wall_does_not_slide():
    target, normal = corner()
    flat = normal[:, 0] > 0
    wrong = np.array([0.03, 0.05, 0.05])
    found = align(target[flat] + wrong, normal[flat], mapped(target[flat]), np.ones(3), CELL, 0.15, 3.0)
    assert found.transform[0, 3] == pytest.approx(-0.03, abs=5e-3)
    assert np.abs(found.transform[1:3, 3]).max() < 5e-3


def test_beyond_the_bound_nothing_is_moved():
    target, normal = corner()
    found = align(target + np.full(3, 0.06), normal, mapped(target), np.ones(3), CELL, 0.05, 3.0)
    assert np.array_equal(found.transform, np.eye(4)) and found.fit < 0.5


def test_too_little_in_common_says_nothing():
    target, normal = corner()
    found = align(target[:10], normal[:10], mapped(target), np.ones(3), CELL, 0.15, 3.0)
    assert found.fit is None and np.array_equal(found.transform, np.eye(4))
    assert align(target + 50, normal, mapped(target), np.ones(3), CELL, 0.15, 3.0).fit is None
