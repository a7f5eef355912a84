import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nyuv2_files import write_nyuv2
from scannet_files import write_scannet

from instseg3d_ros.commands.table import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scannet(tmp_path_factory):
    root = tmp_path_factory.mktemp("scannet")
    assert run("prepare", ["scannet", str(write_scannet(root / "raw")), str(root / "scenes"), "--workers", "1"]) == 0
    return root / "scenes"


@pytest.fixture(scope="module")
def nyuv2(tmp_path_factory):
    root = tmp_path_factory.mktemp("nyuv2")
    mat, splits = write_nyuv2(root / "raw")
    assert run("prepare", ["nyuv2", str(mat), str(splits), str(root / "scenes"), "--workers", "1"]) == 0
    return root / "scenes"


def test_several_methods_in_one_run(scannet, tmp_path, capsys):
    options = ["--model", "none", "--method", "euclidean", "--method", "region_growing"]
    files = ["--json", str(tmp_path / "s.json"), "--csv", str(tmp_path / "s.csv"), "--latex", str(tmp_path / "s.tex")]
    assert run("evaluate", [str(scannet), *options, *files]) == 0
    content = json.loads((tmp_path / "s.json").read_text())
    assert list(content["methods"]) == ["euclidean", "region_growing"]
    assert content["ap50"] == content["methods"]["euclidean"]["class_agnostic"]["ap50"] > 0.5  # boxes well apart
    printed = capsys.readouterr().out
    assert "euclidean on scenes val, 2 scenes" in printed and "class-agnostic" in printed
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 3 and "tabular" in (tmp_path / "s.tex").read_text()


def test_export_of_a_method_scores_the_same(scannet, tmp_path):
    export, one, two = tmp_path / "export", tmp_path / "1.json", tmp_path / "2.json"
    first = [str(scannet), "--model", "none", "--method", "euclidean", "--export", str(export), "--json", str(one)]
    assert run("evaluate", first) == 0
    second = ["--predictions", str(export), "--ground-truth", str(export / "ground_truth"), "--json", str(two)]
    assert run("evaluate", [*second, "--class-agnostic"]) == 0
    one, two = json.loads(one.read_text()), json.loads(two.read_text())
    assert [one[key] for key in ("ap", "ap50", "ap25")] == pytest.approx(
        [two[k] for k in ("ap", "ap50", "ap25")], abs=1e-9
    )


@pytest.mark.parametrize(
    ("arguments", "word"),
    [([], "DATASET"), (["x", "--tabletop", "y"], "one of"), (["--predictions", "x"], "--ground-truth"),
     (["--ground-truth", "x", "y"], "--predictions"), (["nowhere", "--model", "none"], "nowhere"),
     (["--predictions", "a", "--ground-truth", "b"], "no such folder"), (["x", "--method", "magic"], "magic"),
     (["x", "--limit", "0"], "--limit"), (["x", "--bogus"], "--bogus"),
     (["--tabletop", "x", "--export", "y"], "DATASET"),
     (["--predictions", "a", "--ground-truth", "b", "--labels", "kitti"], "kitti")],
)  # fmt: skip
def test_bad_arguments_are_one_line_and_exit_code_2(arguments, word, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("evaluate", arguments) == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1 and word in error


def test_export_does_not_mix_with_what_is_there(scannet, tmp_path, capsys):
    (tmp_path / "old.txt").touch()
    assert run("evaluate", [str(scannet), "--export", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_model_none_alone_leaves_nothing(scannet, capsys):
    assert run("evaluate", [str(scannet), "--model", "none"]) == 2
    assert "--method" in capsys.readouterr().err


def test_help_has_examples_and_heavy_packages_stay_out():
    code = (
        "import sys; from instseg3d_ros.commands.table import run\n"
        "try: run('evaluate', ['--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'open3d', 'matplotlib', 'lightning'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout and "--predictions" in done.stdout


def test_warnings_are_lines_for_people(tmp_path, capsys):
    for name, text in (("gt/a.txt", "5001\n" * 150), ("gt/b.txt", "5001\n" * 150), ("p/a.txt", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert run("evaluate", ["--predictions", str(tmp_path / "p"), "--ground-truth", str(tmp_path / "gt")]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("evaluate:")]
    assert len(lines) == 1 and "1 of 2 scenes" in lines[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scannet", "nyuv2"])
def test_prepared_trained_evaluated_exported_and_scored_again(kind, request, tmp_path):
    """The whole road on each data set; both scorings must give the same numbers."""
    scenes, out, export = request.getfixturevalue(kind), tmp_path / "run", tmp_path / "export"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    small = ["--network.width", "4", "--network.voxel_size", "0.05", "--semantic_steps", "6", "--steps", "12",
             "--batch_size", "2", "--validate_every", "1000", "--workers", "0", "--threads", "1"]  # fmt: skip
    command = [sys.executable, "-m", "instseg3d_ros", "train", "quick", "--data", str(scenes), "--out", str(out)]
    done = subprocess.run([*command, *small], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    model = ["--model", str(out / "model.safetensors"), "--device", "cpu"]
    assert run("evaluate", [str(scenes), *model, "--export", str(export), "--json", str(first)]) == 0
    truth = ["--ground-truth", str(export / "ground_truth"), "--labels", str(scenes / "labels.yaml")]
    assert run("evaluate", ["--predictions", str(export), *truth, "--json", str(second)]) == 0
    first, second = json.loads(first.read_text()), json.loads(second.read_text())
    assert set(first["classes"]) == set(second["classes"]) and first["iou"] == pytest.approx(second["iou"], abs=1e-9)
    assert len(first["classes"]) == (18 if kind == "scannet" else 19)

    def figures(content):
        parts = [content, content["class_agnostic"], *content["classes"].values()]
        return np.array([[part[key] for key in ("ap", "ap50", "ap25")] for part in parts], float)

    np.testing.assert_allclose(figures(first), figures(second), rtol=0, atol=1e-9)
