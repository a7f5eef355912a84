"""`prepare`: convert downloaded ScanNet v2 or NYUv2 data into a folder of scenes for `train` and `evaluate`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.errors import InputError
from instseg3d_ros.replacing import replacing

EXAMPLES = """examples:
  prepare scannet /data/scannet /data/scannet_scenes              RAW holds scans/ and scannetv2-labels.combined.tsv
  prepare scannet RAW OUT --splits ScanNet/Tasks/Benchmark        your own split files
  prepare nyuv2 nyu_depth_v2_labeled.mat splits.mat OUT           795 frames to train, 654 to val
  prepare scannet RAW OUT --workers 8

Run the same command again after an interruption: finished scenes are not written again. A broken or missing scene is
named and skipped, and the exit code is then 1."""


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog="prepare",
        description="Convert a downloaded data set into a folder of scenes (docs/datasets.md).",
        examples=EXAMPLES,
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="scannet | nyuv2")
    scannet = kinds.add_parser("scannet", help="ScanNet v2: RAW OUT")
    scannet.add_argument(
        "raw", type=Path, help="folder of the download: scans/, scans_test/, scannetv2-labels.combined.tsv"
    )
    scannet.add_argument(
        "--splits", type=Path, metavar="DIR", help="folder of scannetv2_train.txt, _val.txt and _test.txt"
    )
    nyuv2 = kinds.add_parser("nyuv2", help="NYU Depth v2: MAT SPLITS OUT")
    nyuv2.add_argument("mat", type=Path, help="nyu_depth_v2_labeled.mat")
    nyuv2.add_argument("splits", type=Path, help="splits.mat")
    for kind in (scannet, nyuv2):
        kind.add_argument("out", type=Path, help="output folder of the scenes")
        kind.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="number of processes (all cores)"
        )
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error(f"--workers {options.workers}: expected at least 1")
    return options


def main(arguments: list[str]) -> int:
    """The command `prepare`; returns its exit code, raises InputError on bad arguments."""
    options = parse(arguments)
    from tqdm import tqdm

    from instseg3d_ros.data import nyuv2, preparing, scannet
    from instseg3d_ros.labels import NYUV2_19, SCANNET20

    jobs: Sequence[preparing.Job]
    if options.kind == "scannet":
        jobs, labels = scannet.jobs(options.raw, options.out, options.splits), SCANNET20
    else:
        jobs, labels = nyuv2.jobs(options.mat, options.splits, options.out), NYUV2_19
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with replacing(options.out / "labels.yaml") as beside:
            labels.write(beside)
    except OSError as error:
        raise InputError(f"{options.out}: {error.strerror}; name a folder that can be written") from None

    def bar(done: Iterable, total: int) -> Iterable:
        shown = len(jobs) - total
        return tqdm(done, total=len(jobs), initial=shown, unit="scene", desc=options.kind, disable=None)

    def tell(name: str, problem: str) -> None:
        tqdm.write(f"prepare: {name} skipped: {problem}", file=sys.stderr)

    summary = preparing.prepare(jobs, options.workers, bar, tell)
    for remark in summary.remarks:
        print(f"prepare: {remark}", file=sys.stderr)
    parts: dict[str, list[bool]] = {}
    for job in jobs:
        parts.setdefault(job.target.parent.name, []).append(job.target.exists())
    counts = ", ".join(f"{sum(there)} of {len(there)} {part}" for part, there in parts.items())
    print(f"{options.out}: {counts}; {summary.written} written, {summary.present} existed already")
    if summary.failures:
        print(f"prepare: {len(summary.failures)} of {len(jobs)} scenes skipped as broken or missing", file=sys.stderr)
        return 1
    return 0
