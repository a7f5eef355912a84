"""The object head: its inputs, and its training."""

import numpy as np
import pytest
import torch

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.network.object_head import AROUND, GEOMETRY, OWN, ObjectHead
from instseg3d_ros.segmentation.description import input_widths
from instseg3d_ros.segmentation.proposals import merge_proposals
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.segmentation.state import Candidates
from instseg3d_ros.segmentation.votes import Votes
from instseg3d_ros.training import objects
from instseg3d_ros.training.recipe import Recipe
from instseg3d_ros.training.run import Best, _check, export


class Fixed:
    """A segmenter that might call any of `num` instances an object, or the first two of them together."""

    labels = SYNTHETIC

    def __init__(self, instance, num):
        votes = Votes.count(torch.ones(num, 2), torch.zeros(num, 1), np.arange(num), np.ones(num))
        pairs = np.array([[0, 1]][: num - 1]).reshape(-1, 2)
        proposals = merge_proposals(votes, np.ones(num), pairs, 0.0, 10.0)[1]
        descriptions = np.arange(len(proposals) * 3, dtype=np.float32).reshape(-1, 3)
        self.answer = Candidates(instance - 1, proposals, np.arange(len(proposals)), descriptions)

    def candidates(self, points, colors):
        return self.answer


@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_is_compared_with_what_is_there(seed):
    rng = np.random.default_rng(seed)
    instance = rng.integers(0, 5, 400).astype(np.int32)  # four found, 0 is none
    true = np.where(rng.random(400) < 0.7, instance % 4, rng.integers(0, 4, 400)).astype(np.int32)
    semantic = np.where(true > 0, true + 5, rng.integers(-1, 2, 400)).astype(np.int16)
    wall = rng.random(400) < 0.1  # instances of stuff and of nothing are no objects
    semantic[wall] = np.where(rng.random(wall.sum()) < 0.5, SYNTHETIC.index("wall"), -1)
    points = np.zeros((400, 3), np.float32)
    scene = Scene(points, None, semantic, true, "scene")
    lessons = objects.look(Fixed(instance, 4), scene)
    assert lessons.descriptions.shape == (5, 3) and lessons.points is None
    things = np.array(SYNTHETIC.things)
    valid = (semantic >= 0) & things[semantic]
    for k in range(5):
        mask = instance == k + 1 if k < 4 else (instance == 1) | (instance == 2)
        scores = {}
        for name in (1, 2, 3):
            there = (true == name) & valid
            scores[name] = (mask & there).sum() / (mask | there).sum()
        best = max(scores, key=scores.get)
        assert lessons.iou[k] == pytest.approx(scores[best])
        stuff = max(np.mean(semantic[mask] == kind) for kind in np.flatnonzero(~things))
        assert lessons.label[k] == (best + 5 if scores[best] > objects.NAMED else -1) or stuff > objects.STUFF


def test_scenes_without_objects_are_no_trouble():
    nothing = np.zeros(50, np.int32)
    scene = Scene(np.zeros((50, 3), np.float32), None, np.zeros(50, np.int16), nothing, "empty")
    found = objects.look(Fixed(nothing, 0), scene)
    assert len(found) == len(found.descriptions) == len(found.label) == 0
    one = objects.look(Fixed(nothing + 1, 1), scene)
    assert one.iou.tolist() == [0.0] and one.label.tolist() == [SYNTHETIC.index("wall")]
    architecture = Architecture(
        width=4, classes=len(SYNTHETIC), graph_layers=0, voxel_size=0.05, object_inputs=input_widths(len(SYNTHETIC), 4)
    )
    segmenter = Segmenter(Network(architecture), ModelCard(architecture, SYNTHETIC))
    scene = Scene(np.full((50, 3), np.nan, np.float32), None, np.zeros(50, np.int16), nothing, "nowhere")
    empty = objects.look(segmenter, scene)
    assert len(empty) == 0 and len(objects.Lessons.together([empty, one, empty])) == 1


WIDTH = 31  # of the descriptions in these tests


def _descriptions(count: int):
    """The class is in two of the numbers, being right in a third."""
    rng = np.random.default_rng(0)
    x = rng.normal(3, 5, (count, WIDTH)).astype(np.float32)
    truth = 1 + (x[:, 5] > 3) + (x[:, 7] > 6)
    return objects.Lessons(x, np.where(x[:, 9] > 3, 0.8, 0.4), truth)


def test_it_learns_classes_and_how_well_a_mask_covers():
    torch.manual_seed(0)
    head = ObjectHead(4, WIDTH)
    objects.learn(head, _descriptions(20000))
    lessons = _descriptions(800)
    with torch.no_grad():
        classes, overlap = head.eval()(torch.from_numpy(lessons.descriptions))
    assert (classes.argmax(1).numpy() == lessons.label).mean() > 0.9
    assert np.abs(overlap.sigmoid().numpy() - lessons.iou).mean() < 0.1, "half of them are 0.8, half 0.4"


def test_too_few_objects_are_refused():
    lessons = _descriptions(500)
    lessons.iou[150:] = 0.1
    with pytest.raises(InputError, match="150 proposals cover an object; the object head needs 200"):
        objects.learn(ObjectHead(4, WIDTH), lessons)


def _model(labels):
    torch.manual_seed(0)
    architecture = Architecture(width=4, classes=len(labels), graph_layers=0, voxel_size=0.05)
    options = {"min_thing": 0.0, "bandwidth": 0.3}
    calibration = {"raw": [0, 1], "calibrated": [0, 1]}
    return Network(architecture), ModelCard(architecture, labels, segmentation=options, calibration=calibration)


def test_weights_get_a_head_and_keep_all_else(toy_dataset, monkeypatch):
    from instseg3d_ros.data.scene import read_labels

    monkeypatch.setattr(objects, "FEWEST", 1)
    monkeypatch.setattr(objects, "NAMED", 0.0)
    before, old_card = _model(read_labels(toy_dataset))
    scenes = objects.pick_scenes([str(toy_dataset)], 3)
    network, card = objects.teach(before, old_card, scenes, device="cpu")
    assert card.architecture.object_inputs == input_widths(len(card.labels), 4)
    assert card.calibration is None and card.segmentation["bandwidth"] == 0.3
    for name, value in before.state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name
    assert (network.object_head.scale > 1e-5).any() and "min_score" not in card.segmentation
    once = network.object_head.layers[0].weight.clone()
    again, _ = objects.teach(network, card, scenes, device="cpu")
    assert torch.equal(again.object_head.layers[0].weight, once), "the same scenes and seed teach the same"
    assert Segmenter(network, card).network.object_head is not None


def test_a_head_that_sees_points_learns_them_and_stuff(toy_dataset, tmp_path, monkeypatch):
    from instseg3d_ros.data.scene import read_labels

    for name, value in {"FEWEST": 1, "NAMED": 0.0, "POINT_EPOCHS": 1}.items():
        monkeypatch.setattr(objects, name, value)
    path = tmp_path / "model.safetensors"
    scenes = objects.pick_scenes([str(toy_dataset)], 2)
    checkpoint.save(path, *objects.teach(*_model(read_labels(toy_dataset)), scenes, device="cpu", points=True))
    segmenter = Segmenter.load(str(path), device="cpu")
    head = segmenter.network.object_head
    assert segmenter.network.architecture.object_points and head.stuff and head.encoder.scale[4:].min() > 0
    assert (head.encoder.mean[:4] == 0).all(), "lengths count from the middle of the box and from the floor"
    scene = Scene.read(objects.pick_scenes([str(toy_dataset)], 1)[0])
    lessons = objects.look(segmenter, scene)
    assert lessons.points.dtype == np.float16 and len(lessons.points) == len(lessons) == len(lessons.surrounded)


def test_shape_alone_can_tell_classes():
    """Two classes of proposals with equal descriptions: flat and upright proposals."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 600)  # class 0 could be stuff: a head that sees points learns it too
    points = rng.uniform(-0.5, 0.5, (600, OWN + AROUND, GEOMETRY + 2)).astype(np.float16)
    points[label == 0, :, 2] *= 0.1
    points[label == 1, :, 0] *= 0.1
    x = np.ones((600, WIDTH), np.float32)
    lessons = objects.Lessons(x, np.where(label, 0.8, 0.0), label, points, np.ones(600, bool))
    torch.manual_seed(0)
    head = ObjectHead(4, WIDTH, points=2, stuff=True)
    objects.learn(head, lessons)
    with torch.no_grad():
        encoded = head.encoder(torch.from_numpy(points[:200]).float(), torch.ones(200))
        scores, overlap = head(torch.from_numpy(x[:200]), encoded)
    assert (scores.argmax(1).numpy() == label[:200]).mean() > 0.95
    assert np.abs(overlap.sigmoid().numpy() - lessons.iou[:200]).mean() < 0.15


def test_after_a_training_too_little_data_is_no_failure(toy_dataset, tmp_path, caplog):
    from instseg3d_ros.data.scene import read_labels

    recipe = Recipe(data=[str(toy_dataset)], out=str(tmp_path), object_scenes=2, accelerator="cpu")
    network, card = _model(read_labels(toy_dataset))
    checkpoint.save(tmp_path / Best.PATH, network, card)
    export(recipe, network, card)
    for name in ("model.safetensors", "best.safetensors"):
        assert f"{name} is written without an object head: 0 proposals" in caplog.text
        assert not checkpoint.load(tmp_path / name)[1].architecture.object_inputs


def test_a_training_writes_its_models_with_their_object_heads(toy_dataset, tmp_path, monkeypatch):
    from instseg3d_ros.data.scene import read_labels

    monkeypatch.setattr(objects, "FEWEST", 1)
    monkeypatch.setattr(objects, "NAMED", 0.0)
    recipe = Recipe(data=[str(toy_dataset)], out=str(tmp_path), object_scenes=2, accelerator="cpu")
    export(recipe, *_model(read_labels(toy_dataset)))
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert checkpoint.load(tmp_path / "model.safetensors")[1].architecture.object_inputs


def test_scenes_are_spread_over_the_folders(toy_dataset):
    all_of_them = objects.pick_scenes([str(toy_dataset)], 100)
    assert len(all_of_them) == 12
    some = objects.pick_scenes([str(toy_dataset), str(toy_dataset)], 4)
    assert some == [all_of_them[i] for i in (0, 7, 3, 11)]


def test_a_negative_number_of_scenes_is_refused():
    with pytest.raises(InputError, match="object_scenes is -1"):
        _check(Recipe(data=["somewhere"], object_scenes=-1))
