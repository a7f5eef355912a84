"""`evaluate`: score a model, classical methods, or a folder of predictions."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.errors import InputError

if TYPE_CHECKING:
    from instseg3d_ros.evaluation.drive_files import Step
    from instseg3d_ros.segmentation.result import Result

EXAMPLES = """examples:
  evaluate DATASET --split val --model unet                      a folder of scenes (see prepare, generate)
  evaluate DATASET --method euclidean --method region_growing    classical methods beside the model, in one run
  evaluate DATASET --model none --method euclidean               without a model
  evaluate DATASET --export OUT                                  writes <scene>.txt and masks as in ScanNet's benchmark
  evaluate --predictions OUT --ground-truth OUT/ground_truth     score files in this layout
  evaluate --tabletop FRAMES --method convexity                  labelled frames of a depth camera, without classes
  evaluate --tabletop FRAMES --model tabletop --no-color         the same without colour
  evaluate --drives WALKS                                        maps of objects; WALKS: bags of generate --kind flat
  evaluate DATASET --split val --calibrate mine.safetensors      the same weights with calibrated scores
  evaluate DATASET --json scores.json --csv scores.csv --latex table.tex --figures pictures --report page

Scores follow ScanNet's instance protocol (docs/evaluation.md); for NYUv2 read AP25."""


def parse(arguments: list[str]) -> argparse.Namespace:
    from instseg3d_ros.evaluation.baselines import METHODS

    parser = Parser(
        prog="evaluate",
        description="Measure the average precision of instances, the IoU of classes, and the calibration of scores.",
        examples=EXAMPLES,
    )
    add = parser.add_argument
    add("dataset", nargs="?", type=Path, help="folder of scenes: labels.yaml, train/, val/")
    add("--split", default="val", help="split of the data set (default: val)")
    add("--model", help="name in models/ or a .safetensors file; 'none': score only --method (default: unet)")
    add(
        "--method",
        action="append",
        default=[],
        choices=list(METHODS),
        help="also score this classical method; the option may be repeated",
    )
    add("--device", default="auto", help="device of the network: auto, cpu, cuda (default: auto)")
    add("--predictions", type=Path, metavar="DIR", help="score the predictions in these files instead of a model")
    add(
        "--ground-truth", type=Path, metavar="DIR", help="ground truth for --predictions: <scene>.txt, or scenes as npz"
    )
    add(
        "--labels",
        help="label set of --predictions: scannet20, nyuv2_19, synthetic or a labels.yaml (default: scannet20)",
    )
    add(
        "--tabletop",
        type=Path,
        metavar="DIR",
        help="score masks on labelled depth-camera frames (npz with depth, color, label, K)",
    )
    add("--drives", type=Path, metavar="DIR",
        help="score maps, single frames and a baseline map on bags written by generate --bag --truth")  # fmt: skip
    add("--class-agnostic", action="store_true", help="in --json, put the scores that ignore classes first")
    add(
        "--min-region",
        type=int,
        default=100,
        metavar="N",
        help="smallest number of points of an object that is scored (default 100)",
    )
    add("--no-color", action="store_true", help="segment without colour")
    add("--limit", type=int, metavar="N", help="use only the first N scenes")
    add("--export", type=Path, metavar="DIR", help="write predictions and truth in ScanNet's benchmark layout")
    add(
        "--calibrate",
        type=Path,
        metavar="FILE",
        help="write the model with calibrated scores to this file",
    )
    add(
        "--best-min-score",
        action="store_true",
        help="with --calibrate: the score with the best overlap F on these scenes becomes the model's min_score",
    )
    add("--json", type=Path, metavar="FILE", help="write the scores as JSON")
    add("--csv", type=Path, metavar="FILE", help="write the scores as CSV, one line per method and class")
    add("--latex", type=Path, metavar="FILE", help="write the scores as a LaTeX table")
    add("--figures", type=Path, metavar="DIR", help="draw inputs, classes and instances of a few scenes, and curves")
    add("--report", type=Path, metavar="DIR", help="write a web page with scores and pictures")
    add(
        "--examples",
        type=int,
        default=4,
        metavar="N",
        help="number of scenes to draw for --figures and --report (default 4)",
    )
    options = parser.parse_args(arguments)
    given = (options.dataset, options.predictions, options.tabletop, options.drives)
    sources = [source is not None for source in given]
    if sum(sources) != 1:
        parser.error("give one of DATASET, --predictions with --ground-truth, --tabletop or --drives")
    if (options.predictions is None) != (options.ground_truth is None):
        parser.error("give --predictions and --ground-truth together")
    for name in ("min_region", "limit", "examples"):
        value = getattr(options, name)
        if value is not None and value < (1 if name == "limit" else 0):
            parser.error(f"--{name.replace('_', '-')} {value}: expected at least {1 if name == 'limit' else 0}")
    if options.calibrate is not None and (options.dataset is None or options.model == "none"):
        parser.error("--calibrate needs a DATASET and a model")
    if options.best_min_score and options.calibrate is None:
        parser.error("--best-min-score needs --calibrate FILE, the model in which the score is stored")
    if options.calibrate is not None and options.calibrate.suffix != ".safetensors":
        parser.error(f"--calibrate {options.calibrate}: name a .safetensors file")
    if options.export is not None and options.dataset is None:
        parser.error("--export needs a DATASET")
    if options.export is not None and any(options.export.glob("*")):
        parser.error(
            f"--export {options.export}: the folder is not empty; name a new folder, so that old and new scenes do "
            "not mix"
        )
    return options


def main(arguments: list[str]) -> int:
    """The command `evaluate`; returns its exit code, raises InputError on bad arguments."""
    options = parse(arguments)
    if options.drives is not None:
        return _drives(options)
    from instseg3d_ros.evaluation import tables

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print(f"evaluate: {message}", file=sys.stderr)
        outcomes = measure(options)
    print(tables.screen(outcomes))
    write_tables(options, outcomes)
    if options.figures is not None:
        from instseg3d_ros.evaluation import figures

        figures.draw(outcomes, options.figures)
    if options.report is not None:
        from instseg3d_ros.evaluation import report

        report.write(outcomes, options.report)
    if options.calibrate is not None:
        from instseg3d_ros.evaluation import calibrate

        calibrate.write(options.model or "unet", outcomes[0], options.calibrate)
    return 0


def _drives(options: argparse.Namespace) -> int:
    """Score maps of whole drives."""
    import json

    from tqdm import tqdm

    from instseg3d_ros import Segmenter
    from instseg3d_ros.evaluation import drives
    from instseg3d_ros.evaluation.drive_files import find_drives, read_drive
    from instseg3d_ros.labels import SYNTHETIC

    found = [read_drive(path, SYNTHETIC) for path in find_drives(options.drives)[: options.limit]]
    segmenter = Segmenter.load(options.model or "unet", device=options.device, level="off")
    with tqdm(total=sum(drive.frames for drive in found), unit="frame", leave=False, disable=None) as bar:

        def segment(step: Step) -> Result:
            bar.update()
            return drives.segment_levelled(segmenter, step)

        rows = drives.compete(found, SYNTHETIC, segment, segmenter.labels.names, min_region=options.min_region)
    print(drives.table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([row.to_json() for row in rows], indent=1))
    return 0


def measure(options: argparse.Namespace) -> list:
    """Scores (`Outcome`) of each method."""
    from tqdm import tqdm

    from instseg3d_ros.data.scene import read_labels, scene_files
    from instseg3d_ros.evaluation import run, tabletop

    def bar(name: str) -> Callable[..., Iterable]:
        return partial(tqdm, desc=name, unit="scene", leave=False, dynamic_ncols=True, disable=None)

    if options.predictions is not None:
        claimed = run.find_labels(options.labels) if options.labels else None
        return [
            run.evaluate_folders(
                options.predictions, options.ground_truth, claimed, options.min_region, options.limit, bar("scoring")
            )
        ]
    if options.tabletop is not None:
        files = tabletop.frame_files(options.tabletop)[: options.limit]
    else:
        labels = read_labels(options.dataset)
        files = scene_files(options.dataset, options.split)[: options.limit]
    examples = options.examples if options.figures is not None or options.report is not None else 0
    # The scenes of a data set have z up and no limit of range, so that both options are switched off.
    known: dict = {} if options.tabletop is not None else {"level": "off", "max_range": 1e3}
    if options.calibrate is not None:
        known |= {"calibrated": False, "min_score": 0.0}
    methods = [] if options.model == "none" else [run.network(options.model or "unet", options.device, **known)]
    methods += [run.baseline(name) for name in dict.fromkeys(options.method)]
    if not methods:
        raise InputError("--model none leaves nothing to score; add --method")
    if options.no_color:
        methods = [run.without_color(method) for method in methods]
    outcomes = []
    for method in methods:
        if options.tabletop is not None:
            name = options.tabletop.resolve().name
            done = run.evaluate_tabletop(method, files, name, options.min_region, examples, bar(method.name))
        else:
            export = options.export
            if export is not None and len(methods) > 1:
                export = export / method.name
            done = run.evaluate_scenes(
                method,
                files,
                labels,
                options.dataset.resolve().name,
                options.split,
                options.min_region,
                export,
                examples,
                bar(method.name),
                options.best_min_score,
            )
        outcomes.append(done)
    return outcomes


def write_tables(options: argparse.Namespace, outcomes: list) -> None:
    """Write the score files that the options name."""
    from instseg3d_ros.evaluation import tables
    from instseg3d_ros.evaluation.benchmark_layout import write

    for path, content in (
        (options.json, lambda: tables.to_json(outcomes, options.class_agnostic or not outcomes[0].class_aware)),
        (options.csv, lambda: tables.to_csv(outcomes)),
        (options.latex, lambda: tables.to_latex(outcomes)),
    ):
        if path is not None:
            try:
                write(path, content().encode())
            except OSError as error:
                raise InputError(f"{path}: {error.strerror}; name a file that can be written") from None
