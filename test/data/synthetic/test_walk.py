"""Walks through several rooms: a way that is free, poses along it, things that are elsewhere on the way back."""

import numpy as np
import pytest

from instseg3d_ros.data.synthetic.frames import SceneRecipe, world_of
from instseg3d_ros.data.synthetic.path import WIDTH, ground_of, poses_along
from instseg3d_ros.data.synthetic.walk import move_things, plan_walk, walk
from instseg3d_ros.errors import InputError

RECIPE = SceneRecipe(seed=5, resolution=(64, 48), sensors=("kinect",))


@pytest.fixture(scope="module")
def plan():
    return plan_walk(RECIPE, 2)


def test_the_way_leads_through_all_rooms_and_back_and_meets_nothing(plan):
    for space in plan.room.spaces:
        assert (np.abs(plan.way - space.center) < space.size / 2).all(axis=1).any()
    assert np.allclose(plan.way, plan.way[::-1])
    assert np.linalg.norm(np.diff(plan.way, axis=0), axis=1).max() < 0.15
    world = world_of(plan.room.bodies)
    for height in (0.4, plan.height):
        start = np.column_stack((plan.way[:-1], np.full(len(plan.way) - 1, height)))
        end = np.column_stack((plan.way[1:], np.full(len(plan.way) - 1, height)))
        assert world.blocked(start, end).mean() < 0.02, "an open door's leaf may stand in the way"


def test_the_ground_is_free_where_the_robot_goes(plan):
    ground = ground_of(plan.room, plan.height)
    blocked = ground.place(np.argwhere(~ground.open))
    free = ground.place(np.argwhere(ground.free))
    gap = np.linalg.norm(free[::7, None] - blocked[None], axis=-1).min(axis=1)
    assert gap.min() >= WIDTH


def test_poses_are_level_evenly_spaced_and_look_ahead(plan):
    poses = poses_along(plan.way, 40, 1.2, np.random.default_rng(0))
    places = np.array([pose[:3, 3] for pose in poses])
    assert np.allclose(places[:, 2], 1.2)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() < 1.3 * np.median(steps)
    for pose in poses:
        assert abs(pose[2, 0]) < 1e-9, "no roll: the picture's x axis is level"
        assert -0.6 < pose[2, 2] < 0, "it looks down a little"


def test_moved_things_stand_free_elsewhere_and_keep_their_ids(plan):
    bodies, which = move_things(plan, 2, np.random.default_rng(0))
    assert 1 <= len(which) <= 2
    for index, (old, new) in enumerate(zip(plan.room.bodies, bodies)):
        shift = np.subtract(new.shape.bounds(), old.shape.bounds())
        if index not in which:
            assert new is old
            continue
        assert np.allclose(shift[0], shift[1], atol=1e-4) and abs(shift[0][2]) < 1e-6
        assert 0.7 < np.linalg.norm(shift[0]) < 2.6
        low, high = new.shape.bounds()
        inside = ((plan.way > low[:2]) & (plan.way < high[:2])).all(axis=1)
        assert not inside.any(), "out of the way"


def test_a_walk_is_told_with_what_moved():
    shots, extras = walk(RECIPE, 4, rooms=2, moved=1)
    shots = list(shots)
    assert len(shots) == 4 and len(extras["moved"]) == 1 and extras["moved_at"] == 2
    assert all(np.isfinite(shot.points).all(axis=1).mean() > 0.3 for shot in shots)
    again = list(walk(RECIPE, 4, rooms=2, moved=1)[0])
    assert np.array_equal(shots[3].points, again[3].points, equal_nan=True)
    assert not move_things(plan_walk(RECIPE, 2), 0, np.random.default_rng(0))[1]


def test_more_rooms_than_can_be_joined_are_refused():
    with pytest.raises(InputError, match="--rooms 99"):
        plan_walk(SceneRecipe(seed=1), 99)
