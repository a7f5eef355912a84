"""Rotations from the axes of a camera to those of the body."""

import numpy as np
import pytest

from instseg3d_ros.data.clouds import Cloud
from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.data.clouds.rgbd import back_project
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.axes import BODY_FROM_OPTICAL, axes_of_image, body_rotation


def frame(seed=0):
    """An optical cloud of a floor and some noise, with holes."""
    rng = np.random.default_rng(seed)
    rows = np.arange(60)[:, None]
    depth = np.where(rows > 30, 60 / np.maximum(rows - 20, 1), 4) + rng.normal(0, 0.05, (60, 80))
    depth[rng.random((60, 80)) < 0.2] = 0
    return back_project(depth, Intrinsics(60, 60, 40, 30))


@pytest.mark.parametrize("turn", [
    np.eye(3),  # optical
    np.diag((1.0, -1, -1)),  # y up, z backward
    BODY_FROM_OPTICAL,  # body already
    np.array([[0, 0, 1.0], [0, -1, 0], [1, 0, 0]]),  # x forward, y up, z right
])  # fmt: skip
def test_an_image_tells_its_axes(turn):
    points = frame()
    rotation = axes_of_image(points @ turn.T.astype(np.float32), (60, 80))
    np.testing.assert_array_equal(rotation @ turn, BODY_FROM_OPTICAL)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_what_is_no_image_says_nothing():
    points = np.random.default_rng(0).normal(size=(4800, 3))
    assert axes_of_image(points, (60, 80)) is None
    assert axes_of_image(np.full((4800, 3), np.nan), (60, 80)) is None
    assert axes_of_image(-frame(), (60, 80)) is None  # mirrored: no camera sees that


def test_what_decides():
    points = frame()
    np.testing.assert_array_equal(body_rotation(Cloud(points, frame="head_optical_frame")), BODY_FROM_OPTICAL)
    np.testing.assert_array_equal(body_rotation(Cloud(points), "optical"), BODY_FROM_OPTICAL)
    np.testing.assert_array_equal(body_rotation(Cloud(points)), np.eye(3))
    np.testing.assert_array_equal(body_rotation(Cloud(points, shape=(60, 80))), BODY_FROM_OPTICAL)
    np.testing.assert_array_equal(body_rotation(Cloud(points, shape=(60, 80)), "body"), np.eye(3))
    # Gazebo gives body axes under an optical frame's name: the image knows better.
    body = points @ BODY_FROM_OPTICAL.T.astype(np.float32)
    np.testing.assert_array_equal(body_rotation(Cloud(body, None, (60, 80), "optical_frame")), np.eye(3))
    with pytest.raises(InputError, match="one of"):
        body_rotation(Cloud(points), "up")


@pytest.mark.parametrize(
    ("axes", "frame", "optical"),
    [
        ("auto", "camera_rgb_optical_frame", True),
        ("auto", "camera_depth_optical_frame", True),
        ("auto", "base_link", False),
        ("auto", "", False),
        ("optical", "base_link", True),
        ("body", "camera_rgb_optical_frame", False),
    ],
)
def test_a_cloud_that_is_no_image_goes_by_its_frames_name(axes, frame, optical):
    rotation = body_rotation(Cloud(np.zeros((5, 3), np.float32), frame=frame), axes)
    np.testing.assert_array_equal(rotation, BODY_FROM_OPTICAL if optical else np.eye(3))


def test_optical_forward_right_down_become_body_forward_left_up():
    rotation = BODY_FROM_OPTICAL
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_array_equal(rotation @ (0, 0, 1), (1, 0, 0))  # forward
    np.testing.assert_array_equal(rotation @ (1, 0, 0), (0, -1, 0))  # right
    np.testing.assert_array_equal(rotation @ (0, 1, 0), (0, 0, -1))  # down
