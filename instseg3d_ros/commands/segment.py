"""`segment`: segment files and bags without ROS; writes labelled clouds, objects, pictures and pages."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.errors import InputError
from instseg3d_ros.extras import require

if TYPE_CHECKING:
    from instseg3d_ros.offline.run import InputReport
    from instseg3d_ros.offline.settings import Settings

EXAMPLES = """examples:
  segment room.ply -o out                        out/room.segmented.ply, .png and room.instances.json
  segment scans/ 'more/*.pcd' -o out --html      every cloud in a folder; an interactive page for each
  segment recording/ -o out                      a ROS bag becomes an mcap with the node's topics
  segment depth.png -o out --intrinsics 525,525,319.5,239.5
  segment drive/ -o out --map --fixed-frame odom --html    a map of objects from all clouds of a bag, through its TF
  segment rgbd_folder/ -o out --map              the same from TUM's or 7-Scenes' depth images with their trajectory
  segment room.ply -o out --classes chair,table --min-score 0.5

Formats: ply, pcd, npz, las, laz, depth PNGs with colour images and intrinsics in the same folder,
ROS 2 bags (mcap, db3), ROS 1 bags.
A repeated command segments only new or changed inputs. The exit code is 1 if an input could not be read."""


def parse(arguments: list[str]) -> argparse.Namespace:
    from instseg3d_ros.data.units import UNITS
    from instseg3d_ros.messages.axes import AXES
    from instseg3d_ros.segmentation.options import LEVELS

    parser = Parser(
        prog="segment",
        description="Segment clouds in files and bags into objects.",
        examples=EXAMPLES,
    )
    add = parser.add_argument
    add("inputs", nargs="+", metavar="IN", help="input files, folders, glob patterns or bags")
    add("-o", "--out", type=Path, required=True, metavar="OUT", help="folder of all output files")
    add("--model", default="unet", help="name in models/ or a .safetensors file (default: unet)")
    add("--device", default="auto", help="device of the network: auto, cpu, cuda, cuda:1 (default: auto)")
    add(
        "--axes",
        default="auto",
        choices=AXES,
        help="axes of the cloud: body has z up, optical z forward (default: auto)",
    )
    add(
        "--level",
        choices=LEVELS,
        help="auto: estimate the vertical; off: take the z axis (default: auto for cameras, off for scans)",
    )
    add("--voxel", type=float, metavar="METRES", help="voxel size (default: the model's, which gives the best answers)")
    add("--min-score", type=float, metavar="S", help="lowest score of an object, 0 to 1 (default: the model's value)")
    add(
        "--max-voxels",
        type=int,
        metavar="N",
        help="largest number of voxels of a cloud; of others, voxels with few points are left out (default: no limit)",
    )
    add(
        "--max-range",
        type=float,
        metavar="METRES",
        help="label no points beyond this distance (default for cameras: the model's value)",
    )
    add("--classes", default="", metavar="A,B", help="keep only objects of these classes")
    add("--topic", help="PointCloud2 topic to read from a bag that has several")
    add(
        "--all-topics",
        action="store_true",
        help="copy all other topics of a bag to the output; default: transforms only",
    )
    add("--unit", default="m", choices=UNITS, help="unit of the coordinates (default: m)")
    add("--intrinsics", metavar="K", help="intrinsics of depth images: fx,fy,cx,cy or a file")
    add(
        "--depth-scale", type=float, default=1000.0, metavar="N", help="units of a depth image per metre (default 1000)"
    )
    add("--map", action="store_true",
        help="build one map of objects from a bag with TF, or from a folder of depth images with poses")  # fmt: skip
    add(
        "--fixed-frame",
        default="",
        metavar="FRAME",
        help="with --map of a bag: a frame of its TF with z up, such as odom",
    )
    add("--html", action="store_true", help="also write an interactive page in one file")
    add(
        "--budget", type=int, default=400_000, metavar="N", help="largest number of points on the page (default 400000)"
    )
    add(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="number of inputs that are segmented in parallel, each in a process (default 1)",
    )
    add("--json", type=Path, metavar="FILE", help="write status, counts and message of each input as JSON")
    options = parser.parse_args(arguments)
    if not 1 <= options.jobs <= 256:
        parser.error(f"--jobs {options.jobs}: expected 1 to 256")
    return options


def main(arguments: list[str]) -> int:
    """The command `segment`; returns its exit code, raises InputError on bad arguments."""
    options = parse(arguments)
    require("matplotlib")  # every input gets a picture
    from instseg3d_ros.data.clouds import find_inputs
    from instseg3d_ros.offline.run import FAILED, MARK, PARTLY, SetupError, names_for
    from instseg3d_ros.offline.settings import Settings

    settings = Settings(
        out=options.out, model=options.model, device=options.device, axes=options.axes, level=options.level,
        voxel=options.voxel, min_score=options.min_score, max_range=options.max_range, max_voxels=options.max_voxels,
        classes=tuple(name.strip() for name in options.classes.split(",") if name.strip()), topic=options.topic,
        all_topics=options.all_topics,
        unit=options.unit,
        intrinsics=options.intrinsics, depth_scale=options.depth_scale, html=options.html, budget=options.budget,
        threads=max(1, (os.cpu_count() or 1) // options.jobs) if options.jobs > 1 else 0,
    )  # fmt: skip
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {settings.out}: {error.strerror}; name a folder that can be written") from None
    if options.fixed_frame and not options.map:
        raise InputError(f"--fixed-frame {options.fixed_frame}: only --map needs a frame; give --map too")
    if options.map:
        return _map(options, settings)
    sources = [
        path
        for path in find_inputs(options.inputs, options.intrinsics is not None)
        if MARK not in path.name and MARK not in path.parent.name
    ]
    if not sources:
        raise InputError(f"{options.inputs[0]}: holds only outputs of this command; name the input clouds")
    try:
        rows = segment_all(sources, names_for(sources), settings, options.jobs)
    except SetupError as error:
        raise InputError(str(error)) from None
    print(table(rows))
    if options.json is not None:
        from instseg3d_ros.offline.outputs import write_json

        write_json(options.json, {"inputs": [vars(row) for row in rows]})
    for row in rows:
        for remark in row.remarks:
            print(f"segment: {row.source}: {remark}", file=sys.stderr)
    broken = [row for row in rows if row.status in (FAILED, PARTLY)]
    for row in broken:
        print(f"segment: {row.message}", file=sys.stderr)
    return 1 if broken else 0


def _map(options: argparse.Namespace, settings: Settings) -> int:
    """Build a map for each bag or folder."""
    from tqdm import tqdm

    from instseg3d_ros.offline.mapping import map_input
    from instseg3d_ros.offline.run import names_for
    from instseg3d_ros.offline.segmenting import CloudSegmenter

    sources = [Path(source) for source in options.inputs]
    for source in sources:
        if not source.exists():
            raise InputError(f"{source}: no such bag or folder")
    segment, broken = CloudSegmenter.load(settings), 0
    names = names_for(sources)
    for source in sources:
        stem = settings.out / f"{names[source]}.map"
        with tqdm(unit="cloud", dynamic_ncols=True, disable=None, leave=False, desc=source.name) as bar:

            def progress(done: int, of: int, bar: tqdm = bar) -> None:
                bar.total = of
                bar.update(done - bar.n)

            try:
                counts = map_input(source, stem, segment.segmenter, options.fixed_frame, settings, progress)
            except InputError as error:
                print(f"segment: {error}", file=sys.stderr)
                broken += 1
                continue
        print(f"{stem}.ply: {counts['objects']} objects, {counts['points']:,} cells from {counts['clouds']} clouds")
        for reason, number in counts["left_out"].items():
            print(f"segment: {source}: {number} clouds left out: {reason}", file=sys.stderr)
    return 1 if broken else 0


def segment_all(sources: list[Path], names: dict[Path, str], settings: Settings, jobs: int) -> list[InputReport]:
    """Segment all inputs; returns their reports in order. Shows progress bars over inputs and over clouds of a bag."""
    from tqdm import tqdm

    from instseg3d_ros.offline import pool

    bar = tqdm(total=len(sources), unit="input", dynamic_ncols=True, disable=None, leave=False)
    with bar:
        work = (
            pool.in_turn(sources, names, settings) if jobs == 1 else pool.side_by_side(sources, names, settings, jobs)
        )
        rows = {}
        for row in work:
            rows[row.source] = row
            bar.update(1)
            bar.set_postfix_str(Path(row.source).name)
    return [rows[str(source)] for source in sources]


def table(rows: list) -> str:
    """The summary table of a run."""
    head = ("input", "clouds", "points", "objects", "seconds", "")
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        counts = (f"{row.clouds:,}", f"{row.points:,}", f"{row.objects:,}", f"{row.seconds:.1f}")
        if row.status == "failed":
            counts = ("", "", "", "")
        lines.append((Path(row.source).name, *counts, row.status))
    done = [row for row in rows if row.status != "failed"]
    total = (sum(row.clouds for row in done), sum(row.points for row in done), sum(row.objects for row in done))
    lines.append((f"{len(done)} of {len(rows)}", *(f"{n:,}" for n in total), f"{sum(r.seconds for r in rows):.1f}", ""))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = []
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:5], widths[1:5])), line[5]]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "-" * max(map(len, text)))
    text.insert(-1, text[1])
    return "\n".join(text)
