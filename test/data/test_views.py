"""Statistics of the views of a data set."""

from dataclasses import astuple

import numpy as np
import pytest

from instseg3d_ros.data import views
from instseg3d_ros.data.scene import Scene
from instseg3d_ros.data.views import View, table
from instseg3d_ros.errors import InputError


def _frame(name="one"):
    """A camera at (1, 0, 0) that looks along +x: 300 points of an object at 2 m, 100 of a wall at 6 m."""
    pose = np.eye(4)
    pose[:3, :3] = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pose[:3, 3] = 1, 0, 0
    points = np.repeat([[3.0, 5, 0], [7.0, -5, 0]], [300, 100], axis=0).astype(np.float32)
    instance = np.repeat([4, 0], [300, 100]).astype(np.int32)
    instance[:50] = 7  # too small to count
    extras = {"camera": pose, "shape": np.array([20, 25]), "pixel": np.arange(400)}
    return Scene(points, None, np.repeat([5, 1], [300, 100]).astype(np.int16), instance, name, extras)


def test_a_frame_is_measured_along_the_optical_axis():
    assert astuple(View.of(_frame())) == (2.0, 0.25, 0.25, 1.0, 0.8, 0.75)


def test_a_scan_is_refused():
    with pytest.raises(InputError, match="whole: no frame of a camera"):
        View.of(Scene(np.zeros((5, 3), np.float32), None, np.zeros(5, np.int16), np.zeros(5, np.int32), "whole"))


def test_the_table_is_printed(tmp_path, capsys):
    (tmp_path / "train").mkdir()
    for name in "abc":
        _frame(name).write(tmp_path / "train" / f"{name}.npz")
    assert views.main([str(tmp_path), "--limit", "2"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("2 frames") and "| beyond 3m | 0.25 | 0.25 | 0.25 | 0.25 |" in shown
    assert "| things | 1.00 |" in table([View.of(_frame())])
    assert views.main([str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
