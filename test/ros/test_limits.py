"""The region of interest."""

from dataclasses import replace

import numpy as np

from instseg3d_ros.ros.limits import select
from instseg3d_ros.ros.parameters import Parameters


def test_limits_select_and_nan_is_outside():
    points = np.array([(1, 0, 0), (3, 0, 0), (1, 0, 2), (np.nan, 0, 0), (1e30, 0, 0), (0.1, 0, 0)], np.float32)
    values, origin = Parameters(), np.zeros(3)
    assert select(points, origin, values).all()  # nothing is limited by default: the segmenter judges finiteness
    np.testing.assert_array_equal(select(points, origin, replace(values, min_range=0.5)), [1, 1, 1, 0, 1, 0])
    np.testing.assert_array_equal(select(points, origin, replace(values, max_height=1.0)), [1, 1, 0, 1, 1, 1])
    box = replace(values, crop_box=[0.5, -1.0, -1.0, 2.0, 1.0, 1.0])
    np.testing.assert_array_equal(select(points, origin, box), [1, 0, 0, 0, 0, 0])
    # The box is given in the level frame, in which the camera stands somewhere; ranges are distances from the camera.
    camera = np.array((10, 0, 1))
    box = replace(values, crop_box=[10.5, -1.0, -1.0, 12.0, 1.0, 2.0], min_range=0.5)
    np.testing.assert_array_equal(select(points, camera, box), [1, 0, 0, 0, 0, 0])
