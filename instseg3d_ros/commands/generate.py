"""`generate`: render labelled synthetic rooms and tabletops into a folder of scenes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from instseg3d_ros.errors import InputError

EXAMPLES = """examples:
  generate data/mix --frames 3000 --val 120 --kind mixed --jobs 8
  generate data/rooms --frames 6000 --kind rooms --meshes meshes --without kaykitr_ awsh_ --sheet rooms.png
  generate data/part --frames 60000 --shard 2/8                      # every eighth world, from the third
  generate data/unseen --frames 0 --val 100 --hold-out --meshes meshes --only kaykitr_ awsh_ --sensor stereo
"""


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    from instseg3d_ros.data.synthetic.dataset import generate, plan
    from instseg3d_ros.data.synthetic.frames import Recipe
    from instseg3d_ros.data.synthetic.sensor import SEEN_SENSORS

    recipe = Recipe(
        seed=options.seed,
        resolution=options.resolution,
        sensors=SEEN_SENSORS if options.sensor == ["all"] else tuple(options.sensor),
        meshes=options.meshes and str(Path(options.meshes).resolve()),
        without=tuple(options.without),
        only=tuple(options.only),
        held_out=options.hold_out,
        mesh_share=options.mesh_share,
        crop=options.crop,
    )
    recipe.catalogue()  # a wrong folder of meshes shows before anything is written
    tasks = plan(recipe, Path(options.out), _counts(options), options.shard)
    if not tasks:
        raise InputError(
            f"shard {options.shard[0]}/{options.shard[1]} of {options.frames} + {options.val} frames is empty"
        )
    files = generate(tasks, options.jobs)
    if options.sheet:
        from instseg3d_ros.data.synthetic.sheet import write_sheet
        from instseg3d_ros.labels import SYNTHETIC

        write_sheet(Path(options.sheet), files, SYNTHETIC)
    print(f"{len(files)} frames in {options.out}")
    return 0


def _counts(options) -> dict[tuple[str, str], int]:
    """Frames per split and kind; `mixed` halves them."""
    kinds = ("rooms", "tabletop") if options.kind == "mixed" else (options.kind,)
    counts = {}
    for split, total in (("train", options.frames), ("val", options.val)):
        for index, kind in enumerate(kinds):
            counts[split, kind] = total // len(kinds) + (index < total % len(kinds))
    return counts


def _parse(arguments: list[str]):
    parser = argparse.ArgumentParser(
        prog="generate", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("out", help="folder to write: labels.yaml, train/*.npz, val/*.npz")
    add("--frames", type=_count, default=1000, help="training frames (default %(default)s)")
    add("--val", type=_count, default=0, help="validation frames, from other worlds (default %(default)s)")
    add("--kind", choices=("rooms", "tabletop", "mixed"), default="mixed", help="what to render (default %(default)s)")
    add("--seed", type=_count, default=0, help="same seed, same bytes (default %(default)s)")
    add("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes (default: all cores, %(default)s)")
    add("--resolution", type=_resolution, default=(320, 240), metavar="WxH", help="pixels (default 320x240)")
    add("--sensor", nargs="+", default=["all"], metavar="NAME",
        help="kinect, realsense, tof, stereo; 'all' is all but stereo, which is kept for tests")  # fmt: skip
    add("--meshes", metavar="DIR", help="also use meshes (GLB, OBJ, PLY) from sub-folders named after a class")
    add("--without", nargs="+", default=[], metavar="PREFIX", help="leave out mesh files that begin so")
    add("--only", nargs="+", default=[], metavar="PREFIX", help="use only mesh files that begin so")
    add("--mesh-share", type=_share, default=0.25, help="how often a class is served from meshes (default %(default)s)")
    add("--hold-out", action="store_true", help="build furniture only by the constructions reserved for tests")
    add("--crop", type=_share, default=0.5, help="share of tabletop frames cropped to the table (default %(default)s)")
    add("--shard", type=_shard, default=(0, 1), metavar="I/N", help="render part I of N, counted from 0 (default 0/1)")
    add("--sheet", metavar="PNG", help="also write a contact sheet of colour, depth, class and instance")
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0; give a count")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..1; give a share")
    return value


def _resolution(text: str) -> tuple[int, int]:
    width, mark, height = text.lower().partition("x")
    if not (mark and width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 32):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no resolution of 32 pixels or more; give WIDTHxHEIGHT, as 320x240"
        )
    return int(width), int(height)


def _shard(text: str) -> tuple[int, int]:
    part, mark, count = text.partition("/")
    if not (mark and part.isdigit() and count.isdigit() and 0 <= int(part) < int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is no shard; give I/N with 0 <= I < N, as 0/4")
    return int(part), int(count)
