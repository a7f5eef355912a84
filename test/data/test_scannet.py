import json

import numpy as np
import pytest
from scannet_files import CATEGORIES, room, write_scan, write_scannet, write_table

from instseg3d_ros.data import scannet
from instseg3d_ros.data.scannet_split import VALIDATION_ROOMS, part_of
from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SCANNET20

CHAIR, TABLE, WALL = (SCANNET20.index(name) for name in ("chair", "table", "wall"))
POINTS = np.arange(30).reshape(10, 3) / 10
COLORS = np.arange(30).reshape(10, 3)


def convert(tmp_path, segments, groups, name="scene0000_00"):
    write_table(tmp_path)
    write_scan(tmp_path / "scans" / name, POINTS, COLORS, np.array(segments), groups)
    (job,) = scannet.jobs(tmp_path, tmp_path / "out")
    job.target.parent.mkdir(parents=True)
    remarks = job.run()
    return Scene.read(job.target), remarks


def test_vertices_take_label_and_object_of_their_segment(tmp_path):
    groups = [("office chair", 0, [5, 9]), ("wall", 1, [2]), ("coffee table", 7, [3])]
    scene, remarks = convert(tmp_path, [5, 5, 9, 2, 2, 3, 3, 3, 4, -1], groups)
    assert scene.semantic.tolist() == [CHAIR] * 3 + [WALL] * 2 + [TABLE] * 3 + [-1, -1]
    # the chair is object 0 in the file; walls are no instances; segments 4 and -1 belong to nothing
    assert scene.instance.tolist() == [1, 1, 1, 0, 0, 8, 8, 8, 0, 0]
    assert np.allclose(scene.points, POINTS) and (scene.colors == COLORS).all() and not remarks


def test_segment_in_two_groups_belongs_to_the_last(tmp_path):
    scene, _ = convert(tmp_path, [1] * 5 + [2] * 5, [("chair", 0, [1, 2]), ("table", 1, [2])])
    assert scene.semantic.tolist() == [CHAIR] * 5 + [TABLE] * 5
    assert scene.instance.tolist() == [1] * 5 + [2] * 5


@pytest.mark.parametrize("label", ["Chair", "CHAIR", " chair", "office  Chair"])
def test_capitals_and_spaces_do_not_hide_a_category(tmp_path, label):
    scene, remarks = convert(tmp_path, [1] * 10, [(label, 0, [1])])
    assert (scene.semantic == CHAIR).all() and (scene.instance == 1).all() and not remarks


@pytest.mark.parametrize("label", ["ceiling", "lamp", "unsorted", "never heard of"])
def test_other_categories_are_unlabelled_and_unknown_ones_are_told(tmp_path, label):
    scene, remarks = convert(tmp_path, [1] * 10, [(label, 0, [1])])
    assert (scene.semantic == -1).all() and (scene.instance == 0).all()
    assert bool(remarks) == (label in ("unsorted", "never heard of"))
    assert all(label in remark for remark in remarks)


def test_random_scans_equal_the_rule_spelled_as_a_loop(tmp_path):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        segments = rng.integers(-1, 12, 10)
        groups = [(str(rng.choice([*CATEGORIES, "Chair"])), i, rng.integers(0, 12, 4)) for i in range(5)]
        scene, _ = convert(tmp_path / str(seed), segments.tolist(), groups)
        ids = {entry.id: index for index, entry in enumerate(SCANNET20.classes)}
        for vertex, segment in enumerate(segments):
            semantic, instance = -1, 0
            for label, object_id, listed in groups:
                if segment in listed:
                    semantic = ids.get(CATEGORIES[label.lower()], -1)
                    instance = object_id + 1 if semantic >= 2 else 0
            assert (scene.semantic[vertex], scene.instance[vertex]) == (semantic, instance)


def test_official_split_has_its_142_rooms():
    assert len(VALIDATION_ROOMS) == 142
    assert [part_of(n) for n in ("scene0000_00", "scene0011_01", "scene0707_00", "scene0806_00", "kitchen")] == [
        "train", "val", "test", "test", None,
    ]  # fmt: skip


def test_split_files_are_found_given_or_done_without(tmp_path):
    raw = write_scannet(tmp_path / "raw")
    found = {job.name: job.target.parent.name for job in scannet.jobs(raw, tmp_path)}
    given = tmp_path / "mine"
    given.mkdir()
    (given / "scannetv2_val.txt").write_text("scene0000_00\n\n")
    mine = [(job.name, job.target.parent.name) for job in scannet.jobs(raw, tmp_path, given)]
    for path in raw.glob("scannetv2_*.txt"):
        path.unlink()
    known = {job.name: job.target.parent.name for job in scannet.jobs(raw, tmp_path)}
    assert found == known and sorted(found.values()) == ["test", "train", "train", "val", "val"]
    assert mine == [("scene0000_00", "val")]
    with pytest.raises(InputError, match="scannetv2_train"):
        scannet.jobs(raw, tmp_path, tmp_path / "raw" / "scans")


def test_test_scans_have_no_labels(tmp_path):
    raw = write_scannet(tmp_path / "raw", 0, 0, 1)
    (job,) = scannet.jobs(raw, tmp_path / "out")
    job.target.parent.mkdir(parents=True)
    job.run()
    scene = Scene.read(job.target)
    assert len(scene) == len(room(707)[0]) and (scene.semantic == -1).all() and (scene.instance == 0).all()


def damage(raw, kind):
    folder = raw / "scans" / "scene0000_00"
    mesh, segs, groups = (folder / f"scene0000_00{end}" for end in (scannet.MESH, scannet.SEGMENTS, scannet.GROUPS))
    if kind.startswith("no "):
        {"no mesh": mesh, "no segments": segs, "no groups": groups}[kind].unlink()
    elif kind == "mesh cut in its vertices":
        mesh.write_bytes(mesh.read_bytes()[:5000])
    elif kind == "mesh cut in its faces":
        mesh.write_bytes(mesh.read_bytes()[:-100])
    elif kind == "segments cut":
        segs.write_text(segs.read_text()[:-10])
    elif kind == "segments of another scan":
        segs.write_text(json.dumps({"segIndices": [1, 2, 3]}))
    elif kind == "segments of words":
        segs.write_text(json.dumps({"segIndices": ["a"]}))
    elif kind == "groups of another kind":
        groups.write_text(json.dumps([1, 2]))
    elif kind == "groups without labels":
        groups.write_text(json.dumps({"segGroups": [{"objectId": 0, "segments": []}]}))


@pytest.mark.parametrize(
    "kind",
    ["no mesh", "no segments", "no groups", "mesh cut in its vertices", "mesh cut in its faces", "segments cut",
     "segments of another scan", "segments of words", "groups of another kind", "groups without labels"],
)  # fmt: skip
def test_damage_is_named(tmp_path, kind):
    raw = write_scannet(tmp_path / "raw", 1, 0, 0)
    damage(raw, kind)
    (job,) = scannet.jobs(raw, tmp_path / "out")
    with pytest.raises(InputError, match="scene0000_00") as caught:
        job.run()
    assert "\n" not in str(caught.value) and not job.target.exists()


def test_folders_that_are_not_scannet_are_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        scannet.jobs(tmp_path / "nowhere", tmp_path)
    with pytest.raises(InputError, match="holds no scans"):
        scannet.jobs(tmp_path, tmp_path)
    write_scan(tmp_path / "scans" / "scene0000_00", POINTS, COLORS)
    with pytest.raises(InputError, match=r"scannetv2-labels.combined.tsv"):
        scannet.jobs(tmp_path, tmp_path)
