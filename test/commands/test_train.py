"""The arguments of `train`."""

import pytest

from instseg3d_ros.commands.table import run
from instseg3d_ros.commands.train import parse, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_parses(name):
    assert parse([name, "--data", "somewhere"]).data == ["somewhere"]


def test_command_line_overrides_file_overrides_defaults(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("steps: 7\nnetwork: {width: 8}\ndata: [a, b]\n")
    recipe = parse([str(file), "--network.width", "4", "--segmentation.bandwidth=0.8"])
    assert (recipe.steps, recipe.network.width, recipe.data, recipe.batch_size) == (7, 4, ["a", "b"], 4)
    assert recipe.segmentation.bandwidth == 0.8


@pytest.mark.parametrize("word", ["off", "auto", "'off'"])
def test_off_is_a_word_in_a_recipe(word, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(f"data: [a]\nsegmentation:\n  level: {word}\n")
    assert parse([str(file)]).segmentation.level == word.strip("'")


def test_the_paper_values_are_the_defaults():
    recipe = parse(["unet_scannet", "--data", "x"])
    assert (recipe.learning_rate, recipe.final_decay) == (0.001, 0.0)
    assert (recipe.loss.alpha, recipe.loss.beta, recipe.loss.structure_aware) == (0.7, 1.5, True)
    assert (recipe.network.embedding, recipe.network.graph_layers, recipe.network.aggregator) == (4, 2, "attention")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "first argument must be a recipe"),
        (["--steps", "3"], "first argument must be a recipe"),
        (["quik"], "did you mean quick?"),
        (["none.yaml"], "no such recipe file"),
        (["quick", "--network.widht", "3"], "did you mean network.width?"),
        (["quick", "--data", "x", "--steps", "many"], "steps"),
        (["quick"], "data is empty"),
        (["quick", "--data", "nowhere"], "nowhere/labels.yaml"),
        (["quick", "--data", "x", "--batch_size", "0"], "batch_size is 0"),
        (["quick", "--data", "x", "--network.backbone", "vit"], "backbone 'vit'"),
    ],
)
def test_bad_arguments_end_in_two_and_one_line(arguments, line, capsys, monkeypatch, toy_dataset):
    if "x" in arguments:
        arguments = [str(toy_dataset) if word == "x" else word for word in arguments]
    assert run("train", arguments) == 2
    errors = capsys.readouterr().err
    assert line in errors
    assert errors.count("\n") == 1


def test_unknown_key_in_a_file_names_the_nearest(tmp_path, capsys):
    file = tmp_path / "mine.yaml"
    file.write_text("network: {voxel: 3}\n")
    assert run("train", [str(file)]) == 2
    assert "did you mean network.voxel_size?" in capsys.readouterr().err


def test_folders_of_the_object_head_are_a_list_too():
    from instseg3d_ros.commands.train import parse

    recipe = parse(["quick", "--data", "a", "b", "--object_data", "c", "--steps", "3"])
    assert (recipe.data, recipe.object_data, recipe.steps) == (["a", "b"], ["c"], 3)
