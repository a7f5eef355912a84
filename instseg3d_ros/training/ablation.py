"""The paper's Table 3 on a folder of scenes: sub-processes train and score each row with each seed.

    python -m instseg3d_ros.training.ablation ROOMS --out runs/table3 --seeds 0 1 [any option of `train`]

As in the paper, the first stage trains only the semantics. It is run once for each backbone and seed, and all rows of
this backbone and seed continue from its weights. To resume an interrupted ablation, run the same command again: it
skips rows that have scores and resumes the others.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.benchmark_layout import write
from instseg3d_ros.training import ablation_note
from instseg3d_ros.training.ablation_plan import VARIANTS, Plan, Variant


def work(plan: Plan, rows: Sequence[Variant] = VARIANTS, jobs: int = 1, say: Callable[[str], None] = print) -> None:
    """Run the first stages, then train and score the rows, `jobs` at a time. Finished runs are skipped."""
    _same_plan(plan)
    stages = {plan.first_stage(row, seed): (row, seed) for seed in plan.seeds for row in rows}
    _together(
        [(folder, [plan.train(row, seed, first=True)]) for folder, (row, seed) in stages.items()],
        "model.safetensors",
        jobs,
        say,
    )
    _together(
        [
            (plan.run(row, seed), [plan.train(row, seed, first=False), plan.evaluate(row, seed)])
            for seed in plan.seeds
            for row in rows
        ],
        "scores.json",
        jobs,
        say,
    )


def _same_plan(plan: Plan) -> None:
    """InputError if the folder holds results of a plan with other settings."""
    path = plan.out / "plan.json"
    content = {key: str(value) for key, value in asdict(plan).items() if key not in ("out", "seeds")}
    if path.is_file() and json.loads(path.read_text()) != content:
        raise InputError(
            f"{plan.out}: contains trainings with other settings (plan.json); use another --out or remove the folder"
        )
    write(path, json.dumps(content, indent=2).encode())


def _together(work: list[tuple[Path, list[list[str]]]], proof: str, jobs: int, say: Callable[[str], None]) -> None:
    waiting = [(folder, commands) for folder, commands in work if not (folder / f"{proof}.done").is_file()]
    say(f"{len(work) - len(waiting)} of {len(work)} were finished before ({proof})")
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = {pool.submit(_run, folder, commands, proof): folder for folder, commands in waiting}
        for number, future in enumerate(as_completed(futures), 1):
            try:
                seconds = future.result()
            except InputError:
                pool.shutdown(cancel_futures=True)
                raise
            say(f"{number} of {len(waiting)}: {futures[future].name} in {seconds / 60:.1f} min")


def _run(folder: Path, commands: list[list[str]], proof: str) -> float:
    """Run commands one after the other and append their output to `log.txt`; returns the time in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for command in commands:
        with open(folder / "log.txt", "ab") as log:
            code = subprocess.run(
                command, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"}
            ).returncode
        if code:
            raise InputError(f"{' '.join(command[3:6])} … ended with exit code {code}; see {folder / 'log.txt'}")
    # The file is written only after the last command has succeeded; weights alone also exist during a training.
    seconds = time.monotonic() - start
    write(folder / f"{proof}.done", f"{seconds:.1f}\n".encode())
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="ablation", description="Train and score the rows of the paper's Table 3 on a folder of scenes.",
        allow_abbrev=False,
        epilog="All other options are passed to `train`: --batch_size=2 --network.voxel_size=0.03 --accelerator=gpu …",
    )  # fmt: skip
    parser.add_argument("data", type=Path, help="folder of scenes with train/ and val/")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/table3"), help="output folder; it holds a folder for each row and seed"
    )
    parser.add_argument("--recipe", default="table3", help="recipe of all rows (default: table3)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="random seeds (default: 0 1)")
    parser.add_argument(
        "--semantic_steps",
        type=int,
        default=Plan.semantic_steps,
        help="number of steps of the first stage, which rows share",
    )
    parser.add_argument(
        "--steps", type=int, default=Plan.steps, help="number of steps of each row after the first stage"
    )
    parser.add_argument(
        "--width", type=int, default=Plan.width, help="number m of features of the U-Net; the ResNet has twice as many"
    )
    parser.add_argument("--rows", nargs="+", choices=[row.folder for row in VARIANTS], help="run only these rows")
    parser.add_argument("--jobs", type=int, default=1, help="number of trainings in parallel (default 1)")
    parser.add_argument(
        "--note", type=Path, default=Path("docs/ablation.md"), help="file of the table (default: docs/ablation.md)"
    )
    options, rest = parser.parse_known_args(arguments)
    plan = Plan(
        options.data.resolve(), options.out, options.recipe, tuple(options.seeds), options.semantic_steps,
        options.steps, options.width, options=tuple(rest),
    )  # fmt: skip
    try:
        work(plan, [row for row in VARIANTS if not options.rows or row.folder in options.rows], options.jobs)
        ablation_note.update(options.note, plan)
    except InputError as error:
        print(f"ablation: {error}", file=sys.stderr)
        return 2
    print(f"{options.note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
