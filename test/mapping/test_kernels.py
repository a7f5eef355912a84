"""Each compiled kernel of a map gives what its twin in numpy gives."""

import numpy as np
import pytest
from halls import LABELS, Hall, pose_at

from instseg3d_ros import ObjectMap
from instseg3d_ros.mapping.alignment import meet
from instseg3d_ros.mapping.cells import Cells, pack
from instseg3d_ros.mapping.range_image import RangeImage
from instseg3d_ros.mapping.surface import fit_planes
from instseg3d_ros.mapping.view import look, place, weigh
from instseg3d_ros.sparse.native import build, kernels

OFF, ON = "0", "1"


@pytest.fixture
def both(monkeypatch):
    """Call a function with the kernels and without them."""
    if not all(map(kernels.available, ("cells", "evidence", "range_image", "view"))):
        pytest.skip("no C++ compiler")

    def call(function):
        results = []
        for value in (ON, OFF):
            monkeypatch.setenv(build.OFF, value)
            results.append(function())
        return results

    return call


def seen(noise=0.01, lidar=False):
    hall = Hall(noise=noise).put(1, 2.0, 0.0).put(2, 2.2, 0.9, kind=3)
    points, colors, owner = hall.look(pose_at(pitch=0.2))
    if lidar:
        points[:, 0] -= 1.5  # the sensor is among the points
    return points, colors, hall.result(owner)


@pytest.mark.parametrize("lidar", [False, True])
def test_range_image(both, lidar):
    points = seen(lidar=lidar)[0]
    one, other = both(lambda: RangeImage(points))
    assert one.pinhole == other.pinhole != lidar and one.shape == other.shape
    assert np.allclose(one.packed, other.packed, rtol=1e-5)
    assert np.isclose(one.nearest, other.nearest, rtol=1e-5).mean() > 0.999  # a point on the border of two bins
    before, jump = both(lambda: RangeImage.__dict__["_around"].func(one))
    assert np.allclose(before[0], jump[0], atol=1e-5) and np.allclose(before[1], jump[1], atol=1e-5)


def test_planes_and_weights(both):
    points = seen()[0]
    one, other = both(lambda: fit_planes(points, 0.12))
    row = np.full(one.block.max() + 1, -1)
    row[one.block] = other.block
    assert np.array_equal(row[one.block], other.block) and len(one.center) == len(other.center)
    assert np.allclose(one.center, other.center[row], atol=1e-6)
    assert np.array_equal(one.flat, other.flat[row]) and 0 < one.flat.sum() < len(one.flat)
    same = np.abs(np.einsum("ij,ij->i", one.normal, other.normal[row]))[one.flat]
    assert same.min() > 1 - 1e-6
    image = RangeImage(points)
    assert np.allclose(*both(lambda: weigh(points, image, one)), rtol=1e-4)


@pytest.mark.parametrize("colored", [True, False])
def test_looking_and_placing(both, colored):
    points, colors, result = seen()
    result.semantic[::7], result.instance[::7] = -1, 0
    frames = both(lambda: look(points, colors if colored else None, result, 0.03, 3.5))
    for name in ("points", "saying", "confidence", "pieces", "class_of"):
        assert np.array_equal(*(getattr(frame, name) for frame in frames)), name
    views = both(lambda: place(frames[0], pose_at(0.3, -0.2, yaw=0.4, pitch=0.1), 0.05))
    orders = [np.argsort(view.keys) for view in views]
    for name in ("keys", "piece", "label"):
        assert np.array_equal(*(getattr(view, name)[order] for view, order in zip(views, orders))), name
    for name in ("position", "weight", "confidence", *(["color"] if colored else [])):
        assert np.allclose(*(getattr(view, name)[order] for view, order in zip(views, orders)), rtol=1e-5), name
    assert colored or views[0].color is None


def test_finding_cells_and_meeting_surfaces(both):
    rng = np.random.default_rng(0)
    coords = np.unique(rng.integers(-40, 40, (9000, 3)), axis=0)
    cells = Cells(2)
    rows = cells.insert(pack(coords))
    cells["position"][rows] = (coords + rng.uniform(0, 1, coords.shape)) * 0.03
    some = pack(rng.integers(-60, 60, (4000, 3)))
    one, other = both(lambda: cells.find(some))
    assert np.array_equal(one, other) and 0 < (one >= 0).sum() < len(one)
    center = rng.uniform(-1.5, 1.5, (500, 3))
    normal = rng.normal(size=(500, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    one, other = both(lambda: meet(center, normal, cells, 0.03, 3))
    assert np.allclose(one, other, atol=1e-9, equal_nan=True) and 0.1 < np.isfinite(one).mean() < 1


def test_a_whole_map(both):
    hall = Hall(noise=0.004).put(1, 2.0, 0.0).put(2, 2.2, 0.9, kind=3)

    def walk():
        world = ObjectMap(labels=LABELS, min_cells=20, align=False)
        for view in range(6):
            if view == 3:
                del hall.boxes[1]
            hall.show(world, pose_at(y=-0.4 + 0.15 * view), seed=view)
        hall.put(1, 2.0, 0.0)
        return world

    one, other = both(walk)
    assert np.isin(one.cells.keys, other.cells.keys).mean() > 0.999
    assert abs(len(one.cells) - len(other.cells)) < 1e-3 * len(one.cells)
    assert [o.label for o in one.objects] == [o.label for o in other.objects] == ["cupboard"]
    assert one.objects[0].score == pytest.approx(other.objects[0].score, rel=0.01)
