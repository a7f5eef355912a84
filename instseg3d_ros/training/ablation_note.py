"""Writes `docs/ablation.md` and its figure from the scores of `ablation`; the text after `MARK` is kept."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.benchmark_layout import write
from instseg3d_ros.evaluation.paper import TABLE3
from instseg3d_ros.replacing import replacing
from instseg3d_ros.training.ablation_plan import VARIANTS, Plan, Variant

SCORES = ("ap", "ap50", "ap25", "iou")
TITLES = ("AP", "AP50", "AP25", "IoU")  # columns of the paper's table; columns for masks follow
STEPS = (
    *itertools.pairwise(row.name for row in VARIANTS[:5]),
    (VARIANTS[3].name, VARIANTS[5].name),
)  # pairs of rows that differ in a single setting
MARK = "<!-- Written by hand from here on; the part above is made by the ablation driver. -->"


@dataclass(frozen=True)
class Measured:
    """Scores of a variant: values (S, 7) for S seeds, `SCORES` and three scores of masks; NaN if undefined."""

    row: Variant
    values: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        return self.values.mean(axis=0)

    @property
    def spread(self) -> np.ndarray:
        """Half the range over the seeds, because two or three seeds are too few for a standard deviation."""
        return np.ptp(self.values, axis=0) / 2


def collect(plan: Plan) -> tuple[list[Measured], int]:
    """Scores of all variants with at least one scored seed, and the number of validation scenes."""
    result, scenes = [], 0
    for row in VARIANTS:
        values = []
        for seed in plan.seeds:
            path = plan.run(row, seed) / "scores.json"
            if path.is_file() and (path.parent / "scores.json.done").is_file():
                content = json.loads(path.read_text())
                found = [content[key] for key in SCORES] + [content["class_agnostic"][key] for key in SCORES[:3]]
                values.append([np.nan if value is None else value for value in found])
                scenes = content["scenes"]
        if values:
            result.append(Measured(row, np.array(values, float)))
    if not result:
        raise InputError(f"{plan.out}: no row has been scored yet; run the ablation first")
    return result, scenes


def update(note: Path, plan: Plan) -> None:
    """Write the note and `<note's stem>.png` beside it."""
    measured, scenes = collect(plan)
    old = note.read_text() if note.is_file() else ""
    by_hand = old.partition(MARK)[2].strip()
    draw(note.with_suffix(".png"), measured)
    text = f"{table(measured, plan, scenes, note.with_suffix('.png').name)}\n{MARK}\n\n{by_hand}".rstrip() + "\n"
    write(note, text.encode())


def table(measured: list[Measured], plan: Plan, scenes: int, figure: str) -> str:
    """The text of the note that is computed from the scores."""
    lines = [
        "# Ablation: the paper's Table 3 on generated scenes",
        "",
        f"Each cell is the mean over {max(len(m.values) for m in measured)} seeds ± half their range, on {scenes} "
        "held-out scenes; the number in brackets is the paper's, on ScanNet's validation split. The two numbers are "
        "measured on different data: compare differences between rows, not the numbers themselves. The columns `masks` "
        "ignore classes.",
        "",
        "| row | " + " | ".join((*TITLES, *(f"masks {title}" for title in TITLES[:3]))) + " |",
        "| --- |" + " --- |" * 7,
    ]
    for entry in measured:
        paper = TABLE3[entry.row.name]
        cells = [
            f"{m:.3f} ± {s:.3f} ({p:.3f})" if np.isfinite(m) else f"– ({p:.3f})"
            for m, s, p in zip(entry.mean, entry.spread, paper)
        ]
        cells += [f"{m:.3f} ± {s:.3f}" for m, s in zip(entry.mean[4:], entry.spread[4:])]
        lines.append(f"| {entry.row.name} | " + " | ".join(cells) + " |")
    lines += ["", f"![rows beside the paper's]({figure})", "", *order(measured), ""]
    options = " ".join(plan.options)
    lines += [
        f"Recipe `{Path(plan.recipe).stem}`: {plan.semantic_steps} steps with only the semantic loss, which the rows "
        f"of a backbone and seed share, then {plan.steps} steps with all losses; width {plan.width} "
        f"(ResNet {2 * plan.width})"
        + (f"; `{options}`" if options else "") + ".",
        "",
        "    python -m instseg3d_ros.training.ablation ROOMS --seeds "
        + " ".join(map(str, plan.seeds))
        + f" --semantic_steps {plan.semantic_steps} --steps {plan.steps} --width {plan.width} {options}".rstrip(),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def order(measured: list[Measured]) -> list[str]:
    """List differences between rows whose sign is not the paper's, and whether they exceed the spread of the seeds."""
    lines, compared = [], 0
    by_name = {entry.row.name: entry for entry in measured}
    for before, after in ((by_name.get(one), by_name.get(two)) for one, two in STEPS):
        if before is None or after is None:
            continue
        compared += 1
        for column, title in enumerate(TITLES):
            ours = after.mean[column] - before.mean[column]
            paper = TABLE3[after.row.name][column] - TABLE3[before.row.name][column]
            if not np.isfinite(ours) or ours * paper > 0:
                continue
            clear = abs(ours) > before.spread[column] + after.spread[column]
            tail = "beyond the spread of the seeds" if clear else "within the spread of the seeds"
            lines.append(f"- {before.row.name} → {after.row.name}: {title} {ours:+.3f}, paper {paper:+.3f}; {tail}.")
    if not compared:
        return []
    if not lines:
        return ["All differences between rows have the same sign as in the paper."]
    return ["Differences between rows whose sign is not the paper's:", "", *lines]


def draw(path: Path, measured: list[Measured]) -> None:
    """Draw a panel per score: a dot for each seed, a bar for their mean, a hollow diamond for the paper's number."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(TITLES), sharey=True)
    at = np.arange(len(measured))[::-1]
    for column, (axis, title) in enumerate(zip(axes, TITLES)):
        axis.barh(at, [entry.mean[column] for entry in measured], color="#9ecae1", height=0.6, label="ours, mean")
        for y, entry in zip(at, measured):
            axis.plot(entry.values[:, column], np.full(len(entry.values), y), "o", color="#08519c", markersize=4)
        paper = [TABLE3[entry.row.name][column] for entry in measured]
        axis.plot(paper, at, "D", markerfacecolor="none", markeredgecolor="#d62728", label="paper (ScanNet)")
        axis.set_title(title)
        axis.set_xlim(left=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(at, [entry.row.name for entry in measured])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=120, format="png")
