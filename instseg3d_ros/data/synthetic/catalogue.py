"""Where a piece of a class comes from: the registered constructions, and meshes from a folder."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.data.synthetic import furniture, objects  # noqa: F401  (importing registers the constructions)
from instseg3d_ros.data.synthetic.library import MeshLibrary
from instseg3d_ros.data.synthetic.mesh import Assembly
from instseg3d_ros.data.synthetic.registry import CONSTRUCTIONS

STRETCH = {
    "floor": (0.88, 1.14),
    "wall": (0.95, 1.05),
    "table": (0.85, 1.2),
}  # of each axis, on top of the construction


@dataclass(frozen=True)
class Catalogue:
    """`held_out` builds only reserved constructions (any, where a class has none for the mount), otherwise only others.

    `mesh_share` is how often a class that has meshes is served from them; half as often where a room asks for certain
    constructions, and never for otherfurniture by name: a mesh of it may be anything.
    """

    meshes: MeshLibrary = field(default_factory=MeshLibrary)
    held_out: bool = False
    mesh_share: float = 0.25

    def build(
        self, label: str, rng: np.random.Generator, mount: str = "floor", names: tuple[str, ...] | None = None
    ) -> Assembly:
        """One new piece that stands, hangs or lies as `mount` says; `names` limits the constructions."""
        often = 1.0 if names is None else 0.0 if label == "otherfurniture" else 0.5
        if often and self.meshes.has(label, mount) and rng.random() < often * self.mesh_share:
            return self.meshes.build(label, rng, mount)
        mounted = [c for c in CONSTRUCTIONS[label] if c.mount == mount]
        named = [c for c in mounted if names is None or c.name in names]
        allowed = [[c for c in options if c.held_out == self.held_out] for options in (named, mounted)]
        options = allowed[0] or allowed[1] or mounted
        weights = [c.weight for c in options]
        built = options[rng.choice(len(options), p=[w / sum(weights) for w in weights])].build(rng)
        return built.stretched(*rng.uniform(*STRETCH[mount], 3))
