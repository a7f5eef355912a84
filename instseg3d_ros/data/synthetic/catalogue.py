"""The source of furniture and objects: registered constructions, and meshes from folders."""

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
    """Builds pieces of a class, by a construction or from a mesh.

    held_out: only reserved constructions are built (or any, if a class has none for the mount); otherwise only the
    others. mesh_share: share of the pieces that are meshes, if the class has meshes; half of this share if certain
    constructions are requested, and 0 for named constructions of otherfurniture, whose meshes can have any shape.
    """

    meshes: MeshLibrary = field(default_factory=MeshLibrary)
    held_out: bool = False
    mesh_share: float = 0.25

    def build(
        self, label: str, rng: np.random.Generator, mount: str = "floor", names: tuple[str, ...] | None = None
    ) -> Assembly:
        """A new piece that stands, hangs or lies according to `mount`; `names` limits the constructions."""
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
