"""What rays passed through, against the rays themselves."""

import numpy as np

from instseg3d_ros.mapping.range_image import RangeImage


def wall(distance=3.0, count=120):
    v, u = np.mgrid[-0.4 : 0.4 : count * 1j, -0.5 : 0.5 : count * 1j]
    return distance * np.stack((np.ones(u.shape), u, v), axis=-1).reshape(-1, 3).astype(np.float32)


def test_before_the_wall_is_free_behind_it_and_beside_it_is_not():
    image = RangeImage(wall())
    assert image.pinhole
    places = np.array([[1, 0, 0], [2.5, 0.3, -0.2], [2.99, 0, 0], [3.5, 0, 0], [1, 0.9, 0], [-1, 0, 0]], np.float32)
    assert image.passed_through(places, np.full(6, 0.1)).tolist() == [True, True, False, False, False, False]


def test_where_nothing_came_back_nothing_is_known():
    points = wall()
    seen = (np.abs(points[:, 1]) > 0.6) | (np.abs(points[:, 2]) > 0.6)
    place = np.array([[1.5, 0, 0]], np.float32)
    assert RangeImage(points).passed_through(place, np.zeros(1)).all()
    assert not RangeImage(points[seen]).passed_through(place, np.zeros(1)).any()


def test_what_stands_before_hides():
    near = wall(1.0, 40) * [1, 0.2, 0.2]
    image = RangeImage(np.vstack((wall(), near)).astype(np.float32))
    places = np.array([[2, 0, 0], [2, 0.7, 0], [0.8, 0, 0]], np.float32)
    assert image.passed_through(places, np.full(3, 0.05)).tolist() == [False, True, True]


def test_a_lidar_sees_all_around():
    rng = np.random.default_rng(0)
    azimuth, elevation = rng.uniform(-np.pi, np.pi, 60_000), rng.uniform(-0.3, 0.3, 60_000)
    points = 5 * np.stack(
        (np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)), axis=1
    )
    image = RangeImage(points.astype(np.float32))
    assert not image.pinhole
    places = np.array([[-2, 0.1, 0], [0, -4, 0.2], [-5.5, 0, 0], [0, 0, 3]], np.float32)
    assert image.passed_through(places, np.full(4, 0.1)).tolist() == [True, True, False, False]


def test_edges_of_the_picture_and_jumps():
    near = wall(1.5, 60) * [1, 0.3, 0.3]
    image = RangeImage(np.vstack((wall(), near)).astype(np.float32))
    border, jump = image.at_edge(np.array([[3, 1.48, 0], [3, 0, 1.0], [3, 0.25 * 3 + 0.01, 0]], np.float32))
    assert border.tolist() == [True, False, False] and not jump[0]
    rim = np.array([[1.5, 1.5 * 0.3 * 0.5, 0]], np.float32)
    assert image.at_edge(rim)[1].all()
