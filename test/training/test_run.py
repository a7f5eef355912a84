"""Training as a user runs it: killed and resumed, in two processes, from other weights."""

import csv
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.inputs import NetworkInput
from instseg3d_ros.network.model import Network
from instseg3d_ros.sparse import BatchNormReLU
from instseg3d_ros.sparse.native import kernels
from instseg3d_ros.training.recipe import NetworkRecipe, Recipe
from instseg3d_ros.training.run import _network, _precision, build, copy_weights, train

ROOT = Path(__file__).parents[2]
SMALL = ["--network.width", "4", "--network.voxel_size", "0.05", "--semantic_steps", "4", "--batch_size", "2",
         "--validate_every", "1000", "--workers", "0", "--threads", "1"]  # fmt: skip


def start(dataset, out, *options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "instseg3d_ros", "train", "quick", "--data", str(dataset), "--out", str(out)]
    return subprocess.Popen([*command, *SMALL, *options], cwd=ROOT, env=environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip


def finish(process, timeout=240):
    _, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors[-2000:]


def curve(out):
    """step -> total loss over all starts; a step that was run twice keeps its last value."""
    losses = {}
    for start_folder in sorted((out / "logs").iterdir()):
        with open(start_folder / "metrics.csv") as file:
            losses |= {int(row["step"]): float(row["loss/total"]) for row in csv.DictReader(file) if row["loss/total"]}
    return losses


@pytest.mark.slow
def test_killed_training_resumes_on_the_same_curve(toy_dataset, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = ("--steps", "40", "--checkpoint_every", "10")
    finish(start(toy_dataset, whole, *options))
    process = start(toy_dataset, killed, *options)
    deadline = time.monotonic() + 120
    while not (killed / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert not (killed / "model.safetensors").exists()
    finish(start(toy_dataset, killed, *options))
    expected, resumed = curve(whole), curve(killed)
    assert {19, 29, 39} <= resumed.keys()
    for step, loss in resumed.items():
        assert loss == pytest.approx(expected[step], rel=1e-4), step
    final = [checkpoint.load(out / "model.safetensors")[0].state_dict() for out in (whole, killed)]
    assert all(torch.allclose(a.float(), b.float(), atol=1e-4) for a, b in zip(final[0].values(), final[1].values()))


@pytest.mark.slow
def test_two_processes_equal_one_with_the_same_global_batch(toy_dataset, tmp_path):
    """Gradients of the joint loss, a tenth of which is Adam's first moment, and the statistics of the norms."""
    one, two = tmp_path / "one", tmp_path / "two"
    options = ("--steps", "1", "--semantic_steps", "0", "--checkpoint_every", "1", "--accelerator", "cpu")
    finish(start(toy_dataset, one, *options, "--batch_size", "4"))
    finish(start(toy_dataset, two, *options, "--devices", "2"))
    kept = [torch.load(out / "checkpoints" / "last.ckpt", weights_only=False) for out in (one, two)]
    moments = [[entry["exp_avg"] for entry in c["optimizer_states"][0]["state"].values()] for c in kept]
    assert sum(moment.abs().max() > 0 for moment in moments[0]) > 0.9 * len(moments[0])
    for a, b in zip(*moments, strict=True):
        assert (a - b).norm() <= 1e-4 * a.norm() + 1e-7
    for name, value in kept[0]["state_dict"].items():
        if "running" in name:
            assert torch.allclose(value, kept[1]["state_dict"][name], rtol=1e-4, atol=1e-6), name


@pytest.mark.slow
def test_processes_that_step_on_their_own_end_with_one_set_of_weights(toy_dataset, tmp_path):
    out = tmp_path / "run"
    options = ("--steps", "5", "--semantic_steps", "2", "--checkpoint_every", "2", "--accelerator", "cpu")
    finish(start(toy_dataset, out, *options, "--devices", "2", "--average_every", "2", "--synchronize", "false",
                 "--validate_every", "3"))  # fmt: skip
    saved = torch.load(out / "checkpoints" / "last.ckpt", weights_only=False)
    assert saved["global_step"] == 4
    network, _ = checkpoint.load(out / "model.safetensors")
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


@pytest.mark.slow
def test_starts_from_weights_with_other_classes(toy_dataset, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    finish(start(toy_dataset, first, "--steps", "2"))
    other = tmp_path / "other"
    other.mkdir()
    for split in ("train", "val"):
        (other / split).symlink_to(toy_dataset / split)
    (other / "labels.yaml").write_text("classes: [{name: ground, thing: false}, cube, sphere]\n")
    process = start(other, second, "--steps", "1", "--seed", "5", "--init", str(first / "model.safetensors"))
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors[-2000:]
    assert "the last layer of the semantic head is not copied" in errors
    networks = [checkpoint.load(out / "model.safetensors") for out in (first, second)]
    assert networks[1][1].labels.names == ("ground", "cube", "sphere")
    # One Adam step moves a weight by at most the learning rate; the new last layer is elsewhere altogether.
    difference = {name: (value.float() - networks[1][0].state_dict()[name].float()).abs().max()
                  for name, value in networks[0][0].state_dict().items() if "running" not in name}  # fmt: skip
    assert difference["backbone.stem.weight"] < 2e-3
    assert difference["semantic_head.2.weight"] > 1e-2


def small_network(graph_layers, width=4, **other):
    return Network(
        Architecture(width=width, graph_layers=graph_layers, voxel_size=0.05, classes=len(SYNTHETIC), **other)
    )


def saved(network, path):
    checkpoint.save(path, network, checkpoint.ModelCard(network.architecture, SYNTHETIC))
    return path


def test_graph_layers_may_be_added_to_weights_that_have_none(tmp_path):
    source, network = small_network(0), small_network(2)
    fresh = {name: value.clone() for name, value in network.graph.state_dict().items()}
    copy_weights(saved(source, tmp_path / "none.safetensors"), network, SYNTHETIC)
    state = network.state_dict()
    for name, value in source.state_dict().items():
        assert torch.allclose(state[name].float(), value.float(), atol=1e-3), name
    assert all(torch.equal(value, fresh[name]) for name, value in network.graph.state_dict().items())


def test_an_anchor_may_be_added_and_the_embedding_then_starts_anew(tmp_path):
    source, network = small_network(2), small_network(2, anchored=True)
    fresh = {name: value.clone() for name, value in network.embedding_head.state_dict().items()}
    copy_weights(saved(source, tmp_path / "free.safetensors"), network, SYNTHETIC)
    assert all(torch.equal(value, fresh[name]) for name, value in network.embedding_head.state_dict().items())
    assert torch.equal(network.backbone.stem.weight, source.backbone.stem.weight)


def test_colour_may_be_left_out_of_weights_that_use_it(tmp_path):
    source, network = small_network(2).eval(), small_network(2, inputs="position").eval()
    copy_weights(saved(source, tmp_path / "colour.safetensors"), network, SYNTHETIC)
    points, colors = torch.rand(500, 3), 255 * torch.rand(500, 3)
    with torch.no_grad():
        expected = source(NetworkInput.of_points(points, None, 0.05, "position_color"))
        answer = network(NetworkInput.of_points(points, colors, 0.05, "position"))
    torch.testing.assert_close(answer.logits, expected.logits, rtol=1e-2, atol=1e-3)  # the file has half precision
    torch.testing.assert_close(answer.refined_embedding, expected.refined_embedding, rtol=1e-2, atol=1e-3)
    with pytest.raises(InputError, match=r"backbone\.stem\.weight .* do not fit this network"):
        copy_weights(saved(network, tmp_path / "positions.safetensors"), small_network(2), SYNTHETIC)


def test_weights_of_another_width_are_refused(tmp_path):
    path = saved(small_network(2, width=8), tmp_path / "wide.safetensors")
    with pytest.raises(InputError, match=r"backbone\.stem\.weight .* do not fit this network"):
        copy_weights(path, small_network(2), SYNTHETIC)


def test_a_gradient_is_clipped_in_mixed_precision(toy_dataset, tmp_path):
    """Adam divides by the size of the gradient. If this is far below Adam's epsilon of 1e-8, no weight changes."""
    start, last = {}, {}
    for clip in (0.0, 1e-14):
        recipe = Recipe(
            data=[str(toy_dataset)], out=str(tmp_path / str(clip)), steps=1, semantic_steps=0, batch_size=2, clip=clip,
            precision="bf16-mixed", accelerator="cpu", workers=0, validate_every=99, object_scenes=0,
            network=NetworkRecipe(width=4, voxel_size=0.1),
        )  # fmt: skip
        start[clip] = build(recipe).network.embedding_head[0].weight
        last[clip] = checkpoint.load(train(recipe))[0].embedding_head[0].weight
    torch.testing.assert_close(last[1e-14], start[1e-14], rtol=0, atol=1e-7)
    assert (last[0.0] - start[0.0]).abs().max() > 1e-4
    with pytest.raises(InputError, match=r"clip is -1.0; expected 0 \(no limit\) or more"):
        build(dataclasses.replace(recipe, clip=-1.0))


@pytest.mark.parametrize("wanted", [True, False])
def test_normalization_over_all_processes_is_the_recipes_choice(wanted):
    recipe = Recipe(synchronize=wanted, network=NetworkRecipe(width=4))
    network, _ = _network(recipe, SYNTHETIC)
    norms = [module for module in network.modules() if isinstance(module, BatchNormReLU)]
    assert norms and all(norm.synchronize is wanted for norm in norms)


@pytest.mark.parametrize(
    ("precision", "accelerator", "here", "expected"),
    [
        ("bf16-mixed", "cpu", True, "bf16-mixed"),
        ("bf16-mixed", "cpu", False, "32-true"),
        ("bf16-mixed", "cuda", False, "bf16-mixed"),
        ("16-mixed", "cpu", False, "16-mixed"),
        ("32-true", "cpu", False, "32-true"),
    ],
)
def test_bfloat16_is_not_emulated(precision, accelerator, here, expected, monkeypatch, caplog):
    monkeypatch.setattr(kernels, "has_bf16", lambda: here)
    assert _precision(Recipe(precision=precision, accelerator=accelerator)) == expected
    assert (f"precision {precision}: this processor has no instructions" in caplog.text) == (precision != expected)
