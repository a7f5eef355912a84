"""Quaternions and transforms against transforms3d, which tf_transformations wraps, and against the latter itself."""

from itertools import pairwise

import numpy as np
import pytest
from transforms3d.quaternions import mat2quat, quat2mat

from instseg3d_ros.messages import rotations

RNG = np.random.default_rng(0)
QUATERNIONS = [*np.eye(4), *RNG.normal(size=(50, 4))]


@pytest.mark.parametrize("quaternion", QUATERNIONS)
def test_matrix_and_back(quaternion):
    unit = quaternion / np.linalg.norm(quaternion)
    matrix = rotations.quaternion_matrix(unit)
    np.testing.assert_allclose(matrix[:3, :3], quat2mat(unit[[3, 0, 1, 2]]), atol=1e-12)
    back = rotations.quaternion_from_matrix(matrix)
    assert abs(back @ unit) == pytest.approx(1, abs=1e-12)
    assert abs(back @ mat2quat(matrix[:3, :3])[[1, 2, 3, 0]]) == pytest.approx(1, abs=1e-12)


def test_slerp_goes_the_shorter_way_at_even_speed():
    for start, end in zip(QUATERNIONS[:20], QUATERNIONS[20:40]):
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        whole = 2 * np.arccos(min(abs(start @ end), 1))
        for share in (0, 0.25, 0.7, 1):
            between = rotations.quaternion_slerp(start, end, share)
            assert 2 * np.arccos(min(abs(start @ between), 1)) == pytest.approx(share * whole, abs=1e-6)
    np.testing.assert_allclose(rotations.quaternion_slerp(start, -start, 0.5), start, atol=1e-12)


def test_inverse():
    transform = rotations.rigid((1, 2, 3), RNG.normal(size=4))
    np.testing.assert_allclose(rotations.inverse(transform) @ transform, np.eye(4), atol=1e-12)


def test_own_functions_equal_those_of_tf_transformations():
    theirs = pytest.importorskip("tf_transformations")
    import builtins
    import importlib.util

    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "tf_transformations":
            raise ImportError
        return real(name, *rest, **more)

    spec = importlib.util.find_spec("instseg3d_ros.messages.rotations")
    own = importlib.util.module_from_spec(spec)
    builtins.__import__ = without
    try:
        spec.loader.exec_module(own)
    finally:
        builtins.__import__ = real
    assert own.quaternion_matrix is not theirs.quaternion_matrix
    for first, second in pairwise(QUATERNIONS):
        first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
        matrix = theirs.quaternion_matrix(first)
        np.testing.assert_allclose(own.quaternion_matrix(first), matrix, atol=1e-12)
        assert abs(own.quaternion_from_matrix(matrix) @ theirs.quaternion_from_matrix(matrix)) == pytest.approx(1)
        ours, other = own.quaternion_slerp(first, second, 0.3), theirs.quaternion_slerp(first, second, 0.3)
        assert abs(ours @ np.asarray(other)) == pytest.approx(1, abs=1e-6)
