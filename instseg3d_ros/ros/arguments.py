"""Checks of ROS arguments and launch arguments. They run before rcl, whose messages describe its parser's tokens."""

from __future__ import annotations

import re
from pathlib import Path

from instseg3d_ros.errors import InputError

LEVELS = ("debug", "info", "warn", "error", "fatal")
YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_NAME = re.compile(r"[~/]?(?:[A-Za-z_]\w*|~)?(?:/[A-Za-z_]\w*)*")


def check_ros_arguments(arguments: list[str]) -> None:
    """Raise InputError, with a message of one line, for a remapping, name or log level that ROS would refuse."""
    for option, value in zip(arguments, [*arguments[1:], ""]):
        if option in ("-r", "--remap"):
            _check_remap(value)
        elif option == "--log-level":
            level = value.rpartition(":=")[2]
            if level.lower() not in LEVELS:
                raise InputError(f"log level '{level}' is unknown; one of: {', '.join(LEVELS)}")
        elif option == "--params-file":
            check_file("params-file", value)


def _check_remap(rule: str) -> None:
    name, separator, target = rule.partition(":=")
    if not separator or not name or not target:
        raise InputError(f"remapping '{rule}' is invalid; write -r NAME:=NEW_NAME")
    if "{" not in target:  # rcl expands and checks substitutions such as {node}
        check_name(target, "remapping " + repr(rule))


def check_name(name: str, what: str) -> None:
    """Raise InputError if `name` is not a valid name of a topic, node or namespace."""
    if not name or not _NAME.fullmatch(name) or (name.endswith("/") and name != "/"):
        raise InputError(
            f"{what}: '{name}' is not a valid ROS name; use letters, digits and _ between slashes, no digit first"
        )


def check_file(what: str, path: str) -> None:
    """Raise InputError if `path` is not a file."""
    if not Path(path).is_file():
        problem = "is a folder; expected a file" if Path(path).is_dir() else "does not exist"
        raise InputError(f"{what} {path} {problem}")


def truth(name: str, value: str) -> bool:
    """Parse a boolean launch argument. Raises InputError if `value` is in neither `YES` nor `NO`."""
    if value.lower() not in (*YES, *NO):
        raise InputError(f"{name}:={value} is neither true nor false; use one of: {', '.join((*YES, *NO))}")
    return value.lower() in YES
