"""What a map makes of views: objects that come, move, go, merge, split and cross; poses that cannot be right."""

import numpy as np
import pytest
from halls import CRATE, CUPBOARD, LABELS, Hall, pose_at

from instseg3d_ros import ObjectMap
from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.result import Result


def walk(hall, world, views=6, start=0, **spoil):
    """The camera goes sideways; ids that the boxes were told at each view."""
    told = []
    for view in range(start, start + views):
        added, owner, result = hall.show(world, pose_at(y=-0.5 + 0.15 * (view % 8), yaw=0.05), seed=view, **spoil)
        table = np.append(added.object, 0)[result.instance - 1]
        told.append({int(n): set(table[owner == n].tolist()) for n in np.unique(owner[owner > 0])})
    return told


def at(world, x, y, reach=0.35):
    """Objects whose middle is at a place."""
    return [one for one in world.objects if np.hypot(*(one.box.center[:2] - [x, y])) < reach]


def test_objects_are_where_they_are_with_class_box_and_times(hall, world):
    told = walk(hall, world)
    assert told == [{1: {1}, 2: {2}}] * 6
    (crate,), (cupboard,) = at(world, 2, 0), at(world, 2.2, 0.9)
    assert (crate.label, cupboard.label) == ("crate", "cupboard")
    assert np.allclose(crate.box.size, [0.4, 0.4, 0.6], atol=0.06) and crate.box.center[2] == pytest.approx(
        0.3, abs=0.04
    )
    assert crate.views == 6 and (crate.first_seen, crate.last_seen) == (0, 5)
    assert crate.probabilities.argmax() == CRATE and crate.probabilities.sum() == pytest.approx(1)
    assert crate.probabilities[:2].tolist() == [0, 0], "an object is a thing"
    assert 0.3 < crate.score <= 1
    result = world.result()
    assert isinstance(result, Result) and len(result.points) == len(world.cells)
    assert (result.instance == crate.id).sum() == crate.cells == crate.num_points
    assert (result.semantic[result.instance == crate.id] == CRATE).all()
    flat = result.points[:, 2] < 0.01
    assert (result.semantic[flat & (result.instance == 0)] == 0).mean() > 0.95


def test_votes_of_many_views_outweigh_a_few_wrong_ones(hall, world):
    for view in range(9):
        walk(hall, world, 1, view, kinds={1: CUPBOARD if view % 3 == 0 else CRATE})
    (crate,) = at(world, 2, 0)
    assert crate.label == "crate" and 0 < crate.probabilities[CUPBOARD] < 0.5


def test_order_of_the_points_does_not_matter(hall):
    maps = []
    for shuffle in (False, True):
        world = ObjectMap(labels=LABELS, min_cells=20)
        rng = np.random.default_rng(0)
        for view in range(4):
            pose = pose_at(y=0.2 * view)
            points, colors, owner = hall.look(pose, view)
            order = rng.permutation(len(points)) if shuffle else np.arange(len(points))
            world.observe(points[order], colors[order], pose, hall.result(owner[order], points=points[order]))
        maps.append(world)
    one, other = (world.result() for world in maps)
    assert np.array_equal(maps[0].cells.keys, maps[1].cells.keys)
    assert np.array_equal(one.instance, other.instance) and np.array_equal(one.semantic, other.semantic)
    assert np.allclose(one.points, other.points, atol=1e-5) and np.allclose(one.confidence, other.confidence, atol=1e-5)


def test_what_moved_is_at_its_new_place_only(hall, world):
    walk(hall, world)
    (before,) = at(world, 2, 0)
    hall.put(1, 2.9, -0.9)
    walk(hall, world, 5)
    assert not at(world, 2, 0)
    (after,) = at(world, 2.9, -0.9)
    points = world.result().points
    left = (np.abs(points - [2, 0, 0.35]) < [0.22, 0.22, 0.28]).all(axis=1)
    assert not left.any(), "no cell is left at the old place"
    assert after.label == "crate" and before.id not in {one.id for one in world.objects} - {after.id}


def test_what_was_taken_away_leaves_the_list(hall, world):
    walk(hall, world)
    del hall.boxes[1]
    walk(hall, world, 5)
    assert [one.label for one in world.objects] == ["cupboard"]


def test_what_was_hidden_again_stays(world):
    hall = Hall().put(1, 3.0, 0.0)
    walk(hall, world)
    hall.put(5, 1.5, 0.0, width=1.2, height=1.6)
    walk(hall, world, 6)
    assert at(world, 3, 0), "nothing was seen of its place since"


def test_somebody_who_walks_by_leaves_no_trail(hall, world):
    walk(hall, world, 4)
    for step in range(8):
        hall.put(7, 1.6, -1.2 + 0.2 * step, height=1.5, kind=CUPBOARD)
        walk(hall, world, 1, step % 4)
    del hall.boxes[7]
    walk(hall, world, 5)
    assert sorted(one.label for one in world.objects) == ["crate", "cupboard"]
    points = world.result().points
    assert not ((np.abs(points[:, 0] - 1.6) < 0.15) & (points[:, 2] > 0.7)).any()


def test_objects_that_views_see_as_one_are_merged_and_parted_again():
    hall, world = Hall().put(1, 2, 0).put(2, 2, 0.42), ObjectMap(labels=LABELS, align=False)
    walk(hall, world, 2)
    (one,), (other,) = at(world, 2, 0, 0.2), at(world, 2, 0.42, 0.2)
    walk(hall, world, 5, join=(1, 2))
    (both,) = world.objects
    assert both.id in (one.id, other.id) and both.cells > 1.6 * one.cells
    told = walk(hall, world, 12)
    assert len(world.objects) == 2 and told[-1][1] != told[-1][2]
    assert both.id in {each.id for each in world.objects}
    gone = ({one.id, other.id} - {both.id}).pop()
    assert gone not in {each.id for each in world.objects}, "an id that ended is not given again"


def test_one_view_that_cuts_or_joins_changes_nothing(hall, world):
    walk(hall, world, 5)
    ids = [one.id for one in world.objects]
    walk(hall, world, 1, cut=1)
    assert [one.id for one in world.objects] == ids
    walk(hall, world, 1, 1, join=(1, 2))
    assert [one.id for one in world.objects] == ids


def test_an_object_that_views_keep_cutting_is_split(hall, world):
    walk(hall, world, 3)
    (before,) = at(world, 2, 0)
    walk(hall, world, 8, cut=1)
    pieces = [one for one in world.objects if one.label == "crate"]
    assert len(pieces) == 2 and before.id in {one.id for one in pieces}
    assert max(pieces, key=lambda one: one.cells).id == before.id


def test_objects_that_cross_keep_to_their_cells(world):
    """Two crates change places in one step: each place has an object before and after, and no third one."""
    hall = Hall().put(1, 2, -0.5, kind=CRATE).put(2, 2, 0.5, kind=CUPBOARD)
    walk(hall, world, 6)
    hall.put(1, 2, 0.5, kind=CRATE).put(2, 2, -0.5, kind=CUPBOARD)
    for _ in range(2):
        walk(hall, world, 8)
    assert len(world.objects) == 2
    assert [at(world, 2, y)[0].label for y in (-0.5, 0.5)] == ["cupboard", "crate"]


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (np.full((4, 4), np.nan), "finite"),
        (np.diag([1.0, 1, 1.1, 1]), "rigid"),
        (np.diag([1.0, -1, 1, 1]), "rigid"),
        (pose_at(x=2e5), "far away"),
        (np.eye(3), "matrix"),
    ],
)
def test_poses_that_cannot_be_right_are_refused_by_a_line_and_counted(hall, world, spoilt, reason):
    walk(hall, world, 2)
    before = world.result()
    points, colors, owner = hall.look(pose_at())
    with pytest.raises(InputError, match=reason) as error:
        world.observe(points, colors, spoilt, hall.result(owner))
    assert "\n" not in str(error.value) and ";" in str(error.value)
    assert sum(world.refused.values()) == 1 and reason in next(iter(world.refused))
    assert world.views == 2 and np.array_equal(world.result().points, before.points)


def test_points_without_labels_and_not_finite_are_left_out(hall, world):
    points, _, owner = hall.look(pose_at())
    result = hall.result(owner)
    points[::3] = np.nan
    result.semantic[::3] = -1
    result.instance[::3] = 0
    world.observe(points, None, pose_at(), result)
    assert np.isfinite(world.result().points).all() and len(world.objects) == 2
    added = world.observe(
        np.full((9, 3), np.nan, np.float32), None, pose_at(),
        Result(np.full(9, -1, np.int16), np.zeros(9, np.int32), np.zeros(9, np.float32)),
    )  # fmt: skip
    assert not len(added.object) and world.views == 1 and world.refused["no point has a label"] == 1


def test_a_view_that_is_off_is_aligned_and_one_that_contradicts_weighs_little(hall):
    world = ObjectMap(labels=LABELS, min_cells=20)
    for view in range(4):
        hall.show(world, pose_at(y=0.1 * view))
    size = len(world.cells)
    off = pose_at(x=0.04, y=0.25, z=1.02, yaw=0.01)
    added, *_ = hall.show(world, pose_at(y=0.25), told=off)
    assert np.abs(added.pose[:3, 3] - [0, 0.25, 1]).max() < 0.02 and added.fit > 0.9
    assert len(world.cells) < 1.15 * size and world.doubted == 0
    added, *_ = hall.show(world, pose_at(y=0.1), told=pose_at(x=0.3, y=0.1, z=1.3))
    assert world.doubted == 1 and [one.label for one in world.objects] == ["crate", "cupboard"]


def test_a_slow_drift_is_followed(hall):
    world = ObjectMap(labels=LABELS, min_cells=20)
    for view in range(24):
        pose = pose_at(y=0.05 * np.sin(view / 3), yaw=0.02 * np.cos(view / 5))
        told = pose.copy()
        told[:3, 3] += np.array([0.01, 0, 0.007]) * view
        added, *_ = hall.show(world, pose, told=told)
    assert np.abs(added.pose[:3, 3] - pose[:3, 3]).max() < 0.05, "odometry is 28 cm off by now"
    assert len(world.objects) == 2


def test_a_fragment_that_was_dropped_does_not_lead_again(hall, world):
    walk(hall, world, 2)
    rows = world.cells.rows[world.cells["fragment"][world.cells.rows] > 0]
    ids, votes = world.cells["ids"][rows], world.cells["votes"][rows]
    ids[:], votes[:] = [990, 991, 992, 993], 20  # all votes at their limit, for fragments that do not exist
    world.cells["ids"][rows], world.cells["votes"][rows] = ids, votes
    walk(hall, world, 2, 2)
    seen = rows[world.cells["seen"][rows] == world.views - 1]
    assert not np.isin(world.cells["fragment"][seen], [990, 991, 992, 993]).any()


def test_limits_forget_the_oldest_and_farthest_and_say_so():
    hall = Hall(size=(160, 120)).put(1, 2, 0)
    world = ObjectMap(labels=LABELS, align=False, max_cells=4000, radius=6)
    hall.show(world, pose_at())
    hall.show(world, pose_at(y=1.5, yaw=0.5))
    assert 3000 < len(world.cells) <= 4000 and world.forgotten > 0
    assert set(world.fragments.table) >= set(np.unique(world.cells["fragment"][world.cells.rows])) - {0}
    free = ObjectMap(labels=LABELS, align=False)
    hall.show(free, pose_at())
    hall.show(free, pose_at(y=1.5, yaw=0.5))
    left = np.isin(free.cells.keys, world.cells.keys, invert=True)
    distance = np.linalg.norm(free.result().points - [0, 1.5, 1], axis=1)
    assert np.median(distance[left]) > 1.2 * np.median(distance[~left])
    assert free.cells["seen"][free.cells.rows][left].mean() < free.cells["seen"][free.cells.rows][~left].mean()
    world = ObjectMap(labels=LABELS, align=False, radius=2.2)
    hall.show(world, pose_at())
    assert np.linalg.norm(world.result().points - [0, 0, 1], axis=1).max() <= 2.21


@pytest.mark.parametrize(("min_cells", "min_views"), [(1, 1), (20, 2), (60, 1), (10**6, 1)])
def test_objects_are_counted_without_describing_them(min_cells, min_views):
    hall = Hall().put(1, 2.0, 0.0).put(2, 2.2, 0.9, kind=CUPBOARD).put(3, 2.5, -0.8, width=0.1, height=0.1)
    world = ObjectMap(labels=LABELS, align=False, min_cells=min_cells, min_views=min_views)
    walk(hall, world, 3)
    hall.put(4, 1.5, 0.6, width=0.2)
    hall.show(world, pose_at())
    assert world.num_objects == len(world.objects)
    assert (min_cells, min_views) != (1, 1) or world.num_objects == 4


def test_clear_forgets_but_gives_no_id_twice(hall, world):
    walk(hall, world, 2)
    ids = {one.id for one in world.objects}
    world.clear()
    assert not world.objects and len(world.result().points) == 0 and world.views == 0
    walk(hall, world, 2)
    assert not ids & {one.id for one in world.objects}


def test_add_levels_by_the_pose_and_puts_the_segmenter_back(hall):
    from types import SimpleNamespace

    class Fake:
        labels = LABELS
        options = SimpleNamespace(level="auto")

        def configure(self, level):
            self.options = SimpleNamespace(level=level)

        def __call__(self, points, colors):
            assert self.options.level == "off"
            self.level = points
            return hall.result(owner)

    segmenter = Fake()
    world = ObjectMap(segmenter, min_cells=20)
    pose = pose_at(yaw=0.3, pitch=0.4)
    points, colors, owner = hall.look(pose)
    world.add(points, colors, pose, stamp=7.5)
    assert segmenter.options.level == "auto"
    floor = owner == 0
    assert np.allclose(segmenter.level[floor, 2], -1.0, atol=1e-4), "the floor is level, 1 m under the sensor"
    assert world.objects[0].last_seen == 7.5
    with pytest.raises(InputError, match="segmenter"):
        ObjectMap(labels=LABELS).add(points, colors, pose)
    with pytest.raises(InputError, match="segmenter"):
        ObjectMap()
    with pytest.raises(InputError, match="cell 0"):
        ObjectMap(segmenter, cell=0)
