import numpy as np
import pytest

from instseg3d_ros.segmentation.boxes import upright_box, upright_boxes

pytestmark = [pytest.mark.usefixtures("way"), pytest.mark.kernel("boxes")]


def turned(points, degrees, center=(0, 0, 0)):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + center


def cuboid(rng, size, count=500):
    corners = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    return np.concatenate((corners, rng.uniform(-0.5, 0.5, (count, 3)))) * size


@pytest.mark.parametrize("degrees", [0, 17.3, 45, 89, -60])
def test_a_turned_cuboid_gets_its_own_box(degrees):
    box = upright_box(turned(cuboid(np.random.default_rng(0), (1.2, 0.4, 0.7)), degrees, (3, -2, 1)))
    np.testing.assert_allclose(box.center, (3, -2, 1), atol=1e-5)
    np.testing.assert_allclose(box.size, (1.2, 0.4, 0.7), atol=1e-5)
    along = box.rotation[:2, 0]
    expected = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    assert abs(along @ expected) > 1 - 1e-6 and along[0] >= 0
    np.testing.assert_allclose(box.rotation @ box.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(box.rotation) == pytest.approx(1)


def test_no_direction_gives_a_smaller_rectangle():
    rng = np.random.default_rng(1)
    for count in (3, 4, 7, 20, 300):
        points = rng.normal(size=(count, 3)) * (2, 1, 1)
        box = upright_box(points)
        angles = np.radians(np.arange(0, 90, 0.25))
        along = np.ptp(points[:, :2] @ np.stack((np.cos(angles), np.sin(angles))), axis=0)
        across = np.ptp(points[:, :2] @ np.stack((-np.sin(angles), np.cos(angles))), axis=0)
        assert box.size[0] * box.size[1] <= (along * across).min() * (1 + 1e-5)
        assert box.size[0] >= box.size[1]
        inside = np.abs((points - box.center) @ box.rotation) <= box.size / 2 + 1e-5
        assert inside.all()


def test_degenerate_shapes():
    one = upright_box(np.array([[1.0, 2, 3]] * 4))
    assert one.size.tolist() == [0, 0, 0] and one.center.tolist() == [1, 2, 3]
    pole = upright_box(np.array([[1.0, 2, z] for z in range(50)]))
    assert pole.size.tolist() == [0, 0, 49]
    line = upright_box(np.array([[x, 2 * x, 0.5] for x in range(40)], dtype=float))
    np.testing.assert_allclose(line.size, (39 * 5**0.5, 0, 0), atol=1e-5)
    np.testing.assert_allclose(line.rotation[:2, 0], np.array([1, 2]) / 5**0.5, atol=1e-6)


def test_groups_are_boxed_each_for_itself():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(100, 3)).astype(np.float32)
    rows, begin = rng.permutation(100), np.array([0, 1, 30, 100])
    together = upright_boxes(points, rows, begin)
    for box, first, last in zip(together, begin, begin[1:]):
        alone = upright_box(points[rows[first:last]])
        np.testing.assert_allclose(box.center, alone.center, atol=1e-6)
        np.testing.assert_allclose(box.size, alone.size, atol=1e-6)
    assert upright_boxes(points, rows[:0], np.array([0])) == []
