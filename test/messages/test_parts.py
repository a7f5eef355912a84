"""Points of objects, of the rest, of obstacles, and supporting surfaces, in clouds with known truth."""

from types import SimpleNamespace

import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.messages.cloud import Cloud
from instseg3d_ros.messages.parts import (
    check_selection,
    find_supports,
    object_points,
    obstacle_points,
    remaining_points,
    selected_ids,
)
from instseg3d_ros.messages.pointcloud2 import decode, read_fields
from instseg3d_ros.messages.rotations import rotation_of
from instseg3d_ros.segmentation.boxes import upright_box
from instseg3d_ros.segmentation.result import Instance, Result, move_instances

FLOOR, TABLE, CHAIR = (SCANNET20.index(name) for name in ("floor", "table", "chair"))


def grid(low, high, step=0.01):
    """Points of an axis-aligned box's surface."""
    axes = [np.arange(a, b + step / 2, step) for a, b in zip(low, high)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def scene():
    """A floor, a table top at 0.7 m with two cups on it, a chair on the floor; z up."""
    parts = [
        (FLOOR, 0, grid((0, -1, 0), (3, 1, 0), 0.03)),
        (TABLE, 1, grid((1, -0.4, 0.7), (1.8, 0.4, 0.7))),
        (CHAIR, 2, grid((1.2, -0.2, 0.705), (1.25, -0.15, 0.8))),
        (CHAIR, 3, grid((1.5, 0.1, 0.705), (1.55, 0.15, 0.8))),
        (CHAIR, 4, grid((2.3, 0, 0.01), (2.5, 0.2, 0.3), 0.02)),
    ]
    points = np.concatenate([p for *_, p in parts])
    semantic = np.concatenate([np.full(len(p), c) for c, _, p in parts]).astype(np.int16)
    instance = np.concatenate([np.full(len(p), i) for _, i, p in parts]).astype(np.int32)
    instances = [
        Instance(i, SCANNET20[c].name, 0.9, len(p), upright_box(p.astype(np.float32))) for c, i, p in parts if i
    ]
    result = Result(semantic, instance, np.ones(len(points), np.float32), instances)
    return points.astype(np.float32), result


def as_message(packed):
    fields = [SimpleNamespace(name=n, offset=o, datatype=k) for n, o, k in packed.fields]
    header = SimpleNamespace(frame_id="", stamp=SimpleNamespace(sec=0, nanosec=0))
    return SimpleNamespace(**{**vars(packed), "fields": fields, "is_bigendian": False, "header": header})


def ids_of(packed):
    return set(read_fields(as_message(packed), ("instance",))[0].ravel())


@pytest.mark.parametrize(
    ("selection", "ids"), [("", [1, 2, 3, 4]), ("3", [3]), (" table, 4", [1, 4]), ("chair", [2, 3, 4]), ("99", [])]
)
def test_a_selection_and_its_complement_are_the_cloud(selection, ids):
    points, result = scene()
    points[0] = np.nan
    colors = np.random.default_rng(0).integers(0, 256, points.shape).astype(np.uint8)
    cloud = Cloud(points, colors)
    assert selected_ids(selection, result.instances) == ids
    chosen, rest = object_points(cloud, result, selection), remaining_points(cloud, result, selection)
    assert ids_of(chosen) == set(ids) and not ids_of(rest) & set(ids)
    assert chosen.width + rest.width == len(points) - 1
    mask = np.isin(result.instance, ids)
    np.testing.assert_array_equal(decode(as_message(chosen)).points, points[mask])
    np.testing.assert_array_equal(decode(as_message(chosen)).colors, colors[mask])


def test_obstacles_are_all_but_the_floor():
    points, result = scene()
    result.semantic[-5:] = -1  # without a label: nothing says that it is free
    assert obstacle_points(Cloud(points), result, SCANNET20).width == (result.semantic != FLOOR).sum()


def test_a_word_that_is_no_class_is_refused():
    check_selection("table, 7,", SCANNET20)
    with pytest.raises(InputError, match="no class 'spoon'"):
        check_selection("table,spoon", SCANNET20)


@pytest.mark.parametrize("turn", [(0, 0, 0, 1), (0.3, -0.2, 0.5, 0.8)])
def test_surfaces_below_objects_however_the_camera_is_turned(turn):
    points, result = scene()
    rotation = rotation_of(turn)  # from the cloud's axes to axes with z up
    seen = Cloud((points @ rotation).astype(np.float32))
    result.instances = move_instances(result.instances, rotation.T)
    table, floor = sorted(find_supports(seen, result, rotation), key=lambda s: -(rotation @ s.box.center)[2])
    assert table.objects == [2, 3] and 4 in floor.objects
    upright = table.box.moved(rotation)
    np.testing.assert_allclose(upright.center[:2], (1.4, 0), atol=0.02)
    assert upright.center[2] + upright.size[2] / 2 == pytest.approx(0.7, abs=0.006)
    np.testing.assert_allclose(upright.size[:2], (0.8, 0.8), atol=0.03)
    np.testing.assert_allclose(upright.rotation[:, 2], (0, 0, 1), atol=1e-6)


def test_an_object_whose_surface_is_hidden_has_none():
    points, result = scene()
    cup = result.instance == 2
    alone = Result(result.semantic[cup], result.instance[cup], result.confidence[cup], result.instances[1:2])
    assert find_supports(Cloud(points[cup]), alone, np.eye(3)) == []
