import pytest

from instseg3d_ros.benchmarking.race import Row, Times, against, race


def test_contestants_take_turns_after_a_warm_up():
    calls = []
    times = race({"a": lambda: calls.append("a"), "b": lambda: calls.append("b") or 7.0}, 3)
    assert calls == ["a", "b"] * 4
    assert times["b"].rounds == (7.0,) * 3 and len(times["a"].rounds) == 3 and min(times["a"].rounds) >= 0


def test_ratio_is_taken_within_rounds():
    ours, theirs = Times((1.0, 10.0, 2.0)), Times((3.0, 30.0, 8.0))
    assert ours.ratio_of(theirs) == 3.0
    assert ours.median == 2.0
    assert Times((5.0,) * 4).spread == 0.0


@pytest.mark.parametrize(
    "ratio, mark, at_most, held",
    [(3, 2, False, True), (1, 2, False, False), (3, 2, True, False), (1, 2, True, True), (1, None, True, None)],
)
def test_marks(ratio, mark, at_most, held):
    assert Row("g", "w", 1, None, ratio=ratio, mark=mark, at_most=at_most).held is held


def test_row_of_a_race():
    row = against("g", "w", 5, {"x": Times((2.0,)), "y": Times((8.0,))}, "x", "y", 3.0)
    assert (row.ratio, row.peer, row.held) == (4.0, "y", True)
