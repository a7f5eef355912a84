"""Furniture from mesh files in a folder with a sub-folder per class (`shower_curtain` means "shower curtain").

Files are GLB, OBJ or PLY in metres, z up, front towards -y, bottom at z = 0, vertex colours optional. A geometry whose
name is a class becomes a separate body. If the folder has a `SOURCES.csv`, its column `mount` has the mount of each
file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from instseg3d_ros.data.synthetic.materials import Material, any_color
from instseg3d_ros.data.synthetic.mesh import Assembly, Body, Part, Shape, Surface
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC

EXTENSIONS = (".glb", ".gltf", ".obj", ".ply")
STAND_ON = {"table", "desk", "cabinet", "counter", "bookshelf", "otherfurniture", "refrigerator"}


@dataclass(frozen=True)
class MeshLibrary:
    """Paths of mesh files by (class, mount)."""

    files: dict[tuple[str, str], tuple[Path, ...]] = field(default_factory=dict)

    @staticmethod
    def scan(folders: Path | Sequence[Path], without: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> MeshLibrary:
        """Find the mesh files in the sub-folders of one or more folders.

        Names that begin with a prefix in `without` are left out; if `only` is given, names must begin with one of its
        prefixes. Raises InputError if there are no meshes.
        """
        files: dict[tuple[str, str], list[Path]] = {}
        for folder in [folders] if isinstance(folders, Path) else folders:
            for key, paths in _mesh_files(Path(folder), without, only).items():
                files.setdefault(key, []).extend(paths)
        if not files:
            raise InputError(
                f"{folders}: no {', '.join(EXTENSIONS)} in sub-folders named after a class; see generate --help"
            )
        return MeshLibrary({key: tuple(paths) for key, paths in files.items()})

    def has(self, label: str, mount: str) -> bool:
        """Whether there are meshes of a class for this mount."""
        return (label, mount) in self.files

    def build(self, label: str, rng: np.random.Generator, mount: str) -> Assembly:
        """Load a random mesh of the class, vary its size and colours, and mirror half of the meshes."""
        paths = self.files[label, mount]
        bodies = _load(paths[rng.integers(len(paths))])
        stretch = np.diag(rng.uniform(0.85, 1.15, 3) * rng.uniform(0.85, 1.15)).astype(np.float32)
        if rng.random() < 0.5:
            stretch[0, 0] *= -1  # mirrored
        recolor = _recoloring(rng)
        bodies_of_piece = []
        for name, shape in bodies:
            parts = tuple(replace(part, tint=None if part.tint is None else recolor(part.tint)) for part in shape.parts)
            bodies_of_piece.append(Body(name, Shape(parts).affine(stretch), loose=name == "object"))
        assembly = Assembly(tuple(bodies_of_piece))
        low, high = assembly.bounds()
        if label in STAND_ON and mount == "floor" and high[2] < 1.3:
            top = Surface(0, 0, float(high[2]), float(high[0] - low[0]) * 0.8, float(high[1] - low[1]) * 0.7)
            assembly = Assembly(assembly.bodies, (top,))
        return assembly


def _mesh_files(folder: Path, without: tuple[str, ...], only: tuple[str, ...]) -> dict[tuple[str, str], list[Path]]:
    """Mesh files of a folder by (class, mount)."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of meshes; expected one sub-folder per class in it")
    mounts = {}
    if (folder / "SOURCES.csv").is_file():
        with open(folder / "SOURCES.csv", newline="") as file:
            mounts = {row["file"]: row.get("mount", "floor") for row in csv.DictReader(file)}
    files: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.glob("*/*")):
        label = path.parent.name.replace("_", " ")
        if path.suffix.lower() not in EXTENSIONS or label not in SYNTHETIC.names or path.name.startswith(without):
            continue
        if only and not path.name.startswith(only):
            continue
        default = "table" if label == "object" else "floor"
        mount = mounts.get(path.relative_to(folder).as_posix(), default)
        files.setdefault((label, mount), []).append(path)
    return files


@lru_cache(maxsize=4096)
def _load(path: Path) -> tuple[tuple[str, Shape], ...]:
    import trimesh

    try:
        scene = trimesh.load_scene(path, process=False)
    except Exception as error:  # parsers raise many types of exceptions for damaged files
        raise InputError(f"{path}: cannot be read as a mesh ({error}); remove it or export it again") from None
    label = path.parent.name.replace("_", " ")
    bodies: dict[str, Shape] = {}
    for node in sorted(scene.graph.nodes_geometry):
        matrix, name = scene.graph[node]
        mesh = scene.geometry[name]
        vertices = np.asarray(mesh.vertices) @ matrix[:3, :3].T + matrix[:3, 3]
        colors = mesh.visual.to_color().vertex_colors if mesh.visual.kind == "texture" else mesh.visual.vertex_colors
        vertices, tint = vertices.astype(np.float32), np.asarray(colors)[:, :3].astype(np.uint8)
        part = Part(vertices, np.asarray(mesh.faces, np.int32), Material((1.0, 1.0, 1.0), gloss=0.15), vertices, tint)
        named = str(name).replace("_", " ")
        body = named if named in SYNTHETIC.names else label
        bodies[body] = bodies.get(body, Shape()) + Shape((part,))
    return tuple(bodies.items())


def _recoloring(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """A function of vertex colours that scales their brightness or replaces each flat colour by another."""
    kind, gain = rng.random(), rng.uniform(0.6, 1.3)
    seed = int(rng.integers(1 << 31))

    def recolor(tint: np.ndarray) -> np.ndarray:
        unique, inverse = np.unique(tint, axis=0, return_inverse=True)
        if kind < 0.3 or len(unique) > 64:
            return np.clip(tint * gain, 0, 255).astype(np.uint8)
        color_rng = np.random.default_rng(seed)
        palette = np.array([any_color(color_rng) if color_rng.random() < 0.7 else c / 255 for c in unique])
        return (palette[inverse.ravel()] * 255).astype(np.uint8)

    return recolor
