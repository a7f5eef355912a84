"""The errors that a depth camera adds to a perfect image."""

from dataclasses import replace

import numpy as np
import pytest

from instseg3d_ros.data.synthetic.camera import Camera, look
from instseg3d_ros.data.synthetic.materials import KINDS, Material, Palette
from instseg3d_ros.data.synthetic.mesh import Body
from instseg3d_ros.data.synthetic.primitives import box
from instseg3d_ros.data.synthetic.render import Light, World
from instseg3d_ros.data.synthetic.sensor import SEEN_SENSORS, SENSORS, measure, smooth_field, vary

WHITE = Material((0.9, 0.9, 0.9), infrared=0.95, gloss=0.0)
QUIET = replace(SENSORS["kinect"], white=0, wavy=0, jitter=0, fatten=0, flying=0, dropout=0, misalignment=0)


@pytest.fixture(scope="module")
def block():
    """A block 0.5 m before a wall 1.5 m away, seen straight on."""
    bodies = (
        Body("wall", box(8, 0.1, 8, WHITE, (0, 1.55, -4))),
        Body("object", box(0.3, 0.2, 0.3, WHITE, (0, 1.0, -0.15))),
    )
    world = World(bodies, np.array([0, 20]), np.array([0, 2]))
    camera = Camera(look((0, 0, 0), np.pi / 2, 0.0), 160, 120, 140, 79.5, 59.5)
    return world.look(camera, [Light(np.array([0, -1, 2.0]), 0.5)])


def test_camera_sees_what_stands_before_it(block):
    depth, body = block.depth.reshape(120, 160), block.body.reshape(120, 160)
    assert depth[60, 80] == pytest.approx(0.9, abs=1e-4) and body[60, 80] == 1
    assert depth[5, 5] == pytest.approx(1.5, abs=1e-4) and body[5, 5] == 0
    columns = np.flatnonzero(body[60] == 1)
    assert abs(len(columns) - 0.3 / 0.9 * 140) <= 1.5 and abs(columns.mean() - 79.5) < 1


def test_structured_light_casts_a_shadow_on_one_side_only(block):
    def lost(sensor):
        depth, _, _ = measure(block, sensor, np.random.default_rng(0))
        return np.flatnonzero(np.isnan(depth.reshape(120, 160)[60]))

    left, right = lost(QUIET), lost(replace(QUIET, baseline=-0.075))
    edge = 79.5 - 0.15 / 0.9 * 140
    width = 140 * 0.075 * (1 / 0.9 - 1 / 1.5)
    assert (left <= edge + 1).all() and abs(len(left) - width) < 2
    assert (right >= 160 - edge - 2).all() and abs(len(right) - width) < 2
    assert len(lost(replace(QUIET, baseline=0.0, quantum=0.0))) == 0


def test_depth_comes_in_steps_of_disparity(block):
    depth, _, _ = measure(block, QUIET, np.random.default_rng(0))
    near = depth[(block.body == 1) & np.isfinite(depth)]
    step = 0.9**2 * QUIET.quantum / (140 * 4 * 0.075)
    assert np.abs(near - 0.9).max() < step + 0.012  # a step and the calibration's bias


@pytest.mark.parametrize("name", sorted(SENSORS))
def test_noise_grows_with_distance(name):
    spread = []
    for distance in (0.8, 2.4):
        world = World((Body("wall", box(20, 0.1, 20, WHITE, (0, distance + 0.05, -10))),), np.zeros(1), np.zeros(1))
        camera = Camera(look((0, 0, 0), np.pi / 2, 0.0), 160, 120, 140, 79.5, 59.5)
        depth, _, _ = measure(world.look(camera), replace(SENSORS[name], jitter=0), np.random.default_rng(3))
        image = depth.reshape(120, 160)
        spread.append(np.nanstd(image[:, 1:] - image[:, :-1]))
    assert 2.0 < spread[1] / spread[0] < 30 and spread[1] < 0.1


def test_labels_follow_the_measured_surface(block):
    depth, source, color = measure(
        block, vary(SENSORS["realsense"], np.random.default_rng(1)), np.random.default_rng(2)
    )
    seen = np.isfinite(depth)
    measured, truth = depth[seen], np.where(block.body[source][seen] == 1, 0.9, 1.5)
    assert (np.abs(measured - truth) < 0.33).all()  # flying pixels stay on their own side of the middle
    assert np.mean(np.abs(measured - truth) < 0.05) > 0.97
    assert color.dtype == np.uint8 and color.shape == (160 * 120, 3) and color.std() > 5


def test_dark_and_grazing_surfaces_are_lost_first():
    def share(material, yaw):
        world = World((Body("floor", box(30, 30, 0.1, material, (0, 0, -0.1))),), np.zeros(1), np.zeros(1))
        camera = Camera(look((0, 0, 1.0), 0.0, yaw), 160, 120, 140, 79.5, 59.5)
        view = world.look(camera)
        depth, _, _ = measure(view, replace(SENSORS["kinect"], range=(0.1, 50)), np.random.default_rng(0))
        return np.isfinite(depth[np.isfinite(view.depth)]).mean()

    dark = Material((0.02, 0.02, 0.02), infrared=0.2)
    assert share(WHITE, 1.0) > 0.98 > share(dark, 1.0)
    assert share(WHITE, 0.2) < share(WHITE, 1.0)


def test_held_out_sensor_is_not_drawn_by_default():
    assert set(SEEN_SENSORS) < set(SENSORS)


def test_smooth_field_is_smooth_and_varied():
    field = smooth_field((60, 80), 10, np.random.default_rng(0))
    assert field.shape == (60, 80) and field.std() > 0.3
    assert np.abs(np.diff(field, axis=1)).max() < 1.0


def test_textures_stay_between_their_colours():
    rng = np.random.default_rng(0)
    materials = [Material((0.2, 0.5, 0.8), kind, (0.8, 0.1, 0.3), 0.1, i % 3, seed=i) for i, kind in enumerate(KINDS)]
    index, local = rng.integers(0, len(materials), 4000), rng.uniform(-1, 1, (4000, 3)).astype(np.float32)
    color = Palette(materials).shade(index, local)
    assert color.shape == (4000, 3) and (color >= 0).all() and (color <= 1.3).all()
    for number, kind in enumerate(KINDS):
        varied = color[index == number].std(0).max() > 1e-3
        assert varied == (kind != "plain"), kind
