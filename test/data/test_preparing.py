import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from instseg3d_ros.data import preparing
from instseg3d_ros.errors import InputError


@dataclass(frozen=True)
class Copy:
    """A job that writes its name, or fails as told."""

    name: str
    target: Path
    failure: str = ""

    def run(self):
        if self.failure == "input":
            raise InputError("file x: broken")
        if self.failure == "surprise":
            raise ZeroDivisionError("by\nnought")
        if self.failure == "killed":
            os._exit(9)
        self.target.write_text(self.name)
        return ["seen"]


def jobs(tmp_path, failures):
    return [Copy(f"s{i}", tmp_path / "part" / f"s{i}.npz", failure) for i, failure in enumerate(failures)]


@pytest.mark.parametrize("workers", [1, 3])
def test_failures_are_named_and_the_rest_is_written(tmp_path, workers):
    told = []
    work = jobs(tmp_path, ["", "input", "", "surprise", ""])
    summary = preparing.prepare(work, workers, on_failure=lambda *what: told.append(what))
    assert (summary.written, summary.present, summary.remarks) == (3, 0, ["seen"])
    expected = [("s1", "file x: broken"), ("s3", "ZeroDivisionError: by nought")]
    assert summary.failures == expected == sorted(told)
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["s0.npz", "s2.npz", "s4.npz"]


def test_what_is_there_is_kept_and_what_died_is_swept(tmp_path):
    work = jobs(tmp_path, ["", ""])
    work[0].target.parent.mkdir()
    work[0].target.write_text("earlier")
    gone = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(gone, 0)
    dead, alive = (tmp_path / "part" / f".s1.npz.{process}" for process in (gone, os.getpid()))
    dead.touch()
    alive.touch()
    summary = preparing.prepare(work, 1)
    assert (summary.written, summary.present) == (1, 1)
    assert work[0].target.read_text() == "earlier" and work[1].target.read_text() == "s1"
    assert not dead.exists() and alive.exists()


def test_a_killed_worker_is_explained(tmp_path):
    with pytest.raises(InputError, match="--workers"):
        preparing.prepare(jobs(tmp_path, ["killed", ""]), 2)
