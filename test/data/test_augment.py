"""Augmentation: labels follow their points, nothing happens when all is off, the same seed gives the same scene."""

import dataclasses

import numpy as np
import pytest

from instseg3d_ros.data.augment import Augmentation, augment
from instseg3d_ros.data.scene import Scene

OFF = Augmentation(affine=0, flip=0, yaw=0, tilt=0, steep=0, shift=0, scale=0, color=0, contrast=0, drop_color=0,
                   drop_points=0, crop=0, elastic=0)  # fmt: skip


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 2, (3000, 3)).astype(np.float32)
    instance = np.arange(3000, dtype=np.int32)
    return Scene(points, (points * 100).astype(np.uint8), (instance % 7).astype(np.int16), instance, "scene")


def test_off_only_centres(scene):
    out = augment(scene, OFF, np.random.default_rng(0), 0.02)
    assert np.allclose(out.points, scene.points - scene.points.mean(axis=0), atol=1e-5)
    assert (out.colors == scene.colors).all()


def test_labels_follow_points(scene):
    out = augment(scene, Augmentation(drop_color=0, crop=1.0), np.random.default_rng(1), 0.02)
    assert 500 < len(out) < len(scene)
    assert (out.semantic == scene.semantic[out.instance]).all()  # instance is the point's number
    for mine, all_of in ((out.points, scene.points), (out.colors, scene.colors)):
        assert len(mine) == len(out)
        assert mine.shape[1:] == all_of.shape[1:]


def test_range_is_counted_from_the_camera(scene):
    camera = np.eye(4)
    camera[:3, 3] = (0.5, 0.2, 1.0)
    seen = dataclasses.replace(scene, extras={"camera": camera})
    near = np.linalg.norm(scene.points - camera[:3, 3], axis=1) < 0.8
    out = augment(seen, dataclasses.replace(OFF, max_range=0.8), np.random.default_rng(0), 0.02)
    assert out.instance.tolist() == np.flatnonzero(near).tolist()
    cropped = augment(seen, dataclasses.replace(OFF, max_range=0.8, crop=1.0), np.random.default_rng(2), 0.02)
    assert 0 < len(cropped) <= near.sum() and near[cropped.instance].all()
    assert len(augment(scene, dataclasses.replace(OFF, max_range=0.8), np.random.default_rng(0), 0.02)) == 3000


def test_rigid_turns_keep_distances(scene):
    for options in (
        dataclasses.replace(OFF, yaw=180),
        dataclasses.replace(OFF, steep=1.0),
        dataclasses.replace(OFF, flip=1),
    ):
        out = augment(scene, options, np.random.default_rng(2), 0.02)
        assert np.allclose(np.linalg.norm(np.diff(out.points, axis=0), axis=1),
                           np.linalg.norm(np.diff(scene.points, axis=0), axis=1), atol=1e-4)  # fmt: skip
        assert not np.allclose(out.points, scene.points - scene.points.mean(axis=0), atol=0.01)


def test_yaw_keeps_heights(scene):
    out = augment(scene, dataclasses.replace(OFF, yaw=180), np.random.default_rng(3), 0.02)
    assert np.allclose(out.points[:, 2], scene.points[:, 2] - scene.points[:, 2].mean(), atol=1e-5)


def test_same_seed_same_scene(scene):
    first, again, other = (augment(scene, Augmentation(), np.random.default_rng(s), 0.02) for s in (4, 4, 5))
    assert np.array_equal(first.points, again.points)
    assert len(first) != len(other) or not np.array_equal(first.points, other.points)


def test_dropped_colour_is_none(scene):
    assert augment(scene, dataclasses.replace(OFF, drop_color=1), np.random.default_rng(0), 0.02).colors is None
