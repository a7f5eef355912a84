"""The content of a data set is printed before a training; data sets from which nothing can be learned are refused."""

import numpy as np
import pytest

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.data.survey import survey
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelClass, LabelSet

TOY = LabelSet(
    "toy",
    (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("box", 2, (255, 0, 0)), LabelClass("ball", 3, (0, 255, 0))),
)


def write(root, *scenes):
    (root / "train").mkdir(parents=True)
    TOY.write(root / "labels.yaml")
    rng = np.random.default_rng(0)
    for number, (semantic, instance, colored) in enumerate(scenes):
        points = rng.uniform(-1, 1, (len(semantic), 3)).astype(np.float32)
        colors = rng.integers(0, 256, points.shape, np.uint8) if colored else None
        Scene(points, colors, np.array(semantic, np.int16), np.array(instance, np.int32)).write(
            root / "train" / f"{number}.npz"
        )
    return [root]


def test_counts_are_those_of_a_loop(toy_dataset):
    found = survey([toy_dataset], TOY, 0.02)
    points, scenes, instances = (np.zeros(3, int) for _ in range(3))
    for path in (toy_dataset / "train").iterdir():
        scene = Scene.read(path)
        for index in range(3):
            points[index] += (scene.semantic == index).sum()
            scenes[index] += (scene.semantic == index).any()
            instances[index] += len(np.unique(scene.instance[(scene.semantic == index) & (scene.instance > 0)]))
    for got, expected in ((found.points, points), (found.scenes, scenes), (found.instances, instances)):
        np.testing.assert_array_equal(got, expected)
    found.check(instances=True)
    assert found.warnings() == [] and (found.read, found.of, found.colorless) == (12, 12, 0)
    lines = found.table().splitlines()
    assert lines[0].startswith("training data: 12 scenes") and lines[2].split()[:2] == ["floor", "12"]
    assert f"{points[2] / points.sum():.1%}" in lines[4]


def test_what_is_missing_is_told(tmp_path):
    roots = write(tmp_path, ([0, 0, 1, 1], [0, 0, 0, 0], False), ([0, -1, 1, 1], [0, 3, 0, 0], False))
    found = survey(roots, TOY, 0.02)
    told = "\n".join(found.warnings())
    assert (
        "no labelled points of the classes ball" in told
        and "no instances of: box" in told
        and "no scene has colour" in told
    )
    with pytest.raises(InputError, match=r"no instance of a thing.*--semantic_steps"):
        found.check(instances=True)
    found.check(instances=False)


def test_nothing_labelled_is_refused(tmp_path):
    found = survey(write(tmp_path, ([-1, -1], [0, 0], True)), TOY, 0.02)
    with pytest.raises(InputError, match="none of the 2 points of the 1 training scenes has a label"):
        found.check(instances=False)


def test_millimetres_are_told(tmp_path):
    root = write(tmp_path, ([0] * 300, [0] * 300, True))[0]
    path = root / "train" / "0.npz"
    scene = Scene.read(path)
    scene.points *= 1000
    scene.write(path)
    assert any("metres in the file" in line and "0.npz" in line for line in survey([root], TOY, 0.02).warnings())
