"""Every command and snippet of the documentation runs, on small stand-ins, section by section in a folder of its own.

What cannot run here is named in NOT_HERE with the reason, so that a new line which nobody thought about fails.
"""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from instseg3d_ros.commands.table import run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "models" / "README.md", *sorted(ROOT.glob("docs/*.md"))]

NOT_HERE = {
    "make": "installs and runs everything; test_docs.py knows the targets, `make demo` has test/ros/test_live_demo.py",
    "cd ~/ros2_ws/src": "needs a ROS workspace",
    "python3 -m venv": "the environment of a ROS workspace",
    "pip install": "installs",
    "rosdep": "a tool of ROS, installs",
    "colcon": "a tool of ROS",
    "export": "settings of the shell",
    "source .venv": "settings of the shell; test_install.py reads the lines around it",
    "python -m instseg3d_ros --help": "test/docs/test_install.py",
    "sysctl": "a setting of the kernel",
    "ros2 launch": "a tool of ROS; test/ros/test_launch.py reads the launch file, test_docs.py the arguments",
    "ros2 bag": "a tool of ROS",
    "ros2 param": "a tool of ROS; test/ros/test_live_once.py sets the parameters",
    "ros2 service": "a tool of ROS; test/ros/test_live_once.py calls the services",
    "ros2 run nav2_lifecycle_manager": "Nav2",
    "ros2 run rmw_zenoh_cpp": "another middleware",
    "source /opt/ros": "settings of the shell",
    "docker": "a tool of its own",
    "ros2 topic": "a tool of ROS",
    "ros2 security": "a tool of ROS",
    "ros2 run ros_gz_bridge": "Gazebo",
    "python -m instseg3d_ros segment BAG -o out --map": "test/commands/test_segment_map.py",
    "python -m instseg3d_ros segment FOLDER -o out --map": "test/commands/test_segment_map.py",
    "python -m instseg3d_ros generate walks": "test/data/synthetic/test_walk.py",
    "python -m instseg3d_ros evaluate --drives": "test/evaluation/test_drives.py",
    "python -m instseg3d_ros segment_node": "runs until it is stopped; test/ros starts it",
    "python -m instseg3d_ros play": "needs live nodes; test/ros/test_play.py has them",
    "python -m instseg3d_ros gpu_check": "minutes on a card; test/gpu_check has the rehearsal",
    "python -m instseg3d_ros benchmark": "minutes; test/benchmarking has small ones",
    "python -m instseg3d_ros.viewing.method": "test/viewing/test_method.py",
    "python -m instseg3d_ros.data.views": "test/data/test_views.py",
    "python -m instseg3d_ros.ros.tools.tables": "writes tables of the docs; test/ros/test_parameters.py compares",
    "python -m instseg3d_ros.ros.tools.lost_messages": "measures the transport for minutes; test/ros/test_transport.py",
    "python -m instseg3d_ros.training.ablation": "hours of training; test/training/test_ablation.py",
    "python -m instseg3d_ros train table3": "the same",
    "python -m instseg3d_ros train unet_synthetic --data datasets/rooms datasets/tables": "two processes, the second"
    " of which Lightning starts by running this program again; test/training/test_run.py has them",
    "python -m instseg3d_ros train unet_synthetic --data rooms --out runs/coarse": "the same",
    "python -m instseg3d_ros train tabletop --init unet": "the same",
    "python -m instseg3d_ros evaluate datasets/calibration": "needs the model of that training; test_evaluate.py",
}

BRIEF = "--steps 1 --validate_every 1 --validate_scenes 1 --batch_size 2 --workers 0"
# What makes a command small: the first pattern found in it is replaced.
SMALLER = [
    (r"generate (\S+) (.*--bag.*)", r"generate \1 \2 --frames 3 --resolution 80x60"),
    (r"generate (\S+).*", r"generate \1 --frames 2 --val 2 --resolution 80x60 --kind tabletop --jobs 1"),
    (r"train (\S+) (.*--init.*)", rf"train \1 {BRIEF} \2"),
    (r"train (\S+)", rf"train \1 {BRIEF} --network.width 4 --network.voxel_size 0.05"),
    (r"evaluate (?!--)(\S+)", r"evaluate \1 --limit 1"),
    (r"--ground-truth DIR", "--ground-truth DIR/ground_truth --labels scannet20"),
]

WORDS = "python|python3|ros2|make|pip|cd|export|colcon|rosdep|sysctl|source|sudo|docker|git"
SPEECH = {"ros2 run", "ros2 security", "python -m instseg3d_ros"}  # named in a sentence, not to be typed


def blocks(text):
    """(kind, content) of the code of a section, in order: "shell" by lines; "python", "yaml", "layout" as a whole."""
    for language, content in code_of(text):
        kind = language or kind_of(content)
        if kind in ("shell", "bash"):
            lines = (re.sub(r"\s+# .*", "", line).strip() for line in content.replace("\\\n", " ").split("\n"))
            yield from (("shell", line) for line in lines if line and line not in SPEECH)
        else:
            yield kind, content


def code_of(text):
    """(language or None, content) of fenced blocks, indented blocks, and spans that are commands."""
    language, block, blank = None, [], True  # block: lines of the one that is open; language: of a fence, else None
    for line in [*text.split("\n"), "end"]:
        fence = re.match(r"```(\w*)$", line)
        inside = language is not None
        if not inside and block and line.strip() and not line.startswith("    "):  # an indented block is over
            yield None, "\n".join(block).strip()
            block = []
        if fence and inside:
            yield language, "\n".join(block)
            language, block = None, []
        elif fence:
            language = fence[1]
        elif inside or block or (blank and line.startswith("    ")):
            block.append(line if inside else line[4:])
        else:
            yield from (("shell", span) for span in re.findall(rf"`((?:{WORDS}) [^`]+)`", line))
        blank = not line.strip()


def kind_of(content):
    first = content.split()[0]
    if re.fullmatch(WORDS, first):
        return "shell"
    if first in ("import", "from"):
        return "python"
    if first.endswith(":"):
        return "yaml"
    assert "→" in content or "/" in first, f"what is this? Add a language or teach kind_of: {content[:80]}"
    return "layout"


def sections():
    for page in PAGES:
        for part in re.split(r"^(?=## )", page.read_text(), flags=re.M):
            if found := list(blocks(part)):
                title = part.split("\n")[0].strip("# ").lower().replace(" ", "-")
                yield pytest.param(found, id=f"{page.relative_to(ROOT)}:{title}")


def cloud_file(path):
    from instseg3d_ros.data.clouds import Cloud, write_cloud

    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-1, 1, (3000, 3)) * (1, 1, 0.01), rng.uniform(0, 0.2, (800, 3))])
    write_cloud(path, Cloud(points.astype(np.float32), rng.integers(0, 255, points.shape).astype(np.uint8)))


def bag(path):
    assert run("generate", [str(path), "--bag", "--kind", "tabletop", "--frames", "2", "--resolution", "80x60"]) == 0


def bag_file(path):
    bag(path.with_suffix(".folder"))
    shutil.copy(next(path.with_suffix(".folder").glob("*.mcap")), path)


def predictions(path):
    """ScanNet's layout, as `evaluate --export` writes it."""
    scannet(path.parent / "raw")
    assert run("prepare", ["scannet", str(path.parent / "raw"), str(path.parent / "scenes")]) == 0
    words = ["--model", "none", "--method", "euclidean", "--limit", "1", "--export", str(path)]
    assert run("evaluate", [str(path.parent / "scenes"), *words]) == 0


def scannet(path):
    from scannet_files import write_scannet

    write_scannet(path, train=1, val=1)


def nyuv2(path):
    from nyuv2_files import write_nyuv2

    write_nyuv2(path.parent, frames=2, train=1)


@pytest.fixture
def stand_in(toy_dataset):
    """What the documentation takes for granted, by the word that stands for it."""

    def scenes(path):
        shutil.copytree(toy_dataset, path)

    return {
        "room.ply": cloud_file, "scans/": lambda path: cloud_file(path / "a.ply"),
        "more/*.pcd": lambda path: cloud_file(path.parent / "b.pcd"), "recording/": bag, "recording.mcap": bag_file,
        "RAW": scannet, "nyu_depth_v2_labeled.mat": nyuv2, "mine": scenes, "DATASET": scenes, "DIR": predictions,
    }  # fmt: skip


def words_of(line):
    """Name and arguments of a command of this package; None for commands in NOT_HERE."""
    line = line.replace("ros2 run instseg3d_ros", "python -m instseg3d_ros")
    if line.startswith(tuple(NOT_HERE)):
        return None
    ours = re.match(r"python -m instseg3d_ros (\w+)", line)
    assert ours, f"nobody has classified this line: let it run, or add it to NOT_HERE: {line}"
    if line.endswith("…"):
        return [ours[1], "--help"]
    for pattern, smaller in SMALLER:
        if re.search(pattern, line):
            line = re.sub(pattern, smaller, line)
            break
    return shlex.split(line)[3:]


@pytest.mark.parametrize("section", sections())
def test_section_runs(section, stand_in, toy_dataset, tmp_path, monkeypatch):
    from instseg3d_ros.data.scene import Scene
    from instseg3d_ros.segmentation.result import Box, Instance, Result
    from instseg3d_ros.viewing import picture

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(picture, "PANEL", 200)  # small pictures are quick
    scene = Scene.read(toy_dataset / "train" / "000.npz")
    scope = {name: getattr(scene, name) for name in ("points", "colors", "semantic", "instance")}
    scope |= {"points_in_a_fixed_frame": scene.points, "stamp_in_seconds": 0.0, "pose": np.eye(4)}
    box = Box(np.zeros(3), np.ones(3), np.eye(3))
    objects = [Instance(number, "box", 1.0, 700, box) for number in range(1, scene.instance.max() + 1)]
    scope["result"] = Result(scene.semantic, scene.instance, np.ones(len(scene), np.float32), objects, {})
    for kind, content in section:
        words = set(re.findall(r"[\w.*/]+", content))
        for name in stand_in.keys() & (words | {word.split("/")[0] for word in words}) if kind != "layout" else ():
            if not (tmp_path / name.replace("*", "b")).exists():
                stand_in[name](tmp_path / name)
        if kind == "shell":
            words = words_of(content)
            try:
                assert words is None or run(words[0], words[1:]) == 0, content
            except SystemExit as end:  # --help
                assert end.code == 0
        elif kind == "python":
            exec(content, scope)
        elif kind == "yaml":
            parsed = yaml.safe_load(content)
            if "classes" in parsed:
                (tmp_path / "mine" / "labels.yaml").write_text(content)


def test_a_line_that_nobody_classified_fails():
    found = list(blocks("Type `make tea`, or\n\n    ros2 run kettle boil\n\n```python\nwarm = True\n```\n"))
    assert found == [("shell", "make tea"), ("shell", "ros2 run kettle boil"), ("python", "warm = True")]
    with pytest.raises(AssertionError, match="kettle"):
        words_of(found[1][1])
    with pytest.raises(AssertionError, match="what is this"):
        list(blocks("Do\n\n    brew tea\n"))
