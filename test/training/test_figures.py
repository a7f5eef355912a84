"""Curves of a training from its logs, restarts and cut-off lines included."""

import numpy as np
import pytest
from PIL import Image

from instseg3d_ros.errors import InputError
from instseg3d_ros.training import figures


def log(folder, rows, header="epoch,loss/total,step,val/ap50"):
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("\n".join([header, *rows]))


def test_logs_of_several_starts_are_one(tmp_path):
    log(tmp_path / "logs" / "start_0", ["0,3.0,10,", "0,2.0,20,", "0,,20,0.1", "0,nan,30,", "0,1.0,4"])
    log(tmp_path / "logs" / "start_1", ["0,2.5,20,", "0,1.5,30,", "0,,30,0.2", "0,0.9"])
    series = figures.read_log(tmp_path)
    np.testing.assert_array_equal(series["loss/total"], [[4, 1], [10, 3], [20, 2.5], [30, 1.5]])
    np.testing.assert_array_equal(series["val/ap50"], [[20, 0.1], [30, 0.2]])
    assert "epoch" not in series


def test_smoothing_keeps_lines_straight():
    step = np.arange(400.0)
    x, y = figures.smoothed(step, 2 * step + 1)
    assert 300 < len(x) < 400
    np.testing.assert_allclose(y, 2 * x + 1)
    assert len(figures.smoothed(step[:50], step[:50])[0]) == 50


def test_curves_are_drawn_and_nothing_is_refused(tmp_path):
    log(tmp_path / "logs" / "start_0", [f"0,{3 / (n + 1)},{10 * n}," for n in range(100)])
    assert figures.write(tmp_path, []) == [tmp_path / "curves.png"]
    assert Image.open(tmp_path / "curves.png").size[0] > 400
    assert figures.write(tmp_path / "nowhere", []) == []
    with pytest.raises(InputError, match="no losses"):
        figures.curves({}, tmp_path / "a.png")


def test_validation_scenes_are_drawn(tmp_path, toy_dataset, monkeypatch):
    from instseg3d_ros.data.scene import read_labels
    from instseg3d_ros.evaluation import figures as scene_figures
    from instseg3d_ros.network.architecture import Architecture
    from instseg3d_ros.network.checkpoint import ModelCard, save
    from instseg3d_ros.network.model import Network

    monkeypatch.setattr(scene_figures, "WIDTH", 150)
    labels = read_labels(toy_dataset)
    architecture = Architecture(width=4, graph_layers=0, classes=len(labels), voxel_size=0.1)
    save(tmp_path / "best.safetensors", Network(architecture), ModelCard(architecture, labels))
    assert figures.write(tmp_path, [toy_dataset, tmp_path / "none"], count=2) == [tmp_path / "validation.png"]
    assert Image.open(tmp_path / "validation.png").size[0] > 700
