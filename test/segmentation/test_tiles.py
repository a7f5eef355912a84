import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.boxes import upright_box
from instseg3d_ros.segmentation.connected import split_connected
from instseg3d_ros.segmentation.result import Instance, Result
from instseg3d_ros.segmentation.tiles import segment_tiled

VOXEL = 0.05
NAMES = ("floor", "chair", "table")


class Components:
    """A segmenter that is right by definition: connected points above the floor are an object, red ones are chairs."""

    voxel_size = VOXEL

    def __init__(self):
        self.largest, self.extent, self.calls = 0, 0.0, 0

    def __call__(self, points, colors):
        self.calls += 1
        self.largest = max(self.largest, len(points))
        self.extent = max(self.extent, np.abs(points[:, :2]).max())
        semantic = np.where(points[:, 2] < 0.05, 0, np.where(colors[:, 0] > 100, 1, 2)).astype(np.int16)
        above = np.flatnonzero(semantic)
        instance = np.zeros(len(points), np.int32)
        coords = np.floor(points[above] / VOXEL + 1e-3).astype(np.int32)
        instance[above] = 1 + split_connected(np.zeros(len(above), int), coords, 3)
        instances = []
        for number in range(1, instance.max(initial=0) + 1):
            mine = np.flatnonzero(instance == number)
            score = 0.5 + 0.4 * (semantic[mine[0]] == 1)
            instances.append(Instance(number, NAMES[semantic[mine[0]]], score, len(mine), upright_box(points[mine])))
        confidence = np.full(len(points), 0.7, np.float32)
        return Result(semantic, instance, confidence, instances, {"backbone": 2.0, "total": 3.0})


def snapped(points):
    """In the middles of voxels, so that moving them by whole voxels changes no voxel."""
    return ((np.floor(points / VOXEL) + 0.5) * VOXEL).astype(np.float32)


def building(extent=14.0, seed=0):
    """A floor with blocks, bars across several tiles and a U whose legs join in another tile than they begin in."""
    rng = np.random.default_rng(seed)
    points, reds = [rng.uniform(0, 1, (4000, 3)) * (extent, extent, 0)], [np.zeros(4000)]

    def add(low, high, red, density=4000):
        count = int(max(60, density * np.prod(np.subtract(high, low)[:2])))
        points.append(rng.uniform(low, high, (count, 3)))
        reds.append(np.full(count, 200 * red))

    for i in range(7):
        for j in range(3):
            x, y = 0.4 + 1.9 * i, 0.4 + 1.5 * j
            add((x, y, 0.1), (x + rng.uniform(0.3, 1), y + rng.uniform(0.3, 0.9), 0.6), rng.integers(2))
    add((0.5, 5.2, 0.1), (13.0, 5.6, 0.5), 1)  # a bar through everything
    for leg in (7.0, 8.6):
        add((1.0, leg, 0.1), (9.0, leg + 0.4, 0.5), 0)
    add((8.6, 7.0, 0.1), (9.0, 9.0, 0.5), 0)
    points = snapped(np.concatenate(points))
    colors = np.zeros((len(points), 3), np.uint8)
    colors[:, 0] = np.concatenate(reds)
    return points, colors


def same_partition(one, other):
    pairs = np.unique(np.stack((one, other)), axis=1)
    return len(pairs[0]) == len(np.unique(one)) == len(np.unique(other)) and ((one == 0) == (other == 0)).all()


@pytest.mark.parametrize("tile, overlap", [(3.0, 1.0), (4.3, 0.8), (2.0, 2.0), (50.0, 1.0)])
def test_tiled_equals_untiled(tile, overlap):
    points, colors = building()
    whole = Components()(points, colors)
    tiled = segment_tiled(Components(), points, colors, tile=tile, overlap=overlap)
    assert np.array_equal(tiled.semantic, whole.semantic)
    assert same_partition(tiled.instance, whole.instance)
    assert len(tiled.instances) == len(whole.instances)
    counts = np.bincount(tiled.instance)
    for one in tiled.instances:
        mine = np.flatnonzero(tiled.instance == one.id)
        other = whole.instances[whole.instance[mine[0]] - 1]
        assert (one.label, one.num_points) == (other.label, other.num_points) == (one.label, counts[one.id])
        assert one.score == pytest.approx(other.score)
        np.testing.assert_allclose(one.box.center, other.box.center, atol=1e-4)
        np.testing.assert_allclose(one.box.size, other.box.size, atol=1e-4)
    assert tiled.instance.dtype == np.int32 and tiled.semantic.dtype == np.int16
    assert [one.id for one in tiled.instances] == list(range(1, len(counts)))


def test_only_a_tile_at_a_time_is_segmented_and_progress_counts_points():
    points, colors = building()
    segmenter, seen = Components(), []
    result = segment_tiled(segmenter, points, colors, tile=3.0, overlap=1.0, progress=lambda *at: seen.append(at))
    assert segmenter.calls == len(seen) > 15
    assert segmenter.largest < len(points) / 3
    assert segmenter.extent <= 2.0 + VOXEL  # tiles come to the middle
    assert seen[-1] == (len(points), len(points))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert result.timings["backbone"] == 2.0 * len(seen)


def test_crowded_tiles_are_quartered():
    points, colors = building()
    segmenter = Components()
    tiled = segment_tiled(segmenter, points, colors, tile=8.0, overlap=0.6, max_points=3000)
    assert segmenter.largest < 6000
    assert same_partition(tiled.instance, Components()(points, colors).instance)


def test_points_that_are_not_finite_and_far_coordinates():
    points, colors = building(seed=1)
    points = points + np.float32((-40.0, 30.0, 0))
    points = snapped(points)
    expected = Components()(points, colors)
    rows = np.arange(0, len(points), 50)
    broken, black = np.insert(points, rows, np.nan, axis=0), np.insert(colors, rows, 0, axis=0)
    good = np.isfinite(broken).all(axis=1)
    tiled = segment_tiled(Components(), broken, black, tile=3.0, overlap=1.0)
    assert (tiled.semantic[~good] == -1).all() and not tiled.instance[~good].any()
    assert same_partition(tiled.instance[good], expected.instance)


def test_nothing_finite():
    result = segment_tiled(Components(), np.full((5, 3), np.nan, np.float32), np.zeros((5, 3), np.uint8))
    assert result.instances == [] and (result.semantic == -1).all()
    assert segment_tiled(Components(), np.zeros((0, 3), np.float32)).instances == []


def test_small_remains_are_dropped():
    points, colors = building()
    counts = sorted(one.num_points for one in segment_tiled(Components(), points, colors, tile=3.0).instances)
    result = segment_tiled(Components(), points, colors, tile=3.0, min_points=counts[3])
    assert sorted(one.num_points for one in result.instances) == counts[3:]
    assert set(np.unique(result.instance)) == set(range(len(counts) - 2))


class Fickle(Components):
    """Labels objects as chair in a tile and as table in the next tile; finds neighbours only in one of them."""

    def __call__(self, points, colors):
        result = super().__call__(points, colors)
        if self.calls == 1:
            result.semantic[result.semantic == 1] = 2
            result.instances = [Instance(i.id, "table", 0.4, i.num_points, i.box) for i in result.instances]
        return result


def test_the_class_of_a_joined_object_is_that_of_most_points():
    rng = np.random.default_rng(0)
    points = snapped(rng.uniform((0.2, 0.2, 0.1), (2.9, 0.6, 0.5), (3000, 3)))
    points = np.concatenate((points, snapped(np.array([[0.0, 0, 0.01]]))))  # the tiles' corner
    colors = np.full(points.shape, 200, np.uint8)
    result = segment_tiled(Fickle(), points, colors, tile=1.0, overlap=0.5)
    (one,) = result.instances
    assert one.label == "chair" and (result.semantic[:-1] == 1).all()
    assert 0.4 < one.score < 0.9


@pytest.mark.parametrize("options", [{"tile": 0}, {"overlap": 0}, {"tile": 1, "overlap": 2}, {"max_points": 0}])
def test_sizes_are_checked(options):
    with pytest.raises(InputError, match="expected"):
        segment_tiled(Components(), np.zeros((3, 3), np.float32), None, **options)


def test_an_outlier_beyond_all_tiles_is_named():
    with pytest.raises(InputError, match="outliers"):
        segment_tiled(Components(), np.array([[0, 0, 0], [1e20, 0, 0]], np.float32), None)
