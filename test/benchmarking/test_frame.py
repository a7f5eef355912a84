import numpy as np
import pytest

from instseg3d_ros.benchmarking.frame import Frame, load
from instseg3d_ros.errors import InputError


def frame(count=3000):
    rng = np.random.default_rng(0)
    return Frame("made up", rng.uniform(0, 2, (count, 3)).astype("f4"), rng.integers(0, 255, (count, 3)).astype("u1"))


@pytest.mark.parametrize("count", [10, 3000, 3001, 20_000])
def test_sizes(count):
    other = frame().of_size(count)
    assert other.points.shape == other.colors.shape == (count, 3)
    assert other.points.dtype == np.float32 and other.colors.dtype == np.uint8


def test_a_part_is_dense_and_copies_do_not_overlap():
    part = frame().of_size(300)
    assert np.ptp(part.points, axis=0).max() < 2
    copies = frame().of_size(12_000).points
    assert len(np.unique(np.floor(copies / 0.01), axis=0)) > 11_000


def test_files(tmp_path):
    whole = frame()
    points = whole.points.copy()
    points[5] = np.nan
    np.savez(tmp_path / "cloud.npz", points=points, colors=whole.colors)
    read = load(tmp_path / "cloud.npz")
    np.testing.assert_array_equal(read.points, np.delete(points, 5, 0))
    np.testing.assert_array_equal(read.colors, np.delete(whole.colors, 5, 0))
    np.savez(tmp_path / "few.npz", points=points[:20], colors=whole.colors[:20])
    with pytest.raises(InputError, match="at least"):
        load(tmp_path / "few.npz")
