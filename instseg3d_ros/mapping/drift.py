"""Separates the drift of odometry, which later poses share, from errors that are independent for each view."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.mapping.pose import from_twist

MEMORY = 0.2  # weight of a new view in the running means
NOISE = 0.3  # ratio of the squared mean to the mean square below which alignments count as noise; noise has 0.11
TURN = 2.0  # a rotation by 1 rad counts as much as a shift of TURN metres


class Drift:
    """`correction` (4, 4) moves given poses onto the map.

    It follows the mean of the alignments as far as they agree. Independent errors have a mean near zero; a correction
    that followed them would make the map wander.
    """

    def __init__(self) -> None:
        self.correction = np.eye(4)
        self.mean = np.zeros(6)  # mean rotation vector (radians) and shift (metres) of the sensor
        self.power = 0.0  # mean square of the alignments, in square metres

    def add(self, told: np.ndarray, used: np.ndarray) -> None:
        """Add an alignment, which moved a view from pose `told`, already corrected, to pose `used`, each (4, 4)."""
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
