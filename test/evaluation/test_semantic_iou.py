import numpy as np
import pytest

from instseg3d_ros.evaluation.semantic_iou import class_iou, confusion_matrix, mean_iou


def test_by_hand():
    true = np.array([0, 0, 0, 1, 1, 2, -1, -1])
    predicted = np.array([0, 0, 1, 1, -1, 2, 0, 2])
    confusion = confusion_matrix(true, predicted, 4)
    assert confusion.tolist() == [[2, 1, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    iou = class_iou(confusion)
    assert iou[:3] == pytest.approx([2 / 3, 1 / 3, 1]) and np.isnan(iou[3])
    assert mean_iou(confusion) == pytest.approx(2 / 3)


def test_random_against_sets():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(-1, 5, 1000), rng.integers(-1, 5, 1000)
    iou = class_iou(confusion_matrix(true, predicted, 5))
    for index in range(5):
        a = set(np.flatnonzero(true == index))
        b = set(np.flatnonzero((predicted == index) & (true >= 0)))
        assert iou[index] == pytest.approx(len(a & b) / len(a | b))


def test_nothing_labelled_is_undefined():
    assert np.isnan(mean_iou(confusion_matrix(np.array([-1, -1]), np.array([0, 1]), 2)))
