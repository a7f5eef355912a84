"""The order of scenes: resumable, and the same for one process as for several."""

import numpy as np
import pytest

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.training.loading import Steps, TrainingScenes, ValidationScenes
from instseg3d_ros.training.recipe import Recipe


def test_resuming_continues_the_stream():
    whole = list(Steps(10, 3, seed=1, start=0, stop=12))
    assert list(Steps(10, 3, seed=1, start=5, stop=12)) == whole[5:]


def test_every_scene_comes_once_per_round():
    scenes = [scene for batch in Steps(10, 5, seed=1, start=0, stop=4) for _, scene in batch]
    assert sorted(scenes[:10]) == sorted(scenes[10:]) == list(range(10))
    assert scenes[:10] != scenes[10:]


def test_two_processes_see_what_one_with_twice_the_batch_sees():
    one = list(Steps(10, 4, seed=2, start=0, stop=6))
    parts = [list(Steps(10, 2, seed=2, start=0, stop=6, rank=rank, processes=2)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*parts)] == one


def test_a_scene_without_points_is_named(tmp_path):
    SYNTHETIC.write(tmp_path / "labels.yaml")
    (tmp_path / "train").mkdir()
    nothing = np.empty(0)
    Scene(np.empty((0, 3), np.float32), None, nothing.astype(np.int16), nothing.astype(np.int32)).write(
        tmp_path / "train" / "empty.npz"
    )
    scenes = TrainingScenes(Recipe(data=[str(tmp_path)]))
    with pytest.raises(InputError, match=r"empty\.npz: the scene has no points"):
        scenes[0, 0]


def test_one_folder_with_a_val_split_is_enough(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder / "val").mkdir(parents=True)
    roots = [str(tmp_path / "a"), str(tmp_path / "b")]
    with pytest.raises(InputError, match=r"a/val: no scenes"):
        ValidationScenes(Recipe(data=roots))
    for name in range(5):
        (tmp_path / "b" / "val" / f"{name}.npz").touch()
    assert [path.stem for path in ValidationScenes(Recipe(data=roots, validate_scenes=3)).files] == ["0", "2", "4"]
