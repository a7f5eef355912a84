"""The quick recipe learns: trained on tabletops labelled by part, scored on unseen tables."""

import pytest

from instseg3d_ros.commands.table import run
from instseg3d_ros.network import checkpoint


@pytest.mark.slow
def test_quick_recipe_separates_objects_on_unseen_tables(tmp_path):
    data, out = str(tmp_path / "tables"), tmp_path / "run"
    kind = ["--kind", "tabletop", "--labels", "tabletop"]
    world = [*kind, "--resolution", "160x120", "--crop", "1", "--seed", "3", "--jobs", "2"]
    assert run("generate", [data, "--frames", "64", "--val", "16", *world]) == 0
    assert run("train", ["quick", "--data", data, "--out", str(out), "--validate_scenes", "16", "--workers", "0"]) == 0
    _, card = checkpoint.load(out / "model.safetensors")
    print({name: round(value, 3) for name, value in card.scores.items()})
    # 0.13, 0.45 and 0.905 in each run on the machine that this was written on; other processors round differently.
    # The tables are crowded, and objects touch.
    assert card.scores["agnostic_ap50"] > 0.1
    assert card.scores["agnostic_ap25"] > 0.38
    assert card.scores["iou"] > 0.85
