import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instseg3d_ros.evaluation.instance_ap import (
    THRESHOLDS,
    Prediction,
    area,
    average_precision,
    match,
    overlaps,
    precision_recall,
    summarize,
)

CHAIR, TABLE, WALL = 5, 7, 1
IDS = (CHAIR, TABLE)


def ap(scenes, min_region=100, ids=IDS):
    """Table of (class, threshold); scenes are (truth, [(mask, label, score)])."""
    tables = [overlaps(t, [Prediction(np.asarray(m), c, s) for m, c, s in p], ids, min_region) for t, p in scenes]
    return average_precision(tables, len(ids))[0]


def spell(scenes, min_region, ids=IDS):
    """The protocol written out point by point and pair by pair, in floats."""
    result = np.zeros((len(ids), 10))
    for column, threshold in enumerate([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.25]):
        for row, label in enumerate(ids):
            points, missed, objects, predicted = [], 0, 0, 0  # points: (score, right)
            for truth, predictions in scenes:
                truth = np.asarray(truth)
                regions = [i for i in sorted(set(truth.tolist())) if i // 1000 == label]
                size = {i: int((truth == i).sum()) for i in regions}
                kept = [(m, s) for m, c, s in predictions if c == label and m.sum() >= max(min_region, 1)]
                predicted += len(kept)
                valid = [i for i in regions if size[i] >= min_region]
                objects += len(valid)

                def iou(mask, region):
                    inside = int((mask & (truth == region)).sum())  # noqa: B023
                    return inside / (int(mask.sum()) + size[region] - inside)  # noqa: B023

                used = set()
                for region in valid:
                    best = None
                    for index, (mask, score) in enumerate(kept):
                        if index in used or not iou(mask, region) > threshold + 1e-12:
                            continue
                        if best is None:
                            best = score
                            used.add(index)
                        else:
                            points.append((min(best, score), 0))
                            best = max(best, score)
                    if best is None:
                        missed += 1
                    else:
                        points.append((best, 1))
                for mask, score in kept:
                    if any(iou(mask, region) > threshold + 1e-12 for region in regions):
                        continue
                    excused = sum(
                        (i // 1000 not in ids) or (i // 1000 == label and i not in valid) for i in truth[mask].tolist()
                    )
                    if excused / mask.sum() <= threshold + 1e-12:
                        points.append((score, 0))
            if not objects:
                result[row, column] = np.nan
            elif predicted and points:
                curve = []
                for cut in sorted({score for score, _ in points}):
                    right = sum(r for score, r in points if score >= cut)
                    curve.append((right / sum(score >= cut for score, _ in points), right / objects))
                curve.append((1.0, 0.0))
                recall = [curve[0][1], *(r for _, r in curve), 0.0]
                result[row, column] = sum(p * (recall[i] - recall[i + 2]) / 2 for i, (p, _) in enumerate(curve))
    return result


def blocks(*sizes_and_ids):
    return np.concatenate([np.full(size, i) for size, i in sizes_and_ids])


def span(count, *ranges):
    mask = np.zeros(count, bool)
    for first, last in ranges:
        mask[first:last] = True
    return mask


TWO = blocks((200, 5001), (200, 5002))  # two chairs of 200 points


def test_perfect_and_without_ground_truth():
    table = ap([(TWO, [(TWO == 5001, CHAIR, 0.9), (TWO == 5002, CHAIR, 0.8)])])
    assert table[0] == pytest.approx(np.ones(10)) and np.isnan(table[1]).all()


def test_objects_without_predictions_score_zero():
    assert (ap([(TWO, [])])[0] == 0).all()
    assert (ap([(TWO, [(TWO == 5001, TABLE, 1.0)])])[0] == 0).all()  # a right mask of the wrong class


def test_scores_by_hand():
    # right 0.9, false 0.5: points (recall, precision): (.5, 1/2), (.5, 1), (0, 1); widths .0, .25, .25
    chairs = blocks((200, 5001), (200, 5002), (200, 7001))
    table = ap([(chairs, [(chairs == 5001, CHAIR, 0.9), (chairs == 7001, CHAIR, 0.5)])])
    assert table[0] == pytest.approx(np.full(10, 0.5 * 0 + 0.25 * 1 + 0.25 * 1))
    # the same at one score: one point (.5, 1/2) and the artificial one: widths .25 and .25
    table = ap([(chairs, [(chairs == 5001, CHAIR, 0.5), (chairs == 7001, CHAIR, 0.5)])])
    assert table[0] == pytest.approx(np.full(10, 0.25 * 0.5 + 0.25 * 1))


def test_iou_of_exactly_the_threshold_is_no_match():
    truth = blocks((200, 5001), (200, 7001))
    for twentieths in THRESHOLDS:
        # cut away from the object: IoU is exactly twentieths/20; one point more is above
        exact = ap([(truth, [(span(400, (0, 10 * twentieths)), CHAIR, 1.0)])], 1)
        above = ap([(truth, [(span(400, (0, 10 * twentieths + 1)), CHAIR, 1.0)])], 1)
        column = THRESHOLDS.index(twentieths)
        assert exact[0, column] == 0 and above[0, column] == 1


def test_duplicates_cost_the_lower_score():
    # both find chair 1: the object keeps 0.9, a false one appears at 0.3
    for order in ((0.9, 0.3), (0.3, 0.9)):
        table = ap([(TWO, [(TWO == 5001, CHAIR, score) for score in order])])
        assert table[0] == pytest.approx(np.full(10, 0 * 0.5 + 0.25 + 0.25))


def test_small_objects_and_small_predictions_do_not_count():
    truth = blocks((99, 5001), (200, 5002))
    good = (truth == 5002, CHAIR, 0.5)
    alone = ap([(truth, [good])])
    assert alone[0] == pytest.approx(np.ones(10))
    assert ap([(truth, [good, (truth == 5001, CHAIR, 0.9)])])[0] == pytest.approx(alone[0])  # 99 points: dropped
    bigger = span(299, (0, 101))  # 99 on the small object, 2 on the other: matches nothing that counts, excused
    assert ap([(truth, [good, (bigger, CHAIR, 0.9)])])[0] == pytest.approx(alone[0])
    assert ap([(truth, [(truth == 5001, CHAIR, 0.9)])], 99)[0, 0] == pytest.approx(0.5)


def test_an_id_without_an_instance_is_an_object_like_any_other():
    truth = blocks((200, 5000), (200, 5001))
    assert ap([(truth, [(truth == 5001, CHAIR, 0.5), (truth == 5000, CHAIR, 0.9)])])[0] == pytest.approx(np.ones(10))
    assert ap([(truth, [(truth == 5001, CHAIR, 0.5)])])[0] == pytest.approx(np.full(10, 0.5))
    assert ap([(truth[:200], [(truth[:200] > 0, CHAIR, 0.5)])])[0] == pytest.approx(np.ones(10))


def test_void_share_excuses_only_above_the_threshold():
    truth = blocks((200, 5001), (200, 1000), (200, 7001))  # a chair, wall, a table
    good = (truth == 5001, CHAIR, 0.5)
    for twentieths in THRESHOLDS:
        column = THRESHOLDS.index(twentieths)
        void = 10 * twentieths
        exactly = (span(600, (200, 200 + void), (400, 600 - void)), CHAIR, 0.9)  # 200 points, void share = threshold
        more = (span(600, (200, 201 + void), (400, 599 - void)), CHAIR, 0.9)
        assert ap([(truth, [good, exactly])])[0, column] == pytest.approx(0.5 * 0.5 + 0.5 * 0)
        assert ap([(truth, [good, more])])[0, column] == 1


def test_all_predictions_ignored_scores_zero():
    truth = blocks((200, 5001), (200, 0))
    assert (ap([(truth, [(truth == 0, CHAIR, 0.9)])])[0] == 0).all()


def test_order_matters_at_a_quarter():
    # one mask over two chairs, IoU 0.5 − with each: at 0.25 it goes to the lower id; the second mask is for chair 2
    both = np.ones(400, bool)
    both[0] = False
    single = TWO == 5002
    table = ap([(TWO, [(both, CHAIR, 0.4), (single, CHAIR, 0.9)])])
    assert table[0, -1] == pytest.approx(1)
    # the other way round the wide mask is used up first too, and chair 2 takes the other
    assert ap([(TWO, [(single, CHAIR, 0.9), (both, CHAIR, 0.4)])])[0, -1] == pytest.approx(1)
    # two wide masks: the first takes chair 1, the second is a duplicate there (false at the lower score) and stays
    # available for chair 2
    scene = overlaps(TWO, [Prediction(both, CHAIR, 0.4), Prediction(both, CHAIR, 0.7)], IDS)
    matches = match(scene, 5, 2)
    assert sorted(zip(matches.score.tolist(), matches.true.tolist())) == [(0.4, False), (0.7, True), (0.7, True)]


def test_class_agnostic_judges_masks_alone():
    scene = overlaps(TWO, [Prediction(TWO == 5001, TABLE, 0.9), Prediction(TWO == 5002, WALL, 0.8)], IDS)
    assert (average_precision([scene], 2)[0][0] == 0).all()
    assert average_precision([scene.agnostic()], 1)[0] == pytest.approx(np.ones((1, 10)))


def test_masks_by_number_and_by_bool_are_the_same():
    mask = TWO == 5001
    one, two = (overlaps(TWO, [Prediction(m, CHAIR, 0.9)], IDS) for m in (mask, np.flatnonzero(mask)))
    assert (one.intersection == two.intersection).all() and one.size == two.size == 200


def test_curve_by_hand():
    curve = precision_recall(np.array([0.9, 0.9, 0.5, 0.1]), np.array([True, False, True, False]), missed=2)
    assert curve.score.tolist() == [0.1, 0.5, 0.9, np.inf]
    assert curve.precision == pytest.approx([2 / 4, 2 / 3, 1 / 2, 1])
    assert curve.recall == pytest.approx([2 / 4, 2 / 4, 1 / 4, 0])
    assert area(curve) == pytest.approx(0.5 * 0 + 2 / 3 * 0.125 + 0.5 * 0.25 + 0.125)


def test_means_leave_undefined_classes_out():
    table = np.full((3, 10), np.nan)
    table[0], table[1] = 1.0, 0.0
    table[0, -1], table[0, 1] = 0.5, 0.1
    mean, rows = summarize(table)
    assert mean.ap == pytest.approx((8.1 / 9) / 2) and mean.ap50 == 0.5 and mean.ap25 == 0.25
    assert rows[2].ap != rows[2].ap
    assert summarize(np.full((2, 10), np.nan))[0].ap != summarize(np.full((2, 10), np.nan))[0].ap


TRUE_IDS = (0, 5, 1000, 5000, 5001, 5001, 5002, 5002, 5003, 7001, 7002, 40001, -1, 10**10)


@st.composite
def hostile(draw):
    """Scenes of a few blocks whose predictions share borders with them, so that exact ratios and ties are common."""
    scenes = []
    for _ in range(draw(st.integers(1, 3))):
        sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=6))
        ids = draw(st.lists(st.sampled_from(TRUE_IDS), min_size=6))
        truth = blocks(*zip(sizes, ids))
        borders = sorted({0, *np.cumsum(sizes).tolist(), *draw(st.lists(st.integers(0, len(truth)), max_size=4))})
        predictions = []
        for _ in range(draw(st.integers(0, 7))):
            a, b = sorted(draw(st.tuples(st.sampled_from(borders), st.sampled_from(borders))))
            mask = span(len(truth), (a, b)) ^ (truth == draw(st.sampled_from([-1, 5001, 5002])))
            predictions.append((mask, draw(st.sampled_from([5, 7, 1])), draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))))
        scenes.append((truth, predictions))
    return scenes, draw(st.sampled_from([0, 1, 10]))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(hostile())
def test_hostile_scenes_equal_the_protocol_spelled_out(case):
    scenes, min_region = case
    assert ap(scenes, min_region) == pytest.approx(spell(scenes, min_region), abs=1e-12, nan_ok=True)
