"""Maps as files: the same after saving and loading, whole whatever happens meanwhile."""

import os
import signal

import numpy as np
import pytest
from halls import LABELS, pose_at

from instseg3d_ros import ObjectMap
from instseg3d_ros.errors import InputError


@pytest.fixture
def seen(hall, world):
    for view in range(4):
        hall.show(world, pose_at(y=0.1 * view), cut=1 if view == 3 else None)
    return world


def assert_same(one, other):
    for name in ("points", "colors", "semantic", "instance", "confidence"):
        assert np.array_equal(getattr(one.result(), name), getattr(other.result(), name)), name
    for mine, theirs in zip(one.objects, other.objects, strict=True):
        assert (mine.id, mine.label, mine.score, mine.views, mine.first_seen, mine.last_seen) == (
            theirs.id, theirs.label, theirs.score, theirs.views, theirs.first_seen, theirs.last_seen,
        )  # fmt: skip
    assert one.fragments == other.fragments and one.options == other.options and one.refused == other.refused


def test_a_loaded_map_is_the_same_and_goes_on_the_same(hall, seen, tmp_path):
    seen.save(tmp_path / "map.npz")
    loaded = ObjectMap.load(tmp_path / "map.npz")
    assert os.listdir(tmp_path) == ["map.npz"]
    assert_same(seen, loaded)
    hall.put(3, 2.5, -0.8)
    for view in range(3):
        for world in (seen, loaded):
            hall.show(world, pose_at(y=-0.1 * view))
    assert_same(seen, loaded)
    assert len(loaded.objects) == 3


def test_an_empty_map_can_be_saved(tmp_path):
    ObjectMap(labels=LABELS, cell=0.05).save(tmp_path / "map.npz")
    loaded = ObjectMap.load(tmp_path / "map.npz")
    assert not loaded.objects and loaded.options.cell == 0.05 and loaded.labels == LABELS


def test_killed_while_saving_the_old_file_is_whole(hall, seen, tmp_path, monkeypatch):
    path = tmp_path / "map.npz"
    seen.save(path)
    before = path.read_bytes()
    hall.show(seen, pose_at(y=0.7))

    def die(file, **arrays):
        file.write(before[: len(before) // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(np, "savez_compressed", die)
        seen.save(path)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert path.read_bytes() == before and ObjectMap.load(path).views == 4
    seen.save(path)
    assert ObjectMap.load(path).views == 5


def test_what_is_no_map_is_said_in_a_line(seen, tmp_path):
    path = tmp_path / "map.npz"
    with pytest.raises(InputError, match=r"map\.npz"):
        ObjectMap.load(path)
    path.write_text("no zip")
    with pytest.raises(InputError, match="not a map"):
        ObjectMap.load(path)
    np.savez(path, keys=np.zeros(3))
    with pytest.raises(InputError, match="not a map"):
        ObjectMap.load(path)
    seen.save(path)
    content = path.read_bytes()
    for share in (0.2, 0.6, 0.95):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputError, match="not a map"):
            ObjectMap.load(path)
    with pytest.raises(InputError, match="folder"):
        seen.save(tmp_path / "nowhere" / "map.npz")

    class Other:
        labels = type(LABELS)("other", LABELS.classes[:2])

    path.write_bytes(content)
    with pytest.raises(InputError, match="classes"):
        ObjectMap.load(path, Other())
