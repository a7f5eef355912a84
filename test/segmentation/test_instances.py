import numpy as np
import pytest
import torch

from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.segmentation.connected import split_voxels
from instseg3d_ros.segmentation.instances import find_instances
from instseg3d_ros.segmentation.judging import calibrate
from instseg3d_ros.segmentation.measures import SMALL
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.state import Evidence
from instseg3d_ros.sparse import voxelize

CLASSES = (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("cup", 2, (1, 1, 1)), LabelClass("box", 3, (2, 2, 2)))
LABELS = LabelSet("three", CLASSES)
VOXEL = 0.05


class Scene:
    """Cubes of 0.4 m: (center, class, cluster, sureness) each; embeddings `spread` around the cluster's number."""

    def __init__(self, *cubes, spread=0.1, count=600):
        rng = np.random.default_rng(0)
        points, probability, cluster = [], [], []
        for center, label, number, sure in cubes:
            points.append(rng.uniform(-0.2, 0.2, (count, 3)) + center)
            row = np.full(3, (1 - sure) / 2)
            row[label] = sure
            probability.append(np.tile(row, (count, 1)))
            cluster.append(np.full(count, number))
        self.points = torch.from_numpy(np.concatenate(points).astype(np.float32))
        self.voxels = voxelize(self.points, None, VOXEL)
        first = torch.full((len(self.voxels.counts),), len(self.points))
        first = first.scatter_reduce_(0, self.voxels.voxel_of_point, torch.arange(len(self.points)), "amin")
        self.cluster = torch.from_numpy(np.concatenate(cluster))[first]
        self.probability = torch.from_numpy(np.concatenate(probability)).float()[first]
        noise = torch.from_numpy(rng.normal(0, spread, (len(first), 4))).float()
        self.embedding = 3.0 * self.cluster[:, None] + noise

    def __call__(self, calibration=None, **options):
        evidence = Evidence(self.voxels, self.probability, self.embedding, self.cluster)
        return find_instances(evidence, LABELS, Options(**options), calibration=calibration)


def test_objects_are_found_named_and_boxed():
    scene = Scene(((2, 0, 0), 1, 0, 0.9), ((2, 2, 0), 2, 1, 0.8), ((2, 0, -1), 0, -1, 0.95))
    found = scene()
    assert [one.label for one in found.instances] == ["cup", "box"]
    assert [one.id for one in found.instances] == [1, 2]
    for one, center, label in zip(found.instances, ((2, 0, 0), (2, 2, 0)), (1, 2)):
        mine = found.instance == one.id
        assert one.num_points == scene.voxels.counts[mine].sum()
        assert (found.semantic[mine] == label).all()
        assert np.allclose(found.confidence[mine], one.score)
        assert np.abs(one.box.center - center).max() < 0.02
        places = scene.voxels.positions.numpy()[mine]
        assert (np.abs((places - one.box.center) @ one.box.rotation) <= one.box.size / 2 + 1e-5).all()
    stuff = found.instance == 0
    assert (found.semantic[stuff] == 0).all() and np.allclose(found.confidence[stuff], 0.95)


def test_score_is_class_probability_tightness_and_size():
    for spread in (0.0, 0.3):
        scene = Scene(((2, 0, 0), 1, 0, 0.7), spread=spread)
        (one,) = scene().instances
        weight = scene.voxels.counts.double()[:, None]
        mean = (scene.embedding * weight).sum(0) / weight.sum()
        tight = torch.exp(-(scene.embedding - mean).square().sum(1, keepdim=True))
        tight = float((tight * weight).sum() / weight.sum())
        assert one.score == pytest.approx(0.7 * tight**0.5 * 600 / (600 + SMALL), rel=1e-4)


def test_score_of_a_splinter_is_low():
    together, apart = (Scene(((2, 0, 0), 1, 0, 0.9), ((2, 1, 0), 1, n, 0.9), spread=0) for n in (1, 0))
    scores = [one.score for one in together().instances + apart().instances]
    np.testing.assert_allclose(scores[2:], np.array(scores[:2]) * 0.5**0.5, rtol=1e-4)


def test_class_vote_weighs_probability_and_points_and_only_things_stand():
    scene = Scene(((2, 0, 0), 1, 0, 0.9))
    # More voxels say cup, but weakly; and the floor, which is no thing, has most of all.
    votes = torch.tensor([[0.5, 0.3, 0.2]]).repeat(len(scene.cluster), 1)
    sure = torch.arange(len(votes)) % 3 == 0
    votes[sure] = torch.tensor([0.1, 0.0, 0.9])
    scene.probability = votes
    (one,) = scene().instances
    assert one.label == "box"


def test_look_alikes_far_apart_are_cut_and_near_ones_are_not():
    scene = Scene(((2, 0, 0), 1, 0, 0.9), ((2, 1.0, 0), 1, 0, 0.9))
    assert len(scene().instances) == 2
    assert len(scene(gap=0).instances) == 1
    assert len(scene(gap=20).instances) == 1


def test_parts_behind_an_occluder_become_one(seen):
    points, owner = seen([(0.5, -3, -0.1, 4, 3, 0), (1.6, -0.15, 0, 1.8, 0.15, 1.5), (2.5, -0.8, 0, 3.1, 0.8, 0.6)])
    voxels = voxelize(torch.from_numpy(points), None, 0.03)
    own = torch.zeros(len(voxels.counts), dtype=torch.int64)
    own[voxels.voxel_of_point] = torch.from_numpy(owner)
    cluster = torch.where(own == 2, 7, -1)
    probability = torch.nn.functional.one_hot((own == 2).long() * 2, 3).float()
    embedding = torch.zeros(len(own), 4)
    assert split_voxels(cluster.numpy(), voxels.grid).max() == 1, "two parts"
    joined = find_instances(Evidence(voxels, probability, embedding, cluster), LABELS, Options())
    assert len(joined.instances) == 1 and joined.instances[0].num_points == int((owner == 2).sum())


def test_small_and_unlikely_objects_are_dropped():
    scene = Scene(((2, 0, 0), 1, 0, 0.9), ((2, 2, 0), 2, 1, 0.5))
    assert scene(min_points=601).instances == []
    found = scene(min_score=0.6)
    assert [one.label for one in found.instances] == ["cup"]
    assert set(found.instance.tolist()) == {0, 1}


def test_scores_go_through_the_calibration():
    scene = Scene(((2, 0, 0), 1, 0, 0.9), ((2, 2, 0), 2, 1, 0.6))
    raw = [one.score for one in scene().instances]
    table = {"raw": [0.0, 0.5, 1.0], "calibrated": [0.1, 0.2, 0.8]}
    mended = [one.score for one in scene(calibration=table).instances]
    np.testing.assert_allclose(mended, np.interp(raw, table["raw"], table["calibrated"]), rtol=1e-6)
    assert np.array_equal(calibrate(np.array([0.3]), None), [0.3])


def test_all_is_stuff():
    found = Scene(((2, 0, 0), 0, -1, 0.9))()
    assert found.instances == [] and not found.instance.any() and (found.semantic == 0).all()


def test_plain_and_native_ways_agree(monkeypatch):
    scene = Scene(*(((2, 1.1 * i, 0.3 * i), 1 + i % 2, i // 2, 0.5 + 0.08 * i) for i in range(6)), spread=0.2)
    native = scene()
    monkeypatch.setenv("INSTSEG3D_NATIVE", "0")
    plain = scene()
    assert len(native.instances) == 6
    assert np.array_equal(native.instance, plain.instance)
    for one, other in zip(native.instances, plain.instances):
        assert (one.id, one.label, one.num_points) == (other.id, other.label, other.num_points)
        assert one.score == pytest.approx(other.score, rel=1e-5)
        np.testing.assert_allclose(one.box.center, other.box.center, atol=1e-5)
