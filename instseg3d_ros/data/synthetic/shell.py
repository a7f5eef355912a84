"""Builds an empty room: floor, walls with doorways, ceiling, and the parts of walls.

Most walls have skirting and mouldings, parapets under windows, pillars or chimney breasts, or openings to the next
room. All these parts have the class `wall`; a rug has the class `floor`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.data.synthetic import materials as m
from instseg3d_ros.data.synthetic.materials import Material
from instseg3d_ros.data.synthetic.mesh import Body, Shape, rotation
from instseg3d_ros.data.synthetic.placement import fits, rectangle
from instseg3d_ros.data.synthetic.primitives import box, cylinder

WALL_YAW = (0.0, -np.pi / 2, np.pi, np.pi / 2)  # yaw of a piece with its back (+y) to the walls at +y, +x, -y, -x
THICKNESS = 0.1  # thickness of walls, floors and ceilings, in metres
ACCENT, PROTRUSION, PARAPET, PANELS, RUG = 0.25, 0.35, 0.1, 0.12, 0.3  # chances


@dataclass(frozen=True)
class Doorway:
    """An opening in a wall, from the floor up, with its middle `along` metres along the wall, as in `against_wall`."""

    wall: int
    along: float
    width: float
    height: float


@dataclass
class Interior:
    """A room of `width` (x) by `depth` (y) by `height` metres about the origin, and what stands in it.

    `taken` contains (outline (P, 2), lowest, highest): outlines may overlap only if the ranges of height do not.
    """

    rng: np.random.Generator
    width: float
    depth: float
    height: float
    doorways: tuple[Doorway, ...] = ()
    bodies: list[Body] = field(default_factory=list)
    taken: list[tuple[np.ndarray, float, float]] = field(default_factory=list)

    def length(self, wall: int) -> float:
        """Length of a wall, metres."""
        return (self.width, self.depth)[wall % 2]

    def reach(self, wall: int) -> float:
        """Distance of a wall's face from the middle of the room, metres."""
        return (self.depth, self.width)[wall % 2] / 2


@dataclass
class Shell(Interior):
    """Walls, floor and ceiling of a room; `taken` is where nothing may stand."""

    def build(self, ceiling: bool = True) -> None:
        """Build the room, with walls in one or two finishes."""
        rng, t = self.rng, THICKNESS
        over = (self.width + 4 * t, self.depth + 4 * t, t)
        self.bodies.append(Body("floor", box(*over, m.flooring(rng), (0, 0, -t))))
        paint, accent = m.wall_paint(rng), m.wall_paint(rng)
        skirting = m.painted(rng, rng.random() < 0.6) if rng.random() < 0.6 else None
        tall, panelled = rng.uniform(0.05, 0.12), rng.random() < PANELS
        for wall in range(4):
            finish = accent if rng.random() < ACCENT else paint
            shape = self._along(wall, 4 * t, t, 0, self.height, finish, t / 2)
            if skirting:
                shape += self._along(wall, 0, 0.015, 0, tall, skirting, -0.0075)
            if panelled:
                shape += self._panels(wall, finish if rng.random() < 0.5 else m.painted(rng))
            self.bodies.append(Body("wall", shape.turned(WALL_YAW[wall])))
        for doorway in self.doorways:
            self._keep_clear(doorway)
        if rng.random() < PROTRUSION:
            self._protrude(paint)
        if rng.random() < PARAPET:
            self._parapet(accent if rng.random() < 0.3 else paint)
        if rng.random() < RUG:
            self._rug()
        if ceiling:
            self.bodies.append(Body("ceiling", box(*over, m.painted(rng, True), (0, 0, self.height))))

    def _along(
        self, wall: int, longer: float, thick: float, low: float, high: float, finish: Material, ahead: float
    ) -> Shape:
        """A strip from `low` to `high` over the length of a wall plus `longer`, with its middle `ahead` metres behind
        the wall's face, and with openings for doorways. It is not yet rotated to its wall."""
        half, shape = (self.length(wall) + longer) / 2, Shape()
        doorways = sorted((d for d in self.doorways if d.wall == wall), key=lambda d: d.along)
        begin, y = -half, self.reach(wall) + ahead
        for doorway in doorways:
            left, right = doorway.along - doorway.width / 2, doorway.along + doorway.width / 2
            if left > begin:
                shape += box(left - begin, thick, high - low, finish, ((begin + left) / 2, y, low))
            if doorway.height < high:
                lintel = max(low, doorway.height)
                shape += box(doorway.width, thick, high - lintel, finish, (doorway.along, y, lintel))
            begin = right
        return shape + box(half - begin, thick, high - low, finish, ((begin + half) / 2, y, low))

    def _keep_clear(self, doorway: Doorway) -> None:
        turn, yaw = rotation(WALL_YAW[doorway.wall])[:2, :2], WALL_YAW[doorway.wall]
        x, y = turn @ (doorway.along, self.reach(doorway.wall) - 0.35)
        self.taken.append((rectangle(x, y, doorway.width, 0.8, yaw), 0.0, doorway.height))

    def _panels(self, wall: int, finish: Material) -> Shape:
        """A chair rail, a moulding below the ceiling, and frames of battens below the rail."""
        rng = self.rng
        rail, high = rng.uniform(0.8, 1.2), rng.uniform(0.05, 0.12)
        shape = self._along(wall, 0, 0.03, rail, rail + 0.06, finish, -0.015)
        shape += self._along(wall, 0, high, self.height - high, self.height, finish, -high / 2)
        if any(doorway.wall == wall for doorway in self.doorways):
            return shape
        y, length = self.reach(wall), self.length(wall)
        count = max(1, int(length / rng.uniform(0.5, 1.2)))
        for s in (np.arange(count) + 0.5) * length / count - length / 2:
            wide, tall = length / count - 0.16, rail - 0.35
            for dx, dz, w, h in (
                (0, 0.2, wide, 0.03),
                (0, 0.2 + tall, wide, 0.03),
                (-wide / 2, 0.2, 0.03, tall),
                (wide / 2, 0.2, 0.03, tall),
            ):
                shape += box(w, 0.015, h, finish, (s + dx, y - 0.0075, dz))
        return shape

    def _protrude(self, paint: Material) -> None:
        """Add a corner block (an L-shaped room), a chimney breast, a pillar, or a wall that ends in the room."""
        rng, size = self.rng, np.array([self.width, self.depth])
        kind = rng.random()
        if min(size) > 2.6 and kind < 0.5:
            cut = size * rng.uniform(0.15, 0.4, 2)
            middle = (size - cut) / 2 * rng.choice([-1, 1], 2)
        elif min(size) > 2.6 and kind < 0.7:
            cut = np.array([rng.uniform(0.1, 0.2), size[1] * rng.uniform(0.2, 0.45)])
            middle = np.array([rng.uniform(-0.3, 0.3) * size[0], (size[1] - cut[1]) / 2 * rng.choice([-1, 1])])
        else:
            cut = rng.uniform(0.25, 0.6, 2)
            middle = (size - cut) / 2 * [rng.choice([-1, 1]), rng.uniform(-1, 1)]
        (x, y), (width, depth) = middle, cut
        outline = rectangle(x, y, width, depth)
        if self._free(outline):
            self.bodies.append(Body("wall", box(width, depth, self.height, paint, (x, y, 0))))
            self.taken.append((outline, 0.0, self.height))

    def _parapet(self, paint: Material) -> None:
        """Add a low wall along a whole wall, as under windows, with or without a board on top."""
        rng, wall = self.rng, int(self.rng.integers(4))
        if any(doorway.wall == wall for doorway in self.doorways):
            return
        deep, tall, length = rng.uniform(0.06, 0.35), rng.uniform(0.5, 1.1), self.length(wall)
        y, yaw = self.reach(wall) - deep / 2, WALL_YAW[wall]
        shape = box(length, deep, tall, paint, (0, y, 0))
        if rng.random() < 0.6:
            shape += box(length, deep + 0.04, 0.03, m.painted(rng, True), (0, y, tall))
        x, y = rotation(yaw)[:2, :2] @ (0, y)
        outline = rectangle(x, y, length, deep, yaw)
        if self._free(outline):
            self.bodies.append(Body("wall", shape.turned(yaw)))
            self.taken.append((outline, 0.0, tall + 0.03))

    def _free(self, outline: np.ndarray) -> bool:
        return fits(outline, [o for o, _, _ in self.taken], 0.3)

    def _rug(self) -> None:
        """Add a rug, with the class floor."""
        rng = self.rng
        size = np.array([self.width, self.depth]) * rng.uniform(0.25, 0.65, 2)
        cloth = m.fabric(rng) if rng.random() < 0.6 else m.printed(rng)
        if rng.random() < 0.25:
            rug = cylinder(size.min() / 2, 0.012, cloth, segments=32)
        else:
            rug = box(size[0], size[1], 0.012, cloth).turned(rng.normal(0, 0.15))
        self.bodies.append(Body("floor", rug.moved(*(rng.uniform(-0.2, 0.2, 2) * [self.width, self.depth]))))
