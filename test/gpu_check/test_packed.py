"""The archive of `requirements/pack_cuda.sh` is found, unpacked once and importable; the script itself is not run."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.gpu_check import clouds, packed
from instseg3d_ros.gpu_check.card import FULL
from instseg3d_ros.network.model import Architecture, Network

ROOT = Path(__file__).parents[2]


@pytest.fixture
def requirements(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "share", lambda folder: tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    packed.packed.cache_clear()
    yield tmp_path
    packed.packed.cache_clear()


def test_nothing_packed(requirements):
    before = list(sys.path)
    assert packed.use_packed() is None and sys.path == before


def test_archive_is_unpacked_and_importable(requirements, tmp_path):
    source = tmp_path / "source" / "cuda"
    (source / "site").mkdir(parents=True)
    (source / "site" / "only_packed.py").write_text("ANSWER = 42\n")
    frames = source / "frames" / "val_64x48" / "val"
    frames.mkdir(parents=True)
    (frames / "room.npz").write_bytes(b"")
    with tarfile.open(requirements / "cuda.tar.xz", "w:xz") as file:
        file.add(source, "cuda")
    assert packed.use_packed() == requirements / "cuda" == packed.use_packed()
    assert sys.path[-1] == str(requirements / "cuda" / "site") and sys.path.count(sys.path[-1]) == 1
    import only_packed

    assert only_packed.ANSWER == 42
    assert clouds.scenes(tmp_path, "val", 1, (64, 48)) == requirements / "cuda" / "frames" / "val_64x48"
    assert not list(requirements.glob(".cuda-*"))


def test_damaged_archive_is_named(requirements):
    (requirements / "cuda.tar.xz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match=r"cuda\.tar\.xz: cannot be unpacked"):
        packed.use_packed()


def test_script_and_recipe_are_whole():
    subprocess.run(["bash", "-n", str(ROOT / "requirements" / "pack_cuda.sh")], check=True)
    text = (ROOT / "requirements" / "pack_cuda.sh").read_text()
    assert "instseg3d_ros.gpu_check.clouds" in text and FULL.train_frames >= FULL.batch_size
    network = Network(Architecture(backbone="resnet", width=32, repetitions=2))
    with torch.no_grad():
        count = sum(value.numel() for value in network.state_dict().values())
    assert 2 * count < 65e6  # bytes of models/resnet.safetensors in float16
