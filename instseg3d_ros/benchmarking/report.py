"""Writes the rows of the benchmark as a table, as JSON and as a figure."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from instseg3d_ros.benchmarking.race import Row, Times
from instseg3d_ros.benchmarking.scaling import Curve
from instseg3d_ros.replacing import replacing

HEADER = ("what", "size", "ours ms", "±", "beside", "ms", "±", "", "mark", "")


def table(rows: list[Row]) -> str:
    """The rows as aligned text, with a heading for each group."""
    lines, groups = [], []
    for row in rows:
        if row.group not in groups:
            groups.append(row.group)
    cells = {group: [_cells(row) for row in rows if row.group == group] for group in groups}
    every = [HEADER, *(line for found in cells.values() for line in found)]
    widths = [max(len(line[i]) for line in every) for i in range(len(HEADER))]

    def aligned(line: Sequence[str]) -> str:
        return "  ".join(
            text.ljust(width) if i in (0, 4, 7, 9) else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths))
        ).rstrip()

    lines.append(aligned(HEADER))
    for group, found in cells.items():
        lines += ["", group, *map(aligned, found)]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} {row.unit}"
    mark = "" if row.mark is None else f"{'≤' if row.at_most else '≥'} {row.mark:g}"
    held = {True: "held", False: "MISSED", None: ""}[row.held]
    return (row.what, f"{row.size:,}", *_time(row.ours), row.peer, *_time(row.theirs), ratio, mark, held)


def _time(times: Times | None) -> tuple[str, str]:
    if times is None:
        return "", ""
    digits = 0 if times.median >= 100 else 1 if times.median >= 10 else 2
    return f"{times.median:.{digits}f}", f"{100 * times.spread:.0f} %"


def machine(threads: int) -> dict[str, object]:
    """The processor, libraries and load on which the figures depend."""
    import torch

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = names[0] if names else name
    from instseg3d_ros.sparse.native import build, kernels

    isa = build.instruction_set() or "the processor's own instructions"
    native = f"compiled for {isa}" if build.enabled() else "switched off"
    lacking = f", without {', '.join(kernels.missing())}" if kernels.missing() else ""
    return {
        "processor": name, "cores": os.cpu_count(), "threads": threads, "torch": torch.__version__,
        "kernels": native + lacking, "load": os.getloadavg()[0], "date": str(date.today()),
    }  # fmt: skip


def to_json(rows: list[Row], curves: list[Curve], about: dict[str, object]) -> dict:
    return {
        "machine": about,
        "rows": [
            {
                "group": row.group, "what": row.what, "size": row.size, "ratio": row.ratio, "unit": row.unit,
                "mark": row.mark, "at_most": row.at_most, "held": row.held, "peer": row.peer,
                "ours_ms": None if row.ours is None else list(row.ours.rounds),
                "peer_ms": None if row.theirs is None else list(row.theirs.rounds),
            }
            for row in rows
        ],
        "curves": [
            {"stage": c.stage, "voxels": c.voxels, "ms": c.milliseconds, "exponent": c.exponent} for c in curves
        ],
    }  # fmt: skip


def figure(path: Path, rows: list[Row], curves: list[Curve], about: dict[str, object]) -> None:
    """Draw, on the left, how many times as fast as each peer the package is; on the right, time against size."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    raced = [row for row in rows if row.theirs is not None and row.unit == "×"]
    picture, (left, right) = pyplot.subplots(
        1, 2, figsize=(13, 1.5 + 0.34 * max(10, len(raced))), width_ratios=(1.5, 1), layout="constrained"
    )
    heights = range(len(raced))
    left.barh(heights, [row.ratio for row in raced], color="#3b78b5")
    for height, row in zip(heights, raced):
        left.text(row.ratio, height, f" {row.ratio:.1f}", va="center", fontsize=8)
        if row.mark is not None:
            left.plot([row.mark] * 2, [height - 0.45, height + 0.45], color="#c0392b", linewidth=2)
    left.axvline(1, color="black", linewidth=0.8)
    left.set(xscale="log", ylim=(len(raced) - 0.4, -0.6), xlabel="times as fast as the peer (red: mark)")
    left.set_xlim(right=2 * max((row.ratio or 1 for row in raced), default=1))  # room for the longest bar's number
    left.set_yticks(heights, [f"{row.what}  |  {row.peer}" for row in raced], fontsize=8)
    for curve in curves:
        right.loglog(
            curve.voxels, curve.milliseconds, marker="o", label=f"{curve.stage}: exponent {curve.exponent:.2f}"
        )
    right.set(xlabel="voxels", ylabel="milliseconds", title="Cost against size")
    right.grid(True, which="both", alpha=0.3)
    if curves:
        right.legend(fontsize=8)
    picture.suptitle(f"{about['processor']}, {about['threads']} threads, {about['date']}", fontsize=10)
    with replacing(path) as beside:
        picture.savefig(beside, dpi=120)
    pyplot.close(picture)
