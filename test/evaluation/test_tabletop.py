import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation import tabletop
from instseg3d_ros.evaluation.instance_ap import Prediction
from instseg3d_ros.evaluation.run import Method, evaluate_tabletop
from instseg3d_ros.segmentation.result import Box, Instance, Result

K = np.array([[525.0, 0, 39.5], [0, 525, 29.5], [0, 0, 1]])


def write_frame(path, objects=2):
    """60 × 80 pixels: objects of 10 × 20 pixels, the table around them, a corner without label, a row without depth."""
    depth = np.full((60, 80), 1.2, np.float32)
    label = np.full((60, 80), 255, np.uint8)
    for number in range(objects):
        where = slice(10, 30), slice(5 + 20 * number, 15 + 20 * number)
        depth[where], label[where] = 0.8, number + 1
    label[40:, :20] = 0
    depth[0] = 0
    color = np.zeros((60, 80, 3), np.uint8)
    np.savez(path, depth=depth, color=color, label=label, K=K)


def test_points_are_in_body_axes(tmp_path):
    write_frame(tmp_path / "a.npz")
    scene = tabletop.read_frame(tmp_path / "a.npz")
    row, column = np.divmod(scene.extras["pixel"], 80)
    forward, left, up = scene.points.T
    assert len(scene) == 59 * 80 and set(np.round(forward, 3).tolist()) == {np.float32(0.8), np.float32(1.2)}
    assert np.allclose(-left / forward * 525 + 39.5, column, atol=1e-3)
    assert np.allclose(-up / forward * 525 + 29.5, row, atol=1e-3)
    assert (scene.semantic == 0).sum() == 400 and (scene.semantic == -1).sum() == 400
    assert ((scene.instance > 0) == (scene.semantic == 0)).all()


def test_ignored_points_stay_out_of_masks(tmp_path):
    write_frame(tmp_path / "a.npz")
    scene = tabletop.read_frame(tmp_path / "a.npz")
    wide = scene.extras["pixel"] % 80 < 18  # object 1 and much of what is ignored
    truth, (cut,) = tabletop.on_objects(scene, [Prediction(np.flatnonzero(wide), 0, 0.5)])
    assert len(truth) == 400 and (truth[cut.mask] == 1001).all() and len(cut.mask) == 200


def everything_near(points, colors):
    """An instance for all near points in the left half, and another for the right half."""
    near = points[:, 0] < 1
    instance = np.where(near, np.where(points[:, 1] > 0.025, 1, 2), 0).astype(np.int32)
    box = Box(np.zeros(3), np.ones(3), np.eye(3))
    instances = [Instance(i, "object", 0.5 + i / 10, int((instance == i).sum()), box) for i in (1, 2)]
    return Result(np.where(near, 0, -1).astype(np.int16), instance, near.astype(np.float32), instances, {"total": 1.0})


def test_scores_by_number_of_objects(tmp_path):
    write_frame(tmp_path / "a.npz", 1)
    write_frame(tmp_path / "b.npz", 2)
    files = tabletop.frame_files(tmp_path)
    outcome = evaluate_tabletop(Method("near", everything_near, ("object",), False), files, "frames", examples=2)
    assert outcome.by_objects == {1: pytest.approx(1), 2: pytest.approx(1)}
    assert [scene.objects for scene in outcome.scenes] == [1, 2] and outcome.agnostic.ap == pytest.approx(1)
    assert len(outcome.examples) == 2 and outcome.to_json()["ap50_by_objects"]["2"] == pytest.approx(1)


def test_damage_is_named(tmp_path):
    with pytest.raises(InputError, match="no frames"):
        tabletop.frame_files(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"a\.npz"):
        tabletop.read_frame(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", depth=np.ones((2, 2)))
    with pytest.raises(InputError, match=r"b\.npz"):
        tabletop.read_frame(tmp_path / "b.npz")
