"""Flats of several rooms, which doorways join."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.floorplan import Floorplan
from instseg3d_ros.data.synthetic.layouts import LAYOUTS, Layout
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, rotation
from instseg3d_ros.data.synthetic.primitives import box
from instseg3d_ros.data.synthetic.shell import THICKNESS, WALL_YAW, Doorway

MOST = 4  # rooms
WIDE = 0.45  # probability that an opening is wide, without a door
LEAF = 0.55  # probability that a doorway has a door leaf
TRIES = 20  # attempts to place a room


@dataclass
class Plot:
    """An unfurnished room with its middle at `center` (2,), metres."""

    layout: Layout
    size: tuple[float, float]
    height: float
    center: np.ndarray
    doorways: list[Doorway]

    @staticmethod
    def draw(rng: np.random.Generator, layout: Layout | None = None) -> Plot:
        """A room of random size, of the given layout or of a layout drawn by weight; half of the rooms are rotated."""
        options = list(LAYOUTS.values())
        weights = np.array([option.weight for option in options])
        layout = layout or options[rng.choice(len(options), p=weights / weights.sum())]
        size = float(rng.uniform(*layout.size[0])), float(rng.uniform(*layout.size[1]))
        size = size[::-1] if rng.random() < 0.5 else size
        return Plot(layout, size, float(rng.uniform(2.3, 3.0)), np.zeros(2), [])

    def reach(self, wall: int) -> float:
        """Distance from the middle of the room to the face of a wall, metres."""
        return self.size[1 - wall % 2] / 2

    def length(self, wall: int) -> float:
        """Length of a wall, metres."""
        return self.size[wall % 2]

    def apart(self, other: Plot) -> bool:
        """Whether the rooms, with their walls, do not overlap."""
        between = (np.array(self.size) + other.size) / 2 + 2 * THICKNESS - 1e-6
        return bool((np.abs(self.center - other.center) > between).any())


def draw_plots(rng: np.random.Generator, count: int) -> list[Plot]:
    """Up to `count` rooms; each room after the first is joined to an earlier room."""
    plots = [Plot.draw(rng)]
    for _ in range(count - 1):
        for _ in range(TRIES):
            if added := _attached(plots, Plot.draw(rng), rng):
                plots.append(added)
                break
    return plots


def _attached(plots: list[Plot], new: Plot, rng: np.random.Generator) -> Plot | None:
    """Place the new room behind a free wall of an earlier room, with a doorway in both; None if it does not fit."""
    old = plots[int(rng.integers(len(plots)))]
    wall = int(rng.integers(4))
    behind = (wall + 2) % 4
    if any(doorway.wall == wall for doorway in old.doorways):
        return None
    longest = min(old.length(wall), new.length(behind)) - 0.3
    wide = rng.random() < WIDE
    width = rng.uniform(1.3, 3.5) if wide else rng.uniform(0.75, 1.05)
    width = min(width, longest)
    height = min(old.height, new.height) - (0.0 if wide and rng.random() < 0.4 else 0.25)
    height = height if wide else min(height, rng.uniform(1.95, 2.15))
    here, there = (
        rng.uniform(-0.5, 0.5) * (room.length(side) - width - 0.2) for room, side in ((old, wall), (new, behind))
    )
    # Along the first room's wall the doorway lies at `here`; along the second's, which runs the other way, at `there`.
    center = old.center + rotation(WALL_YAW[wall])[:2, :2] @ (
        here + there, old.reach(wall) + 2 * THICKNESS + new.reach(behind)
    )  # fmt: skip
    new = replace(new, center=center, doorways=[Doorway(behind, there, width, height)])
    if not all(new.apart(other) for other in plots):
        return None
    old.doorways.append(Doorway(wall, here, width, height))
    return new


def furnish_plot(catalogue: Catalogue, rng: np.random.Generator, plot: Plot, ceiling: bool) -> Floorplan:
    """The furnished room, centred at the origin."""
    plan = Floorplan(rng, *plot.size, plot.height, tuple(plot.doorways), catalogue=catalogue)
    plan.shell(ceiling)
    for doorway in plot.doorways:
        if doorway.width < 1.1 and doorway.wall < 2 and rng.random() < LEAF:  # only one of the two rooms gets the leaf
            plan.add(_leaf(rng, doorway, plot.reach(doorway.wall)))
    plot.layout.furnish(plan)
    plan.dress(rng.uniform(0.1, 0.9))
    plan.litter(int(rng.choice([0, 0, int(rng.integers(1, 8))])))
    return plan


def _leaf(rng: np.random.Generator, doorway: Doorway, reach: float) -> Assembly:
    """A door leaf that is open into the room, with hinges at a side of the doorway."""
    made = m.painted(rng) if rng.random() < 0.5 else m.wood(rng)
    side, angle = rng.choice([-1, 1]), rng.uniform(0.3, 1.0) * np.pi
    leaf = box(doorway.width - 0.02, 0.04, doorway.height - 0.02, made, (doorway.width / 2, 0, 0.01))
    for y in (-0.05, 0.05):
        leaf += box(0.12, 0.03, 0.02, m.metal(rng), (doorway.width - 0.1, y, 1.02))
    leaf = leaf.turned(-angle).scaled(-side, 1, 1).moved(doorway.along + side * doorway.width / 2, reach - 0.03)
    return Assembly((Body("door", leaf.turned(WALL_YAW[doorway.wall])),))
