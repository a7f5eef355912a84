"""Axes, limits, and boxes through transforms."""

from dataclasses import replace

import numpy as np
import pytest

from instseg3d_ros.messages.rotations import inverse, rigid
from instseg3d_ros.ros.frames import BODY_FROM_OPTICAL, body_from_cloud, select
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.segmentation.result import Box, Instance, move_instances


def test_optical_forward_right_down_become_body_forward_left_up():
    rotation = BODY_FROM_OPTICAL[:3, :3]
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_array_equal(rotation @ (0, 0, 1), (1, 0, 0))  # forward
    np.testing.assert_array_equal(rotation @ (1, 0, 0), (0, -1, 0))  # right
    np.testing.assert_array_equal(rotation @ (0, 1, 0), (0, 0, -1))  # down


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
def test_axes_follow_the_parameter_or_the_frames_name(axes, frame, optical):
    np.testing.assert_array_equal(body_from_cloud(axes, frame), BODY_FROM_OPTICAL if optical else np.eye(4))


def test_limits_select_and_nan_is_outside():
    points = np.array([(1, 0, 0), (3, 0, 0), (1, 0, 2), (np.nan, 0, 0), (1e30, 0, 0), (0.1, 0, 0)], np.float32)
    values = Parameters()
    assert select(points, values).all()  # nothing is limited by default: the segmenter judges finiteness
    np.testing.assert_array_equal(select(points, replace(values, min_range=0.5)), [1, 1, 1, 0, 1, 0])
    np.testing.assert_array_equal(select(points, replace(values, max_height=1.0)), [1, 1, 0, 1, 1, 1])
    box = replace(values, crop_box=[2.0, 1.0, 1.0, 0.5, -1.0, -1.0])  # corners in any order
    np.testing.assert_array_equal(select(points, box), [1, 0, 0, 0, 0, 0])


def test_boxes_turn_as_their_corners_do():
    rng = np.random.default_rng(0)
    transform = rigid(rng.normal(size=3), rng.normal(size=4))
    box = Box(rng.normal(size=3), np.array([1.0, 2, 3]), np.eye(3))
    one = Instance(4, "chair", 0.5, 10, box)
    (turned,) = move_instances([one], transform)
    corner = np.array([0.5, 1, -1.5])
    there = turned.box.rotation @ corner + turned.box.center
    np.testing.assert_allclose(there, transform[:3, :3] @ (corner + box.center) + transform[:3, 3])
    (back,) = move_instances([turned], inverse(transform))
    np.testing.assert_allclose(back.box.center, box.center)
    np.testing.assert_allclose(back.box.rotation, np.eye(3), atol=1e-12)
    assert (back.id, back.label, back.score, back.num_points) == (4, "chair", 0.5, 10)
