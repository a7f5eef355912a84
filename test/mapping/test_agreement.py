"""The agreement of views with objects, and the scores that follow from it."""

import numpy as np
import pytest
from halls import pose_at

from instseg3d_ros.mapping.agreement import POWER, SEEN, add_agreement, score
from instseg3d_ros.mapping.fragments import Fragments, Known


def test_agreement_equals_a_loop_over_cells():
    """Random cells: each has an instance or none, and a fragment or none; two fragments belong to the same object."""
    rng = np.random.default_rng(0)
    fragments = Fragments()
    owner = [0, 5, 5, 8, 9]  # object of each fragment
    for number in owner[1:]:
        fragments.table[fragments.create()].object = number
        fragments.objects[number] = Known(0.0, 0.0)
    piece, lead, scores = rng.integers(-1, 3, 300), rng.choice(5, 300, p=[0.4, 0.2, 0.2, 0.17, 0.03]), rng.random(3)
    pairs, cells = np.unique(np.stack((piece, lead)), axis=1, return_counts=True)
    add_agreement(*pairs, cells, scores, fragments)
    objects = np.array(owner)[lead]
    for number, known in fragments.objects.items():
        visible = objects == number
        ious = [(visible & (piece == p)).sum() / (visible | (piece == p)).sum() for p in range(3)]
        expected = max(iou * s for iou, s in zip(ious, scores)) ** POWER if visible.sum() >= SEEN else 0
        assert known.agreement == pytest.approx(expected)
        assert known.judged == (visible.sum() >= SEEN)


def test_a_score_lies_between_the_mean_and_the_largest_agreement():
    agreements = np.random.default_rng(0).random(7)
    value = score(float((agreements**POWER).sum()), len(agreements))
    assert agreements.mean() < value < agreements.max()
    assert score(0.0, 0) == 0


def test_objects_that_few_views_show_get_a_lower_score(hall, world):
    """The crate is segmented in all views, the cupboard in a quarter of them."""
    for view in range(8):
        points, colors, owner = hall.look(pose_at(y=0.1 * view), view)
        if view % 4:
            owner = np.where(owner == 2, 0, owner)
        world.observe(points, colors, pose_at(y=0.1 * view), hall.result(owner, points=points))
    scores = {one.label: one.score for one in world.objects}
    assert scores["crate"] == pytest.approx(0.8, abs=0.1) and 0 < scores["cupboard"] < scores["crate"]
