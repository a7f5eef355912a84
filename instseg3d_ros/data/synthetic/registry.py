"""The list of constructions: all functions that build a piece of a class.

    @construction("chair", "four legs")
    def four_legs(rng: np.random.Generator) -> Assembly: ...

A construction with `held_out=True` is reserved for tests: training sets do not contain it, and `--hold-out` renders it.
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
    """A construction. build(rng) returns a new Assembly; weight: relative frequency within its class and mount.

    mount: "floor" (it stands), "wall" (it hangs, with the wall at y = 0) or "table" (it lies on furniture).
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
    """A decorator that adds a function of a random generator to the list of its class."""

    def add(build: Build) -> Build:
        entry = Construction(label, name, build, mount or _MOUNTS.get(label, "floor"), held_out, weight)
        CONSTRUCTIONS.setdefault(label, []).append(entry)
        return build

    return add


def register(package: str, modules: Sequence[str]) -> None:
    """Import the modules of a package, which registers their constructions.

    A seed chooses a construction by its position in the list of its class. Add new constructions at the end, because
    another order changes the frames of existing seeds.
    """
    for module in modules:
        import_module(f"{package}.{module}")
