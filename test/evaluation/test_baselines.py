import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.baselines import METHODS, Baseline, largest_plane, off_planes, thin


def box(center, size, density=40000, seed=0):
    """Points on the faces of a box that look up or towards the camera at the origin."""
    rng = np.random.default_rng(seed)
    center, size = np.array(center), np.array(size)
    faces = []
    for axis in range(3):
        for side in (-0.5, 0.5):
            normal = np.eye(3)[axis] * side
            if normal @ (center + normal * size) >= 0:
                continue  # looks away
            area = np.prod(np.delete(size, axis))
            face = rng.uniform(-0.5, 0.5, (int(area * density), 3))
            face[:, axis] = side
            faces.append(center + face * size)
    return np.concatenate(faces)


def table_scene():
    """A table below and ahead of the camera, three boxes on it, two of them touching at a concave corner."""
    rng = np.random.default_rng(0)
    table = rng.uniform((0.6, -0.5, -0.501), (1.4, 0.5, -0.499), (40000, 3))
    boxes = [
        box((1.0, -0.25, -0.42), (0.15, 0.15, 0.16), seed=1),
        box((1.0, 0.20, -0.42), (0.12, 0.15, 0.16), seed=2),
        box((0.95, 0.325, -0.455), (0.12, 0.10, 0.09), seed=3),
    ]
    labels = np.concatenate([np.full(len(part), number) for number, part in enumerate([table, *boxes])])
    return np.concatenate([table, *boxes]), labels


def found(result, labels, number):
    """The prediction that covers most of an object, and its IoU with it."""
    mine = labels == number
    inside = np.bincount(result.instance[mine])
    inside[:1] = 0
    best = int(inside.argmax())
    union = mine | (result.instance == best)
    return best, (mine & (result.instance == best)).sum() / union.sum()


@pytest.mark.parametrize("name", METHODS)
def test_a_lone_box_is_found_and_the_table_is_not(name):
    points, labels = table_scene()
    result = Baseline(name)(points.astype(np.float32))
    assert found(result, labels, 1)[1] > (0.4 if name == "region_growing" else 0.8)
    assert (result.instance[labels == 0] > 0).mean() < 0.05
    ids = {entry.id for entry in result.instances}
    assert ids == set(np.unique(result.instance)) - {0}
    for entry in result.instances:
        mine = result.instance == entry.id
        assert entry.num_points == mine.sum() and 0 < entry.score < 1 and entry.label == "object"
        assert np.allclose(entry.box.center + entry.box.size / 2, points[mine].max(0), atol=1e-6)
    assert ((result.semantic == 0) == (result.instance > 0)).all() and result.timings["total"] > 0


def test_touching_boxes_are_one_to_gaps_and_two_to_convexity():
    points, labels = table_scene()
    together, apart = (Baseline(name)(points.astype(np.float32)) for name in ("euclidean", "convexity"))
    assert found(together, labels, 2)[0] == found(together, labels, 3)[0]
    (first, one), (second, two) = found(apart, labels, 2), found(apart, labels, 3)
    assert first != second and one > 0.8 and two > 0.8


def test_the_viewpoint_tells_folds_from_hollows():
    """The same scene in a frame whose origin is not the camera: told where it stood, the method answers the same."""
    points, _ = table_scene()
    shift = np.array([-3.0, 2.0, 1.0], np.float32)
    method = Baseline("convexity")
    here = method(points.astype(np.float32), viewpoint=np.zeros(3))
    there = method(points.astype(np.float32) + shift, viewpoint=shift)
    assert (here.instance == method(points.astype(np.float32)).instance).all()
    assert ((here.instance > 0) == (there.instance > 0)).mean() > 0.98
    assert len(here.instances) == len(there.instances)


@pytest.mark.parametrize("name", METHODS)
def test_clouds_without_anything_to_find(name):
    method = Baseline(name)
    for points in (np.zeros((0, 3)), np.full((50, 3), np.nan), np.zeros((500, 3)), np.eye(3)):
        result = method(points.astype(np.float32), None)
        assert len(result.instance) == len(result.semantic) == len(points)
    rng = np.random.default_rng(0)
    line = rng.uniform(0, 1, (500, 1)) * np.ones((1, 3))
    assert len(method(line.astype(np.float32)).instance) == 500


@pytest.mark.parametrize("name", METHODS)
def test_points_that_are_not_finite_change_nothing(name):
    points, _ = table_scene()
    clean = Baseline(name)(points.astype(np.float32))
    dirty = np.insert(points, range(0, len(points), 500), np.array([np.nan, 0, np.inf]), axis=0)
    finite = np.isfinite(dirty).all(1)
    result = Baseline(name)(dirty.astype(np.float32))
    assert (result.instance[finite] == clean.instance).all() and (result.instance[~finite] == 0).all()


def test_the_plane_with_most_points_wins():
    rng = np.random.default_rng(0)
    floor = rng.uniform((-1, -1, 0), (1, 1, 0), (600, 3))
    wall = rng.uniform((-1, -1, 0), (-1, 1, 1), (300, 3))
    middle, normal = largest_plane(np.concatenate([floor, wall]), 0.01, rng)
    assert np.abs(normal) == pytest.approx([0, 0, 1], abs=0.02) and abs(middle[2]) < 0.01


def test_shelves_are_no_walls():
    """Floor and walls go; a board in the middle of the room, though as wide as a wall, stays."""
    rng = np.random.default_rng(0)
    floor = rng.uniform((0, 0, 0), (4, 4, 0), (16000, 3))
    walls = [rng.uniform((0, 0, 0), (4, 0, 2), (8000, 3)), rng.uniform((0, 0, 0), (0, 4, 2), (8000, 3))]
    board = rng.uniform((1, 1, 1), (3, 3, 1), (4000, 3))
    clutter = rng.uniform((1, 1, 0.1), (3, 3, 2), (3000, 3))
    voxels = thin(np.concatenate([floor, *walls, board, clutter]))
    keep = off_planes(voxels)[voxels.of_point]
    assert keep[:32000].mean() < 0.02 and keep[32000:36000].mean() > 0.9


def test_voxels_follow_the_spacing_of_the_cloud():
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 1, (2000, 3)) * (1, 1, 0)
    assert 0.008 < thin(coarse).size < 0.03
    fine = thin(rng.uniform(0, 0.1, (20000, 3)) * (1, 1, 0))
    assert fine.size < 0.0075
    assert np.abs(fine.centers[fine.of_point]).shape == (20000, 3)


def test_unknown_method():
    with pytest.raises(InputError, match="euclidean"):
        Baseline("magic")
