"""`generate`: render labelled synthetic rooms and tabletops, whole-room scans, or a bag of a moving camera."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.errors import InputError

if TYPE_CHECKING:
    from instseg3d_ros.data.synthetic.frames import SceneRecipe

DESCRIPTION = "Render labelled synthetic rooms and tabletops, whole-room scans, or a bag of a moving camera."
EXAMPLES = """examples:
  generate data/mix --frames 3000 --val 120 --jobs 8 --sheet mix.png
  generate data/rooms --frames 6000 --kind rooms --meshes meshes --without kaykitr_ awsh_
  generate data/part --frames 60000 --shard 2/8                     every eighth world, from the third
  generate data/unseen --frames 0 --val 100 --views 2 --hold-out --meshes meshes --only kaykitr_ awsh_ --sensor stereo
  generate data/scans --whole-room --frames 4 --points 2000000
  generate data/drive --bag --truth --kind tabletop --frames 50 --resolution 640x480 --sensor kinect
  generate data/walk --bag --truth --tf --kind flat --rooms 3 --moved 3 --frames 150
"""


def main(arguments: list[str]) -> int:
    """The command `generate`; returns its exit code, raises InputError on bad arguments."""
    options = _parse(arguments)
    if options.labels == "tabletop" and options.kind != "tabletop":
        raise InputError(
            f"--labels tabletop is for scenes of tables, but --kind is {options.kind}; give --kind tabletop"
        )
    if options.kind == "flat" and not options.bag:
        raise InputError(
            "--kind flat renders a walk through rooms as a bag; add --bag, or give --kind rooms for single frames"
        )
    recipe = _recipe(options)
    if options.bag:
        return _bag(options, recipe)
    return _scans(options, recipe) if options.whole_room else _frames(options, recipe)


def _recipe(options: argparse.Namespace) -> SceneRecipe:
    from instseg3d_ros.data.synthetic.frames import SceneRecipe
    from instseg3d_ros.data.synthetic.sensor import SEEN_SENSORS

    recipe = SceneRecipe(
        seed=options.seed,
        resolution=options.resolution,
        sensors=SEEN_SENSORS if options.sensor == ["all"] else tuple(options.sensor),
        meshes=tuple(str(Path(folder).resolve()) for folder in options.meshes),
        without=tuple(options.without),
        only=tuple(options.only),
        held_out=options.hold_out,
        mesh_share=options.mesh_share,
        crop=options.crop,
        labels=options.labels,
        walk=options.walk,
    )
    recipe.catalogue()  # raises InputError for a wrong folder of meshes before any output is written
    return recipe


def _frames(options: argparse.Namespace, recipe: SceneRecipe) -> int:
    from instseg3d_ros.data.synthetic.dataset import generate, plan

    tasks = plan(recipe, Path(options.out), _counts(options), options.shard, options.views)
    if not tasks:
        part, parts = options.shard
        raise InputError(
            f"no frames in shard {part}/{parts} of {options.frames} + {options.val}; increase --frames or --val"
        )
    return _done(options, recipe, generate(tasks, options.jobs))


def _scans(options: argparse.Namespace, recipe: SceneRecipe) -> int:
    from instseg3d_ros.data.synthetic.dataset import Scan, generate

    part, parts = options.shard
    numbered = [("train", n) for n in range(options.frames)] + [("val", n) for n in range(options.val)]
    tasks = [Scan(recipe, options.out, split, n, options.points) for split, n in numbered[part::parts]]
    if not tasks:
        raise InputError(
            f"no rooms in shard {part}/{parts} of {options.frames} + {options.val}; increase --frames or --val"
        )
    return _done(options, recipe, generate(tasks, options.jobs))


def _bag(options: argparse.Namespace, recipe: SceneRecipe) -> int:
    from tqdm import tqdm

    from instseg3d_ros.data.synthetic.drive import drive, write_bag
    from instseg3d_ros.data.synthetic.walk import walk

    if options.kind == "mixed":
        raise InputError("--bag needs one kind of scene, not mixed; give --kind flat, rooms or tabletop")
    if options.moved and options.kind != "flat":
        raise InputError(
            f"--moved {options.moved} needs --kind flat: objects move only while the camera is in another room"
        )
    if options.frames < 1:
        raise InputError(f"--frames {options.frames}: a bag needs at least 1 frame")
    out = Path(options.out)
    if out.is_dir() and any(out.iterdir()) and not (out / "metadata.yaml").is_file():
        raise InputError(f"{out}: the folder is not empty and holds no bag; name another folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    if options.kind == "flat":
        shots, extras = walk(recipe, options.frames, options.rooms, options.moved)
    else:
        shots, extras = drive(recipe, options.kind, options.frames), {}
    shots = tqdm(shots, total=options.frames, unit="frame")
    written = write_bag(out, shots, options.rate, options.truth, options.tf, extras)
    print(f"{written} clouds in {out}")
    return 0


def _done(options: argparse.Namespace, recipe: SceneRecipe, files: list[Path]) -> int:
    if options.sheet:
        from instseg3d_ros.data.synthetic.sheet import write_sheet
        from instseg3d_ros.labels import LABEL_SETS

        write_sheet(Path(options.sheet), files, LABEL_SETS[recipe.labels])
    print(f"{len(files)} scenes in {options.out}")
    return 0


def _counts(options: argparse.Namespace) -> dict[tuple[str, str], int]:
    """Number of frames by split and kind; `mixed` divides them equally."""
    kinds = ("rooms", "tabletop") if options.kind == "mixed" else (options.kind,)
    counts = {}
    for split, total in (("train", options.frames), ("val", options.val)):
        for index, kind in enumerate(kinds):
            counts[split, kind] = total // len(kinds) + (index < total % len(kinds))
    return counts


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(prog="generate", description=DESCRIPTION, examples=EXAMPLES)
    add = parser.add_argument
    add("out", help="output folder: labels.yaml, train/*.npz, val/*.npz; with --bag the bag's folder")
    add("--frames", type=_count, default=1000, help="number of training frames (default %(default)s)")
    add("--val", type=_count, default=0, help="number of validation frames, from other scenes (default %(default)s)")
    add("--kind", choices=("rooms", "tabletop", "mixed", "flat"), default="mixed",
        help="kind of scenes (default %(default)s); flat: with --bag, a walk through rooms and back")  # fmt: skip
    add("--seed", type=_count, default=0, help="random seed; the same seed gives the same bytes (default %(default)s)")
    add(
        "--jobs",
        type=_positive,
        default=os.cpu_count() or 1,
        help="number of processes (default: all cores, %(default)s)",
    )
    add(
        "--resolution",
        type=_resolution,
        default=(320, 240),
        metavar="WxH",
        help="width and height in pixels (default 320x240)",
    )
    add("--sensor", nargs="+", default=["all"], metavar="NAME",
        help="sensors: kinect, realsense, tof, stereo; 'all': all except stereo, which is for tests")  # fmt: skip
    add("--labels", choices=("synthetic", "tabletop"), default="synthetic",
        help="classes of rooms, or for tabletops object, support, background (default %(default)s)")  # fmt: skip
    add("--meshes", nargs="+", default=[], metavar="DIR",
        help="also use meshes (GLB, OBJ, PLY) from sub-folders named after a class")  # fmt: skip
    add(
        "--without",
        nargs="+",
        default=[],
        metavar="PREFIX",
        help="leave out mesh files whose names begin with a PREFIX",
    )
    add("--only", nargs="+", default=[], metavar="PREFIX", help="use only mesh files whose names begin with a PREFIX")
    add(
        "--mesh-share",
        type=_share,
        default=0.25,
        help="share of objects of a class that are meshes (default %(default)s)",
    )
    add("--hold-out", action="store_true", help="build furniture only with the designs that are reserved for tests")
    add("--crop", type=_share, default=0.5, help="share of tabletop frames cropped to the table (default %(default)s)")
    add("--walk", type=_share, default=0.7,
        help="share of room frames seen by a driving robot, with larger distances and fewer objects "
        "(default %(default)s)")  # fmt: skip
    add(
        "--views",
        type=_positive,
        help="views of each room or table; fewer views take longer and give more variety (default 8 and 4)",
    )
    add("--shard", type=_shard, default=(0, 1), metavar="I/N", help="render part I of N, counted from 0 (default 0/1)")
    add("--sheet", metavar="PNG", help="also write a contact sheet of colour, depth, class and instance")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--whole-room", action="store_true", help="write scans of whole rooms instead of camera frames")
    mode.add_argument("--bag", action="store_true", help="write an mcap bag of a camera that moves through a scene")
    add("--points", type=_positive, default=2_000_000, help="number of points of a whole room (default %(default)s)")
    add("--rooms", type=_positive, default=3, help="with --kind flat: number of rooms (default %(default)s)")
    add("--moved", type=_count, default=0,
        help="with --kind flat: number of objects that move before the way back (default %(default)s)")  # fmt: skip
    add("--rate", type=_rate, default=10.0, help="clouds per second in a bag (default %(default)s)")
    add("--truth", action="store_true", help="with --bag: write classes and instances of every pixel to truth.npz")
    add("--tf", action="store_true", help="with --bag: write the camera's true pose to /tf, in frame map")
    return parser.parse_args(arguments)


T = TypeVar("T")


def _typed(meaning: str, convert: Callable[[str], T], good: Callable[[T], bool]) -> Callable[[str], T]:
    """An argparse type whose error message names the value and the expected kind of value."""

    def parse(text: str) -> T:
        try:
            value = convert(text)
            if good(value):
                return value
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"'{text}' is not {meaning}")

    return parse


def _pair(text: str, mark: str) -> tuple[int, int]:
    first, second = text.lower().split(mark)
    return int(first), int(second)


_count = _typed("a count of 0 or more", int, lambda n: n >= 0)
_positive = _typed("a count of 1 or more", int, lambda n: n >= 1)
_share = _typed("a share from 0 to 1", float, lambda x: 0 <= x <= 1)
_rate = _typed("a rate from 0.1 to 1000 a second", float, lambda x: 0.1 <= x <= 1000)
_resolution = _typed("WIDTHxHEIGHT of 32 pixels or more, as 320x240", lambda t: _pair(t, "x"), lambda s: min(s) >= 32)
_shard = _typed("I/N with 0 <= I < N, as 0/4", lambda t: _pair(t, "/"), lambda s: 0 <= s[0] < s[1])
