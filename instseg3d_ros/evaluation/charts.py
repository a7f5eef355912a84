"""Charts of outcomes: bars per class, precision–recall curves, calibration, confusion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.evaluation.outcome import Outcome
from instseg3d_ros.viewing.picture import INK, PALE, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")  # one colour per method, in order
GRID = "#e3e6ea"


def draw(outcomes: Sequence[Outcome], folder: Path, kind: str = "png") -> list[Path]:
    """Write the charts for which the outcomes have data; returns their paths. kind: png, svg, pdf."""
    written = []
    if any(outcome.classes or not math.isnan(outcome.agnostic.ap50) for outcome in outcomes):
        written.append(folder / f"classes.{kind}")
        class_bars(outcomes, written[-1])
    if any(outcome.curves for outcome in outcomes):
        written.append(folder / f"precision_recall.{kind}")
        curves(outcomes, written[-1])
    if any(outcome.reliability is not None and outcome.reliability.count.sum() for outcome in outcomes):
        written.append(folder / f"calibration.{kind}")
        calibration(outcomes, written[-1])
    for outcome in outcomes:
        if outcome.confusion is not None and outcome.confusion.sum():
            written.append(folder / f"confusion_{outcome.method}.{kind}")
            confusion(outcome, written[-1])
    return written


def class_bars(outcomes: Sequence[Outcome], path: Path) -> None:
    """AP50 of each class (filled) with AP25 behind it (pale), one bar per method; undefined classes are left out."""
    names = [name for name in _class_names(outcomes) if any(_ap50(o, name) >= 0 for o in outcomes)]
    rows = [*names, *(["mean"] if names else []), "masks alone"]
    figure, (ax,) = figure_of(6.4, 0.9 + (0.2 + 0.16 * len(outcomes)) * len(rows))
    height = 0.8 / len(outcomes)
    for number, outcome in enumerate(outcomes):
        color = METHODS[number % len(METHODS)]
        for row, name in enumerate(rows):
            scores = {"mean": outcome.mean, "masks alone": outcome.agnostic}.get(name) or outcome.classes.get(name)
            if scores is None or math.isnan(scores.ap50):
                continue
            y = row - 0.4 + height * (number + 0.5)
            ax.barh(y, scores.ap25, 0.92 * height, color=color, alpha=0.28)
            ax.barh(y, scores.ap50, 0.92 * height, color=color)
            ax.text(max(scores.ap50, scores.ap25) + 0.01, y, f"{scores.ap50:.2f}", va="center", fontsize=7, color=PALE)
    ax.set(yticks=range(len(rows)), yticklabels=rows, xlim=(0, 1.05), ylim=(len(rows) - 0.4, -0.6))
    ax.set_xlabel("average precision: AP50, and AP25 (pale)", color=PALE, fontsize=8)
    if names:
        ax.axhline(len(names) - 0.5, color=GRID, linewidth=1)
    _legend(ax, outcomes)
    finish(figure, path)


def curves(outcomes: Sequence[Outcome], path: Path) -> None:
    """Precision over recall at IoU 0.5, one panel per method: class-agnostic bold, each class thin."""
    shown = [outcome for outcome in outcomes if outcome.curves]
    figure, axes = figure_of(4.2 * len(shown), 4.0, len(shown))
    for ax, outcome in zip(axes, shown):
        for name, curve in outcome.curves.items():
            color = INK
            if name:
                color = "#{:02x}{:02x}{:02x}".format(*outcome.labels[outcome.labels.index(name)].color)
            order = np.argsort(curve.recall, kind="stable")
            label = None
            if not name:
                label = "masks alone"
            elif _ap50(outcome, name) >= 0:
                label = name
            ax.plot(curve.recall[order], curve.precision[order], color=color, lw=1.1 if name else 2.2, label=label)
        ax.set(xlim=(0, 1.01), ylim=(0, 1.03))
        ax.set_title(outcome.method, fontsize=10, color=INK, loc="left", fontweight="bold")
        ax.set_xlabel("recall", color=PALE, fontsize=8)
        ax.set_ylabel("precision at IoU 0.5", color=PALE, fontsize=8)
        ax.legend(fontsize=6, frameon=False, loc="lower left", ncol=2 if len(outcome.curves) > 8 else 1)
    finish(figure, path)


def calibration(outcomes: Sequence[Outcome], path: Path) -> None:
    """Precision of instances against their score; the area of a dot shows the number of instances."""
    from matplotlib.collections import PathCollection

    figure, (ax,) = figure_of(4.4, 4.2)
    ax.plot((0, 1), (0, 1), color=PALE, lw=0.8, ls=(0, (4, 3)))
    for number, outcome in enumerate(outcomes):
        found = outcome.reliability
        if found is None or not found.count.sum():
            continue
        filled = found.count > 0
        color = METHODS[number % len(METHODS)]
        area = 12 + 220 * found.count[filled] / found.count.max()
        ax.plot(found.confidence[filled], found.accuracy[filled], color=color, lw=1.4)
        label = f"{outcome.method} (error {found.error:.2f})"
        ax.scatter(found.confidence[filled], found.accuracy[filled], area, color=color, alpha=0.75, lw=0, label=label)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    ax.set_xlabel("score of an instance", color=PALE, fontsize=8)
    ax.set_ylabel("share of correct instances (IoU 0.5)", color=PALE, fontsize=8)
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        legend = ax.legend(handles, labels, fontsize=7, frameon=False, loc="lower right")
        for handle in legend.legend_handles:
            if isinstance(handle, PathCollection):
                handle.set_sizes([30])
    finish(figure, path)


def confusion(outcome: Outcome, path: Path) -> None:
    """For each true class (row), the share of its points by predicted class; each row sums to one."""
    assert outcome.confusion is not None
    matrix = outcome.confusion.astype(float)
    rows = np.flatnonzero(matrix.sum(axis=1))
    columns = np.flatnonzero(matrix[rows].sum(axis=0))
    share = matrix[np.ix_(rows, columns)] / matrix[rows].sum(axis=1, keepdims=True)
    names = [*outcome.labels.names, "none"]
    figure, (ax,) = figure_of(1.6 + 0.34 * len(columns), 1.5 + 0.3 * len(rows))
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, x in zip(*np.nonzero(share >= 0.005)):
        value = share[y, x]
        text = f"{value:.2f}"[1:] if value < 0.995 else "1"
        ax.text(x, y, text, ha="center", va="center", fontsize=6.5, color="white" if value > 0.55 else INK)
    ax.set_xticks(range(len(columns)), [names[c] for c in columns], rotation=55, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), [names[r] for r in rows])
    ax.set_xlabel("predicted", color=PALE, fontsize=8)
    ax.set_ylabel("true", color=PALE, fontsize=8)
    ax.set_title(outcome.method, fontsize=10, color=INK, loc="left", fontweight="bold")
    ax.grid(False)
    finish(figure, path)


def _class_names(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(name for outcome in outcomes for name in outcome.classes))


def _ap50(outcome: Outcome, name: str) -> float:
    scores = outcome.classes.get(name)
    return scores.ap50 if scores is not None else math.nan


def figure_of(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(1, columns, n + 1) for n in range(columns)]
    for ax in axes:
        ax.tick_params(labelsize=7.5, colors=INK, length=0)
        ax.grid(color=GRID, lw=0.6)
        ax.set_axisbelow(True)
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color("#c9cdd3")
    return figure, axes


def finish(figure: Figure, path: Path) -> None:
    """Save a figure as `save` does; text in an SVG remains text."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "DejaVu Sans"}):
        save(figure, path)


def _legend(ax: Axes, outcomes: Sequence[Outcome]) -> None:
    from matplotlib.patches import Patch

    if len(outcomes) > 1:
        patches = [Patch(color=METHODS[n % len(METHODS)], label=o.method) for n, o in enumerate(outcomes)]
        ax.legend(
            handles=patches,
            fontsize=7.5,
            frameon=False,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncol=len(patches),
        )
