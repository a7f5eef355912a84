"""Wrong ROS and launch arguments are refused with a clear message before anything starts."""

import pytest

from instseg3d_ros.errors import InputError
from instseg3d_ros.ros.arguments import check_file, check_name, check_ros_arguments, truth


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["--log-level", "loud"], "log level 'loud' is unknown; one of: debug"),
        (["--log-level", "instseg3d:=loud"], "'loud' is unknown"),
        (["-r", "points:=/bad-topic"], "'/bad-topic' is not a valid ROS name"),
        (["-r", "points:=/a//b"], "not a valid ROS name"),
        (["-r", "points:=/1st"], "no digit first"),
        (["--remap", "points"], "write -r NAME:=NEW_NAME"),
        (["--params-file", "/nowhere.yaml"], "does not exist"),
    ],
)
def test_wrong_ros_arguments(words, word):
    with pytest.raises(InputError, match=word):
        check_ros_arguments(["--ros-args", *words])


def test_right_ros_arguments():
    check_ros_arguments([
        "--ros-args", "-r", "points:=/camera/depth/points", "-r", "__ns:=/left", "-r", "a:=~/b", "-r", "a:={ns}/b",
        "--log-level", "instseg3d:=DEBUG", "-p", "model:=unet",
    ])  # fmt: skip
    for name in ("/a", "a/b_2", "~", "~/x", "/"):
        check_name(name, "topic")


def test_truth_and_files(tmp_path):
    assert all(truth("rviz", word) for word in ("true", "True", "1", "yes", "on"))
    assert not any(truth("rviz", word) for word in ("false", "False", "0", "no", "off"))
    with pytest.raises(InputError, match="rviz:=maybe is neither true nor false"):
        truth("rviz", "maybe")
    with pytest.raises(InputError, match="is a folder; expected a file"):
        check_file("params_file", str(tmp_path))
