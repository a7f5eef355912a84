"""pip installs all requirements, and the README's commands work in their order."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from instseg3d_ros.commands.table import run
from instseg3d_ros.extras import EXTRAS, REQUIRED, remedy

ROOT = Path(__file__).parents[2]
KEPT = (
    "setup.py", "setup.cfg", "pyproject.toml", "package.xml", "instseg3d_ros", "resource", "models", "launch", "config",
    "data",
)  # fmt: skip


def name_of(requirement):
    return re.split(r"[\[<>=; ]", requirement)[0]


def test_extras_and_requirement_files_name_the_same_packages():
    files = "".join((ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "develop"))
    known = {name_of(line) for line in files.splitlines() if line and not line.startswith("#")} | {"torch"}
    named = {name_of(one) for one in [*REQUIRED, *(package for group in EXTRAS.values() for package in group)]}
    assert named <= known, named - known


@pytest.mark.parametrize("module, package", [("lightning.pytorch", "lightning"), ("trimesh", "trimesh"),
                                             ("sklearn", "scikit-learn"), ("matplotlib", "matplotlib")])  # fmt: skip
def test_a_missing_package_is_one_line_with_the_command(module, package):
    line = remedy(ModuleNotFoundError(f"No module named '{module}'", name=module))
    assert line.startswith(f"needs {package}, which is not installed; run: ") and " -m pip install" in line
    assert package in line.partition("install ")[2] and "\n" not in line
    assert remedy(ModuleNotFoundError("No module named 'instseg3d_ros.x'", name="instseg3d_ros.x")) == ""


def test_a_command_without_its_packages_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jsonargparse", None)
    assert run("train", ["quick", "--data", "x"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("train: needs jsonargparse") and printed.count("\n") == 1 and "lightning" in printed


def test_what_pip_knows_of_the_package(tmp_path):
    for path in ROOT.iterdir():
        if path.name in KEPT:
            (tmp_path / path.name).symlink_to(path)
    code = "from setuptools.build_meta import prepare_metadata_for_build_wheel as p; print(p('out'))"
    (tmp_path / "out").mkdir()
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1000:]
    folder = tmp_path / "out" / done.stdout.split()[-1]
    metadata = (folder / "METADATA").read_text()
    assert "Requires-Python: >=3.10" in metadata and "Provides-Extra: train" in metadata
    assert re.search(r"Requires-Dist: lightning.*extra == .train", metadata)
    scripts = (folder / "entry_points.txt").read_text()
    assert "instseg3d_ros = instseg3d_ros.__main__:main" in scripts and "train =" not in scripts


def test_scripts_of_ros2_run_are_one_per_command():
    code = (
        "import sys, setuptools; sys.argv = ['setup.py', 'install']; setuptools.setup = lambda **words: print("
        "words['entry_points']['console_scripts']); exec(open('setup.py').read(), {'__file__': 'setup.py'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "segment_node = instseg3d_ros.commands.table:segment_node" in done.stdout, done.stderr


def test_the_readme_makes_its_commands_work_before_it_uses_them():
    text = (ROOT / "README.md").read_text()
    made, activated = text.index("make demo "), text.index("source .venv/bin/activate")
    assert made < activated < text.index("python -m instseg3d_ros")
    assert text.index("pip install -e '.[train]'") < text.index("python -m instseg3d_ros train")
    assert (ROOT / "requirements" / "install.sh").read_text().count("-m venv") and "VENV ?= .venv" in (
        ROOT / "Makefile"
    ).read_text()


def test_help_as_the_readme_types_it():
    done = subprocess.run(
        [sys.executable, "-m", "instseg3d_ros", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "segment_node" in done.stdout


def test_the_demo_says_what_to_try_next():
    from instseg3d_ros.commands.table import COMMANDS

    demo = (ROOT / "instseg3d_ros" / "ros" / "tools" / "demo.py").read_text()
    lines = demo.partition('NEXT = """')[2].partition('"""')[0]
    for name in re.findall(r"python -m instseg3d_ros (\w+)", lines):
        assert name in COMMANDS
    assert "source .venv/bin/activate" in lines and "pip install -e '.[train]'" in lines


def test_a_mistake_that_a_loaders_process_finds_is_one_line_too(monkeypatch, capsys):
    from torch._utils import ExceptionWrapper

    from instseg3d_ros.commands import train
    from instseg3d_ros.errors import InputError

    def main(_):
        try:
            raise InputError("room.npz: semantic has the value 7")
        except InputError:
            ExceptionWrapper(where="in DataLoader worker process 0").reraise()

    monkeypatch.setattr(train, "main", main)
    assert run("train", []) == 2
    assert capsys.readouterr().err == "train: room.npz: semantic has the value 7\n"
