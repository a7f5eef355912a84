"""Draws pictures of a result: input, classes and instances from the same view, with names and a legend.

three_panels(points, colors, result, labels, "room.png")
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.replacing import replacing
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.viewing.colors import NO_COLOR, class_colors, neighbor_colors
from instseg3d_ros.viewing.drawing import Drawing, draw
from instseg3d_ros.viewing.names import place_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

DPI = 150
PANEL = 900  # pixels
INK, PALE = "#1d2127", "#5d6570"
MAX_CLASSES = 14  # largest number of classes in a legend


def three_panels(
    points: np.ndarray,
    colors: np.ndarray | None,
    result: Result,
    labels: LabelSet,
    path: str | os.PathLike,
    shape: tuple[int, int] | None = None,
    title: str = "",
    drawing: Drawing | None = None,
) -> Drawing:
    """Write a PNG of input, classes and instances of a cloud.

    points (N, 3) in body axes (x forward, y left, z up), NaN allowed; colors (N, 3) uint8 or None; shape: height and
    width of the cloud's image, or None; a cloud with a shape is drawn from its camera at the origin. drawing: the
    drawing that an earlier call returned, to draw another result from the same view. Returns the drawing.
    """
    drawing = drawing or draw(points, shape, result.instance, width=PANEL)
    table = neighbor_colors(points, result.instance)
    input_colors = np.broadcast_to(NO_COLOR, (len(points), 3)) if colors is None else colors
    panels = (
        ("Input" if colors is not None else "Input (without colour)", drawing.panel(input_colors)),
        ("Classes", drawing.panel(class_colors(result.semantic, labels))),
        ("Instances", drawing.instance_panel(result.instance, table)),
    )
    figure, axes = panel_figure([picture for _, picture in panels], [name for name, _ in panels])
    texts = {one.id: f"{one.label} {one.score:.2f}" for one in result.instances}
    write_names(axes[2], drawing, result.instance, texts)
    class_legend(axes[1], drawing, result.semantic, labels)
    known = int(np.isfinite(points).all(axis=1).sum())
    facts = [f"{known:,} points", f"{len(result.instances)} object{'s' * (len(result.instances) != 1)}"]
    if "total" in result.timings:
        facts.append(f"{result.timings['total']:.0f} ms")
    below(axes[0], (f"{title} · " if title else "") + " · ".join(facts))
    below(axes[2], "each object in its own colour, with its class and score")
    save(figure, path)
    return drawing


def panel_figure(
    panels: list[np.ndarray],
    names: list[str],
    rows: int = 1,
    foot: float = 0.42,
    head: float = 0.32,
    between: float | None = None,
    tail: float = 0.0,
) -> tuple[Figure, list[Axes]]:
    """A matplotlib figure with rows of pictures (H, W, 3) of equal size, and its axes.

    Spaces in inches: head above each row with names, foot below each row, between pictures, tail below all rows.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = -(-len(panels) // rows)
    height, width = panels[0].shape[:2]
    gap = 0.12 if between is None else between
    heads = [head if any(names[row * columns : (row + 1) * columns]) else 0.0 for row in range(rows)]
    size = (columns * (width / DPI + gap) + gap, rows * (height / DPI + foot) + sum(heads) + tail)
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = []
    for number, (panel, name) in enumerate(zip(panels, names)):
        row, column = divmod(number, columns)
        left = gap + column * (width / DPI + gap)
        bottom = size[1] - (row + 1) * height / DPI - row * foot - sum(heads[: row + 1])
        box = (left / size[0], bottom / size[1], width / DPI / size[0], height / DPI / size[1])
        ax = figure.add_axes(box)
        ax.imshow(panel, interpolation="nearest", extent=(0, width, height, 0), aspect="auto")
        ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_color("#d5d8dd")
        if name:
            ax.set_title(name, loc="left", fontsize=11, color=INK, fontweight="bold", pad=5)
        axes.append(ax)
    return figure, axes


def write_names(ax: Axes, drawing: Drawing, instance: np.ndarray, texts: dict[int, str], size: float = 7.5) -> None:
    """Write the text of each object on it, with a line to the object if the text was moved away."""
    from matplotlib.patheffects import withStroke

    ids = drawing.pixels(instance)[:: drawing.scale, :: drawing.scale]
    pixels = size * DPI / 72
    for name in place_names(ids, texts, (0.68 * pixels, 1.25 * pixels)):
        if name.moved > 1.8 * pixels:
            ax.plot(*zip((name.x, name.y), name.anchor), color=INK, linewidth=0.6, alpha=0.8)
            ax.plot(*name.anchor, "o", color=INK, markersize=2)
        ax.text(
            name.x, name.y, name.text, fontsize=size, color=INK, ha="center", va="center", fontweight="bold",
            path_effects=[withStroke(linewidth=2.4, foreground="white", alpha=0.92)],
        )  # fmt: skip


def class_legend(ax: Axes, drawing: Drawing, semantic: np.ndarray, labels: LabelSet) -> None:
    """Draw a legend of the visible classes under a panel; the most frequent classes come first."""
    seen = drawing.pixels(semantic, -1)
    found, counts = np.unique(seen[seen >= 0], return_counts=True)
    order = found[np.argsort(-counts, kind="stable")][:MAX_CLASSES]
    chips(ax, [(labels[int(one)].name, labels[int(one)].color) for one in order])


def chips(
    ax: Axes, entries: list[tuple[str, tuple[int, int, int]]], size: float = 8, width: float | None = None
) -> None:
    """Draw coloured squares with names under an axes, in rows of a width in pixels (default: the axes' width)."""
    width, pixels = width or ax.get_xlim()[1], size * DPI / 72
    bottom = ax.get_ylim()[0]
    x, line = 0.0, 0
    for name, color in entries:
        room = 2.4 * pixels + text_width(name, size)
        if x and x + room > width:
            x, line = 0.0, line + 1
        y = bottom + pixels * (1.15 + 1.5 * line)
        ax.add_patch(_square(x, y - pixels * 0.45, pixels * 0.9, np.array(color) / 255))
        ax.text(x + 1.2 * pixels, y, name, fontsize=size, color=INK, va="center", clip_on=False)
        x += room


def text_width(text: str, size: float) -> float:
    """Width of a text in the default font, in pixels."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=size).get_extents().width) * DPI / 72


def _square(x: float, y: float, side: float, color: np.ndarray) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), side, side, facecolor=color, edgecolor="#00000033", linewidth=0.4, clip_on=False)


def below(ax: Axes, text: str) -> None:
    """Write a line of small text under an axes."""
    ax.text(0, ax.get_ylim()[0] + 18, text, fontsize=8, color=PALE, va="center", clip_on=False)


def save(figure: Figure, path: str | os.PathLike) -> None:
    """Write the figure to a file atomically (`replacing`)."""
    with replacing(path) as beside:
        figure.savefig(beside, dpi=DPI, format=Path(path).suffix[1:].lower() or "png")
