"""Arrangements that several layouts use: openings with curtains, workplaces, dining groups, showers, wall objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from instseg3d_ros.data.synthetic.floorplan import Floorplan
from instseg3d_ros.data.synthetic.furniture.table import seats_around
from instseg3d_ros.data.synthetic.mesh import Assembly, rotation
from instseg3d_ros.data.synthetic.shell import WALL_YAW

DINING_TABLES = (
    "dining table",
    "round table",
    "covered table",
    "conference table",
    "folding table",
    "picnic",
    "bracket legs",
)
LOW_TABLES = ("coffee table", "round table", "block table", "side table", "nest of tables", "tray table")
EASY_CHAIRS = ("armchair", "tub", "slipper", "wooden armchair", "recliner", "shell", "rocking", "throne",
               "egg", "slung", "open hoop")  # fmt: skip
OFFICE_CHAIRS = ("swivel", "executive", "four legs", "shell", "cantilever")
LIVING_CABINETS = ("sideboard", "half open", "television bench", "modules", "dresser", "lidded box",
                   "hung low", "bridged", "pigeon holes")  # fmt: skip
BEDROOM_CABINETS = ("wardrobe", "sliding doors", "chest of drawers", "louvres", "bow front", "armoire", "modules",
                    "wall of cupboards", "ajar", "behind cloth")  # fmt: skip
OFFICE_CABINETS = (
    "filing cabinet",
    "sideboard",
    "half open",
    "wardrobe",
    "sheet steel",
    "modules",
    "pigeon holes",
    "ajar",
)
BATH_CABINETS = ("chest of drawers", "wardrobe", "corner cabinet", "louvres", "plastic tower", "modules", "hung low")
CORRIDOR_CABINETS = ("sideboard", "shoe cabinet", "wardrobe", "filing cabinet", "bow front", "louvres", "sheet steel",
                     "lidded box", "wall of cupboards", "hung low")  # fmt: skip


def several(
    plan: Floorplan,
    label: str,
    low: int,
    high: int,
    names: tuple[str, ...] | None = None,
    chance: float = 1.0,
    free: float = 0.0,
    **where: Any,
) -> list[tuple[Assembly, int]]:
    """Place between `low` and `high` pieces of a class against walls; returns each placed piece with its wall.

    `names` limits the constructions, except in a fraction `free` of the rooms.
    """
    placed = []
    if free and plan.rng.random() < free:
        names = None
    if plan.rng.random() < chance:
        for _ in range(int(plan.rng.integers(low, high + 1))):
            placement = plan.against_wall(plan.catalogue.build(label, plan.rng, names=names), **where)
            placed += [placement] if placement else []
    return placed


def openings(plan: Floorplan, doors: int = 1, windows: float = 0.8) -> None:
    """Add doors, then windows with or without curtains. Call this first, so that furniture leaves them free."""
    rng = plan.rng
    for _ in range(doors):
        plan.against_wall(plan.catalogue.build("door", rng, mount="wall"), front=0.7, gap=0)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < windows else 0):
        window = plan.catalogue.build("window", rng, mount="wall")
        high = window.bounds()[1]
        sill = rng.uniform(0.6, 1.15)
        if sill + high[2] > plan.height - 0.1:
            sill = max(0.1, plan.height - 0.15 - high[2])
        placement = plan.against_wall(window, z=sill, gap=0)
        if placement and rng.random() < 0.55:
            _curtain(plan, *placement)


def _curtain(plan: Floorplan, window: Assembly, wall: int) -> None:
    """Add a curtain in front of a window, close to the wall; it may overlap the outline of the window."""
    rng = plan.rng
    for _ in range(3):
        curtain = plan.catalogue.build("curtain", rng, mount="wall")
        low, high = curtain.bounds()
        window_low, window_high = window.bounds()
        wide = max((window_high - window_low)[:2])
        curtain = curtain.stretched(float(np.clip(wide * rng.uniform(0.95, 1.4) / (high - low)[0], 0.4, 2.5)))
        low, high = curtain.bounds()
        middle = (window_low + window_high) / 2
        along = along_wall(window, wall)
        top = min(plan.height - 0.03, window_high[2] + rng.uniform(0.05, 0.3))
        z = max(0.02, top - high[2])
        if z + high[2] > plan.height:
            curtain = curtain.stretched(1.0, 1.0, (plan.height - 0.1) / float(high[2]))
            z = 0.02
        before, plan.taken = plan.taken, [t for t in plan.taken if not np.allclose(t[0].mean(0), middle[:2], atol=0.15)]
        placement = plan.against_wall(curtain, wall, along, z=z, gap=0.02)
        plan.taken = before + ([plan.taken[-1]] if placement else [])
        if placement:
            return


def along_wall(piece: Assembly, wall: int) -> float:
    """Position of the middle of a placed piece along its wall, which `against_wall` takes to put a piece above it."""
    low, high = piece.bounds()
    return float(np.array([np.cos(WALL_YAW[wall]), np.sin(WALL_YAW[wall])]) @ (low + high)[:2] / 2)


def hang(plan: Floorplan, pictures: int, others: tuple[str, ...] = ()) -> None:
    """Hang pictures at eye height and other objects on walls. Call this last, so that they hang above the furniture."""
    rng = plan.rng
    for _ in range(pictures):
        piece = plan.catalogue.build("picture", rng, mount="wall")
        size = piece.bounds()[1][2]
        plan.against_wall(
            piece, z=float(np.clip(rng.normal(1.55, 0.15) - size / 2, 0.5, plan.height - size - 0.1)), gap=0
        )
    for name in others:
        piece = plan.catalogue.build("otherfurniture", rng, mount="wall", names=(name,))
        z = {"radiator": 0.12, "wall shelf": rng.uniform(1.0, 1.7)}.get(name, rng.uniform(0.9, 1.3))
        plan.against_wall(piece, z=min(z, plan.height - piece.bounds()[1][2] - 0.05), gap=0)


def extras(plan: Floorplan, names: tuple[str, ...], most: int) -> None:
    """Place smaller pieces along the walls, or meshes of otherfurniture."""
    for _ in range(int(plan.rng.integers(0, most + 1))):
        wanted = None if plan.rng.random() < 0.4 else names
        plan.against_wall(plan.catalogue.build("otherfurniture", plan.rng, names=wanted), skew=0.1, gap=0.15)


def workplace(plan: Floorplan) -> Assembly | None:
    placement = plan.against_wall(plan.catalogue.build("desk", plan.rng), front=0.6) if plan.rng.random() < 0.75 else (
        plan.somewhere(plan.catalogue.build("desk", plan.rng), square=0.9))  # fmt: skip
    if not placement:
        return None
    desk = placement[0]
    seats = desk.seats or _front_seat(desk, placement[1] if isinstance(placement[1], float) else WALL_YAW[placement[1]])
    plan.seat(Assembly(desk.bodies, desk.surfaces, seats), 0.9, OFFICE_CHAIRS if plan.rng.random() < 0.6 else None)
    return desk


def _front_seat(piece: Assembly, yaw: float) -> tuple:
    """Position of the chair at a desk that defines no seats: in front of its middle."""
    low, high = piece.bounds()
    ahead = np.array([np.sin(yaw), -np.cos(yaw)])
    x, y = (low + high)[:2] / 2 + ahead * abs(ahead @ (high - low)[:2]) / 2
    return ((float(x), float(y), yaw + np.pi),)


def dining(plan: Floorplan, chance: float = 1.0, share: float = 0.8) -> None:
    """Place a table with chairs in the open or at a wall."""
    rng = plan.rng
    if rng.random() > chance:
        return
    table = plan.catalogue.build("table", rng, names=DINING_TABLES)
    placement = plan.somewhere(table, square=0.85)
    if placement:
        placed = placement[0]
        seats = placed.seats
        if not seats and rng.random() < 0.8:
            low, high = table.bounds()
            width, depth = (high - low)[:2]
            local = Assembly(table.bodies, seats=tuple(seats_around(width, depth, rng)))
            x, y = np.add(*placed.bounds())[:2] / 2
            seats = local.placed(x, y, 0, placement[1]).seats
        plan.seat(Assembly(placed.bodies, placed.surfaces, seats), share)


def shower_before(plan: Floorplan, tub: Assembly, wall: int) -> None:
    """Hang a shower curtain along the open side of a tub; its lower edge is inside the tub or just above the rim."""
    rng, yaw = plan.rng, WALL_YAW[wall]
    low, high = tub.bounds()
    across, ahead = np.array([np.cos(yaw), np.sin(yaw)]), np.array([np.sin(yaw), -np.cos(yaw)])
    length, depth = abs(across @ (high - low)[:2]), abs(ahead @ (high - low)[:2])
    curtain = plan.catalogue.build("shower curtain", rng, names=("on a rod", "plain sheet"))
    size = np.subtract(*curtain.bounds()[::-1])
    curtain = curtain.stretched(float(np.clip(length / size[0], 0.5, 2.0)))
    x, y = (low + high)[:2] / 2 + ahead * (depth / 2 + rng.uniform(-0.05, 0.06))
    z = rng.uniform(0.15, high[2] + 0.05)
    if z + size[2] < plan.height - 0.02:
        plan.add(curtain.placed(x, y, z, yaw))


def shower_in_corner(plan: Floorplan) -> None:
    """A curtained corner of the room."""
    rng = plan.rng
    curtain = plan.catalogue.build("shower curtain", rng, names=("round the corner", "on a rod"))
    low, high = curtain.bounds()
    wall = int(rng.integers(4))
    side = rng.choice([-1, 1])
    reach = rng.uniform(0.75, 1.0)
    along = side * (plan.length(wall) / 2 - (high - low)[0] / 2)
    x, y = rotation(WALL_YAW[wall])[:2, :2] @ (along, (plan.depth, plan.width)[wall % 2] / 2 - reach)
    z = rng.uniform(0.03, 0.2)
    outline = plan.outline_at(curtain, x, y, WALL_YAW[wall])
    if z + high[2] < plan.height and plan.free(outline, z, high[2] + z):
        plan.add(curtain.placed(x, y, z, WALL_YAW[wall]), outline)
