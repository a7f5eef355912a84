"""Quaternions and transforms against transforms3d, which tf_transformations wraps."""

import numpy as np
import pytest
from transforms3d.quaternions import mat2quat, quat2mat

from instseg3d_ros.messages import rotations
from instseg3d_ros.segmentation.result import Box, Instance, move_instances

RNG = np.random.default_rng(0)
QUATERNIONS = [*np.eye(4), *RNG.normal(size=(50, 4))]


@pytest.mark.parametrize("quaternion", QUATERNIONS)
def test_matrix_and_back(quaternion):
    unit = quaternion / np.linalg.norm(quaternion)
    rotation = rotations.rotation_of(unit)
    np.testing.assert_allclose(rotation, quat2mat(unit[[3, 0, 1, 2]]), atol=1e-12)
    back = rotations.quaternion_of(rotation)
    assert abs(back @ unit) == pytest.approx(1, abs=1e-12)
    assert abs(back @ mat2quat(rotation)[[1, 2, 3, 0]]) == pytest.approx(1, abs=1e-12)


def test_slerp_goes_the_shorter_way_at_even_speed():
    for start, end in zip(QUATERNIONS[:20], QUATERNIONS[20:40]):
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        whole = 2 * np.arccos(min(abs(start @ end), 1))
        for share in (0, 0.25, 0.7, 1):
            between = rotations.interpolate(start, end, share)
            assert 2 * np.arccos(min(abs(start @ between), 1)) == pytest.approx(share * whole, abs=1e-6)
    assert abs(rotations.interpolate(start, -start, 0.5) @ start) == pytest.approx(1, abs=1e-12)


def test_inverse():
    transform = rotations.rigid((1, 2, 3), RNG.normal(size=4))
    np.testing.assert_allclose(rotations.inverse(transform) @ transform, np.eye(4), atol=1e-12)


def test_boxes_turn_as_their_corners_do():
    rng = np.random.default_rng(0)
    transform = rotations.rigid(rng.normal(size=3), rng.normal(size=4))
    box = Box(rng.normal(size=3), np.array([1.0, 2, 3]), np.eye(3))
    one = Instance(4, "chair", 0.5, 10, box)
    (turned,) = move_instances([one], transform)
    corner = np.array([0.5, 1, -1.5])
    there = turned.box.rotation @ corner + turned.box.center
    np.testing.assert_allclose(there, transform[:3, :3] @ (corner + box.center) + transform[:3, 3])
    (back,) = move_instances([turned], rotations.inverse(transform))
    np.testing.assert_allclose(back.box.center, box.center)
    np.testing.assert_allclose(back.box.rotation, np.eye(3), atol=1e-12)
    assert (back.id, back.label, back.score, back.num_points) == (4, "chair", 0.5, 10)
