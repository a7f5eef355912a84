import sys
from dataclasses import replace

import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.paper import TABLE3
from instseg3d_ros.training import ablation_note, ablation_plan
from instseg3d_ros.training.ablation import work
from instseg3d_ros.training.ablation_plan import VARIANTS, Plan

# Stands in for `train` and `evaluate`: notes its words, fails where told, leaves the files that they leave.
FAKE = """
import json, pathlib, sys
words = sys.argv[1:]
root = pathlib.Path(words.pop(0))
(root / "calls").open("a").write(" ".join(words) + "\\n")
settings = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
if words[0] == "train":
    out = pathlib.Path(settings["out"])
    if (root / "fail").exists() and out.name == (root / "fail").read_text():
        sys.exit(3)
    if "init" in settings:
        assert pathlib.Path(settings["init"]).is_file()
    (out / "model.safetensors").write_text("")
else:
    target = pathlib.Path(words[words.index("--json") + 1])
    ap = int(target.parent.name[-1]) / 10
    masks = {"ap": 0.5, "ap50": 0.6, "ap25": 0.7}
    scores = {"ap": ap, "ap50": ap + 0.1, "ap25": None, "iou": 0.5, "scenes": 9, "class_agnostic": masks}
    target.write_text(json.dumps(scores))
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    def command(*words):
        return [sys.executable, "-c", FAKE, str(tmp_path), *words]

    monkeypatch.setattr(ablation_plan, "_command", command)
    return Plan(tmp_path / "rooms", tmp_path / "out", seeds=(1, 3), steps=7, semantic_steps=5, options=("--workers=0",))


def calls(tmp_path):
    path = tmp_path / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_rows_are_the_papers():
    assert [row.name for row in VARIANTS] == list(TABLE3) and len({row.folder for row in VARIANTS}) == len(VARIANTS)


def test_every_row_starts_from_its_backbones_semantics(plan, tmp_path):
    work(plan, say=lambda text: None)
    lines = calls(tmp_path)
    trainings = [line for line in lines if line.startswith("train table3")]
    assert len(trainings) == 2 * (2 + 6) and len(lines) - len(trainings) == 2 * 6
    first = [line for line in trainings if "--init" not in line]
    assert len(first) == 4 and all("--steps=5 --semantic_steps=5" in line for line in first)
    assert all("--network.graph_layers=3" in line and "--workers=0" in line for line in first)
    resnet = next(line for line in trainings if "resnet_structure_2_seed3" in line)
    assert "--network.width=32 --network.repetitions=2 --network.graph_layers=2" in resnet
    assert "resnet_semantics_seed3/model.safetensors" in resnet and "--semantic_steps=0" in resnet
    vanilla = next(line for line in trainings if "out/unet_vanilla_0_seed1" in line)
    assert "--loss.structure_aware=false" in vanilla and "--seed=1" in vanilla


def test_what_is_done_is_kept_and_what_failed_is_named(plan, tmp_path):
    (tmp_path / "fail").write_text("unet_structure_1_seed3")
    with pytest.raises(InputError, match="unet_structure_1_seed3"):
        work(plan, say=lambda text: None)
    before = calls(tmp_path)
    (tmp_path / "fail").unlink()
    work(plan, say=lambda text: None)
    after = calls(tmp_path)
    assert not [line for line in after if "--init" not in line and line.startswith("train")]  # first stages are there
    done = [line for line in before if line.startswith("evaluate")]
    assert len(done) + sum(line.startswith("evaluate") for line in after) == 12
    work(plan, jobs=3, say=lambda text: None)
    assert calls(tmp_path) == []


def test_other_settings_need_another_folder(plan, tmp_path):
    rows = VARIANTS[:1]
    work(plan, rows, say=lambda text: None)
    work(replace(plan, seeds=(1, 3, 4)), rows, say=lambda text: None)  # one more seed is no other setting
    with pytest.raises(InputError, match="other settings"):
        work(replace(plan, steps=8), rows, say=lambda text: None)


def test_note_has_means_spreads_the_papers_figures_and_keeps_what_people_wrote(plan, tmp_path):
    note = tmp_path / "docs" / "ablation.md"
    with pytest.raises(InputError, match="no row"):
        ablation_note.update(note, plan)
    work(plan, VARIANTS[:3], say=lambda text: None)
    ablation_note.update(note, plan)
    text = note.read_text()
    expected = "| UNet+strucLoss | 0.200 ± 0.100 (0.158) | 0.300 ± 0.100 (0.350) | – (0.613) | 0.500 ± 0.000 (0.570) |"
    assert expected + " 0.500 ± 0.000 | 0.600 ± 0.000 | 0.700 ± 0.000 |" in text
    assert "UNet+vanillaLoss → UNet+strucLoss: AP +0.000, paper +0.008; within the spread of the seeds." in text
    assert (tmp_path / "docs" / "ablation.png").read_bytes()[:4] == b"\x89PNG"
    note.write_text(text + "\nWhy: too few steps.\n")
    ablation_note.update(note, plan)
    assert note.read_text().endswith("Why: too few steps.\n") and note.read_text().count("| UNet+strucLoss |") == 1
    assert str(tmp_path) not in note.read_text()


def test_steps_that_go_the_papers_way_are_not_listed():
    import numpy as np

    def measured(row, value):
        return ablation_note.Measured(row, np.full((2, 7), value))

    rising = [measured(row, 0.1 + 0.1 * index) for index, row in enumerate(VARIANTS[:2])]
    assert ablation_note.order(rising) == ["All differences between rows have the same sign as in the paper."]
    falling = [measured(row, 0.5 - 0.1 * index) for index, row in enumerate(VARIANTS[:2])]
    assert "AP -0.100, paper +0.008; beyond" in ablation_note.order(falling)[2]
    assert ablation_note.order([rising[0]]) == []
