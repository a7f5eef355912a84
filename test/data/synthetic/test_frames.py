"""Rendered frames: labels agree with the geometry, cameras stay inside, equal seeds give equal frames."""

from dataclasses import replace

import numpy as np
import pytest

from instseg3d_ros.data.scene import Scene, read_labels, scene_files
from instseg3d_ros.data.synthetic import frames as frames_module
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.dataset import Scan, generate, plan
from instseg3d_ros.data.synthetic.frames import KINDS, SceneRecipe, scenes, world_in, world_of
from instseg3d_ros.data.synthetic.placement import fits, rectangle
from instseg3d_ros.data.synthetic.rooms import furnish_room, view_room
from instseg3d_ros.data.synthetic.sheet import write_sheet
from instseg3d_ros.data.synthetic.tabletop import set_table
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC, TABLETOP

SMALL = SceneRecipe(seed=4, resolution=(80, 60))


@pytest.fixture(scope="module")
def frames():
    catalogue = SMALL.catalogue()
    return [s for kind in KINDS for group in range(3) for s in scenes(SMALL, catalogue, "train", kind, group, 2)]


def test_instances_are_things_of_one_class(frames):
    thing = np.array(SYNTHETIC.things)
    for scene in frames:
        assert len(scene) > 100 and np.isfinite(scene.points).all()
        assert (thing[scene.semantic] == (scene.instance > 0)).all()
        for number in np.unique(scene.instance[scene.instance > 0]):
            assert len(np.unique(scene.semantic[scene.instance == number])) == 1


def test_a_crop_that_leaves_hardly_anything_is_not_made(monkeypatch):
    monkeypatch.setattr(frames_module, "crop_table", lambda setting, points, body, rng: np.arange(len(points)) < 7)
    recipe = replace(SMALL, crop=1.0)
    scene = next(iter(scenes(recipe, recipe.catalogue(), "train", "tabletop", 0, 1)))
    assert len(scene) > 1000


def test_a_tabletop_can_be_labelled_by_part():
    for seed in range(4):
        setting = set_table(Catalogue(), np.random.default_rng([5, seed]))
        by_class, by_part = world_of(setting.bodies), world_in(replace(SMALL, labels="tabletop"), setting)
        named = np.array(TABLETOP.names)[by_part.semantic]
        for body, name, number, index in zip(setting.bodies, named, by_part.instance, range(len(named))):
            expected = "object" if body.label == "object" else "support" if index in setting.kept else "background"
            assert name == expected and (number > 0) == (name == "object")
        assert {"object", "support"} <= set(named)
        objects = by_part.instance > 0
        assert (by_class.instance[objects] == by_part.instance[objects]).all()


def test_tabletops_by_part_have_the_camera_at_the_origin():
    recipe = replace(SMALL, labels="tabletop")
    for scene in scenes(recipe, recipe.catalogue(), "train", "tabletop", 2, 3):
        pose, (_, width) = scene.extras["camera"], scene.extras["shape"]
        assert np.allclose(pose[:3, 3], 0) and pose[0, 2] > 0 and abs(pose[1, 2]) < 1e-6
        assert (scene.points[:, 0] > 0).mean() > 0.98
        optical = scene.points.astype(np.float64) @ pose[:3, :3]
        column = scene.extras["pixel"] % width
        slope, offset = np.polyfit(optical[:, 0] / optical[:, 2], column, 1)
        assert np.abs(slope * optical[:, 0] / optical[:, 2] + offset - column).max() < 0.05
        support = scene.points[scene.semantic == TABLETOP.index("support")]
        assert len(support) and support[:, 2].max() < 0  # the camera looks down on it


def test_floor_is_low_and_ceiling_high(frames):
    seen = set()
    for scene in frames:
        z = {name: scene.points[scene.semantic == SYNTHETIC.index(name), 2] for name in ("floor", "ceiling")}
        if len(z["floor"]):
            assert np.median(np.abs(z["floor"])) < 0.05
            seen.add("floor")
        if len(z["ceiling"]):
            assert np.median(z["ceiling"]) > 2.1
    assert "floor" in seen


def test_points_lie_on_their_pixels_rays(frames):
    for scene in frames:
        pose, (height, width) = scene.extras["camera"], scene.extras["shape"]
        assert (height, width) == (60, 80)
        optical = (scene.points.astype(np.float64) - pose[:3, 3]) @ pose[:3, :3]
        v, u = np.divmod(scene.extras["pixel"], width)
        ray = optical[:, :2] / optical[:, 2:]
        assert (optical[:, 2] > 0.2).all() and len(np.unique(scene.extras["pixel"])) == len(scene)
        for value, pixel in ((ray[:, 0], u), (ray[:, 1], v)):  # one focal length and centre explain all pixels
            slope, offset = np.polyfit(value, pixel, 1)
            assert 30 < slope < 100 and np.abs(slope * value + offset - pixel).max() < 0.05


def test_every_class_appears_in_rooms():
    catalogue = Catalogue()
    found = set()
    for seed in range(30):
        found |= {body.label for body in furnish_room(catalogue, np.random.default_rng([9, seed])).bodies}
        if len(found) == len(SYNTHETIC):
            break
    assert found == set(SYNTHETIC.names)


def test_cameras_stay_inside_and_out_of_furniture():
    catalogue, outside = Catalogue(), 0
    for seed in range(6):
        room = furnish_room(catalogue, np.random.default_rng([3, seed]))
        for view in range(10):
            pose = view_room(room, np.random.default_rng([3, seed, view]))
            x, y, z = pose[:3, 3]
            assert abs(x) < room.size[0] / 2 and abs(y) < room.size[1] / 2 and 0.3 <= z <= 1.8
            assert -0.4 < pose[2, 2] * -1 < 0.9 and np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
            outside += not fits(rectangle(x, y, 0.3, 0.3), [o for o, _, high in room.taken if high > z - 0.2])
    assert outside <= 3  # a room may be too full for thirty tries


def test_furniture_does_not_stick_through_walls():
    catalogue = Catalogue()
    for seed in range(5):
        room = furnish_room(catalogue, np.random.default_rng([5, seed]))
        for body in room.bodies:
            if body.label not in ("wall", "floor", "ceiling"):
                low, high = body.shape.bounds()
                assert (np.maximum(-low, high)[:2] < np.array(room.size) / 2 + 0.25).all(), body.label


def test_views_say_how_many_worlds():
    def worlds(views):
        return [task.count for task in plan(SMALL, "x", {("val", "rooms"): 10}, views=views)]

    assert (worlds(None), worlds(3), worlds(1)) == ([8, 2], [3, 3, 3, 1], [1] * 10)


def _bytes(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def test_same_seed_same_bytes_on_any_number_of_jobs_and_shards(tmp_path):
    counts = {("train", "rooms"): 9, ("train", "tabletop"): 2, ("val", "tabletop"): 1}
    recipe = SceneRecipe(seed=6, resolution=(48, 36))
    generate(plan(recipe, tmp_path / "one", counts), jobs=1, quiet=True)
    generate(plan(recipe, tmp_path / "two", counts), jobs=2, quiet=True)
    for part in range(3):
        tasks = plan(recipe, tmp_path / "parts", counts, (part, 3))
        if tasks:
            generate(tasks, jobs=1, quiet=True)
    one = _bytes(tmp_path / "one")
    assert len(one) == 13 and one == _bytes(tmp_path / "two") == _bytes(tmp_path / "parts")
    generate(plan(SceneRecipe(seed=7, resolution=(48, 36)), tmp_path / "other", counts), jobs=1, quiet=True)
    other = _bytes(tmp_path / "other")
    assert not {content for name, content in other.items() if name.endswith("npz")} & set(one.values())
    assert read_labels(tmp_path / "one") == SYNTHETIC


def test_folder_reads_back_and_sheets_show_it(tmp_path):
    files = generate(plan(SMALL, tmp_path, {("train", "tabletop"): 3}), jobs=1, quiet=True)
    assert scene_files(tmp_path, "train") == sorted(files)
    assert isinstance(Scene.read(files[0]), Scene)
    write_sheet(tmp_path / "sheet.png", files, SYNTHETIC)
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"


def test_whole_rooms_are_even_and_open(tmp_path):
    (path,) = generate([Scan(SceneRecipe(seed=2), str(tmp_path), "train", 0, 30_000)], jobs=1, quiet=True)
    scene = Scene.read(path)
    assert len(scene) == 30_000 and "camera" not in scene.extras
    floor = scene.semantic == SYNTHETIC.index("floor")
    assert np.abs(scene.points[floor, 2]).max() < 0.05 and len(np.unique(scene.instance)) > 4
    write_sheet(tmp_path / "plan.png", [path], SYNTHETIC)
    assert (tmp_path / "plan.png").is_file()


def test_unknown_sensor_is_named():
    with pytest.raises(InputError, match="unknown sensor 'sonar'"):
        SceneRecipe(sensors=("kinect", "sonar"))
