"""The correction of poses follows a drift but not independent errors."""

import numpy as np
import pytest

from instseg3d_ros.mapping.drift import Drift
from instseg3d_ros.mapping.pose import from_twist


def test_drift_is_followed_and_noise_is_not():
    rng = np.random.default_rng(0)
    noise, drift = Drift(), Drift()
    for view in range(60):
        spoilt = from_twist(np.concatenate((rng.normal(0, 0.01, 3), rng.normal(0, 0.012, 3))))
        noise.add(noise.correction @ spoilt, np.eye(4))
        slid = np.eye(4)
        slid[0, 3] = 0.004 * view
        drift.add(drift.correction @ slid, np.eye(4))
    assert np.abs(noise.correction[:3, 3]).max() < 0.012, "less than the error of one pose"
    assert drift.correction[0, 3] == pytest.approx(-0.004 * 59, abs=0.05)
