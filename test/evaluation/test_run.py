import warnings
from dataclasses import replace

import numpy as np
import pytest

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation import benchmark_layout as layout
from instseg3d_ros.evaluation.outcome import Scores
from instseg3d_ros.evaluation.run import Method, evaluate_folders, evaluate_scenes, find_labels, pick, without_color
from instseg3d_ros.evaluation.tables import screen, to_csv, to_json, to_latex
from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.segmentation.result import Box, Instance, Result

NAMES = ("chair", "floor", "table", "no such class", "wall")  # a method with classes of its own, in its own order
BOX = Box(np.zeros(3), np.ones(3), np.eye(3))


def truth(seed):
    """Twelve objects and stuff over 4,000 points; some unlabelled, some labelled without an instance."""
    rng = np.random.default_rng(seed)
    piece = np.sort(rng.integers(0, 14, 4000))
    kinds = [SCANNET20.index(n) for n in rng.choice(["chair", "table", "sofa"], 14)]
    semantic = np.array(kinds)[piece]
    semantic[piece == 0], semantic[piece == 1] = SCANNET20.index("wall"), -1
    instance = np.where(piece < 2, 0, piece + 1500)  # more than three digits
    instance[rng.random(4000) < 0.05] = 0
    points = rng.uniform(0, 3, (4000, 3)).astype(np.float32)
    return Scene(points, None, semantic.astype(np.int16), instance.astype(np.int32), f"scene{seed:04d}_00")


def guess(points, colors):
    """Results that depend only on the points: wrong masks, wrong classes, an unknown class."""
    seed = int(points.sum() * 1000) % 2**31
    rng = np.random.default_rng(seed)
    scene = next(s for s in map(truth, range(4)) if np.array_equal(s.points, points))
    instance = np.where(scene.instance, scene.instance - 1400, 0)
    instance[rng.random(len(points)) < 0.15] = 0
    instance[:300] = 900
    table = SCANNET20.index("table")
    semantic = np.where(scene.semantic == table, 2, rng.choice([0, 1, 4, -1], len(points))).astype(np.int16)
    instances = []
    for number in np.unique(instance[instance > 0]):
        mine = instance == number
        kind = np.bincount(scene.semantic[mine] + 1).argmax() - 1
        label = SCANNET20.names[kind] if rng.random() < 0.7 else str(rng.choice(NAMES))
        instances.append(Instance(int(number), label, float(rng.random()), int(mine.sum()), BOX))
    return Result(semantic, instance.astype(np.int32), np.zeros(len(points), np.float32), instances, {"total": 2.0})


GUESS = Method("guess", guess, NAMES)


@pytest.fixture
def dataset(tmp_path):
    SCANNET20.write(tmp_path / "labels.yaml")
    (tmp_path / "val").mkdir()
    for seed in range(4):
        scene = truth(seed)
        scene.write(tmp_path / "val" / f"{scene.name}.npz")
    return tmp_path


def close(one, two):
    """Same scores in both, to 1e-9."""
    one, two = one.to_json(), two.to_json()
    for key in ("ap", "ap50", "ap25", "iou", "calibration_error"):
        assert one[key] == pytest.approx(two[key], abs=1e-9) and one[key] is not None
    for key in ("classes", "class_agnostic", "class_iou"):
        flat = [{str(k): v for k, v in flatten(content[key])} for content in (one, two)]
        assert flat[0].keys() == flat[1].keys()
        for name, value in flat[0].items():
            assert value == pytest.approx(flat[1][name], abs=1e-9), name


def flatten(tree, prefix=""):
    for key, value in tree.items():
        yield from flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]


def test_scoring_the_export_gives_the_same_numbers(dataset, tmp_path):
    files = sorted((dataset / "val").iterdir())
    export = tmp_path / "export"
    direct = evaluate_scenes(GUESS, files, SCANNET20, "d", "val", export=export)
    assert 0 < direct.mean.ap < direct.mean.ap50 < 1 and 0 < direct.agnostic.ap < 1 and 0 < direct.iou < 1
    close(direct, evaluate_folders(export, export / layout.GROUND_TRUTH))
    close(direct, evaluate_folders(export, dataset / "val"))  # against the prepared scenes themselves


def test_files_by_hand(tmp_path):
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "s.txt").write_text("5001\n" * 150 + "7001\n" * 150)
    (tmp_path / "p" / "m").mkdir(parents=True)
    (tmp_path / "p" / "m" / "0.txt").write_text("1\n" * 150 + "0\n" * 150)
    (tmp_path / "p" / "s.txt").write_text("m/0.txt 5 0.5\n")
    content = evaluate_folders(tmp_path / "p", tmp_path / "gt").to_json()
    assert content["classes"]["chair"] == {"ap": 1.0, "ap50": 1.0, "ap25": 1.0}
    assert content["classes"]["table"] == {"ap": 0.0, "ap50": 0.0, "ap25": 0.0}
    assert content["classes"]["sofa"] == {"ap": None, "ap50": None, "ap25": None}
    assert "wall" not in content["classes"] and len(content["classes"]) == 18
    assert content["ap"] == 0.5 and content["iou"] is None
    # one of two objects found: precision 1 at recall 1/2 and at the artificial point
    assert content["class_agnostic"]["ap"] == pytest.approx(0.5)


def test_scenes_left_out_count_as_nothing_found(dataset, tmp_path):
    export = tmp_path / "export"
    evaluate_scenes(GUESS, sorted((dataset / "val").iterdir()), SCANNET20, "d", "val", export=export)
    (export / "scene0002_00.txt").write_text("")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = evaluate_folders(export, export / layout.GROUND_TRUTH)
    (export / "scene0002_00.txt").unlink()
    with pytest.warns(UserWarning, match="1 of 4 scenes"):
        missing = evaluate_folders(export, export / layout.GROUND_TRUTH)
    assert missing.mean == empty.mean and missing.agnostic == empty.agnostic


def test_predictions_without_truth_are_an_error(tmp_path):
    for name in ("gt/a.txt", "p/a.txt", "p/b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    with pytest.raises(InputError, match=r"b\.txt"):
        evaluate_folders(tmp_path / "p", tmp_path / "gt")
    with pytest.raises(InputError, match="no such folder"):
        evaluate_folders(tmp_path / "nowhere", tmp_path / "gt")
    with pytest.raises(InputError, match="no such folder"):
        evaluate_folders(tmp_path / "p", tmp_path / "nowhere")


def test_a_method_without_classes_is_judged_by_its_masks(dataset):
    files = sorted((dataset / "val").iterdir())
    outcome = evaluate_scenes(replace(GUESS, class_aware=False), files, SCANNET20, "d", "val")
    aware = evaluate_scenes(GUESS, files, SCANNET20, "d", "val")
    assert outcome.agnostic == aware.agnostic
    assert outcome.to_json()["ap"] is None and outcome.to_json()["iou"] is None and outcome.classes == {}


def test_examples_are_kept_for_drawing(dataset):
    files = sorted((dataset / "val").iterdir())
    outcome = evaluate_scenes(GUESS, files, SCANNET20, "d", "val", examples=2)
    assert [example.path for example in outcome.examples] == [files[0], files[3]]
    example = outcome.examples[1]
    known = {SCANNET20.index(name) for name in NAMES if name in SCANNET20.names} | {-1}
    assert set(example.semantic) <= known and len(example.points) == len(example.instance) == 4000
    assert pick(3, 10) == {0, 1, 2} and pick(0, 3) == pick(3, 0) == set()


def test_confusion_counts_every_labelled_point(dataset):
    files = sorted((dataset / "val").iterdir())
    outcome = evaluate_scenes(GUESS, files, SCANNET20, "d", "val")
    assert outcome.confusion.sum() == sum((truth(seed).semantic >= 0).sum() for seed in range(4))


def test_tables_say_the_same(dataset):
    import csv
    import io
    import json

    files = sorted((dataset / "val").iterdir())
    outcome = evaluate_scenes(GUESS, files, SCANNET20, "d", "val")
    masks = replace(outcome, method="masks_only", class_aware=False, mean=Scores(), classes={})
    rows = {(row["method"], row["class"]): row for row in csv.DictReader(io.StringIO(to_csv([outcome, masks])))}
    assert float(rows["guess", "mean"]["ap50"]) == outcome.mean.ap50
    assert rows["guess", "sofa"]["ap"] == repr(outcome.classes["sofa"].ap) and rows["guess", "bed"]["ap"] == ""
    assert len(rows) == 20 + 2 + 1
    content = json.loads(to_json([outcome, masks]))
    assert content["ap"] == outcome.mean.ap and content["methods"]["masks_only"]["ap"] is None
    assert json.loads(to_json([outcome], class_agnostic=True))["ap"] == outcome.agnostic.ap
    latex = to_latex([outcome, masks])
    chairs = next(line for line in latex.splitlines() if line.startswith("chair"))
    scores = outcome.classes["chair"]
    expected = [f"{100 * v:.1f}" for v in (scores.ap, scores.ap50, scores.ap25, outcome.class_iou["chair"])]
    assert chairs.removesuffix(r" \\").split(" & ")[1:5] == expected
    assert r"masks\_only" in latex and len({line.count("&") for line in latex.splitlines() if line[:4] == "mean"}) == 1


def test_label_sets_by_name_or_file(dataset):
    assert find_labels("nyuv2_19").names[0] == "bathtub"
    assert find_labels(str(dataset / "labels.yaml")).names == SCANNET20.names
    with pytest.raises(InputError, match="scannet20"):
        find_labels("kitti")


def test_without_color_no_method_sees_any():
    seen = []
    method = without_color(replace(GUESS, call=lambda points, colors, **more: seen.append((colors, more))))
    assert method.name == "guess, no colour"
    scene = replace(truth(0), colors=np.zeros((4000, 3), np.uint8), extras={"camera": np.eye(4)})
    method.answer(scene)
    replace(method, sees=True).answer(scene)
    assert seen[0] == (None, {}) and seen[1][0] is None and (seen[1][1]["viewpoint"] == 0).all()


def test_overlap_is_counted_whatever_the_class(dataset):
    def perfect(points, colors):
        scene = next(s for s in map(truth, range(4)) if np.array_equal(s.points, points))
        numbers = np.unique(scene.instance[scene.instance > 0])
        instances = [Instance(int(n), "floor", 0.5, int((scene.instance == n).sum()), BOX) for n in numbers]
        return Result(scene.semantic, scene.instance, np.zeros(len(points), np.float32), instances, {"total": 1.0})

    files = sorted((dataset / "val").glob("*.npz"))
    outcome = evaluate_scenes(Method("perfect", perfect, SCANNET20.names), files, SCANNET20, "set", "val")
    assert outcome.overlap.f == 1 and outcome.overlap.well == 1 and np.isnan(outcome.overlap.boundary_f)
    assert "F 100.0" in screen([outcome]) and outcome.to_json()["overlap"]["boundary_f"] is None
