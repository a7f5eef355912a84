"""Scores by distance equal those of scenes cut to a range; no object is counted twice or as a false object."""

import numpy as np
import pytest

from instseg3d_ros.evaluation.benchmark_layout import truth_ids
from instseg3d_ros.evaluation.distance import ByDistance
from instseg3d_ros.evaluation.instance_ap import Prediction, overlaps
from instseg3d_ros.evaluation.semantic_iou import confusion_matrix, mean_iou
from instseg3d_ros.labels import SCANNET20

CHAIR, TABLE, WALL = (SCANNET20.index(name) for name in ("chair", "table", "wall"))
THINGS = [entry.id for entry in SCANNET20.classes if entry.thing]


def _add(collected, distance, semantic, instance, predictions, answer=None):
    truth = truth_ids(semantic, instance, SCANNET20)
    table = overlaps(truth, predictions, THINGS, collected.min_region)
    collected.add(distance, table, truth, semantic, semantic if answer is None else answer, predictions)


def _scene(rng, at=(1.0, 3.0, 5.0)):
    """An object of 200 points at each distance, and as many points of wall everywhere."""
    distance = np.concatenate([np.full(200, far) for far in at] + [rng.uniform(0.5, 6, 600)])
    instance = np.repeat([1, 2, 3, 0], [200, 200, 200, 600]).astype(np.int32)
    semantic = np.repeat([CHAIR, TABLE, CHAIR, WALL], [200, 200, 200, 600]).astype(np.int16)
    return distance, semantic, instance


def test_each_range_knows_its_own_objects():
    collected = ByDistance(SCANNET20, 100)
    rng = np.random.default_rng(0)
    distance, semantic, instance = _scene(rng)
    chair, table = SCANNET20[CHAIR].id, SCANNET20[TABLE].id
    predictions = [
        Prediction(np.arange(0, 200), chair, 0.9),  # right, near
        Prediction(np.arange(200, 400), chair, 0.8),  # outlined, misnamed, in the middle; the far object is missed
        Prediction(np.arange(600, 800), table, 0.7),  # wall, called a table, by median in the middle
    ]
    _add(collected, distance, semantic, instance, predictions)
    near, middle, far = collected.scores().values()
    assert [near.named.ap50, near.masks.ap50] == [1.0, 1.0]
    assert middle.named.ap50 == 0.0 and 0.4 < middle.masks.ap50 <= 1.0
    assert [far.named.ap50, far.masks.ap50] == [0.0, 0.0]
    assert sum(part.points for part in (near, middle, far)) == len(distance)


def test_a_prediction_far_away_still_finds_the_object_it_covers():
    """Two thirds of the predicted points are on a near object, but their median distance is beyond the edge."""
    collected = ByDistance(SCANNET20, 100)
    distance = np.concatenate((np.linspace(1.0, 1.99, 160), np.linspace(2.01, 2.2, 140), np.full(100, 2.5)))
    instance = np.repeat([1, 0], [300, 100]).astype(np.int32)
    semantic = np.where(instance > 0, CHAIR, WALL).astype(np.int16)
    _add(collected, distance, semantic, instance, [Prediction(np.arange(400), SCANNET20[CHAIR].id, 0.9)])
    near, middle, _ = collected.scores().values()
    assert near.named.ap50 == 1.0
    assert np.isnan(middle.named.ap50), "it has no object there, and the prediction is excused"


@pytest.mark.parametrize("seed", range(3))
def test_iou_is_that_of_the_points_in_the_range(seed):
    rng = np.random.default_rng(seed)
    collected, whole = ByDistance(SCANNET20, 100), []
    for _ in range(2):
        distance, semantic, instance = _scene(rng)
        answer = np.where(rng.random(len(semantic)) < 0.3, TABLE, semantic).astype(np.int16)
        _add(collected, distance, semantic, instance, [], answer)
        whole.append((distance, semantic, answer))
    distance, semantic, answer = (np.concatenate(column) for column in zip(*whole))
    for part, low, high in zip(collected.scores().values(), (0, 2, 4), (2, 4, 99)):
        rows = (distance >= low) & (distance < high)
        assert part.iou == mean_iou(confusion_matrix(semantic[rows], answer[rows], len(SCANNET20)))
        assert part.points == rows.sum()


def test_nothing_added_has_no_ranges():
    assert ByDistance(SCANNET20, 100).scores() == {}
