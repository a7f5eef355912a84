"""The documentation names only existing pages, files, commands and options; its example runs."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
PACKAGE = ROOT / "instseg3d_ros"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_files_named_for_developers_exist():
    text = (ROOT / "docs" / "developing.md").read_text() + (ROOT / "docs" / "how-it-works.md").read_text()
    for name in re.findall(r"`([\w/]+\.(?:py|yaml))`", text):
        if "NAME" not in name:
            assert (PACKAGE / name).exists() or (ROOT / name).exists(), name
    for folder in re.findall(r"`([\w/]+/)`", text):
        places = [ROOT, *(path for path in PACKAGE.rglob("*") if path.is_dir()), PACKAGE]
        assert any((place / folder).is_dir() for place in places), folder


def test_options_of_segment_are_those_it_has(capsys):
    from instseg3d_ros.commands import segment

    with pytest.raises(SystemExit):
        segment.main(["--help"])
    known = set(re.findall(r"--[a-z][\w-]+", capsys.readouterr().out))
    named = set(re.findall(r"--[a-z][\w-]+", (ROOT / "docs" / "files.md").read_text()))
    assert named <= known, named - known


def test_commands_named_exist():
    from instseg3d_ros.commands.table import COMMANDS

    for page in PAGES:
        for name in re.findall(r"(?:ros2 run|python -m) instseg3d_ros (\w+)", page.read_text()):
            assert name in COMMANDS, (page.name, name)


def test_launch_arguments_named_exist():
    declared = (PACKAGE / "ros" / "launching.py").read_text()
    text = (ROOT / "docs" / "robots-and-cameras.md").read_text()
    for line in re.findall(r"ros2 launch instseg3d_ros segment\.launch\.py([^\n|`]*)", text):
        for name in re.findall(r"(\w+):=", line):
            assert f'"{name}"' in declared, name


def test_the_example_of_a_subscriber_runs():
    """The snippet in robots-and-cameras.md, on a cloud as the node writes it."""
    import numpy as np

    from instseg3d_ros.messages import pointcloud2

    text = (ROOT / "docs" / "robots-and-cameras.md").read_text()
    code = text[text.index("    import numpy as np") :].replace("\n    ", "\n").strip()
    code = code.replace("# the points of object 7", "\n    return cup")
    scope: dict = {}
    exec(code, scope)
    instance = np.array([0, 7, 7, 2], np.uint32)
    packed = pointcloud2.encode(np.arange(12).reshape(4, 3).astype(np.float32), instance=instance)

    fields = [SimpleNamespace(name=name, offset=offset, datatype=kind) for name, offset, kind in packed.fields]
    header = SimpleNamespace(frame_id="", stamp=SimpleNamespace(sec=0, nanosec=0))
    message = SimpleNamespace(**{**vars(packed), "fields": fields, "is_bigendian": False, "header": header})
    np.testing.assert_array_equal(scope["on_cloud"](message), [[3, 4, 5], [6, 7, 8]])


def test_workflow_and_hooks_call_make_targets_that_exist():
    import yaml

    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    called = [
        word
        for job in workflow["jobs"].values()
        for step in job["steps"]
        for word in re.findall(r"make (\w+)", step.get("run", ""))
    ]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    called += [hook["entry"].removeprefix("make ") for hook in hooks]
    assert {"test", "demo", "lint"} <= set(called) <= targets
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["cff-version"] == "1.2.0"
