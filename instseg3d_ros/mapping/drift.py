"""Separates the drift of odometry, which later poses share, from errors that differ from view to view."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping.pose import from_twist

MEMORY = 0.2  # weight of a new view in the means
NOISE = 0.3  # largest ratio of the square of the mean to the mean of the squares that counts as noise; 0.11 is expected
TURN = 2.0  # metres at which a rotation moves as much as a shift


class Drift:
    """`correction` (4, 4) moves poses as given onto the map.

    It follows the mean of the alignments as far as they agree: errors that are independent from view to view have a
    mean near zero, and following them would let the map wander.
    """

    def __init__(self) -> None:
        self.correction = np.eye(4)
        self.mean = np.zeros(6)  # of rotation vectors (radians) and shifts (metres) of the sensor
        self.power = 0.0  # mean of their squares, in square metres

    def add(self, told: np.ndarray, used: np.ndarray) -> None:
        """An alignment moved a view from pose `told`, already corrected, to `used` (4, 4 each)."""
        from scipy.spatial.transform import Rotation

        turn = Rotation.from_matrix(used[:3, :3] @ told[:3, :3].T).as_rotvec()
        step = np.concatenate((turn, used[:3, 3] - told[:3, 3]))
        scale = np.array([TURN] * 3 + [1.0] * 3)
        self.mean += MEMORY * (step - self.mean)
        self.power += MEMORY * (float(np.square(step * scale).sum()) - self.power)
        ratio = float(np.square(self.mean * scale).sum()) / max(self.power, 1e-12)
        share = min(1.0, max(0.0, (ratio - NOISE) / (1 - NOISE)))
        if share:
            part = self.mean * share
            self.mean -= part
            moved = from_twist(part)
            moved[:3, 3] += told[:3, 3] - moved[:3, :3] @ told[:3, 3]  # the rotation is about the sensor
            self.correction = moved @ self.correction
