import numpy as np
import pytest

from instseg3d_ros.sparse.rigid import transform_points, usable_points


@pytest.fixture(params=["native", "numpy"], autouse=True)
def way(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setenv("INSTSEG3D_NATIVE", "0")


@pytest.mark.parametrize("count", [0, 1, 100, 50_000])
def test_transform_equals_the_matrix_product(count):
    rng = np.random.default_rng(count)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.normal(size=3)
    points = rng.normal(size=(count, 3)).astype(np.float32)
    turned = transform_points(points, matrix[:3, :3])
    assert turned.dtype == np.float32 and turned is not points
    np.testing.assert_allclose(turned, points @ matrix[:3, :3].T, atol=1e-6)
    np.testing.assert_allclose(transform_points(points, matrix), points @ matrix[:3, :3].T + matrix[:3, 3], atol=2e-6)


def test_what_is_not_finite_stays_so():
    points = np.array([[1, np.nan, 0], [3e38, 3e38, 3e38]], np.float32)
    rotation = np.array([[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]])
    turned = transform_points(points, rotation)
    assert np.isnan(turned[0, 0]) and np.isinf(turned[1, 0])


def test_points_in_another_order_in_memory():
    points = np.asfortranarray(np.random.default_rng(0).normal(size=(200, 3)))
    np.testing.assert_allclose(transform_points(points, np.eye(3)), points, rtol=1e-6)
    assert usable_points(points, 1.0).sum() == (np.linalg.norm(points, axis=1) <= 1).sum()


def test_a_matrix_that_moves_nothing_copies_nothing():
    points = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    assert transform_points(points, np.eye(3)) is points and transform_points(points, np.eye(4)) is points


def test_usable_points_are_finite_and_near():
    points = np.zeros((40_000, 3), np.float32)
    assert usable_points(points, 5.0) is None
    points[7, 1], points[20_000, 2], points[39_999, 0], points[3, 0] = np.nan, np.inf, 5.001, 4.999
    assert np.flatnonzero(~usable_points(points, 5.0)).tolist() == [7, 20_000, 39_999]
