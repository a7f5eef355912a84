"""`train`: train a network on folders of labelled scenes and export its weights."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instseg3d_ros.errors import InputError
from instseg3d_ros.paths import share

if TYPE_CHECKING:
    from instseg3d_ros.training.recipe import Recipe

EXAMPLES = """examples:
  train quick --data DIR                                   learns something in two minutes on a CPU
  train unet_synthetic --data rooms tables --out runs/unet --steps 50000
  train unet_scannet --data scannet --devices 4 --precision 16-mixed
  train table3 --data rooms --seeds 0 1 2                  the paper's ablation, all rows, into docs/ablation.md
  train my_recipe.yaml --data DIR --init unet --augmentation.drop_color 0.5

RECIPE is a name in config/train/ or a YAML file; --key value on the command line replaces any value of it.
The same command resumes an interrupted training."""


def main(arguments: list[str]) -> int:
    """The command `train`; returns its exit code, raises InputError on bad arguments."""
    if arguments[:1] == ["table3"]:
        return table3(arguments[1:])
    recipe = parse(arguments)
    from instseg3d_ros.training.run import train

    print(f"weights: {train(recipe)}")
    return 0


def table3(arguments: list[str]) -> int:
    """Train all rows of the paper's Table 3; `training.ablation` has the options."""
    from instseg3d_ros.training import ablation

    words = [word for word in arguments if word != "--data"]  # `ablation` takes the folder without --data
    # The recipe is passed as a path, because the name `table3` means all rows.
    return ablation.main([*words, *([] if "--recipe" in words else ["--recipe", str(find_recipe("table3"))])])


def parse(arguments: list[str]) -> Recipe:
    """Read the recipe file, then the command line, which has precedence. Raises InputError on an unknown key."""
    from jsonargparse import ArgumentParser, DefaultHelpFormatter

    from instseg3d_ros.training.recipe import Recipe

    class Formatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
        """Types and defaults after each description, and examples with their line breaks."""

    parser = ArgumentParser(
        prog="train", description="Train a network on folders of labelled scenes and export its weights.",
        epilog=EXAMPLES, formatter_class=Formatter, exit_on_error=False,
    )  # fmt: skip
    parser.add_argument("recipe", help=f"one of {', '.join(recipe_names())}, or a YAML file")
    parser.add_class_arguments(Recipe, None)
    keys = _keys(Recipe)
    for word in arguments:
        if word.startswith("--") and word != "--help":
            _check_key(word[2:].split("=")[0].rstrip("+"), keys)
    if not arguments or arguments[0].startswith("--"):
        if "--help" not in arguments:
            raise InputError(
                f"the first argument must be a recipe; one of: {', '.join(recipe_names())}, or a YAML file (--help)"
            )
    elif "--help" not in arguments and "-h" not in arguments:
        arguments = [arguments[0], *_from_file(find_recipe(arguments[0]), keys), *arguments[1:]]
    try:
        config = parser.parse_args(_lists(arguments))
        config.pop("recipe")
        return Recipe(**vars(parser.instantiate(config)))
    except InputError:
        raise
    except Exception as error:  # jsonargparse and argparse raise several types
        raise InputError(" ".join(str(error).split())[:400]) from None


def recipe_names() -> list[str]:
    return sorted(path.stem for path in (share("config") / "train").glob("*.yaml"))


def find_recipe(name: str) -> Path:
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise InputError(f"{path}: no such recipe file")
        return path
    if name not in recipe_names():
        raise InputError(f"unknown recipe '{name}'{_near(name, recipe_names())}; one of: {', '.join(recipe_names())}")
    return share("config") / "train" / f"{name}.yaml"


def _from_file(path: Path, keys: list[str]) -> list[str]:
    """Convert a recipe file to command-line words, so that the same parser checks file and command line."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads on, off, yes and no as text, as YAML 1.2 does, because `off` is a value of `level`."""

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if first not in "oOyYnN" or pair[0] != "tag:yaml.org,2002:bool"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        content = yaml.load(path.read_text(), Loader) or {}
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())[:200]})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}; expected keys and values")
    words = []

    def walk(node: dict, prefix: str) -> None:
        for key, value in node.items():
            name = f"{prefix}{key}"
            _check_key(name, keys)
            if isinstance(value, dict):
                walk(value, f"{name}.")
            else:
                text = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
                words.append(f"--{name}={value if isinstance(value, str) else text}")

    walk(content, "")
    return words


def _keys(cls: Any, prefix: str = "") -> list[str]:
    import typing

    keys = []
    for name, kind in typing.get_type_hints(cls).items():
        keys.append(prefix + name)
        if dataclasses.is_dataclass(kind):
            keys += _keys(kind, f"{prefix}{name}.")
    return keys


def _check_key(key: str, keys: list[str]) -> None:
    if key not in keys:
        raise InputError(f"unknown setting '{key}'{_near(key, keys)}; see train --help")


def _near(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def _lists(arguments: list[str]) -> list[str]:
    """Convert `--data A B` to `--data=[A, B]`, which the parser expects; the same for `--object_data`."""
    words, index = [], 0
    while index < len(arguments):
        if arguments[index] in ("--data", "--object_data"):
            stop = index + 1
            while stop < len(arguments) and not arguments[stop].startswith("--"):
                stop += 1
            words.append(f"{arguments[index]}={list(arguments[index + 1 : stop])!r}")
            index = stop
        else:
            words.append(arguments[index])
            index += 1
    return words
