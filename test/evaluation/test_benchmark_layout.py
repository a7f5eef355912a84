import numpy as np
import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation import benchmark_layout as layout
from instseg3d_ros.evaluation.instance_ap import Prediction
from instseg3d_ros.labels import SCANNET20, LabelClass, LabelSet

CHAIR, WALL = SCANNET20.index("chair"), SCANNET20.index("wall")


@pytest.mark.parametrize(
    "ids", [[0, 1, 1, 0], [], [5001, 0, 39012, -1], [7], [10, 9], np.array([True, False]), list(range(10))]
)
def test_ids_come_back(tmp_path, ids):
    layout.write_ids(tmp_path / "x.txt", np.array(ids, int) if not isinstance(ids, np.ndarray) else ids)
    assert layout.read_ids(tmp_path / "x.txt").tolist() == [int(value) for value in ids]
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("text", ["1\n0\n255\n", "1\r\n0\r\n255", " 1\n0\n255", "1\n0\n255\n\n"])
def test_other_people_write_ids_their_way(tmp_path, text):
    (tmp_path / "x.txt").write_bytes(text.encode())
    assert layout.read_ids(tmp_path / "x.txt").tolist() == [1, 0, 255]


@pytest.mark.parametrize("text", ["1\nchair\n", "1.5\n", "0x10\n", "\x00\x01"])
def test_what_is_no_number_is_named(tmp_path, text):
    (tmp_path / "x.txt").write_bytes(text.encode())
    with pytest.raises(InputError, match=r"x\.txt"):
        layout.read_ids(tmp_path / "x.txt")


def test_predictions_come_back_in_order_and_exactly(tmp_path):
    rng = np.random.default_rng(0)
    written = [Prediction(np.flatnonzero(rng.random(50) < 0.3), label, float(rng.random())) for label in (5, 39, 0, 5)]
    layout.write_predictions(tmp_path, "scene0000_00", 50, written)
    read = layout.read_predictions(tmp_path, "scene0000_00", 50)
    assert [(p.label, p.score, p.mask.tolist()) for p in read] == [(p.label, p.score, p.mask.tolist()) for p in written]
    assert layout.scene_names(tmp_path) == ["scene0000_00"]


def scene(tmp_path, text, mask="0\n3\n-1\n"):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.txt").write_text(mask)
    (tmp_path / "s.txt").write_text(text)
    return layout.read_predictions(tmp_path, "s", 3)


def test_any_value_but_zero_is_inside_and_labels_may_be_floats(tmp_path):
    (prediction,) = scene(tmp_path, "masks/a.txt 5.0 1e-3\n\n")
    assert prediction.mask.tolist() == [1, 2] and prediction.label == 5 and prediction.score == 0.001


def test_a_mask_listed_twice_counts_once_with_its_last_label(tmp_path):
    with pytest.warns(UserWarning, match="twice"):
        (prediction,) = scene(tmp_path, "masks/a.txt 5 0.5\nmasks/a.txt 7 0.25\n")
    assert (prediction.label, prediction.score) == (7, 0.25)


@pytest.mark.parametrize(
    "text", ["masks/a.txt 5\n", "masks/a.txt 5 0.5 6\n", "masks/a.txt chair 0.5\n", "masks/a.txt 5 nan\n",
             "../a.txt 5 0.5\n", "/etc/hostname 5 0.5\n", "masks/b.txt 5 0.5\n", "masks/a.txt inf 0.5\n"]
)  # fmt: skip
def test_bad_lines_are_named(tmp_path, text):
    with pytest.raises(InputError, match=r"(s\.txt:1|b\.txt)") as caught:
        scene(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_masks_must_fit_the_scene(tmp_path):
    with pytest.raises(InputError, match="2 lines for 3 points"):
        scene(tmp_path, "masks/a.txt 5 0.5\n", "0\n1\n")


def test_truth_ids():
    semantic, instance = [CHAIR, CHAIR, WALL, -1, CHAIR, -1], [3, 0, 0, 0, 12, 4]
    assert layout.truth_ids(semantic, instance, SCANNET20).tolist() == [5003, 0, 1000, 0, 5012, 0]


def test_instances_beyond_three_digits_keep_their_order():
    semantic = [CHAIR, CHAIR, CHAIR, CHAIR, WALL, CHAIR, -1]
    ids = layout.truth_ids(semantic, [5000, 70, 5000, 0, 0, 1234, 9999], SCANNET20)
    assert ids.tolist() == [5003, 5001, 5003, 0, 1000, 5002, 0]
    without_none = layout.truth_ids([CHAIR] * 3, [5000, 70, 1234], SCANNET20)
    assert without_none.tolist() == [5003, 5001, 5002]
    with pytest.raises(InputError, match="1000 instances"):
        layout.truth_ids(np.full(1000, CHAIR), np.arange(1, 1001), SCANNET20)


def test_label_ids_must_tell_classes_apart():
    twins = LabelSet("twins", (LabelClass("a", 1, (0, 0, 0)), LabelClass("b", 1, (0, 0, 0))))
    with pytest.raises(InputError, match="twins"):
        layout.labels_ids(twins)
