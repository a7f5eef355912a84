"""Maps of drives: perfect segmentations score perfectly, what errs scores less, and truth is voted as a loop votes."""

from collections import Counter

import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.drive_files import POSES, SHIFT, TURN, Drive, Step, find_drives, read_drive
from instseg3d_ros.evaluation.drives import compete, table
from instseg3d_ros.evaluation.truth_cells import TruthCells, on_cells
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.mapping.pose import size_of
from instseg3d_ros.segmentation.result import Box, Instance, Result

CHAIR, FLOOR = SYNTHETIC.index("chair"), SYNTHETIC.index("floor")


def pose_at(x, y):
    pose = np.eye(4)
    pose[:3, 3] = x, y, 1.0
    return pose


def step_at(x, y, chairs):
    """A floor and boxes of points at `chairs` (K, 2), as seen from (x, y), 1 m up."""
    rng = np.random.default_rng(0)
    floor = np.column_stack((rng.uniform([0.5, -2], [4, 2], (9000, 2)), np.zeros(9000)))
    points, ids = [floor], [np.zeros(9000, int)]
    for number, (cx, cy) in enumerate(chairs, 1):
        points.append(rng.uniform([cx - 0.2, cy - 0.2, 0.05], [cx - 0.15, cy + 0.2, 0.6], (1500, 3)))
        ids.append(np.full(1500, number))
    points, ids = np.concatenate(points), np.concatenate(ids)
    body = (points - [x, y, 1.0]).astype(np.float32)
    semantic = np.where(ids > 0, CHAIR, FLOOR).astype(np.int16)
    return Step(body, np.zeros(body.shape, np.uint8), semantic, ids.astype(np.int32), pose_at(x, y))


def perfect(step, label="chair"):
    instances = [
        Instance(int(n), label, 0.9, int((step.instance == n).sum()), Box(np.zeros(3), np.ones(3), np.eye(3)))
        for n in np.unique(step.instance[step.instance > 0])
    ]  # fmt: skip
    semantic = np.where(step.instance > 0, SYNTHETIC.index(label), step.semantic).astype(np.int16)
    return Result(semantic, step.instance, np.full(len(semantic), 0.9, np.float32), instances)


@pytest.fixture(scope="module")
def drive():
    def steps():
        for number in range(6):
            yield step_at(-0.1 * number, 0.05 * number, [(2, 0), (2.5, 1)] if number < 3 else [(2, 0), (2.5, -1)])

    return Drive("toy", SYNTHETIC, steps, 6, np.array([2]), 3)


def test_what_is_right_scores_one_for_each_method(drive):
    rows = compete([drive], SYNTHETIC, perfect, SYNTHETIC.names, poses=("exact poses",), options={"align": False})
    assert [row.method for row in rows] == ["single frames", "plain join", "map"]
    alone, _, world = rows
    assert alone.named.ap50 == alone.masks.ap50 == alone.accuracy == 1
    assert world.named.ap50 == world.masks.ap50 == 1 and world.accuracy > 0.95
    assert world.true == world.found == 2, "the moved chair counts once, where it is now"
    assert world.milliseconds > 0 and world.megabytes > 0
    assert table(rows).count("\n") == 4 and "2 for 2" in table(rows)


def test_a_wrong_class_scores_by_masks_alone(drive):
    rows = compete(
        [drive], SYNTHETIC, lambda step: perfect(step, "sofa"), SYNTHETIC.names, poses=("exact poses",),
        options={"align": False},
    )  # fmt: skip
    assert all(row.named.ap50 == 0 for row in rows) and rows[-1].masks.ap50 == 1


def test_truth_is_voted_as_a_loop_votes():
    rng = np.random.default_rng(0)
    truth, votes = TruthCells(0.1), {}
    for _ in range(30):
        points, ids = rng.uniform(-0.3, 0.3, (80, 3)), rng.integers(1, 5, 80)
        truth.add(points, ids)
        for point, number in zip(points, ids.tolist()):
            votes.setdefault(tuple(np.floor(point / 0.1).astype(int)), Counter())[number] += 1
    place, ids = truth.result()
    assert len(ids) == len(votes)
    for where, number in zip(place, ids.tolist()):
        held = votes[tuple(np.floor(where / 0.1).astype(int))]
        assert number == min(held, key=lambda n: (-held[n], n))


def test_the_nearest_cell_answers_within_reach():
    result = Result(np.array([3, 4], np.int16), np.array([7, 0], np.int32), np.ones(2, np.float32))
    points = np.array([[0, 0, 0], [1, 0, 0]], np.float32)
    answer = on_cells(np.array([[0.04, 0, 0], [0.97, 0, 0], [0.5, 0, 0]]), points, result, 0.05)
    assert answer.semantic.tolist() == [3, 4, -1] and answer.instance.tolist() == [7, 0, 0]


def test_poses_err_as_they_say():
    poses = [pose_at(0.1 * k, 0) for k in range(2000)]
    off = [size_of(np.linalg.inv(pose) @ spoilt) for pose, spoilt in zip(poses, map(POSES["2 cm and 1°"](0), poses))]
    shift, turn = (np.sqrt(np.mean(np.square(column))) for column in zip(*off))
    assert shift == pytest.approx(SHIFT, rel=0.1) and np.radians(turn) == pytest.approx(TURN, rel=0.1)
    spoil = POSES["drift 1 %"](0)
    drifted = [spoil(pose) for pose in poses]
    assert np.linalg.norm(drifted[-1][:3, 3] - poses[-1][:3, 3]) == pytest.approx(0.01 * 199.9, rel=1e-3)
    assert POSES["exact poses"](0)(poses[3]) is poses[3]


def test_drives_read_back_from_bags(tmp_path):
    pytest.importorskip("rosbags")
    from instseg3d_ros.data.synthetic.drive import drive, write_bag
    from instseg3d_ros.data.synthetic.frames import SceneRecipe

    shots = list(drive(SceneRecipe(seed=3, resolution=(64, 48), sensors=("kinect",)), "tabletop", 2))
    write_bag(tmp_path / "one", iter(shots), 10.0, truth=True, tf=False, extras={"moved": np.array([4]), "moved_at": 1})
    (path,) = find_drives(tmp_path)
    found = read_drive(path, SYNTHETIC)
    assert found.frames == 2 and found.moved.tolist() == [4] and found.moved_at == 1
    for step, shot in zip(found.steps(), shots):
        seen = np.isfinite(shot.points).all(axis=1)
        assert np.array_equal(step.instance, shot.instance[seen])
        scene = shot.points[seen] @ shot.camera.pose[:3, :3].T + shot.camera.pose[:3, 3]
        assert np.allclose(step.points @ step.pose[:3, :3].T + step.pose[:3, 3], scene, atol=1e-4)
    with pytest.raises(InputError, match="no drive"):
        find_drives(tmp_path / "one" / "none")
    (path / "truth.npz").write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"truth\.npz"):
        read_drive(path, SYNTHETIC)
