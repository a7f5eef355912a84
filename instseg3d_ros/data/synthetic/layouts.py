"""Layouts: each furnishes an empty floor plan as a type of room, such as a bedroom.

@layout("bedroom", size=((2.6, 5.0), (2.6, 5.0)))
def bedroom(plan): ...put pieces into plan
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.data.synthetic.arrangements import (
    BATH_CABINETS,
    BEDROOM_CABINETS,
    CORRIDOR_CABINETS,
    DINING_TABLES,
    EASY_CHAIRS,
    LIVING_CABINETS,
    LOW_TABLES,
    OFFICE_CABINETS,
    along_wall,
    dining,
    extras,
    hang,
    openings,
    several,
    shower_before,
    shower_in_corner,
    workplace,
)
from instseg3d_ros.data.synthetic.floorplan import Floorplan
from instseg3d_ros.data.synthetic.shell import WALL_YAW

Furnish = Callable[[Floorplan], None]


@dataclass(frozen=True)
class Layout:
    """A layout. size: ranges of width and depth in metres; weight: relative frequency among all rooms."""

    furnish: Furnish
    size: tuple[tuple[float, float], tuple[float, float]]
    weight: float


LAYOUTS: dict[str, Layout] = {}


def layout(
    name: str, size: tuple[tuple[float, float], tuple[float, float]], weight: float = 1.0
) -> Callable[[Furnish], Furnish]:
    def add(furnish: Furnish) -> Furnish:
        LAYOUTS[name] = Layout(furnish, size, weight)
        return furnish

    return add


@layout("living", ((3.0, 6.5), (3.0, 6.0)), weight=2)
def living(plan: Floorplan) -> None:
    rng, build = plan.rng, plan.catalogue.build
    openings(plan, int(rng.integers(1, 3)))
    sofas = several(plan, "sofa", 1, 2)
    if not sofas:
        plan.somewhere(build("sofa", rng), 0.9)
    for sofa, wall in sofas[:1]:
        if rng.random() < 0.85:
            plan.in_front(build("table", rng, names=LOW_TABLES), sofa, WALL_YAW[wall], rng.uniform(0.2, 0.5))
    for _ in range(int(rng.integers(0, 3))):
        plan.somewhere(build("chair", rng, names=EASY_CHAIRS), 0.3)
    several(plan, "bookshelf", 0, 2)
    several(plan, "cabinet", 0, 2, LIVING_CABINETS, free=0.5)
    dining(plan, 0.4)
    extras(plan, ("floor lamp", "plant", "television on stand", "ottoman", "bench", "fireplace", "basket", "fan",
                  "speaker", "tank", "tree for cats"), 4)  # fmt: skip
    hang(plan, int(rng.integers(0, 5)), ("radiator", "television on wall") if rng.random() < 0.5 else ())


@layout("bedroom", ((2.5, 5.0), (2.6, 5.0)), weight=2)
def bedroom(plan: Floorplan) -> None:
    rng, build = plan.rng, plan.catalogue.build
    openings(plan)
    for bed, wall in several(plan, "bed", 1, 1 if rng.random() < 0.8 else 2):
        low, high = bed.bounds()
        middle, yaw = (low + high)[:2] / 2, WALL_YAW[wall]
        across = np.array([np.cos(yaw), np.sin(yaw)])
        for side in (-1, 1):
            if rng.random() < 0.6:
                stand = build("otherfurniture", rng, names=("night stand",)) if rng.random() < 0.6 else (
                    build("table", rng, names=("side table", "tray table")))  # fmt: skip
                half = abs(across @ (high - low)[:2]) / 2 + np.subtract(*stand.bounds()[::-1])[0] / 2 + 0.05
                plan.against_wall(stand, wall, float(across @ middle + side * half))
    several(plan, "cabinet", 1, 2, BEDROOM_CABINETS)
    if rng.random() < 0.5:
        workplace(plan)
    several(plan, "bookshelf", 0, 1)
    several(plan, "chair", 0, 1, skew=0.3)
    extras(plan, ("floor lamp", "plant", "ottoman", "coat stand", "suitcase", "bin", "bench", "rail of clothes",
                  "folding screen"), 3)  # fmt: skip
    hang(plan, int(rng.integers(0, 4)), ("mirror", "radiator", "wall shelf")[: rng.integers(0, 4)])


@layout("office", ((2.8, 7.0), (2.8, 6.0)), weight=2)
def office(plan: Floorplan) -> None:
    rng = plan.rng
    openings(plan, int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 5))):
        workplace(plan)
    several(plan, "cabinet", 1, 3, OFFICE_CABINETS, free=0.3)
    several(plan, "bookshelf", 0, 3)
    dining(plan, 0.25)
    extras(plan, ("bin", "plant", "coat stand", "cardboard box", "printer", "water cooler", "heater and cooler"), 4)
    hang(plan, int(rng.integers(0, 3)), ("whiteboard", "radiator", "wall shelf")[: rng.integers(0, 4)])


@layout("kitchen", ((2.2, 5.0), (2.4, 5.0)), weight=2)
def kitchen(plan: Floorplan) -> None:
    rng, build = plan.rng, plan.catalogue.build
    openings(plan, windows=0.6)
    runs = ("kitchen run", "corner counter", "plain run", "peninsula", "in steps", "over open boards")
    for counter, wall in several(plan, "counter", 1, 3, runs, free=0.3):
        along = along_wall(counter, wall)
        if rng.random() < 0.6:
            hung = build("cabinet", rng, mount="wall")
            plan.against_wall(hung, wall, along + rng.normal(0, 0.1), z=rng.uniform(1.35, 1.5), gap=0)
    several(plan, "refrigerator", 1, 1, chance=0.85)
    for stove, wall in several(plan, "otherfurniture", 1, 1, ("stove",), chance=0.6):
        if rng.random() < 0.6:
            along = along_wall(stove, wall)
            hood = build("otherfurniture", rng, mount="wall", names=("hood",))
            plan.against_wall(hood, wall, along, z=rng.uniform(1.5, 1.7), gap=0)
    if rng.random() < 0.25 and min(plan.width, plan.depth) > 3:
        plan.somewhere(build("counter", rng, names=("island", "waterfall", "breakfast bar")), 1.0, centred=True)
    dining(plan, 0.7)
    several(plan, "cabinet", 0, 2, ("sideboard", "kitchen tall unit", "half open", "dresser", "modules"))
    extras(plan, ("bin", "washer", "crate", "stool", "trolley", "plant"), 4)
    hang(plan, int(rng.integers(0, 3)), ("wall shelf", "radiator")[: rng.integers(0, 3)])


@layout("bath", ((1.7, 3.6), (1.8, 3.6)), weight=2.5)
def bath(plan: Floorplan) -> None:
    rng, build = plan.rng, plan.catalogue.build
    openings(plan, windows=0.35)
    for tub, wall in several(plan, "bathtub", 1, 1, chance=0.75):
        if rng.random() < 0.65:
            shower_before(plan, tub, wall)
    if rng.random() < 0.35:
        shower_in_corner(plan)
    several(plan, "toilet", 1, 1, chance=0.9, front=0.3)
    if rng.random() < 0.35:
        plan.against_wall(build("sink", rng, mount="wall"), z=0.62, gap=0)
    for sink, wall in several(plan, "sink", 1, 1 if rng.random() < 0.8 else 2, front=0.3):
        if rng.random() < 0.7:
            along = along_wall(sink, wall)
            mirror = build("otherfurniture", rng, mount="wall", names=("mirror",)) if rng.random() < 0.7 else (
                build("cabinet", rng, mount="wall"))  # fmt: skip
            plan.against_wall(mirror, wall, along, z=rng.uniform(1.15, 1.35), gap=0)
    several(plan, "cabinet", 0, 1, BATH_CABINETS)
    extras(plan, ("bin", "washer", "stool", "basket", "plant"), 2)
    hang(plan, int(rng.integers(0, 2)), ("radiator",) if rng.random() < 0.5 else ())


@layout("meeting", ((3.0, 7.0), (3.0, 5.5)), weight=1.2)
def meeting(plan: Floorplan) -> None:
    rng, build = plan.rng, plan.catalogue.build
    openings(plan)
    for _ in range(int(rng.integers(1, 4))):
        table = build("table", rng, names=DINING_TABLES)
        found = plan.somewhere(table, 1.0, centred=True)
        if found:
            plan.seat(found[0], rng.uniform(0.6, 1.0))
    several(plan, "cabinet", 0, 2, ("sideboard", "filing cabinet", "half open", "bow front", "louvres", "modules"))
    several(plan, "chair", 0, 4, skew=0.2)
    extras(plan, ("plant", "bin", "television on stand", "coat stand"), 3)
    hang(plan, int(rng.integers(0, 3)), ("whiteboard", "television on wall")[: rng.integers(0, 3)])


@layout("corridor", ((1.3, 2.4), (3.5, 8.0)), weight=0.8)
def corridor(plan: Floorplan) -> None:
    rng = plan.rng
    openings(plan, int(rng.integers(2, 6)), windows=0.3)
    several(plan, "cabinet", 0, 3, CORRIDOR_CABINETS)
    several(plan, "chair", 0, 4)
    several(plan, "table", 0, 1, ("side table", "console"))
    extras(
        plan, ("bench", "coat stand", "plant", "cardboard box", "bin", "cycle", "pram", "rack of bottles or shoes"), 4
    )
    hang(plan, int(rng.integers(1, 6)), ("radiator", "mirror", "whiteboard")[: rng.integers(0, 4)])


@layout("hall", ((5.0, 11.0), (4.5, 9.0)), weight=3)
def hall(plan: Floorplan) -> None:
    """A large, rather empty room with some groups of seats and tables, and much visible wall and floor."""
    rng, build = plan.rng, plan.catalogue.build
    openings(plan, int(rng.integers(1, 4)))
    for sofa, wall in several(plan, "sofa", 0, 2):
        if rng.random() < 0.6:
            plan.in_front(build("table", rng, names=LOW_TABLES), sofa, WALL_YAW[wall], rng.uniform(0.2, 0.5))
    for _ in range(int(rng.integers(0, 3))):
        dining(plan, 0.7)
    if rng.random() < 0.3:
        several(plan, "counter", 1, 2)
        several(plan, "refrigerator", 0, 1)
    several(plan, "bookshelf", 0, 2)
    several(plan, "cabinet", 0, 2)
    for _ in range(int(rng.integers(0, 3))):
        plan.somewhere(build("chair", rng, names=EASY_CHAIRS), 0.3)
    extras(plan, ("floor lamp", "plant", "bench", "coat stand", "fireplace", "folding screen", "speaker"), 4)
    hang(plan, int(rng.integers(0, 6)), ("radiator", "television on wall", "whiteboard")[: rng.integers(0, 4)])


@layout("store", ((2.2, 5.5), (2.2, 5.5)), weight=1)
def store(plan: Floorplan) -> None:
    rng, build = plan.rng, plan.catalogue.build
    openings(plan, windows=0.3)
    several(plan, "bookshelf", 1, 5, None)
    several(plan, "cabinet", 0, 2)
    several(plan, "table", 0, 2)
    several(plan, "refrigerator", 0, 1, chance=0.3)
    several(plan, "counter", 0, 1, chance=0.3)
    several(plan, "desk", 0, 1, chance=0.3)
    for _ in range(int(rng.integers(2, 9))):
        names = (
            None
            if rng.random() < 0.3
            else ("cardboard box", "crate", "suitcase", "bin", "stack of boxes", "trolley", "sack and heap")
        )
        plan.somewhere(build("otherfurniture", rng, names=names), 0.6)
    hang(plan, 0, ("wall shelf",) if rng.random() < 0.4 else ())


@layout("anything", ((2.5, 6.0), (2.5, 6.0)), weight=3)
def anything(plan: Floorplan) -> None:
    """Any furniture in any room, so that a network learns the shape of a class and not its usual surroundings."""
    rng, build = plan.rng, plan.catalogue.build
    openings(plan, int(rng.integers(0, 3)))
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
    hang(plan, int(rng.integers(0, 5)), ("mirror", "radiator", "whiteboard", "wall shelf")[: rng.integers(0, 5)])
