import json

import numpy as np
import pytest
import torch

from instseg3d_ros.benchmarking import clustering, frame, geometry, variety
from instseg3d_ros.commands import benchmark
from instseg3d_ros.errors import InputError
from instseg3d_ros.paths import share
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.neighbors import offsets


@pytest.fixture
def cloud(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "cloud.npz"
    colors = rng.integers(0, 255, (2000, 3)).astype(np.uint8)
    np.savez(path, points=rng.uniform(0, 0.3, (2000, 3)).astype(np.float32), colors=colors)
    return path


BAD = (
    "--rounds 1",
    "--only everything",
    "--threads -1",
    "--figure x.txt",
    "--json no/where.json",
    "--fast",
    "--rooms -1",
)


@pytest.mark.parametrize("arguments", BAD)
def test_bad_arguments_are_one_line(arguments):
    with pytest.raises(InputError) as error:
        benchmark.main(arguments.split())
    assert "\n" not in str(error.value)


def test_geometry_of_a_small_cloud(cloud, tmp_path, capsys):
    threads = torch.get_num_threads()
    arguments = ["--only", "geometry", "--rounds", "3", "--threads", "1", "--cloud", str(cloud)]
    assert benchmark.main([*arguments, "--json", str(tmp_path / "out.json")]) == 0
    torch.set_num_threads(threads)
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert {row["peer"] for row in rows} >= {"NumPy unique", "cKDTree, 2 workers", "27 searches"}
    assert all(len(row["ours_ms"]) == 3 and row["ratio"] > 0 for row in rows)
    assert "8 nearest neighbours" in capsys.readouterr().out


def test_peers_compute_the_same():
    """What is raced against must do the work: the NumPy ways give our voxels and our neighbours."""
    points = torch.rand(3000, 3)
    voxels = voxelize(points, points, 0.1)
    means, inverse = geometry._numpy_voxelize(points.numpy(), points.numpy(), 0.1)
    expected = torch.cat((voxels.positions, voxels.features), 1)
    np.testing.assert_allclose(means[inverse], expected[voxels.voxel_of_point], rtol=1e-5)
    found = sum((column >= 0).sum() for column in geometry._searched(voxels.grid.coords.numpy()))
    assert len(offsets()) == 27 and found == (voxels.grid.neighbors >= 0).sum()


def test_clustering_finds_what_scikit_learn_finds():
    (row,) = clustering.rows(3, count=600, clusters=3)
    assert row.ratio > 0 and "3 clusters" in row.what


def test_frames_of_several_kinds(cloud, monkeypatch):
    found = list(variety.rows([frame.load(cloud)], [frame.load(cloud)] * 2, 3, "unet"))
    assert [row.peer for row in found] == ["", "its backbone", "median room", "median room", "scikit-learn"]
    assert all(row.ours.median > 0 for row in found) and found[2].ratio >= 1


def test_the_first_cloud_of_a_bag():
    demo = frame.load(share("data/demo_bag") / "demo_bag.mcap")
    assert len(demo.points) > 100_000 and demo.points[:, 0].min() > 0  # in body axes: all in front of the camera
