import numpy as np
import pytest

from instseg3d_ros.evaluation.calibration import fit_isotonic, fit_temperature, reliability


def apply_temperature(score, temperature):
    return 1 / (1 + (1 / score - 1) ** (1 / temperature))  # sigmoid(logit(score) / temperature)


def draws(temperature, count=20000):
    """Scores, and outcomes whose true probability is the score at `temperature`."""
    rng = np.random.default_rng(0)
    score = rng.uniform(0.02, 0.98, count)
    return score, rng.random(count) < apply_temperature(score, temperature)


def test_error_by_hand():
    result = reliability(np.array([0.05, 0.95, 0.95, 1.0]), np.array([False, True, False, True]), bins=10)
    assert result.count.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert result.accuracy[9] == pytest.approx(2 / 3) and np.isnan(result.accuracy[1])
    assert result.error == pytest.approx((1 * 0.05 + 3 * abs(2.9 / 3 - 2 / 3)) / 4)
    assert np.isnan(reliability(np.zeros(0), np.zeros(0, bool)).error)


def test_honest_scores_have_no_error_and_sure_ones_do():
    assert reliability(*draws(1)).error < 0.02
    assert reliability(*draws(4)).error > 0.1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_found_again(temperature):
    score, true = draws(temperature)
    assert fit_temperature(score, true) == pytest.approx(temperature, rel=0.1)
    assert reliability(apply_temperature(score, temperature), true).error < 0.02


def test_temperature_needs_both_outcomes():
    assert np.isnan(fit_temperature(np.array([0.1, 0.9]), np.array([True, True])))


def test_isotonic_is_the_least_squares_rising_fit():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(1)
    score = rng.integers(0, 30, 200) / 30  # with ties
    true = rng.random(200) < score**2
    ours = fit_isotonic(score, true)
    assert ours(score) == pytest.approx(IsotonicRegression().fit_transform(score, true.astype(float)))
    assert reliability(ours(score), true).error < 0.02
