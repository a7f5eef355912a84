"""Groups of fragments: ids that stay with the larger part, evidence that turns."""

import numpy as np

from instseg3d_ros.mapping.fragments import MOST, Fragments


def made(sizes, pairs=()):
    fragments = Fragments()
    numbers = [fragments.create() for _ in sizes]
    for one, other, amount in pairs:
        fragments.say(one, other, amount)
    for number, cells in zip(numbers, sizes):
        fragments.table[number].cells = cells
        fragments.table[number].views = 1
    fragments.regroup(numbers, 0.0)
    return fragments


def owners(fragments):
    return [fragments.table[number].object for number in sorted(fragments.table)]


def partition(labels):
    return {frozenset(np.flatnonzero(np.array(labels) == label).tolist()) for label in set(labels)}


def test_each_fragment_is_an_object_until_views_join_them():
    fragments = made([10, 20, 30])
    assert len(set(owners(fragments))) == 3
    fragments.say(1, 3, 0.2)
    fragments.regroup([1], 0.5)
    assert len(set(owners(fragments))) == 3, "each was seen without the other before"
    fragments.say(1, 3, 0.2)
    fragments.regroup([1], 1.0)
    one, two, three = owners(fragments)
    assert one == three != two
    assert one == 3, "the id of the larger"
    assert set(fragments.objects) == {one, two}


def test_an_object_that_is_split_leaves_its_id_to_the_larger_part_and_no_id_comes_twice():
    fragments = made([10, 30], [(1, 2, 1.0)])
    (before,) = set(owners(fragments))
    fragments.say(1, 2, -2.0)
    fragments.regroup([1], 1.0)
    small, large = owners(fragments)
    assert large == before != small
    fragments.say(1, 2, 3.0)
    fragments.regroup([2], 2.0)
    assert set(owners(fragments)) == {before}
    fragments.say(1, 2, -4.0)
    fragments.regroup([2], 3.0)
    again = owners(fragments)[0]
    assert again not in (before, small), "an id that was told is never given again"


def test_evidence_of_a_group_is_summed():
    """a–b and b–c were seen as one, a and c apart more often: the strongest pair holds, the rest is weighed against."""
    assert partition(owners(made([5, 5, 5], [(1, 2, 2.0), (2, 3, 1.0), (1, 3, -3.0)]))) == {
        frozenset([0, 1]), frozenset([2]),
    }  # fmt: skip
    assert partition(owners(made([5, 5, 5], [(1, 2, 2.0), (2, 3, 1.0), (1, 3, -0.5)]))) == {frozenset([0, 1, 2])}


def test_groups_equal_a_loop_over_all_pairs():
    rng = np.random.default_rng(0)
    for _ in range(20):
        count = 9
        pairs = [
            (a + 1, b + 1, float(rng.normal()))
            for a in range(count) for b in range(a + 1, count) if rng.random() < 0.5
        ]  # fmt: skip
        groups = [{number} for number in range(1, count + 1)]
        table = {(a, b): w for a, b, w in pairs}

        def weight(left, right, table=table):
            return sum(table.get((min(a, b), max(a, b)), 0) for a in left for b in right)

        while True:
            options = [(weight(x, y), i, j) for i, x in enumerate(groups) for j, y in enumerate(groups) if i < j]
            best, i, j = max(options, default=(0, 0, 0))
            if best <= 0:
                break
            groups[i] |= groups.pop(j)
        expected = {frozenset(number - 1 for number in group) for group in groups}
        assert partition(owners(made([5] * count, pairs))) == expected


def test_regrouping_a_part_equals_regrouping_everything():
    rng = np.random.default_rng(1)
    fragments, whole = made([5] * 12), made([5] * 12)
    for step in range(60):
        one, other = (int(x) for x in rng.choice(12, 2, replace=False) + 1)
        amount = float(rng.normal())
        for each, touched in ((fragments, [one, other]), (whole, list(whole.table))):
            each.say(one, other, amount)
            each.regroup(touched, float(step))
        assert partition(owners(fragments)) == partition(owners(whole))


def test_evidence_is_bounded_so_that_it_can_turn():
    fragments = made([5, 5])
    for _ in range(1000):
        fragments.say(1, 2, 1.0)
    assert fragments.between(2, 1) == MOST


def test_dropped_fragments_leave_nothing():
    fragments = made([5, 5, 5], [(1, 2, 1.0), (2, 3, 1.0)])
    assert sorted(fragments.drop([2])) == [1, 3]
    assert not fragments.evidence and set(fragments.table) == {1, 3} and not fragments.beside[1]
    fragments.regroup([1, 3], 1.0)
    assert len(set(owners(fragments))) == 2 and set(fragments.objects) == set(owners(fragments))
