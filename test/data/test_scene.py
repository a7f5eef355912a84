"""Labelled clouds as other programs write them are read, or refused with file, value and remedy."""

import numpy as np
import pytest

from instseg3d_ros.data.clouds import Cloud, write_cloud
from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet

COUNT = 40
POINTS = np.random.default_rng(0).uniform(-1, 1, (COUNT, 3)).astype(np.float32)
COLORS = np.random.default_rng(1).integers(2, 256, (COUNT, 3), np.uint8)
SEMANTIC = np.repeat([0, 1, -1], [15, 15, 10]).astype(np.int16)
INSTANCE = np.repeat([0, 7, 0], [15, 15, 10]).astype(np.int32)


def read(folder, classes=2, **change):
    arrays = {"points": POINTS, "colors": COLORS, "semantic": SEMANTIC, "instance": INSTANCE, **change}
    (folder / "train").mkdir(exist_ok=True)
    if classes:
        (folder / "labels.yaml").write_text("classes: [" + ", ".join(f"c{i}" for i in range(classes)) + "]\n")
    np.savez(folder / "train" / "room.npz", **{k: v for k, v in arrays.items() if v is not None})
    return Scene.read(folder / "train" / "room.npz")


def unlabelled(value, kind):
    return np.where(SEMANTIC < 0, value, SEMANTIC).astype(kind)


@pytest.mark.parametrize(
    "semantic",
    [
        unlabelled(-100, "i4"), unlabelled(255, "u1"), unlabelled(255, "i8"), unlabelled(65535, "u2"),
        unlabelled(-1, "f4"), unlabelled(np.nan, "f8"), SEMANTIC[:, None],
        SEMANTIC.astype("i8").astype("u4").astype("i8").astype("u8").astype("i4"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("classes", [2, 0])
def test_every_way_to_say_unlabelled(tmp_path, semantic, classes):
    np.testing.assert_array_equal(read(tmp_path, classes, semantic=semantic).semantic, SEMANTIC)


def test_a_class_may_have_the_number_255(tmp_path):
    semantic = np.where(SEMANTIC == 1, 255, SEMANTIC)
    assert (read(tmp_path, 300, semantic=semantic).semantic == semantic).all()


@pytest.mark.parametrize(
    "instance, kind",
    [
        (INSTANCE * 400_000_000, "u4"), (INSTANCE.astype("i8") * 10**12, "i8"), (INSTANCE.astype("f8") * 1e10, "f8"),
        (np.where(INSTANCE, 2**64 - 5, 0).astype("u8"), "u8"), (np.where(INSTANCE, 7, -100), "i2"),
        (np.where(INSTANCE, 7, 65535), "u2"), (np.where(INSTANCE, 7, 2**32 - 1), "u4"), (INSTANCE[:, None], "i8"),
        (np.where(INSTANCE, 7, np.nan), "f4"), (np.where(INSTANCE, 7, 255), "u1"), (INSTANCE > 0, "?"),
    ],
)  # fmt: skip
def test_every_way_to_number_objects(tmp_path, instance, kind):
    got = read(tmp_path, instance=instance.astype(kind)).instance
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got > 0, INSTANCE > 0)
    assert len(np.unique(got)) == 2


def test_large_numbers_stay_apart(tmp_path):
    numbers = np.random.default_rng(0).integers(0, 2**62, 8)[np.arange(COUNT) % 8]
    got = read(tmp_path, semantic=np.zeros(COUNT, int), instance=numbers).instance
    assert len(np.unique(np.stack([numbers, got]), axis=1).T) == len(np.unique(got)) == 8 and got.min() > 0


@pytest.mark.parametrize(
    "colors",
    [
        COLORS / 255, (COLORS / 255).astype("f4"), COLORS.astype("f4"), np.c_[COLORS, COLORS[:, :1]],
        COLORS.astype("i8"), COLORS.astype("u2") * 257,
    ],
)  # fmt: skip
def test_every_way_to_write_colours(tmp_path, colors):
    np.testing.assert_array_equal(read(tmp_path, colors=colors).colors, COLORS)


def test_grey_is_a_colour(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, colors=COLORS[:, :1]).colors, np.repeat(COLORS[:, :1], 3, axis=1))
    assert read(tmp_path, colors=None).colors is None


def test_survey_coordinates_lose_nothing_and_the_camera_goes_along(tmp_path):
    shift = np.array([432_100.25, 5_412_345.5, 310.0])
    camera = np.eye(4)
    camera[:3, 3] = shift
    scene = read(tmp_path, points=POINTS + shift, camera=camera)
    np.testing.assert_allclose(scene.points + scene.extras["origin"], POINTS + shift, atol=1e-6)
    np.testing.assert_allclose(scene.extras["camera"][:3, 3] + scene.extras["origin"], shift)
    assert np.abs(scene.points).max() < 3


def test_points_that_are_not_finite_are_left_out_with_all_that_belongs_to_them(tmp_path):
    points, pixel = POINTS.copy(), np.arange(COUNT)
    points[3], points[20, 1] = np.nan, np.inf
    scene = read(tmp_path, points=points, pixel=pixel)
    keep = np.isfinite(points).all(axis=1)
    np.testing.assert_array_equal(scene.points, points[keep])
    np.testing.assert_array_equal(scene.extras["pixel"], pixel[keep])
    np.testing.assert_array_equal(scene.instance, INSTANCE[keep])


@pytest.mark.parametrize(
    "change, words",
    [
        ({"semantic": SEMANTIC + 5}, "semantic has the value 5 .40 points.; expected 0 to 1, as labels.yaml has 2"),
        ({"semantic": np.where(SEMANTIC < 0, -7, SEMANTIC)}, "value -7"),
        ({"semantic": SEMANTIC + 0.5}, "value 0.5; expected whole"),
        ({"semantic": np.eye(COUNT)}, r"semantic has shape \(40, 40\)"),
        ({"semantic": np.array(["chair"] * COUNT)}, "type <U5"),
        ({"semantic": SEMANTIC[:-1]}, "39 semantic for 40 points"),
        ({"semantic": None}, "lacks semantic; it has colors|lacks semantic; it has instance, points"),
        ({"instance": np.ones(COUNT, int)}, r"instance 1 has the classes c0 \(15 points\) and c1 \(15 points\)"),
        ({"colors": COLORS / 127.5 - 1}, "colours range from -0.9"),
        ({"colors": COLORS[:, :2]}, r"colors have shape \(40, 2\)"),
        ({"points": POINTS[:, :2]}, r"points have shape \(40, 2\)"),
        ({"points": POINTS + np.float32(5e6)}, "float32, which rounds them to 0.5 m"),
        ({"points": None}, "lacks points"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path, change, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, **change)
    assert str(caught.value).startswith(str(tmp_path / "train" / "room.npz")) and "\n" not in str(caught.value)


def test_an_archive_that_is_none(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\3\4 and no more")
    for name in ("a.npz", "missing.npz", "missing.ply"):
        with pytest.raises(InputError, match=name):
            Scene.read(tmp_path / name)


@pytest.mark.parametrize(
    "names",
    [
        ("label", "instance"), ("scalar_label", "scalar_instance"), ("scalar_Label", "scalar_Instance"),
        ("semantic", "instance_id"), ("class", "object_id"), ("scalar_Classification", "scalar_instance_label"),
        ("sem_label", "ins_label"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_ply_properties_as_other_programs_name_them(tmp_path, names, kind):
    columns = dict(zip(names, (SEMANTIC.astype(kind), INSTANCE.astype(kind))))
    write_cloud(tmp_path / "a.ply", Cloud(POINTS, COLORS, columns=columns))
    scene = Scene.read(tmp_path / "a.ply")
    for got, expected in ((scene.semantic, SEMANTIC), (scene.instance, INSTANCE), (scene.colors, COLORS)):
        np.testing.assert_array_equal(got, expected)


def test_a_ply_without_labels_names_what_it_has(tmp_path):
    write_cloud(tmp_path / "a.ply", Cloud(POINTS, columns={"scalar_Intensity": SEMANTIC}))
    with pytest.raises(InputError, match=r"a\.ply: lacks semantic; it has points, scalar_Intensity"):
        Scene.read(tmp_path / "a.ply")
    write_cloud(tmp_path / "a.ply", Cloud(POINTS, columns={"label": SEMANTIC}))
    assert not Scene.read(tmp_path / "a.ply").instance.any()


def test_class_names_that_yaml_takes_for_something_else(tmp_path):
    words = ["off", "yes", "no", "null", "7", "1e3", "~", "on", "2024-01-01"]
    (tmp_path / "labels.yaml").write_text("classes:\n" + "".join(f"- {{name: {word}}}\n" for word in words))
    assert LabelSet.read(tmp_path / "labels.yaml").names == tuple(words)
    (tmp_path / "labels.yaml").write_text("classes:\n" + "".join(f"- {word}\n" for word in words))
    assert LabelSet.read(tmp_path / "labels.yaml").names == tuple(words)
    (tmp_path / "labels.yaml").write_text(
        "classes: [{name: a, thing: no, id: 4, color: [1, 2, 3]}, {name: b, thing: on}]"
    )
    labels = LabelSet.read(tmp_path / "labels.yaml")
    assert labels.things == (False, True) and labels[0].id == 4 and labels[0].color == (1, 2, 3)


@pytest.mark.parametrize("text, words", [
    ("classes: [a, a]", "two classes are named 'a'"), ("classes: [{name: a, thing: maybe}]", "thing is 'maybe'"),
    ("classes: ['']", "no name"), ("classes: [{name: }]", "no name"), ("classes: 7", "not a label set"),
])  # fmt: skip
def test_labels_that_are_none(tmp_path, text, words):
    (tmp_path / "labels.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        LabelSet.read(tmp_path / "labels.yaml")
