"""Model files: round trips; tampered files are refused with the reason."""

import json
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import KEY, ModelCard
from instseg3d_ros.network.model import Network


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    architecture = Architecture(width=2, classes=20)
    network = Network(architecture)
    card = ModelCard(architecture, SCANNET20, recipe={"steps": 3}, scores={"ap": 0.5}, segmentation={"bandwidth": 0.9})
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, network, card)
    return path, network, card


def test_round_trip(model):
    path, network, card = model
    again, card_again = checkpoint.load(path)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in network.state_dict().items())
    assert card_again == card
    assert not again.training
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_half_precision_file_loads_as_float32(model, tmp_path):
    _, network, card = model
    half = tmp_path / "half.safetensors"
    checkpoint.save(half, network, card, torch.float16)
    again, _ = checkpoint.load(half)
    for name, value in network.state_dict().items():
        assert again.state_dict()[name].dtype == value.dtype
        assert torch.allclose(again.state_dict()[name].float(), value.float(), atol=1e-3)


def rewrite(path, change, metadata=None):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        kept = file.metadata()
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata=kept if metadata is None else metadata)


STEM = "backbone.stem.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.pop(STEM), "lacks tensor backbone.stem.weight"),
        (lambda t: t.update(extra=torch.zeros(1)), "has unknown tensor extra"),
        (lambda t: t.update({STEM: torch.zeros(2, 2)}), "has shape"),
        (lambda t: t.update({STEM: t[STEM] * float("nan")}), "NaN"),
        (lambda t: t.update({STEM: t[STEM].to(torch.int32)}), "has type"),
    ],
)
def test_tampered_tensors_are_refused(model, change, reason):
    path, _, _ = model
    rewrite(path, change)
    with pytest.raises(InputError, match=reason):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", struct.pack("<Q", 2**60) + b"{}", struct.pack("<Q", 5) + b"{]]]]"],
    ids=["empty", "garbage", "header longer than the file", "header not JSON"],
)
def test_broken_files_are_refused(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a safetensors model"):
        checkpoint.load(path)


def test_foreign_and_wrong_metadata_are_refused(model):
    path, _, card = model
    for metadata, reason in (
        ({"made": "elsewhere"}, "no entry 'instseg3d_ros'"),
        ({KEY: "{}"}, "format"),
        ({KEY: json.dumps({**json.loads(card.to_json()), "labels": 3})}, "label set"),
        ({KEY: json.dumps({**json.loads(card.to_json()), "architecture": {"backbone": "x"}})}, "backbone 'x'"),
    ):
        rewrite(path, lambda tensors: None, metadata)
        with pytest.raises(InputError, match=reason):
            checkpoint.load(path)


def test_missing_models_are_named(tmp_path):
    with pytest.raises(InputError, match="model 'nonesuch' not found"):
        checkpoint.find("nonesuch")
    with pytest.raises(InputError, match="model file not found"):
        checkpoint.load(tmp_path / "absent.safetensors")


def test_an_object_head_from_before_its_inputs_had_names_is_refused(tmp_path):
    architecture = Architecture(width=2, classes=20, object_inputs=(("size", 3), ("height", 1)))
    network, path = Network(architecture), tmp_path / "old.safetensors"
    checkpoint.save(path, network, ModelCard(architecture, SCANNET20))
    _, card = checkpoint.load(path)
    assert card.architecture.object_inputs == (("size", 3), ("height", 1))
    content = json.loads(card.to_json())
    content["architecture"] = {**content["architecture"], "object_head": True}
    del content["architecture"]["object_inputs"]
    rewrite(path, lambda tensors: None, {KEY: json.dumps(content)})
    with pytest.raises(InputError, match=r"old.safetensors: the inputs of the object head have no names.*train"):
        checkpoint.load(path)
