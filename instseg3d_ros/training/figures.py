"""Pictures of a training: curves from Lightning's CSV logs, and its network on validation scenes.

write("runs/unet", ["datasets/rooms"])        # runs/unet/curves.png, runs/unet/validation.png
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError

if TYPE_CHECKING:
    from instseg3d_ros.evaluation.outcome import Example
    from instseg3d_ros.segmentation.segmenter import Segmenter

SMOOTH = 40  # approximate number of points of a smoothed curve; the raw curve is drawn pale behind it
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#5d6570")


def write(out: Path, roots: Sequence[str | Path], model: str = "best.safetensors", count: int = 4) -> list[Path]:
    """Draw curves.png into `out`, and validation.png if `model` was exported and validation scenes exist."""
    out = Path(out)
    written = []
    found = read_log(out)
    if found:
        curves(found, out / "curves.png")
        written.append(out / "curves.png")
    if (out / model).is_file() and pictures(out / model, roots, out / "validation.png", count):
        written.append(out / "validation.png")
    return written


def read_log(out: Path) -> dict[str, np.ndarray]:
    """Read `out`/logs/*/metrics.csv: name → (K, 2) of step and value. Later starts replace steps of earlier ones."""
    series: dict[str, dict[int, float]] = {}
    for path in sorted((Path(out) / "logs").glob("*/metrics.csv"), key=lambda p: p.stat().st_mtime):
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                try:
                    step = int(row.pop("step"))
                except (KeyError, TypeError, ValueError):
                    continue  # an incomplete line of a training that was killed
                for name, text in row.items():
                    value = _number(text)
                    if name and name != "epoch" and math.isfinite(value):
                        series.setdefault(name, {})[step] = value
    return {name: np.array(sorted(values.items()), float) for name, values in series.items()}


def _number(text: str | None) -> float:
    try:
        return float(text) if text else math.nan
    except (TypeError, ValueError):
        return math.nan


def curves(series: dict[str, np.ndarray], path: Path) -> None:
    """Draw losses, validation scores (solid: by class; dashed: masks only) and learning rate over the steps."""
    from instseg3d_ros.evaluation.charts import figure_of, finish

    losses = [name for name in series if name.startswith("loss/")]
    scores = [name for name in series if name.startswith("val/")]
    rates = [name for name in series if "learning_rate" in name]
    groups = [group for group in (losses, scores, rates) if group]
    if not groups:
        raise InputError("the log has no losses and no scores yet; they are written every ten steps")
    figure, axes = figure_of(4.6 * len(groups), 3.6, len(groups))
    for ax, group in zip(axes, groups):
        for number, name in enumerate(group):
            step, value = series[name].T
            color = COLORS[number % len(COLORS)]
            label = name.split("/")[-1]
            for short, long in (("agnostic_", "masks "), ("ap", "AP"), ("iou", "IoU")):
                label = label.replace(short, long) if group is scores else label
            if group is losses:
                ax.plot(step, value, color=color, lw=0.6, alpha=0.25)
                step, value = smoothed(step, value)
            style = (0, (4, 2)) if "agnostic" in name else "-"
            ax.plot(step, value, color=color, lw=1.8, ls=style, label=label, marker="o" if len(step) < 3 else None)
        ax.set_xlabel("step", fontsize=8)
        title = "loss" if group is losses else "validation" if group is scores else "learning rate"
        ax.set_title(title, fontsize=10, loc="left", fontweight="bold")
        if group is losses:
            positive = np.concatenate([series[name][:, 1] for name in group])
            if len(positive) > 2 and positive.min() > 0 and positive.max() > 20 * positive.min():
                ax.set_yscale("log")
        if group is not losses:
            ax.set_ylim(0, 1.1 * max(series[name][:, 1].max() for name in group) or 1)
        if len(group) > 1:
            ax.legend(fontsize=7, frameon=False, ncol=2 if len(group) > 5 else 1)
    finish(figure, path)


def smoothed(step: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moving averages of steps and values, over windows of 1 / `SMOOTH` of the curve."""
    width = len(step) // SMOOTH
    if width < 2:
        return step, value
    kernel = np.ones(width) / width
    return np.convolve(step, kernel, "valid"), np.convolve(value, kernel, "valid")


def pictures(model: Path, roots: Sequence[str | Path], path: Path, count: int = 4) -> bool:
    """Draw the answers of a model on validation scenes of all data sets; False if there are no such scenes."""
    from instseg3d_ros.data.scene import scenes_of_each
    from instseg3d_ros.evaluation import figures, run
    from instseg3d_ros.segmentation.segmenter import Segmenter

    try:
        files = scenes_of_each(roots, "val")
    except InputError:
        return False
    share = -(-count // len(files))
    chosen = [group[index] for group in files for index in sorted(run.pick(len(group), share))][:count]
    segmenter = Segmenter.load(str(model), level="off", max_range=1e3)
    examples = [_example(segmenter, file) for file in chosen]
    figures.scenes(examples, segmenter.labels, path)
    return True


def _example(segmenter: Segmenter, file: Path) -> Example:
    from instseg3d_ros.data.scene import Scene
    from instseg3d_ros.evaluation.outcome import Example

    scene = Scene.read(file)
    result = segmenter(scene.points, scene.colors)
    return Example(
        file, scene.points, scene.colors, scene.semantic, scene.instance, result.semantic, result.instance, scene.extras
    )
