"""Colours: neighbouring objects differ, also for colour-blind people; points have the colour of their object."""

import tracemalloc

import numpy as np

from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.messages.colors import OBJECT_PALETTE
from instseg3d_ros.viewing.colors import (
    STUFF,
    UNLABELED,
    class_colors,
    color_contrast,
    instance_colors,
    neighbor_colors,
)


def test_contrast_knows_colour_blindness():
    red, green, blue, white = (200, 40, 40), (90, 110, 30), (0, 0, 255), (255, 255, 255)
    contrast = color_contrast(np.array((red, green, blue, white)))
    np.testing.assert_allclose(contrast, contrast.T)
    assert (np.diag(contrast) == 0).all()
    assert contrast[0, 1] < 30 < contrast[1, 2]  # red and olive are alike without the long cones
    lab_white_black = color_contrast(np.array(((0, 0, 0), (255, 255, 255))))[0, 1]
    assert 70 < lab_white_black < 80  # black and a white in shade
    yellow, olive, sky = (240, 228, 66), (168, 160, 46), (86, 180, 233)
    contrast = color_contrast(np.array((yellow, olive, sky)))
    assert contrast[0, 1] < 3 < 40 < contrast[0, 2]  # a yellow thing has an olive side


def test_neighbours_differ():
    rng = np.random.default_rng(0)
    centers = np.stack(np.meshgrid(np.arange(6), np.arange(5), [0]), axis=-1).reshape(-1, 3)
    points = (centers[:, None] + rng.uniform(-0.3, 0.3, (30, 20, 3))).reshape(-1, 3)
    instance = np.repeat(np.arange(1, 31), 20)
    table = neighbor_colors(points, instance)
    assert sorted(table) == list(range(1, 31))
    assert len({tuple(color) for color in table.values()}) >= 10
    for one in range(1, 31):
        distance = np.linalg.norm(centers - centers[one - 1], axis=1)
        for other in np.flatnonzero((distance > 0) & (distance < 1.1)) + 1:
            assert color_contrast(np.array((table[one], table[other])))[0, 1] > 10


def test_memory_grows_with_the_objects_and_not_with_their_pairs():
    count = 3000
    points = np.random.default_rng(0).uniform(0, 100, (count, 3))
    tracemalloc.start()
    table = neighbor_colors(points, np.arange(1, count + 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(table) == count and peak < 10_000 * count


def test_few_objects_get_strong_contrasts():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    table = neighbor_colors(points, np.array([1, 2, 3]))
    contrast = color_contrast(np.array([table[i] for i in (1, 2, 3)]))
    assert contrast[np.triu_indices(3, 1)].min() > 25


def test_nothing_to_colour():
    assert neighbor_colors(np.zeros((3, 3)), np.zeros(3, int)) == {}
    assert neighbor_colors(np.full((3, 3), np.nan), np.ones(3, int)) == {}
    assert (instance_colors(np.zeros(3, int), {}) == STUFF).all()


def test_points_take_their_colours():
    table = {7: OBJECT_PALETTE[0], 3: OBJECT_PALETTE[1]}
    got = instance_colors(np.array([0, 3, 7, 9]), table)
    np.testing.assert_array_equal(got, [STUFF, OBJECT_PALETTE[1], OBJECT_PALETTE[0], STUFF])
    rest = np.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(instance_colors(np.array([0, 3, 7, 9]), table, rest)[[0, 3]], rest[[0, 3]])
    got = class_colors(np.array([-1, 0, 19], np.int16), SCANNET20)
    np.testing.assert_array_equal(got, [UNLABELED, SCANNET20[0].color, SCANNET20[19].color])
