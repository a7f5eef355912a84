"""Clouds in another unit than metres are recognised."""

import numpy as np
import pytest

from instseg3d_ros.data.units import metres, share_alone, unit_remark
from instseg3d_ros.errors import InputError


def room(count=8000, seed=0):
    rng = np.random.default_rng(seed)
    return np.c_[rng.uniform(1, 4, count), rng.uniform(-1.5, 1.5, count), rng.uniform(-0.8, -0.79, count)]


@pytest.mark.parametrize("unit, factor", [("mm", 1000), ("cm", 100), ("in", 39.37)])
def test_a_room_in_another_unit_is_told_and_in_metres_is_not(unit, factor):
    assert unit_remark(room(), 0.02) == ""
    assert "--unit" in unit_remark(factor * room(), 0.02)
    assert unit_remark(factor * room() * metres(unit), 0.02) == ""


def test_a_room_in_kilometres_is_told():
    assert "--unit km" in unit_remark(room() / 1000, 0.02)


def test_the_share_of_lonely_points_is_that_of_a_count():
    rng = np.random.default_rng(0)
    points = rng.uniform(-5, 5, (3000, 3))
    counts = np.unique(np.floor(points / 0.7), axis=0, return_counts=True)[1]
    assert share_alone(points, 0.7) == pytest.approx((counts == 1).sum() / len(points))


def test_a_sample_of_a_large_cloud_says_the_same():
    rng = np.random.default_rng(0)
    points = rng.uniform(-20, 20, (400_000, 3)) * (1, 1, 0)
    counts = np.unique(np.floor(points / 0.1), axis=0, return_counts=True)[1]
    assert share_alone(points, 0.1) == pytest.approx((counts == 1).sum() / len(points), abs=0.02)


def test_an_unknown_unit():
    with pytest.raises(InputError, match="'yd' is unknown; one of: m, cm"):
        metres("yd")
