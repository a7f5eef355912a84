"""`gpu_check`: check answers, speed, training and out-of-memory behaviour on a CUDA card."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.replacing import replacing

EXAMPLES = """examples:
  gpu_check                                    all checks on the first CUDA card; some minutes
  gpu_check --json gpu.json                    also writes all findings as JSON
  gpu_check --only right fast --device cuda:1  some checks, another card
  gpu_check --engines torch                    without spconv, as on a Jetson
  gpu_check --device cpu                       the same steps at small sizes, as a rehearsal

The exit code is 0 only if every limit holds, 1 if one does not, 2 for a wrong argument. The command needs no network,
no ROS and no data."""

CHECKS = ("present", "right", "fast", "trains", "memory")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the options of the command. Raises InputError on bad arguments."""
    parser = Parser(
        prog="gpu_check",
        description="Check answers, speed, training and out-of-memory behaviour on a CUDA card.",
        examples=EXAMPLES,
    )
    add = parser.add_argument
    add(
        "--device",
        default="auto",
        help="auto (the first CUDA card), cuda, cuda:N, or cpu for a rehearsal (default: auto)",
    )
    add(
        "--only",
        nargs="+",
        choices=CHECKS,
        default=list(CHECKS),
        metavar="CHECK",
        help=f"checks to run: {', '.join(CHECKS)} (default: all)",
    )
    add("--engines", nargs="+", choices=("torch", "spconv"), default=[], help="sparse engines to check (default: both)")
    add("--json", type=Path, metavar="FILE", help="write all findings as JSON")
    options = parser.parse_args(arguments)
    if options.json is not None and not options.json.resolve().parent.is_dir():
        parser.error(f"{options.json}: its folder does not exist; create the folder first")
    return options


def main(arguments: list[str]) -> int:
    """The command `gpu_check`; returns its exit code, raises InputError on bad arguments."""
    options = parse(arguments)
    from instseg3d_ros.gpu_check.packed import use_packed

    use_packed()
    from tqdm import tqdm

    from instseg3d_ros.commands.train import parse as read_recipe
    from instseg3d_ros.gpu_check import finding
    from instseg3d_ros.gpu_check.card import Card
    from instseg3d_ros.gpu_check.run import check

    found = []
    with tempfile.TemporaryDirectory() as folder:
        card = Card.find(Path(folder), options.device, tuple(options.engines))
        with tqdm(file=sys.stderr, unit=" measured", disable=None) as progress:
            for one in check(card, [name for name in CHECKS if name in options.only], read_recipe):
                found.append(one)
                progress.set_description(one.check)
                progress.update()
    print(finding.table(found))
    passed = finding.passed(found)
    print(f"\n{card.name}: {'all limits hold' if passed else 'FAILED'}")
    if options.json is not None:
        with replacing(options.json) as beside:
            beside.write_text(json.dumps(finding.to_json(found), indent=1))
    return 0 if passed else 1
