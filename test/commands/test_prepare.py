import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from nyuv2_files import write_nyuv2
from scannet_files import write_scannet

from instseg3d_ros.commands.table import run
from instseg3d_ros.data.scene import Scene, read_labels, scene_files
from instseg3d_ros.labels import NYUV2_19, SCANNET20

MESH = "_vh_clean_2.ply"


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_scannet_from_the_command_line(tmp_path, capsys):
    raw, out = write_scannet(tmp_path / "raw"), tmp_path / "out"
    assert run("prepare", ["scannet", str(raw), str(out), "--workers", "2"]) == 0
    assert "2 of 2 train, 2 of 2 val, 1 of 1 test; 5 written" in capsys.readouterr().out
    assert read_labels(out).names == SCANNET20.names
    assert [path.stem for path in scene_files(out, "val")] == ["scene0011_00", "scene0011_01"]
    assert len(Scene.read(scene_files(out, "train")[0])) > 5000
    assert run("prepare", ["scannet", str(raw), str(out)]) == 0
    assert "0 written, 5 existed already" in capsys.readouterr().out


def test_broken_and_missing_scans_are_named_counted_and_make_exit_code_1(tmp_path, capsys):
    raw, out = write_scannet(tmp_path / "raw"), tmp_path / "out"
    (raw / "scans" / "scene0000_01" / "scene0000_01.aggregation.json").unlink()
    mesh = raw / "scans" / "scene0011_00" / f"scene0011_00{MESH}"
    mesh.write_bytes(mesh.read_bytes()[:999])
    with open(raw / "scannetv2_val.txt", "a") as file:
        file.write("scene0015_00\n")
    assert run("prepare", ["scannet", str(raw), str(out), "--workers", "2"]) == 1
    printed = capsys.readouterr()
    for name in ("scene0000_01", "scene0011_00", "scene0015_00"):
        assert sum(f"{name} skipped" in line for line in printed.err.splitlines()) == 1
    assert "3 of 6 scenes skipped" in printed.err and "3 written" in printed.out


def test_nyuv2_from_the_command_line(tmp_path, capsys):
    mat, splits = write_nyuv2(tmp_path / "raw")
    assert run("prepare", ["nyuv2", str(mat), str(splits), str(tmp_path / "out"), "--workers", "2"]) == 0
    assert "2 of 2 train, 3 of 3 val; 5 written" in capsys.readouterr().out
    assert read_labels(tmp_path / "out").names == NYUV2_19.names


@pytest.mark.parametrize(
    "arguments", [[], ["kitti"], ["scannet"], ["scannet", "nowhere", "out"], ["nyuv2", "a", "b", "c"],
                  ["scannet", "raw", "out", "--workers", "0"], ["scannet", "raw", "out", "--bogus"]]
)  # fmt: skip
def test_bad_arguments_are_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert run("prepare", arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_killed_in_the_middle_it_resumes(tmp_path):
    """Two scans are pipes without a writer, so both workers are certainly reading a scan when they are killed."""
    raw, out = write_scannet(tmp_path / "raw", 2, 4, 0), tmp_path / "out"
    stuck = [raw / "scans" / name / f"{name}{MESH}" for name in ("scene0011_02", "scene0011_03")]
    meshes = [path.read_bytes() for path in stuck]
    for path in stuck:
        path.unlink()
        os.mkfifo(path)
    command = [sys.executable, "-m", "instseg3d_ros", "prepare", "scannet", str(raw), str(out), "--workers", "2"]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is not None or len(list(out.glob("*/*.npz"))) == 4)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 2
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children))  # no orphan waits for ever
    for path, mesh in zip(stuck, meshes):
        path.unlink()
        path.write_bytes(mesh)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*.npz")}
    assert len(before) == 4
    assert run("prepare", ["scannet", str(raw), str(out), "--workers", "2"]) == 0
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())

    whole = tmp_path / "whole"
    assert run("prepare", ["scannet", str(raw), str(whole), "--workers", "1"]) == 0
    assert {p.relative_to(out) for p in out.rglob("*.*")} == {p.relative_to(whole) for p in whole.rglob("*.*")}
    for path in whole.glob("*/*.npz"):
        one, two = Scene.read(path), Scene.read(out / path.relative_to(whole))
        for name in ("points", "colors", "semantic", "instance"):
            assert np.array_equal(getattr(one, name), getattr(two, name))
