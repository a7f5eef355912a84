"""Figures of the method: the tensors shown are those that pass through the network."""

import numpy as np
import pytest
import torch
from PIL import Image

from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.viewing import method


@pytest.fixture(scope="module")
def traced():
    torch.manual_seed(0)
    architecture = Architecture(width=4, graph_layers=1, classes=len(SYNTHETIC), voxel_size=0.05)
    segmenter = Segmenter(Network(architecture), ModelCard(architecture, SYNTHETIC), "cpu")
    rng = np.random.default_rng(0)
    points = rng.uniform((1, -0.5, -0.5), (1.5, 0.5, 0.5), (4000, 3)).astype(np.float32)
    points[5] = np.nan
    return method.trace(segmenter, points, rng.integers(0, 256, points.shape, np.uint8)), segmenter


def test_every_stage_is_kept(traced):
    stages, _ = traced
    count = len(stages.coords)
    assert len(stages.points) == 3999 and stages.voxel_of_point.max() == count - 1
    assert stages.embedding.shape == stages.refined.shape == (count, 4)
    assert [features.shape[1] for _, features in stages.levels] == [4, 8, 12, 16, 20, 24, 28]
    assert len(stages.levels[0][0]) == count


def test_voxels_find_their_parents(traced):
    stages, _ = traced
    for level, (coords, _) in enumerate(stages.levels):
        rows = method.parents(stages.coords, coords, level)
        np.testing.assert_array_equal(coords[rows], stages.coords >> level)


def test_means_and_colours():
    values = np.array([[0, 0, 0], [100, 50, 10], [200, 200, 200]])
    means = method.voxel_means(values, np.array([1, 1, 0]), 3)
    np.testing.assert_array_equal(means, [[200, 200, 200], [50, 25, 5], [0, 0, 0]])
    rng = np.random.default_rng(0)
    first, second = method.principal_colors(rng.normal(size=(50, 6)), rng.normal(size=(30, 6)))
    assert first.shape == (50, 3) and second.shape == (30, 3) and first.dtype == np.uint8
    same = rng.normal(size=(40, 2))  # fewer numbers than colours
    np.testing.assert_array_equal(*method.principal_colors(same, same))
    grey, _ = method.embedding_colors(same, same, np.zeros(40, bool))
    assert len(np.unique(grey, axis=0)) == 1


def test_figures_are_written(traced, tmp_path, monkeypatch):
    monkeypatch.setattr(method, "WIDTH", 100)
    stages, segmenter = traced
    method.steps(stages, segmenter.labels, tmp_path / "a.png", None, segmenter.voxel_size)
    method.levels(stages, tmp_path / "b.png", None, segmenter.voxel_size)
    assert all(Image.open(tmp_path / name).size[0] > 300 for name in ("a.png", "b.png"))
