"""An empty room and where things fit in it: against walls, on walls, anywhere, around tables, on surfaces."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.clutter import clutter
from instseg3d_ros.data.synthetic.mesh import Assembly, Surface, rotation
from instseg3d_ros.data.synthetic.placement import fits, rectangle
from instseg3d_ros.data.synthetic.shell import WALL_YAW, Interior, Shell

TRIES = 14


@dataclass
class Floorplan(Interior):
    """A room that is furnished with pieces from a catalogue; `surfaces` are those on which objects can be put."""

    catalogue: Catalogue = field(kw_only=True)
    surfaces: list[Surface] = field(default_factory=list)

    def free(self, outline: np.ndarray, low: float, high: float, margin: float = 0.01) -> bool:
        """Whether a prism over the outline is inside the room and overlaps no placed piece."""
        if (np.abs(outline) > [self.width / 2 + 0.02, self.depth / 2 + 0.02]).any():
            return False
        return fits(outline, [o for o, a, b in self.taken if a < high and b > low], margin)

    def occupy(self, outline: np.ndarray, low: float, high: float) -> None:
        """Reserve the space over `outline` (P,2) between the two heights."""
        self.taken.append((outline, low, high))

    def add(self, piece: Assembly, outline: np.ndarray | None = None) -> Assembly:
        """Add a placed piece to the room; its outline is its bounding box unless given."""
        low, high = piece.bounds()
        if outline is None:
            (x, y), (width, depth) = (low + high)[:2] / 2, (high - low)[:2]
            outline = rectangle(x, y, width, depth)
        self.occupy(outline, float(low[2]), float(high[2]))
        self.bodies += piece.bodies
        self.surfaces += piece.surfaces
        return piece

    def outline_at(self, piece: Assembly, x: float, y: float, yaw: float, front: float = 0.0) -> np.ndarray:
        """Rotated bounding box of a piece before it is placed, extended by `front` metres on its front side."""
        low, high = piece.bounds()
        low = low - [0, front, 0]
        middle = rotation(yaw)[:2, :2] @ ((low + high)[:2] / 2)
        return rectangle(x + middle[0], y + middle[1], high[0] - low[0], high[1] - low[1], yaw)

    def against_wall(
        self, piece: Assembly, wall: int | None = None, along: float | None = None, z: float = 0.0,
        front: float = 0.0, gap: float = 0.03, skew: float = 0.0,
    ) -> tuple[Assembly, int] | None:  # fmt: skip
        """Place a piece with its back to a wall and `front` metres of free space before it.

        Returns the placed piece and its wall, or None if no position is free.
        """
        low, high = piece.bounds()
        for _ in range(TRIES if wall is None or along is None else 2):
            side = int(self.rng.integers(4)) if wall is None else wall
            room = (self.length(side) - (high - low)[0]) / 2
            if room < 0:
                continue
            s = self.rng.uniform(-room, room) if along is None else along
            s -= (low + high)[0] / 2
            reach = self.reach(side) - high[1] - (self.rng.uniform(0, gap) if gap else 0.0)
            yaw = WALL_YAW[side] + (self.rng.normal(0, skew) if skew else 0.0)
            x, y = rotation(WALL_YAW[side])[:2, :2] @ (s, reach)
            outline = self.outline_at(piece, x, y, yaw)
            if self.free(self.outline_at(piece, x, y, yaw, front), low[2] + z, high[2] + z):
                return self.add(piece.placed(x, y, z, yaw), outline), side
        return None

    def in_front(self, piece: Assembly, of: Assembly, yaw: float, distance: float) -> Assembly | None:
        """Place a piece before the front of `of`, which is rotated by `yaw`; it faces that piece or the same way."""
        low, high = of.bounds()
        middle, half = (low + high)[:2] / 2, (high - low)[:2] / 2
        ahead = rotation(yaw)[:2, :2] @ (0, -1)
        own_low, own_high = piece.bounds()
        reach = abs(ahead @ half) + distance + (own_high - own_low)[1] / 2
        for _ in range(4):
            x, y = middle + ahead * (reach + self.rng.uniform(0, 0.2)) + self.rng.normal(0, 0.06, 2)
            outline = self.outline_at(piece, x, y, yaw)
            if self.free(outline, own_low[2], own_high[2]):
                return self.add(piece.placed(x, y, 0, yaw), outline)
        return None

    def somewhere(self, piece: Assembly, square: float = 0.6, centred: bool = False) -> tuple[Assembly, float] | None:
        """Place a piece anywhere on the floor; it is parallel to the walls with probability `square`."""
        low, high = piece.bounds()
        for _ in range(TRIES):
            yaw = self.rng.integers(4) * np.pi / 2 if self.rng.random() < square else self.rng.uniform(0, 2 * np.pi)
            x, y = self.rng.uniform(-0.5, 0.5, 2) * [self.width, self.depth] * (0.3 if centred else 1.0)
            outline = self.outline_at(piece, x, y, yaw)
            if self.free(outline, low[2], high[2]):
                return self.add(piece.placed(x, y, 0, yaw), outline), yaw
        return None

    def seat(self, table: Assembly, share: float, names: tuple[str, ...] | None = None) -> None:
        """Place chairs at a table, at varying distances; most of them are of the same model."""
        model = self.catalogue.build("chair", self.rng, names=names)
        for x, y, yaw in table.seats:
            if self.rng.random() > share:
                continue
            chair = model if self.rng.random() < 0.85 else self.catalogue.build("chair", self.rng, names=names)
            low, _ = chair.bounds()
            turn = yaw + self.rng.normal(0, 0.12) + (self.rng.normal(0, 0.8) if self.rng.random() < 0.15 else 0)
            out = rotation(yaw)[:2, :2] @ (0, -low[1] - self.rng.uniform(-0.15, 0.3))
            outline = self.outline_at(chair, x + out[0], y + out[1], turn)
            # A chair may stand under the table's top, so the table is left out of the test for overlaps.
            others = [o for o, a, _ in self.taken if a < 0.5 and not _within(o.mean(0), table)]
            inside = (np.abs(outline) < [self.width / 2, self.depth / 2]).all()
            if inside and fits(outline, others, 0.01):
                self.add(chair.placed(x + out[0], y + out[1], 0, turn), outline)

    def dress(self, density: float, most: int = 60) -> None:
        """Put loose objects on the surfaces; a surface stays empty or gets several objects."""
        room_left = most
        for surface in self.surfaces:
            area = surface.width * surface.depth
            if area < 0.01 or surface.headroom < 0.06 or self.rng.random() > density + 0.2:
                continue
            count = min(room_left, int(self.rng.poisson(min(9.0, 0.8 + density * 14 * area))))
            if count < 1:
                continue
            turn = rotation(surface.yaw)
            for body in clutter(self.catalogue, self.rng, surface.width, surface.depth, count, 0.012):
                if body.shape.bounds()[1][2] < surface.headroom:
                    shape = body.shape.affine(turn, (surface.x, surface.y, surface.z))
                    self.bodies.append(replace(body, shape=shape))
                    room_left -= 1

    def litter(self, count: int) -> None:
        """Put loose objects on the floor."""
        for _ in range(count):
            piece = self.catalogue.build("object", self.rng, mount="table")
            self.somewhere(piece, square=0.0)

    def shell(self, ceiling: bool = True) -> None:
        """Build floor, walls, and perhaps ceiling and rug. Call this before any piece is placed."""
        shell = Shell(self.rng, self.width, self.depth, self.height, self.doorways)
        shell.build(ceiling)
        self.bodies += shell.bodies
        self.taken += shell.taken


def _within(point: np.ndarray, piece: Assembly) -> bool:
    low, high = piece.bounds()
    return bool(((point >= low[:2]) & (point <= high[:2])).all())
