"""The list of constructions: every way in which a class can be built.

    @construction("chair", "four legs")
    def four_legs(rng: np.random.Generator) -> Assembly: ...

A construction reserved with `held_out=True` is left out of training sets and is what `--hold-out` renders instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from instseg3d_ros.data.synthetic.mesh import Assembly

Build = Callable[[np.random.Generator], Assembly]


@dataclass(frozen=True)
class Construction:
    """`build(rng)` returns a new Assembly each time; `weight` is its share among those of its class and mount.

    mount: "floor" stands, "wall" hangs with the wall at y = 0, "table" lies on furniture.
    """

    label: str
    name: str
    build: Build
    mount: str = "floor"
    held_out: bool = False
    weight: float = 1.0


CONSTRUCTIONS: dict[str, list[Construction]] = {}


_MOUNTS = {"door": "wall", "window": "wall", "picture": "wall", "curtain": "wall", "object": "table"}


def construction(
    label: str, name: str, mount: str | None = None, held_out: bool = False, weight: float = 1.0
) -> Callable[[Build], Build]:
    """Decorator that adds a function of a random generator to the list of its class."""

    def add(build: Build) -> Build:
        entry = Construction(label, name, build, mount or _MOUNTS.get(label, "floor"), held_out, weight)
        CONSTRUCTIONS.setdefault(label, []).append(entry)
        return build

    return add


def register(package: str, modules: Sequence[str]) -> None:
    """Import the modules of a package, which registers their constructions.

    A seed draws a construction by its place in the list of its class: another order of the modules, or a construction
    between others, makes other frames of the same seed. Add new ones at the end.
    """
    for module in modules:
        import_module(f"{package}.{module}")
