"""Estimation of the vertical: rooms and tables seen by pitched cameras."""

import numpy as np
import pytest

from instseg3d_ros.segmentation import upright
from instseg3d_ros.segmentation.upright import up_direction, upright_rotation
from instseg3d_ros.sparse.native import kernels


def room(rng):
    """Floor, a wall ahead and one at the side, a box: about 4 m across, z up, camera height 1.2 m at the origin."""
    u, v = rng.uniform(0, 4, (2, 6000))
    floor = np.stack((u, v - 2, np.full_like(u, -1.2)), axis=1)
    ahead = np.stack((np.full_like(u, 4), v - 2, u / 2 - 1.2), axis=1)
    side = np.stack((u, np.full_like(u, 2), v / 2 - 1.2), axis=1)
    box = np.stack((2 + u / 8, v / 8, np.full_like(u, -0.7)), axis=1)
    return np.concatenate((floor, ahead, side, box)) + rng.normal(0, 0.003, (24000, 3))


def camera(points, pitch, roll):
    """The same points in the body axes of a camera pitched down and rolled (radians)."""
    cp, sp, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    down = np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
    tilt = np.array([[1, 0, 0], [0, cr, sr], [0, -sr, cr]])
    return points @ (tilt @ down).T, (tilt @ down) @ (0, 0, 1)


@pytest.mark.parametrize("pitch", [-10, 0, 20, 45, 60])
@pytest.mark.parametrize("roll", [-5, 0, 10])
def test_room(pitch, roll):
    points, up = camera(room(np.random.default_rng(0)), np.deg2rad(pitch), np.deg2rad(roll))
    assert np.degrees(np.arccos(np.clip(up_direction(points) @ up, -1, 1))) < 1.0
    levelled = points @ upright_rotation(points).T
    assert abs(levelled[:6000, 2].std()) < 0.03  # the floor is flat again


@pytest.mark.parametrize(
    "points", [np.zeros((0, 3)), np.zeros((1, 3)), np.random.default_rng(0).normal(size=(5000, 3))]
)
def test_says_z_where_the_cloud_does_not_tell(points):
    assert np.allclose(up_direction(points), (0, 0, 1))
    assert np.allclose(upright_rotation(points), np.eye(3))


def test_kernels_find_the_same_normals_and_support(monkeypatch):
    if not kernels.available("upright"):
        pytest.skip("no C++ compiler")
    rng = np.random.default_rng(3)
    points = (room(rng) + rng.normal(0, 0.01, (24000, 3))).astype(np.float32)
    native = upright._normals(points, 0)
    directions = upright._candidates()
    counts = np.stack(upright._support(directions, native))
    monkeypatch.setenv("INSTSEG3D_NATIVE", "0")
    plain = upright._normals(points, 0)
    assert len(native) == len(plain) > 100
    np.testing.assert_allclose(np.abs((native * plain).sum(axis=1)), 1, atol=1e-9)
    assert np.abs(counts - np.stack(upright._support(directions, native))).max() <= 1  # an angle at the limit


def test_kernel_leaves_out_neighbourhoods_without_a_plane():
    if not kernels.available("upright"):
        pytest.skip("no C++ compiler")
    rng = np.random.default_rng(4)
    same, blob = np.zeros((12, 3)), rng.normal(size=(12, 3)) + 50
    sheet = rng.normal(size=(12, 3)) * (1, 1, 1e-3) + 100
    points = np.concatenate((same, blob, sheet)).astype(np.float32)
    normals, planar = np.zeros((3, 3)), np.zeros(3, bool)
    kernels.call("upright", "normals", points, 36, np.array([0, 12, 24]), 3, 12, 0.05, normals, planar)
    assert planar.tolist() == [False, False, True] and abs(normals[2, 2]) > 0.999
