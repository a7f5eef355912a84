"""Meshes from a folder: classes by folder and geometry name, mounts by table, excluded families."""

import numpy as np
import pytest

from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.library import MeshLibrary
from instseg3d_ros.errors import InputError

trimesh = pytest.importorskip("trimesh")


@pytest.fixture
def folder(tmp_path):
    def save(name, *geometries):
        scene = trimesh.Scene()
        for label, lift in geometries:
            mesh = trimesh.creation.box((0.6, 0.4, 0.2))
            mesh.apply_translation((0, 0, 0.1 + lift))
            mesh.visual.vertex_colors = [200, 10, 10, 255]
            scene.add_geometry(mesh, node_name=label, geom_name=label)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(scene.export(file_type="glb"))

    save("chair/acme_chair.glb", ("chair", 0))
    save("shower_curtain/acme_wet.glb", ("shower_curtain", 0))
    save("sink/other_unit.glb", ("sink", 0.2), ("counter", 0))
    (tmp_path / "SOURCES.csv").write_text("file,mount\nshower_curtain/acme_wet.glb,wall\n")
    return tmp_path


def test_folders_name_classes_and_the_table_mounts(folder):
    library = MeshLibrary.scan(folder)
    assert set(library.files) == {("chair", "floor"), ("shower curtain", "wall"), ("sink", "floor")}
    assert library.has("chair", "floor") and not library.has("chair", "wall")


def test_geometry_names_make_bodies(folder):
    piece = MeshLibrary.scan(folder).build("sink", np.random.default_rng(0), "floor")
    assert {body.label for body in piece.bodies} == {"sink", "counter"}
    for body in piece.bodies:
        size = np.subtract(*body.shape.bounds()[::-1])
        assert (np.abs(size / [0.6, 0.4, 0.2] - 1) < 0.35).all()
        assert body.shape.parts[0].tint.dtype == np.uint8


def test_families_can_be_kept_out_or_alone(folder):
    assert set(MeshLibrary.scan(folder, without=("acme_",)).files) == {("sink", "floor")}
    assert ("sink", "floor") not in MeshLibrary.scan(folder, only=("acme_",)).files


def test_several_folders_are_one_library(folder):
    both = MeshLibrary.scan([folder, folder], only=("acme_",)).files
    assert {key: paths * 2 for key, paths in MeshLibrary.scan(folder, only=("acme_",)).files.items()} == both
    with pytest.raises(InputError, match="no such folder"):
        MeshLibrary.scan([folder, folder / "nowhere"])


def test_catalogue_serves_meshes_as_often_as_asked(folder):
    rng = np.random.default_rng(0)
    always, never = (Catalogue(MeshLibrary.scan(folder), mesh_share=share) for share in (1.0, 0.0))
    assert all(always.build("chair", rng).bodies[0].shape.parts[0].tint is not None for _ in range(5))
    assert all(never.build("chair", rng).bodies[0].shape.parts[0].tint is None for _ in range(5))


def test_mistakes_are_told_in_one_line(folder, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        MeshLibrary.scan(folder / "nowhere")
    with pytest.raises(InputError, match=r"no \.glb"):
        MeshLibrary.scan(folder, without=("acme_", "other_"))
    (folder / "chair" / "broken.glb").write_bytes(b"no mesh")
    with pytest.raises(InputError, match=r"broken\.glb: cannot be read") as caught:
        MeshLibrary.scan(folder, only=("broken",)).build("chair", np.random.default_rng(0), "floor")
    assert "\n" not in str(caught.value)
