"""`generate` from the command line: the files that it writes; mistakes give a message of one line and exit code 2."""

import errno
import os

import numpy as np
import pytest

from instseg3d_ros.commands.table import run
from instseg3d_ros.data.scene import Scene, scene_files


def test_frames_of_both_kinds_with_a_sheet(tmp_path, capsys):
    arguments = [str(tmp_path / "mix"), "--frames", "3", "--val", "1", "--jobs", "1", "--resolution", "64x48"]
    assert run("generate", [*arguments, "--sheet", str(tmp_path / "sheet.png")]) == 0
    names = [path.name for split in ("train", "val") for path in scene_files(tmp_path / "mix", split)]
    assert len(names) == 4 and sum(name.startswith("rooms_0") for name in names) == 3
    assert (tmp_path / "sheet.png").stat().st_size > 1000 and "4 scenes" in capsys.readouterr().out


def test_held_out_frames_differ(tmp_path):
    for name, extra in (("seen", []), ("unseen", ["--hold-out", "--sensor", "stereo"])):
        arguments = [
            str(tmp_path / name),
            "--frames",
            "1",
            "--kind",
            "tabletop",
            "--jobs",
            "1",
            "--resolution",
            "48x36",
        ]
        assert run("generate", [*arguments, *extra]) == 0
    seen, unseen = (Scene.read(scene_files(tmp_path / name, "train")[0]) for name in ("seen", "unseen"))
    assert len(seen) != len(unseen) or not np.array_equal(seen.points, unseen.points)


def test_bag_mode(tmp_path):
    pytest.importorskip("rosbags")
    arguments = [
        str(tmp_path / "bag"),
        "--bag",
        "--truth",
        "--kind",
        "tabletop",
        "--frames",
        "1",
        "--resolution",
        "48x36",
    ]
    assert run("generate", arguments) == 0
    assert sorted(path.name for path in (tmp_path / "bag").iterdir()) == ["bag.mcap", "metadata.yaml", "truth.npz"]


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as left:
        run("generate", ["--help"])
    assert left.value.code == 0 and "generate data/mix" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, told",
    [
        ([], "out"),
        (["x", "--frames", "-1"], "'-1' is not a count"),
        (["x", "--frames", "many"], "'many' is not a count"),
        (["x", "--kind", "garden"], "garden"),
        (["x", "--resolution", "320"], "WIDTHxHEIGHT"),
        (["x", "--resolution", "8x8"], "32 pixels"),
        (["x", "--shard", "3/2"], "I/N"),
        (["x", "--mesh-share", "2"], "'2' is not a share"),
        (["x", "--sensor", "sonar"], "sonar"),
        (["x", "--meshes", "nowhere"], "nowhere"),
        (["x", "--frames", "0"], "increase --frames"),
        (["x", "--labels", "tabletop"], "--kind tabletop"),
        (["x", "--bag"], "mixed"),
        (["x", "--bag", "--whole-room"], "not allowed"),
        (["x", "--bag", "--kind", "rooms", "--frames", "0"], "at least 1 frame"),
        (["x", "--wide"], "--wide"),
    ],
)
def test_mistakes_exit_with_2_and_one_line(arguments, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("generate", arguments) == 2
    complaint = capsys.readouterr().err.strip()
    assert told in complaint and "\n" not in complaint
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_gives_one_line(tmp_path, capsys, monkeypatch, code):
    def write(scene, path):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Scene, "write", write)
    arguments = [str(tmp_path / "full"), "--frames", "1", "--jobs", "1", "--resolution", "48x36"]
    if code == errno.EIO:  # other errors keep their traceback
        with pytest.raises(OSError, match=os.strerror(code)):
            run("generate", arguments)
        return
    assert run("generate", arguments) == 2
    assert "generate: no space left on the disk; free some space" in capsys.readouterr().err
