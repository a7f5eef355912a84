"""Text is above the box along the vertical of the levelled cloud, not along an axis of its frame."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from instseg3d_ros.messages.markers import TEXT_HEIGHT, object_markers
from instseg3d_ros.segmentation.result import Box, Instance


@pytest.mark.parametrize("pitch", [0, 40, -30])
@pytest.mark.parametrize("flipped", [False, True])
def test_text_stands_on_the_side_of_up_that_was_found(pitch, flipped):
    turn = Rotation.from_euler("ZY", (25, pitch), degrees=True).as_matrix()
    if flipped:
        turn = turn @ np.diag((1, -1, -1))
    box = Box(np.array([2.0, 1, 0]), np.array([0.4, 0.6, 0.8]), turn)
    (marker,) = object_markers([Instance(1, "chair", 0.5, 9, box)], np.array((0, 0, 1.0)))
    local = (marker.text_center - box.center) @ turn
    np.testing.assert_allclose(np.abs(local), (0, 0, 0.4 + TEXT_HEIGHT), atol=1e-9)
    assert marker.text_center[2] > box.center[2]
