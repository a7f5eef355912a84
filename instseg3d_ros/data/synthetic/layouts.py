"""What rooms are for: each layout furnishes an empty floor plan the way such a room is used.

@layout("bedroom", size=((2.6, 5.0), (2.6, 5.0)))
def bedroom(plan): ...put pieces into plan
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.synthetic.floorplan import WALL_YAW, Floorplan
from instseg3d_ros.data.synthetic.mesh import Assembly, rotation


@dataclass(frozen=True)
class Layout:
    """`size` gives the ranges of width and depth in metres; `weight` its share of all rooms."""

    furnish: Callable[[Floorplan], None]
    size: tuple[tuple[float, float], tuple[float, float]]
    weight: float


LAYOUTS: dict[str, Layout] = {}

DINING_TABLES = ("dining table", "round table", "covered table", "conference table")
LOW_TABLES = ("coffee table", "round table", "block table", "side table", "nest of tables", "tray table")
EASY_CHAIRS = ("armchair", "tub", "slipper", "wooden armchair", "recliner", "shell")
OFFICE_CHAIRS = ("swivel", "executive", "four legs", "shell", "cantilever")


def layout(name: str, size, weight: float = 1.0):
    def add(furnish):
        LAYOUTS[name] = Layout(furnish, size, weight)
        return furnish

    return add


# ---- what several rooms share ------------------------------------------------------------------------------------


def _some(plan: Floorplan, label: str, low: int, high: int, names=None, chance: float = 1.0, **where) -> list:
    """Between `low` and `high` pieces of a class against walls; each placed piece with its wall."""
    placed = []
    if plan.rng.random() < chance:
        for _ in range(int(plan.rng.integers(low, high + 1))):
            found = plan.against_wall(plan.catalogue.build(label, plan.rng, names=names), **where)
            placed += [found] if found else []
    return placed


def _openings(plan: Floorplan, doors: int = 1, windows: float = 0.8) -> None:
    """Doors, then windows with or without curtains. First of all, since furniture goes around them."""
    rng = plan.rng
    for _ in range(doors):
        plan.against_wall(plan.catalogue.build("door", rng, mount="wall"), front=0.7, gap=0)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < windows else 0):
        window = plan.catalogue.build("window", rng, mount="wall")
        high = window.bounds()[1]
        sill = rng.uniform(0.6, 1.15)
        if sill + high[2] > plan.height - 0.1:
            sill = max(0.1, plan.height - 0.15 - high[2])
        found = plan.against_wall(window, z=sill, gap=0)
        if found and rng.random() < 0.55:
            _curtain(plan, *found)


def _curtain(plan: Floorplan, window: Assembly, wall: int) -> None:
    """Before a window, a hand's breadth from the wall; the window is no obstacle to it."""
    rng = plan.rng
    for _ in range(3):
        curtain = plan.catalogue.build("curtain", rng, mount="wall")
        low, high = curtain.bounds()
        window_low, window_high = window.bounds()
        wide = max((window_high - window_low)[:2])
        curtain = curtain.stretched(float(np.clip(wide * rng.uniform(0.95, 1.4) / (high - low)[0], 0.4, 2.5)))
        low, high = curtain.bounds()
        middle = (window_low + window_high) / 2
        along = _along(window, wall)
        top = min(plan.height - 0.03, window_high[2] + rng.uniform(0.05, 0.3))
        z = max(0.02, top - high[2])
        if z + high[2] > plan.height:
            curtain = curtain.stretched(1.0, 1.0, (plan.height - 0.1) / float(high[2]))
            z = 0.02
        before, plan.taken = plan.taken, [t for t in plan.taken if not np.allclose(t[0].mean(0), middle[:2], atol=0.15)]
        found = plan.against_wall(curtain, wall, along, z=z, gap=0.02)
        plan.taken = before + ([plan.taken[-1]] if found else [])
        if found:
            return


def _along(piece: Assembly, wall: int) -> float:
    """Where the middle of a placed piece lies along its wall: what `against_wall` takes to put another above it."""
    low, high = piece.bounds()
    return float(np.array([np.cos(WALL_YAW[wall]), np.sin(WALL_YAW[wall])]) @ (low + high)[:2] / 2)


def _walls(plan: Floorplan, pictures: int, others: tuple[str, ...] = ()) -> None:
    """Pictures at eye height and other things that hang; last, above the furniture."""
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


def _extras(plan: Floorplan, names: tuple[str, ...], most: int) -> None:
    """Smaller pieces along the walls, or meshes of otherfurniture."""
    for _ in range(int(plan.rng.integers(0, most + 1))):
        wanted = None if plan.rng.random() < 0.4 else names
        plan.against_wall(plan.catalogue.build("otherfurniture", plan.rng, names=wanted), skew=0.1, gap=0.15)


def _desk(plan: Floorplan) -> Assembly | None:
    found = plan.against_wall(plan.catalogue.build("desk", plan.rng), front=0.6) if plan.rng.random() < 0.75 else (
        plan.somewhere(plan.catalogue.build("desk", plan.rng), square=0.9))  # fmt: skip
    if not found:
        return None
    desk = found[0]
    seats = desk.seats or _front_seat(desk, found[1] if isinstance(found[1], float) else WALL_YAW[found[1]])
    plan.seat(Assembly(desk.bodies, desk.surfaces, seats), 0.9, OFFICE_CHAIRS if plan.rng.random() < 0.6 else None)
    return desk


def _front_seat(piece: Assembly, yaw: float) -> tuple:
    """Where a chair goes at a desk that does not say: before the middle of its front."""
    low, high = piece.bounds()
    ahead = np.array([np.sin(yaw), -np.cos(yaw)])
    x, y = (low + high)[:2] / 2 + ahead * abs(ahead @ (high - low)[:2]) / 2
    return ((float(x), float(y), yaw + np.pi),)


def _dining(plan: Floorplan, chance: float = 1.0, share: float = 0.8) -> None:
    """A table in the open with chairs, or at a wall."""
    rng = plan.rng
    if rng.random() > chance:
        return
    table = plan.catalogue.build("table", rng, names=DINING_TABLES)
    found = plan.somewhere(table, square=0.85)
    if found:
        placed = found[0]
        seats = placed.seats
        if not seats and rng.random() < 0.8:
            low, high = table.bounds()
            from instseg3d_ros.data.synthetic.furniture.table import seats_around

            local = Assembly(table.bodies, seats=tuple(seats_around(*(high - low)[:2], rng)))
            middle = np.add(*placed.bounds())[:2] / 2
            seats = local.placed(*middle, 0, found[1]).seats
        plan.seat(Assembly(placed.bodies, placed.surfaces, seats), share)


# ---- the rooms ---------------------------------------------------------------------------------------------------


@layout("living", ((3.0, 6.5), (3.0, 6.0)), weight=2)
def living(plan: Floorplan):
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan, int(rng.integers(1, 3)))
    sofas = _some(plan, "sofa", 1, 2)
    if not sofas:
        plan.somewhere(build("sofa", rng), 0.9)
    for sofa, wall in sofas[:1]:
        if rng.random() < 0.85:
            plan.in_front(build("table", rng, names=LOW_TABLES), sofa, WALL_YAW[wall], rng.uniform(0.2, 0.5))
    for _ in range(int(rng.integers(0, 3))):
        plan.somewhere(build("chair", rng, names=EASY_CHAIRS), 0.3)
    _some(plan, "bookshelf", 0, 2)
    _some(plan, "cabinet", 0, 2, None if rng.random() < 0.5 else ("sideboard", "half open", "television bench"))
    _dining(plan, 0.4)
    _extras(plan, ("floor lamp", "plant", "television on stand", "ottoman", "bench", "fireplace", "basket", "fan"), 4)
    _walls(plan, int(rng.integers(0, 5)), ("radiator", "television on wall") if rng.random() < 0.5 else ())


@layout("bedroom", ((2.5, 5.0), (2.6, 5.0)), weight=2)
def bedroom(plan: Floorplan):
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan)
    for bed, wall in _some(plan, "bed", 1, 1 if rng.random() < 0.8 else 2):
        low, high = bed.bounds()
        middle, yaw = (low + high)[:2] / 2, WALL_YAW[wall]
        across = np.array([np.cos(yaw), np.sin(yaw)])
        for side in (-1, 1):
            if rng.random() < 0.6:
                stand = build("otherfurniture", rng, names=("night stand",)) if rng.random() < 0.6 else (
                    build("table", rng, names=("side table", "tray table")))  # fmt: skip
                half = abs(across @ (high - low)[:2]) / 2 + np.subtract(*stand.bounds()[::-1])[0] / 2 + 0.05
                plan.against_wall(stand, wall, float(across @ middle + side * half))
    _some(plan, "cabinet", 1, 2, ("wardrobe", "sliding doors", "chest of drawers"))
    if rng.random() < 0.5:
        _desk(plan)
    _some(plan, "bookshelf", 0, 1)
    _some(plan, "chair", 0, 1, skew=0.3)
    _extras(plan, ("floor lamp", "plant", "ottoman", "coat stand", "suitcase", "bin", "bench"), 3)
    _walls(plan, int(rng.integers(0, 4)), ("mirror", "radiator", "wall shelf")[: rng.integers(0, 4)])


@layout("office", ((2.8, 7.0), (2.8, 6.0)), weight=2)
def office(plan: Floorplan):
    rng = plan.rng
    _openings(plan, int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 5))):
        _desk(plan)
    _some(plan, "cabinet", 1, 3, ("filing cabinet", "sideboard", "half open", "wardrobe", "sliding doors"))
    _some(plan, "bookshelf", 0, 3)
    _dining(plan, 0.25)
    _extras(plan, ("bin", "plant", "coat stand", "cardboard box", "printer", "water cooler", "heater and cooler"), 4)
    _walls(plan, int(rng.integers(0, 3)), ("whiteboard", "radiator", "wall shelf")[: rng.integers(0, 4)])


@layout("kitchen", ((2.2, 5.0), (2.4, 5.0)), weight=2)
def kitchen(plan: Floorplan):
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan, windows=0.6)
    for counter, wall in _some(plan, "counter", 1, 3, ("kitchen run", "kitchen run", "corner counter")):
        along = _along(counter, wall)
        if rng.random() < 0.6:
            hung = build("cabinet", rng, mount="wall")
            plan.against_wall(hung, wall, along + rng.normal(0, 0.1), z=rng.uniform(1.35, 1.5), gap=0)
    _some(plan, "refrigerator", 1, 1, chance=0.85)
    for stove, wall in _some(plan, "otherfurniture", 1, 1, ("stove",), chance=0.6):
        if rng.random() < 0.6:
            along = _along(stove, wall)
            hood = build("otherfurniture", rng, mount="wall", names=("hood",))
            plan.against_wall(hood, wall, along, z=rng.uniform(1.5, 1.7), gap=0)
    if rng.random() < 0.25 and min(plan.width, plan.depth) > 3:
        plan.somewhere(build("counter", rng, names=("island",)), 1.0, centred=True)
    _dining(plan, 0.7)
    _some(plan, "cabinet", 0, 2, ("sideboard", "kitchen tall unit", "half open"))
    _extras(plan, ("bin", "washer", "crate", "stool", "trolley", "plant"), 4)
    _walls(plan, int(rng.integers(0, 3)), ("wall shelf", "radiator")[: rng.integers(0, 3)])


@layout("bath", ((1.7, 3.6), (1.8, 3.6)), weight=2.5)
def bath(plan: Floorplan):
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan, windows=0.35)
    for tub, wall in _some(plan, "bathtub", 1, 1, chance=0.75):
        if rng.random() < 0.65:
            _shower_before(plan, tub, wall)
    if rng.random() < 0.35:
        _shower_in_corner(plan)
    _some(plan, "toilet", 1, 1, chance=0.9, front=0.3)
    if rng.random() < 0.35:
        plan.against_wall(build("sink", rng, mount="wall"), z=0.62, gap=0)
    for sink, wall in _some(plan, "sink", 1, 1 if rng.random() < 0.8 else 2, front=0.3):
        if rng.random() < 0.7:
            along = _along(sink, wall)
            mirror = build("otherfurniture", rng, mount="wall", names=("mirror",)) if rng.random() < 0.7 else (
                build("cabinet", rng, mount="wall"))  # fmt: skip
            plan.against_wall(mirror, wall, along, z=rng.uniform(1.15, 1.35), gap=0)
    _some(plan, "cabinet", 0, 1, ("chest of drawers", "wardrobe", "filing cabinet", "corner cabinet"))
    _extras(plan, ("bin", "washer", "stool", "basket", "plant"), 2)
    _walls(plan, int(rng.integers(0, 2)), ("radiator",) if rng.random() < 0.5 else ())


def _shower_before(plan: Floorplan, tub: Assembly, wall: int) -> None:
    """A shower curtain along the open side of a tub, its lower edge inside or just over the rim."""
    rng, yaw = plan.rng, WALL_YAW[wall]
    low, high = tub.bounds()
    across, ahead = np.array([np.cos(yaw), np.sin(yaw)]), np.array([np.sin(yaw), -np.cos(yaw)])
    length, depth = abs(across @ (high - low)[:2]), abs(ahead @ (high - low)[:2])
    curtain = plan.catalogue.build("shower curtain", rng, names=("on a rod", "plain sheet"))
    own = np.subtract(*curtain.bounds()[::-1])
    curtain = curtain.stretched(float(np.clip(length / own[0], 0.5, 2.0)))
    place = (low + high)[:2] / 2 + ahead * (depth / 2 + rng.uniform(-0.05, 0.06))
    z = rng.uniform(0.15, high[2] + 0.05)
    if z + own[2] < plan.height - 0.02:
        plan.add(curtain.placed(*place, z, yaw))


def _shower_in_corner(plan: Floorplan) -> None:
    """A curtained corner of the room."""
    rng = plan.rng
    curtain = plan.catalogue.build("shower curtain", rng, names=("round the corner", "on a rod"))
    low, high = curtain.bounds()
    wall = int(rng.integers(4))
    side = rng.choice([-1, 1])
    reach = rng.uniform(0.75, 1.0)
    along = side * (plan.wall_length(wall) / 2 - (high - low)[0] / 2)
    x, y = rotation(WALL_YAW[wall])[:2, :2] @ (along, (plan.depth, plan.width)[wall % 2] / 2 - reach)
    z = rng.uniform(0.03, 0.2)
    outline = plan._outline(curtain, x, y, WALL_YAW[wall])
    if z + high[2] < plan.height and plan.free(outline, z, high[2] + z):
        plan.add(curtain.placed(x, y, z, WALL_YAW[wall]), outline)


@layout("meeting", ((3.0, 7.0), (3.0, 5.5)), weight=1.2)
def meeting(plan: Floorplan):
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan)
    for _ in range(int(rng.integers(1, 4))):
        table = build("table", rng, names=DINING_TABLES)
        found = plan.somewhere(table, 1.0, centred=True)
        if found:
            plan.seat(found[0], rng.uniform(0.6, 1.0))
    _some(plan, "cabinet", 0, 2, ("sideboard", "filing cabinet", "half open"))
    _some(plan, "chair", 0, 4, skew=0.2)
    _extras(plan, ("plant", "bin", "television on stand", "coat stand"), 3)
    _walls(plan, int(rng.integers(0, 3)), ("whiteboard", "television on wall")[: rng.integers(0, 3)])


@layout("corridor", ((1.3, 2.4), (3.5, 8.0)), weight=0.8)
def corridor(plan: Floorplan):
    rng = plan.rng
    _openings(plan, int(rng.integers(2, 6)), windows=0.3)
    _some(plan, "cabinet", 0, 3, ("sideboard", "shoe cabinet", "wardrobe", "filing cabinet"))
    _some(plan, "chair", 0, 4)
    _some(plan, "table", 0, 1, ("side table", "console"))
    _extras(plan, ("bench", "coat stand", "plant", "cardboard box", "bin"), 4)
    _walls(plan, int(rng.integers(1, 6)), ("radiator", "mirror", "whiteboard")[: rng.integers(0, 4)])


@layout("store", ((2.2, 5.5), (2.2, 5.5)), weight=1)
def store(plan: Floorplan):
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan, windows=0.3)
    _some(plan, "bookshelf", 1, 5, None)
    _some(plan, "cabinet", 0, 2)
    _some(plan, "table", 0, 2)
    _some(plan, "refrigerator", 0, 1, chance=0.3)
    _some(plan, "counter", 0, 1, chance=0.3)
    _some(plan, "desk", 0, 1, chance=0.3)
    for _ in range(int(rng.integers(2, 9))):
        names = (
            None
            if rng.random() < 0.3
            else ("cardboard box", "crate", "suitcase", "bin", "stack of boxes", "trolley", "sack and heap")
        )
        plan.somewhere(build("otherfurniture", rng, names=names), 0.6)
    _walls(plan, 0, ("wall shelf",) if rng.random() < 0.4 else ())


@layout("anything", ((2.5, 6.0), (2.5, 6.0)), weight=1.5)
def anything(plan: Floorplan):
    """Any furniture in any room: teaches that a class is its shape, not its company."""
    rng, build = plan.rng, plan.catalogue.build
    _openings(plan, int(rng.integers(0, 3)))
    labels = (
        "chair", "chair", "table", "desk", "sofa", "bed", "cabinet", "bookshelf", "counter", "refrigerator",
        "toilet", "bathtub", "sink", "otherfurniture", "otherfurniture", "shower curtain",
    )  # fmt: skip
    for label in rng.choice(labels, int(rng.integers(5, 16))):
        piece = build(str(label), rng)
        if rng.random() < 0.7:
            plan.against_wall(piece, gap=0.2, skew=0.05)
        else:
            plan.somewhere(piece)
    _walls(plan, int(rng.integers(0, 5)), ("mirror", "radiator", "whiteboard", "wall shelf")[: rng.integers(0, 5)])
