"""`benchmark`: measure the speed of every stage and of comparable libraries."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.replacing import replacing

if TYPE_CHECKING:
    from instseg3d_ros.benchmarking.race import Row
    from instseg3d_ros.benchmarking.segmenter import NodeRows

EXAMPLES = """examples:
  benchmark                                    everything on a generated frame of a room; some minutes
  benchmark --only geometry backbone           some parts
  benchmark --cloud scan.ply room.pcd          on your own clouds (ply, pcd, npz, las, the first of a bag)
  benchmark --only frames --rooms 60           the slowest of sixty generated rooms
  benchmark --isa x86-64-v3                    with kernels for AVX2 on a processor that has more
  benchmark --figure bench.png --json bench.json

The implementations of a comparison take turns; a line shows the median of all rounds and ± half the distance between
the quartiles; ratios are medians of the ratios within a round. Close other programs, or watch ± grow."""

GROUPS = ("geometry", "clustering", "segmenter", "frames", "backbone", "scaling")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog="benchmark",
        description="Measure the speed of every stage and of comparable libraries in the same run.",
        examples=EXAMPLES,
    )
    add = parser.add_argument
    add(
        "--cloud",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="clouds to measure; all parts except `frames` use only the first"
        " (default: a generated room, a table and the demo's cloud)",
    )
    add(
        "--rooms",
        type=int,
        default=12,
        help="number of generated rooms from which `frames` takes the slowest (default 12)",
    )
    add("--isa", metavar="NAME", help="instruction set of the kernels, a value of -march (default: this processor's)")
    add(
        "--only",
        nargs="+",
        choices=GROUPS,
        default=list(GROUPS),
        metavar="PART",
        help=f"parts to measure: {', '.join(GROUPS)} (default: all)",
    )
    add("--model", default="unet", help="network of the segmenter: a name in models/ or a file (default: unet)")
    add("--rounds", type=int, default=7, help="measurements of each implementation (default 7)")
    add("--threads", type=int, default=0, help="threads of this package; 0: all cores (default 0)")
    add("--figure", type=Path, default=None, metavar="FILE", help="draw ratios and growth, as png, svg or pdf")
    add("--json", type=Path, default=None, metavar="FILE", help="write the times of all rounds as JSON")
    options = parser.parse_args(arguments)
    if options.rounds < 3:
        parser.error(f"--rounds {options.rounds}: expected at least 3, for a median and a spread")
    if not 0 <= options.rooms <= 1000:
        parser.error(f"--rooms {options.rooms}: expected 0 to 1000")
    if not 0 <= options.threads <= 1024:
        parser.error(f"--threads {options.threads}: expected 0 (all cores) to 1024")
    for path in (options.figure, options.json):
        if path is not None and not path.resolve().parent.is_dir():
            parser.error(f"{path}: its folder does not exist; create the folder first")
    if options.figure is not None and options.figure.suffix not in (".png", ".svg", ".pdf"):
        parser.error(f"--figure {options.figure}: expected a .png, .svg or .pdf file")
    return options


def main(arguments: list[str]) -> int:
    """The command `benchmark`; returns its exit code, raises InputError on bad arguments."""
    options = parse(arguments)
    import torch
    from tqdm import tqdm

    from instseg3d_ros.benchmarking import backbones, clustering, frame, geometry, report, scaling, segmenter, variety
    from instseg3d_ros.sparse.native import build

    if options.isa is not None:
        os.environ[build.ISA] = options.isa  # also for the processes that measure memory

    threads = options.threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    if options.cloud:
        clouds = [frame.load(path) for path in options.cloud]
    else:
        clouds = frame.kinds() if "frames" in options.only else [frame.load(None)]
    cloud = clouds[0]
    about = report.machine(threads)
    print(f"{cloud.name}, {len(cloud.points):,} points")
    print(f"{about['processor']}, {threads} threads, {about['kernels']} kernels, torch {about['torch']}")
    rounds, curves = options.rounds, []

    def grown() -> Iterator[Row]:
        curves.extend(scaling.curves(cloud, rounds, threads, progress))
        return scaling.rows(curves)

    parts = {
        "geometry": lambda: geometry.rows(cloud, rounds),
        "clustering": lambda: clustering.rows(rounds),
        "segmenter": lambda: segmenter.rows(cloud, rounds, options.model, _node_rows()),
        "frames": lambda: variety.rows(clouds, frame.rooms(options.rooms), rounds, options.model),
        "backbone": lambda: backbones.rows(cloud, rounds, (0.05, 0.02, 0.01), threads),
        "scaling": grown,
    }
    found = []
    with tqdm(file=sys.stderr, unit=" measured", disable=None) as progress:
        for part in GROUPS:
            if part in options.only:
                progress.set_description(part)
                for row in parts[part]():
                    found.append(row)
                    progress.update()
    print(report.table(found))
    if options.figure is not None:
        report.figure(options.figure, found, curves, about)
    if options.json is not None:
        _write(options.json, json.dumps(report.to_json(found, curves, about), indent=1))
    return 0


def _node_rows() -> NodeRows | None:
    """The comparisons of the node, if ROS is installed."""
    if importlib.util.find_spec("sensor_msgs") is None:
        return None
    from instseg3d_ros.ros.tools import benchmark

    return benchmark.rows


def _write(path: Path, text: str) -> None:
    with replacing(path) as beside:
        beside.write_text(text)
