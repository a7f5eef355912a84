import numpy as np
import pytest

from instseg3d_ros.segmentation.connected import split_connected
from instseg3d_ros.segmentation.occlusion import join_occluded

VOXEL = 0.03
FLOOR, WALL = (0.5, -3, -0.1, 4, 3, 0), (4, -3, 0, 4.1, 3, 2.5)
PILLAR = (1.6, -0.15, 0, 1.8, 0.15, 1.5)
SOFA = (2.5, -0.8, 0, 3.1, 0.8, 0.6)
STOOLS = ((2.5, -0.8, 0, 3.1, -0.35, 0.6), (2.5, 0.35, 0, 3.1, 0.8, 0.6))


def parts_of(points, on_objects, embedding_step=0.0):
    """The targets of the parts of a cluster with all points `on_objects`, after cutting and joining."""
    coords, first = np.unique(np.floor(points / VOXEL).astype(np.int32), axis=0, return_index=True)
    inside = on_objects[first]
    part = np.full(len(coords), -1)
    part[inside] = split_connected(np.zeros(inside.sum(), int), coords[inside], 3)
    num = part.max() + 1
    mean = embedding_step * np.arange(num)[:, None] * np.array([[1.0, 0, 0, 0]])
    return join_occluded(part, np.zeros(num, int), mean, coords)


def test_halves_behind_a_pillar_are_one(seen):
    points, owner = seen([FLOOR, WALL, PILLAR, SOFA])
    target = parts_of(points, owner == 3)
    assert len(target) == 2 and target[0] == target[1]


def test_look_alikes_with_the_wall_between_them_stay_two(seen):
    points, owner = seen([FLOOR, WALL, *STOOLS])
    assert parts_of(points, owner >= 2).tolist() == [0, 1]


def test_a_low_thing_in_front_of_the_gap_does_not_hide_it(seen):
    points, owner = seen([FLOOR, WALL, (1.6, -0.15, 0, 1.8, 0.15, 0.3), *STOOLS])
    assert parts_of(points, owner >= 3).tolist() == [0, 1]


def test_a_thing_behind_the_gap_does_not_hide_it(seen):
    points, owner = seen([FLOOR, WALL, (3.4, -1, 0, 3.6, 1, 1.5), *STOOLS])
    assert parts_of(points, owner >= 3).tolist() == [0, 1]


@pytest.mark.parametrize("step, joined", [(0.3, True), (0.4, False)])
def test_embeddings_must_be_alike(seen, step, joined):
    points, owner = seen([FLOOR, WALL, PILLAR, SOFA])
    target = parts_of(points, owner == 3, embedding_step=step)
    assert (target[0] == target[1]) == joined


def test_an_occluder_hides_less_than_it_leaves(seen):
    wide = (1.2, -0.55, 0, 1.4, 0.55, 1.5)
    points, owner = seen([FLOOR, WALL, wide, (3, -1.6, 0, 3.3, 1.6, 0.6)])
    target = parts_of(points, owner == 3)
    assert target.tolist() == [0, 1]


def test_three_parts_behind_two_pillars_are_one(seen):
    pillars = [(1.6, y - 0.1, 0, 1.8, y + 0.1, 1.5) for y in (-0.3, 0.3)]
    points, owner = seen([FLOOR, WALL, *pillars, (2.5, -1.2, 0, 3.1, 1.2, 0.6)])
    target = parts_of(points, owner == 4)
    assert len(target) == 3 and len(set(target)) == 1


def test_a_scan_of_several_views_is_left_alone(seen):
    points, owner = seen([FLOOR, WALL, PILLAR, SOFA])
    assert parts_of(points - (2.0, 0, 0), owner == 3).tolist() == [0, 1]


def test_nothing_to_join():
    none = np.zeros((0, 3), int)
    assert join_occluded(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)), none).shape == (0,)
