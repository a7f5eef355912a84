from itertools import permutations

import numpy as np
import pytest

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.evaluation.instance_ap import Prediction
from instseg3d_ros.evaluation.outcome import OverlapScores
from instseg3d_ros.evaluation.overlap import IGNORED, SLACK, STEPS, Image, f_by_score, mean, of_scene, score


def f_measure(p, r):
    return 2 * p * r / (p + r) if p + r else 0.0


def rim_by_loop(points, shape):
    """Pixels (row, column) of a mask that have a neighbour in the image outside the mask."""
    found = set()
    for row, column in points:
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < shape[0] and 0 <= c < shape[1] and (r, c) not in points:
                found.add((row, column))
    return found


def by_loop(truth, masks, shape):
    """The definition, word for word: all ways to assign are tried, every pixel is looked at."""
    ignored = {i for i, t in enumerate(truth) if t == IGNORED}
    predicted = [set(np.flatnonzero(mask).tolist()) - ignored for mask in masks]
    predicted = [mask for mask in predicted if mask]
    true = [set(np.flatnonzero(truth == t).tolist()) for t in sorted({*truth.tolist()} - {0, IGNORED})]
    short, long = sorted((predicted, true), key=len)
    best, pairs = -1.0, []
    for order in permutations(range(len(long)), len(short)):
        some = [(a, long[b]) if short is predicted else (long[b], a) for a, b in zip(short, order)]
        some = [(c, g) for c, g in some if c & g]
        total = sum(2 * len(c & g) / (len(c) + len(g)) for c, g in some)
        if total > best:
            best, pairs = total, some
    hits = sum(len(c & g) for c, g in pairs)
    p = hits / sum(map(len, predicted)) if predicted else 1.0
    r = hits / sum(map(len, true)) if true else 1.0
    well = sum(2 * len(c & g) / (len(c) + len(g)) >= 0.75 for c, g in pairs) / len(true) if true else np.nan
    rims = {id(m): rim_by_loop({divmod(i, shape[1]) for i in m}, shape) for m in (*predicted, *true)}
    reach = np.ceil(SLACK * np.hypot(*shape))

    def near(one, other):
        return sum(any(np.hypot(a - c, b - d) <= reach for c, d in other) for a, b in one)

    whole, true_whole = (sum(len(rims[id(m)]) for m in some) for some in (predicted, true))
    bp = sum(near(rims[id(c)], rims[id(g)]) for c, g in pairs) / whole if whole else 1.0
    br = sum(near(rims[id(g)], rims[id(c)]) for c, g in pairs) / true_whole if true_whole else 1.0
    return p, r, f_measure(p, r), bp, br, f_measure(bp, br), well


@pytest.mark.parametrize("seed", range(12))
def test_equals_the_definition_spelled_out(seed):
    rng = np.random.default_rng(seed)
    shape = (9, 11)
    pixel = np.arange(99)
    truth = np.repeat(rng.integers(-1, 4, 25), 4)[:99]
    masks = [rng.random(99) < rng.uniform(0, 0.6) for _ in range(rng.integers(0, 5))]
    masks += [(truth == t) ^ (rng.random(99) < 0.1) for t in (1, 2)]
    expected = by_loop(truth, masks, shape)
    found = score(truth, masks, Image(pixel, shape))
    assert np.allclose(list(vars(found).values()), expected, equal_nan=True)
    as_rows = score(truth, [np.flatnonzero(mask) for mask in masks], Image(pixel, shape))
    assert vars(as_rows) == vars(found)


def test_perfect_nothing_and_empty():
    truth = np.repeat([0, 1, 2], 20)
    perfect = score(truth, [truth == 1, truth == 2], Image(np.arange(60), (6, 10)))
    assert list(vars(perfect).values()) == [1] * 7
    nothing = score(truth, [])
    assert (nothing.precision, nothing.recall, nothing.f, nothing.well) == (1, 0, 0, 0)
    empty = score(np.zeros(10, int), [np.arange(10) < 3])
    assert (empty.precision, empty.recall, empty.f) == (0, 1, 0) and np.isnan(empty.well)


def test_of_a_scene_without_unlabelled_points_and_slivers():
    semantic = np.array([2] * 30 + [2] * 5 + [1] * 20 + [-1] * 10)
    instance = np.array([1] * 30 + [2] * 5 + [0] * 30)
    scene = Scene(np.zeros((65, 3), np.float32), None, semantic.astype(np.int16), instance.astype(np.int32))
    prediction = Prediction(np.flatnonzero((instance == 1) | (instance == 2) | (semantic == -1)), 1, 0.9)
    assert of_scene(scene, [prediction], min_region=6).f == 1
    whole = of_scene(scene, [prediction])
    assert whole.precision == pytest.approx(30 / 35) and whole.recall == pytest.approx(30 / 35)
    by_score = f_by_score(scene, [prediction], min_region=6)
    assert (by_score[STEPS <= 0.9] == 1).all() and (by_score[STEPS > 0.9] == 0).all()
    on_table = Prediction(np.flatnonzero(semantic == 1), 1, 0.9)
    assert of_scene(scene, [prediction, on_table], min_region=6).precision == pytest.approx(30 / 50)


def test_mean_leaves_out_what_is_undefined():
    both = mean([OverlapScores(1, 0.5, 0.6), OverlapScores(0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 1.0)])
    assert (both.precision, both.f, both.boundary_f, both.well) == (0.75, pytest.approx(0.55), 0.2, 1.0)
    assert np.isnan(mean([]).f)
