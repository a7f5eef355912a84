"""Several rooms: they do not overlap, their doorways coincide, and cameras can look through them."""

import numpy as np
import pytest

from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.flat import Plot, draw_plots
from instseg3d_ros.data.synthetic.frames import world_of
from instseg3d_ros.data.synthetic.layouts import LAYOUTS
from instseg3d_ros.data.synthetic.mesh import rotation
from instseg3d_ros.data.synthetic.placement import fits, rectangle
from instseg3d_ros.data.synthetic.rooms import furnish_room, walk_room
from instseg3d_ros.data.synthetic.shell import THICKNESS, WALL_YAW, Shell


def _middle(plot, doorway):
    """Of the wall between two rooms, where their doorway is."""
    turn = rotation(WALL_YAW[doorway.wall])[:2, :2]
    return plot.center + turn @ (doorway.along, plot.reach(doorway.wall) + THICKNESS)


@pytest.mark.parametrize("seed", range(20))
def test_rooms_lie_apart_and_share_doorways(seed):
    plots = draw_plots(np.random.default_rng(seed), 4)
    for number, plot in enumerate(plots):
        assert all(plot.apart(other) for other in plots[:number])
        for doorway in plot.doorways:
            assert abs(doorway.along) + doorway.width / 2 < plot.length(doorway.wall) / 2
            assert doorway.height <= plot.height
    middles = np.array([_middle(plot, doorway) for plot in plots for doorway in plot.doorways]).reshape(-1, 2)
    assert len(middles) == 2 * (len(plots) - 1)
    near = np.linalg.norm(middles[:, None] - middles[None], axis=-1) < 1e-9
    assert (near.sum(axis=1) == 2).all(), "each is where that of another room is"


def test_a_wall_is_closed_but_for_its_doorways():
    plots = next(plots for seed in range(50) if len(plots := draw_plots(np.random.default_rng(seed), 3)) == 3)
    bodies = []
    for plot in plots:
        shell = Shell(np.random.default_rng(0), *plot.size, plot.height, tuple(plot.doorways))
        shell.build()
        x, y = plot.center
        bodies += [type(body)(body.label, body.shape.moved(x, y)) for body in shell.bodies]
    world = world_of(tuple(bodies))
    for plot in plots:
        for doorway in plot.doorways:
            middle = _middle(plot, doorway)
            out = rotation(WALL_YAW[doorway.wall])[:2, :2] @ (0, 1)
            across = out[::-1] * (-1, 1)
            aside = doorway.width / 2 + 0.03
            for shift, height, closed in ((0, 1.5, False), (aside, 1.5, True), (-aside, 1.5, True)):
                start, end = (np.append(middle + shift * across + s * 0.11 * out, height) for s in (-1, 1))
                assert world.blocked(start[None], end[None])[0] == closed


def test_a_robot_walks_inside_and_around_furniture():
    catalogue, blocked, seen = Catalogue(), 0, set()
    for seed in range(5):
        room = furnish_room(catalogue, np.random.default_rng([8, seed]))
        seen.add(len(room.spaces))
        for view in range(10):
            pose = walk_room(room, np.random.default_rng([8, seed, view]))
            x, y, z = pose[:3, 3]
            assert abs(x) < room.size[0] / 2 + 0.2 and abs(y) < room.size[1] / 2 + 0.2 and 0.25 <= z <= 1.5
            assert -0.2 < -pose[2, 2] < 0.6 and np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
            blocked += not fits(rectangle(x, y, 0.2, 0.2), [o for o, _, high in room.taken if high > z - 0.2])
    assert len(seen) > 1 and blocked < 12


def test_a_layout_can_be_asked_for():
    plot = Plot.draw(np.random.default_rng(0), LAYOUTS["bath"])
    room = furnish_room(Catalogue(), np.random.default_rng(0), "bath")
    assert plot.layout is LAYOUTS["bath"] and room.layout == "bath" and len(room.spaces) == 1
