"""Views: the cloud of a camera from this camera, a room from outside without ceiling and near walls."""

import numpy as np
import pytest

from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.data.clouds.rgbd import back_project
from instseg3d_ros.messages.axes import BODY_FROM_OPTICAL
from instseg3d_ros.viewing.choose_view import choose_view, near_walls, seen_from_origin
from instseg3d_ros.viewing.drawing import draw
from instseg3d_ros.viewing.names import place_names
from instseg3d_ros.viewing.surface import describe, thin


def depth_frame(shape=(60, 80)):
    """Body-axes cloud of a slanted floor with a box on it, as a camera sees it."""
    y = np.mgrid[: shape[0], : shape[1]][0]
    depth = 3.0 - 1.5 * y / shape[0]
    depth[20:40, 30:50] = 1.2
    points = back_project(depth, Intrinsics(80, 80, 40, 30))
    return points @ BODY_FROM_OPTICAL.T.astype(np.float32)


def room(seed=0, count=40_000):
    """Floor, ceiling, four walls (id 0) and three boxes (ids 1..3); 4 × 3 × 2.5 m."""
    rng = np.random.default_rng(seed)
    size = np.array((4, 3, 2.5))
    parts, ids = [], []
    for axis in range(3):
        for side in (0, 1):
            face = rng.uniform(0, 1, (count // 8, 3)) * size
            face[:, axis] = side * size[axis]
            parts.append(face)
            ids.append(np.zeros(len(face), int))
    for number in range(3):
        box = rng.uniform(0, 1, (count // 12, 3)) * (0.5, 0.5, 0.8) + (0.6 + 1.1 * number, 1.2, 0)
        parts.append(box)
        ids.append(np.full(len(box), number + 1))
    return np.concatenate(parts).astype(np.float32), np.concatenate(ids)


def test_what_a_camera_saw_is_told_from_a_room():
    frame = depth_frame((240, 320))
    assert seen_from_origin(frame)
    points, _ = room()
    assert not seen_from_origin(points)
    assert not seen_from_origin(points - (2, 1.5, 1))
    assert not seen_from_origin(points + np.float32((6, 0, 0)))  # narrow from here, but things hide behind things


def test_an_organised_cloud_is_seen_as_its_camera_saw_it():
    points = depth_frame()
    camera, keep = choose_view(points, describe(points)[0], (60, 80), width=80)
    assert keep.all()
    column, row, depth = camera.project(points)
    assert (depth > 0).all()
    order = column.reshape(60, 80)
    assert (np.diff(order, axis=1) > 0).all() and (np.diff(row.reshape(60, 80), axis=0) > 0).all()
    assert column.min() > -1 and column.max() < camera.width + 1


def test_a_room_is_opened():
    points, ids = room()
    normals, _ = describe(points)
    camera, keep = choose_view(points, normals, instance=ids)
    assert camera.position[2] > 2.5  # from above
    assert not keep[points[:, 2] > 2.45].any()  # no ceiling
    assert keep[ids > 0].mean() > 0.95
    floor = points[:, 2] == 0
    assert keep[floor].mean() > 0.8
    toward = -camera.rotation[2]
    wall = {0: points[:, 0] == 4 * (toward[0] > 0), 1: points[:, 1] == 3 * (toward[1] > 0)}
    facing = int(np.abs(toward[:2]).argmax())
    middle = (points[:, 2] > 0.4) & (points[:, 2] < 2)
    assert keep[wall[facing] & middle].mean() < 0.1  # the near wall is gone
    opposite = points[:, facing] == (0 if toward[facing] > 0 else (4, 3)[facing])
    assert keep[opposite & middle].mean() > 0.8
    column, row, _ = camera.project(points[keep])
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    assert inside.mean() > 0.98


def test_low_things_lose_nothing():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (5000, 3)).astype(np.float32)
    camera, keep = choose_view(points, describe(points)[0])
    assert keep.all()
    assert not near_walls(points, describe(points)[0], camera.toward).any()


def test_normals_and_spacing_of_a_known_surface():
    rng = np.random.default_rng(0)
    plane = np.c_[rng.uniform(0, 1, (40_000, 2)), np.zeros(40_000)].astype(np.float32)
    normals, spacing = describe(plane)
    assert np.abs(normals[:, 2]).min() > 0.99
    assert 0.003 < np.median(spacing) < 0.009  # 40,000 on a square metre: 5 mm
    rows = thin(plane, 0.1)
    assert 100 <= len(rows) <= 121 and (np.diff(rows) > 0).all()


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.full((5, 3), np.nan), np.zeros((1, 3)), np.ones((3, 3)) * 2.0])
def test_next_to_nothing_can_be_drawn(points):
    picture = draw(points.astype(np.float32), width=60).panel(np.zeros((max(len(points), 1), 3), np.uint8))
    assert picture.shape[1] == 60 and picture.dtype == np.uint8


def test_names_stand_apart_and_inside():
    ids = np.zeros((200, 300), int)
    for one in range(6):
        ids[80 + 6 * one : 86 + 6 * one, 100:140] = one + 1
    ids[5:25, 5:25] = 7
    ids[100, 290] = 8  # a speck
    names = place_names(ids, {one: "otherfurniture 0.90" for one in range(1, 9)}, (5, 10))
    assert sorted(name.id for name in names) == [1, 2, 3, 4, 5, 6, 7]
    half = np.array((len("otherfurniture 0.90") * 2.5, 5))
    for i, one in enumerate(names):
        assert half[0] <= one.x <= 300 - half[0] and half[1] <= one.y <= 200 - half[1]
        assert ids[int(one.anchor[1]), int(one.anchor[0])] == one.id
        for other in names[:i]:
            assert abs(one.x - other.x) >= 2 * half[0] or abs(one.y - other.y) >= 2 * half[1]
