"""Several rooms in a row or around a hall, open to each other by doorways: what a robot on its way looks through."""

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
WIDE = 0.45  # share of the openings that are no doors but join two rooms to one
LEAF = 0.55  # share of the doors whose leaf is seen
TRIES = 20


@dataclass
class Plot:
    """A room that is yet to be furnished, its middle at `center` (2,)."""

    layout: Layout
    size: tuple[float, float]
    height: float
    center: np.ndarray
    doorways: list[Doorway]

    @staticmethod
    def draw(rng: np.random.Generator, layout: Layout | None = None) -> Plot:
        """Of this layout or, by their weights, of any; turned or not."""
        options = list(LAYOUTS.values())
        weights = np.array([option.weight for option in options])
        layout = layout or options[rng.choice(len(options), p=weights / weights.sum())]
        size = float(rng.uniform(*layout.size[0])), float(rng.uniform(*layout.size[1]))
        size = size[::-1] if rng.random() < 0.5 else size
        return Plot(layout, size, float(rng.uniform(2.3, 3.0)), np.zeros(2), [])

    def reach(self, wall: int) -> float:
        """From the middle to a wall's face, metres."""
        return self.size[1 - wall % 2] / 2

    def length(self, wall: int) -> float:
        """Of a wall, metres."""
        return self.size[wall % 2]

    def apart(self, other: Plot) -> bool:
        """Whether the two, walls included, do not overlap."""
        between = (np.array(self.size) + other.size) / 2 + 2 * THICKNESS - 1e-6
        return bool((np.abs(self.center - other.center) > between).any())


def draw_plots(rng: np.random.Generator, count: int) -> list[Plot]:
    """Up to `count` rooms, each but the first joined to an earlier one."""
    plots = [Plot.draw(rng)]
    for _ in range(count - 1):
        for _ in range(TRIES):
            if added := _attached(plots, Plot.draw(rng), rng):
                plots.append(added)
                break
    return plots


def _attached(plots: list[Plot], new: Plot, rng: np.random.Generator) -> Plot | None:
    """The new room behind some free wall of an earlier one, both with the doorway; None where it does not fit."""
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
    """Furnished about the origin."""
    plan = Floorplan(rng, *plot.size, plot.height, tuple(plot.doorways), catalogue=catalogue)
    plan.shell(ceiling)
    for doorway in plot.doorways:
        if doorway.width < 1.1 and doorway.wall < 2 and rng.random() < LEAF:  # a door has one leaf, not one a side
            plan.add(_leaf(rng, doorway, plot.reach(doorway.wall)))
    plot.layout.furnish(plan)
    plan.dress(rng.uniform(0.1, 0.9))
    plan.litter(int(rng.choice([0, 0, int(rng.integers(1, 8))])))
    return plan


def _leaf(rng: np.random.Generator, doorway: Doorway, reach: float) -> Assembly:
    """A door that stands open into the room, hinged at one side of its doorway."""
    made = m.painted(rng) if rng.random() < 0.5 else m.wood(rng)
    side, angle = rng.choice([-1, 1]), rng.uniform(0.3, 1.0) * np.pi
    leaf = box(doorway.width - 0.02, 0.04, doorway.height - 0.02, made, (doorway.width / 2, 0, 0.01))
    for y in (-0.05, 0.05):
        leaf += box(0.12, 0.03, 0.02, m.metal(rng), (doorway.width - 0.1, y, 1.02))
    leaf = leaf.turned(-angle).scaled(-side, 1, 1).moved(doorway.along + side * doorway.width / 2, reach - 0.03)
    return Assembly((Body("door", leaf.turned(WALL_YAW[doorway.wall])),))
