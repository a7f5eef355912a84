"""The renderer: the nearest point wins, planes stay bright, corners do not, small gaps close."""

import numpy as np
import pytest

from instseg3d_ros.viewing.raster import Raster, close_gaps, creases, noise_of, outlines, paint, rasterize, smooth
from instseg3d_ros.viewing.viewpoint import Viewpoint


def camera(width=40, height=30, focal=40.0):
    return Viewpoint(np.zeros(3), np.eye(3), focal, (width / 2, height / 2), width, height)


def plane_depth(slope_x, slope_y, height=60, width=80, focal=80.0, distance=2.0):
    """Exact depth image of a tilted plane."""
    y, x = np.mgrid[:height, :width]
    return (distance / (1 - slope_x * (x - width / 2) / focal - slope_y * (y - height / 2) / focal)).astype(np.float32)


def test_equals_a_loop_over_points_and_pixels():
    rng = np.random.default_rng(0)
    view = camera()
    points = rng.uniform((-1.5, -1.5, 0.5), (1.5, 1.5, 3), (300, 3)).astype(np.float32)
    points[:20, 2] *= -1  # behind the camera
    radius = rng.uniform(0, 3, 300)
    raster = rasterize(points, view, radius)
    column, row, depth = view.project(points)
    expected = np.full((view.height, view.width), -1)
    for y in range(view.height):
        for x in range(view.width):
            away = np.hypot(np.floor(column) - x, np.floor(row) - y)
            hits = np.flatnonzero((depth > 0) & (away <= np.maximum(radius, 0.5)))
            if len(hits):
                expected[y, x] = hits[np.argmin(depth[hits])]
    drawn = expected >= 0
    np.testing.assert_array_equal(raster.index[drawn], expected[drawn])
    np.testing.assert_allclose(raster.depth[drawn], depth[expected[drawn]])
    assert not np.isfinite(raster.depth[raster.index < 0]).any()


def test_gaps_close_and_holes_stay():
    view = camera(20, 20)
    index = np.arange(400, dtype=np.int32).reshape(20, 20)
    depth = np.ones((20, 20), np.float32)
    index[5, 5], depth[5, 5] = -1, np.inf
    index[10:16, 10:16], depth[10:16, 10:16] = -1, np.inf
    closed = close_gaps(Raster(index, depth, view))
    assert closed.index[5, 5] in (104, 106, 84, 85, 86, 124, 125, 126)
    assert (closed.index[12:14, 12:14] == -1).all()
    assert index[5, 5] == -1  # the argument is left alone


@pytest.mark.parametrize("slope", [(0, 0), (0.6, 0), (0, -0.7), (0.4, 0.5)])
def test_planes_are_bright_however_tilted(slope):
    depth = plane_depth(*slope)
    light = creases(depth, noise_of(depth) * 0, 80.0)
    assert light[10:-10, 10:-10].min() > 0.97


def test_corners_and_what_stands_behind_are_dark():
    x = np.mgrid[:60, :80][1]
    corner = (2 - np.abs(x - 40) / 80 * 1.5).astype(np.float32)  # two walls that meet away from the camera
    light = creases(corner, np.zeros_like(corner), 80.0)
    assert light[30, 40] < 0.9 < light[30, 15]
    step = np.where(x < 40, 1.0, 2.0).astype(np.float32)
    light = creases(step, np.zeros_like(step), 80.0)
    assert light[30, 40] < 0.75 and light[30, 39] > 0.97


def test_noise_is_measured_and_smoothed_away():
    rng = np.random.default_rng(0)
    clean = plane_depth(0.3, 0.2)
    noisy = (clean + rng.normal(0, 0.01, clean.shape)).astype(np.float32)
    assert noise_of(clean).max() < 0.003
    noise = noise_of(noisy)
    assert 0.004 < np.median(noise) < 0.02
    even = smooth(noisy, noisy, noise)
    assert np.abs(even - clean)[20:-20, 20:-20].mean() < 0.4 * np.abs(noisy - clean)[20:-20, 20:-20].mean()
    x = np.mgrid[:60, :80][1]
    step = np.where(x < 40, 1.0, 2.0).astype(np.float32)
    np.testing.assert_allclose(smooth(step, step, np.zeros_like(step)), step)


def test_outlines_run_between_objects():
    ids = np.zeros((10, 10), int)
    ids[2:8, 2:8] = 1
    ids[2:8, 5:8] = 2
    edge = outlines(ids)
    assert edge[4, 4] and edge[4, 5] and edge[2, 3]
    assert not edge[4, 3] and not edge[0, 0] and not edge[4, 1]


def test_painting_averages_down_on_white():
    index = np.array([[0, 0, -1, -1], [0, 1, -1, -1]], np.int32)
    raster = Raster(index, np.ones((2, 4), np.float32), camera())
    colors = np.array(((100, 0, 0), (0, 100, 0)), np.uint8)
    picture = paint(raster, colors, np.ones((2, 4), np.float32), scale=2)
    np.testing.assert_array_equal(picture, [[(75, 25, 0), (255, 255, 255)]])
