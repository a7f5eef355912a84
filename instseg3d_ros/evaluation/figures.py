"""Pictures of scenes as in Figure 4 of the paper: input, predicted and true classes, predicted and true instances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from instseg3d_ros.evaluation import charts
from instseg3d_ros.evaluation.outcome import Example, Outcome
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.colors import OBJECT_PALETTE
from instseg3d_ros.viewing.choose_view import view_from
from instseg3d_ros.viewing.colors import NO_COLOR, class_colors, color_contrast, neighbor_colors
from instseg3d_ros.viewing.drawing import Drawing
from instseg3d_ros.viewing.drawing import draw as draw_cloud
from instseg3d_ros.viewing.picture import chips, panel_figure, save

COLUMNS = ("Input", "Predicted classes", "True classes", "Predicted instances", "True instances")
WIDTH = 440  # width of a panel in pixels
SAME = 0.25  # IoU above which a predicted object has the colour of the true object


def draw(outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    """Write all figures of the outcomes into a folder; returns their paths. Figures without data are left out."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = charts.draw(outcomes, folder)
    for outcome in outcomes:
        if outcome.examples:
            path = folder / f"scenes_{outcome.method}.png"
            scenes(outcome.examples, outcome.labels, path, outcome.class_aware)
            written.append(path)
    return written


def scenes(examples: Sequence[Example], labels: LabelSet, path: Path, class_aware: bool = True) -> None:
    """One row per example, the columns of Figure 4 (five, or three without classes), and a legend of the classes."""
    pictures, names, seen = [], [], []
    columns = [n for n in range(5) if class_aware or n not in (1, 2)]
    drawn = [panels(example, labels) for example in examples]
    height = max(pictures_of[0].shape[0] for pictures_of, _ in drawn)
    for row, (pictures_of, classes) in enumerate(drawn):
        pictures += [_pad(pictures_of[n], height) for n in columns]
        names += [COLUMNS[n] if row == 0 else "" for n in columns]
        seen += [index for index in classes if index not in seen]
    figure, axes = panel_figure(
        pictures, names, rows=len(examples), foot=0.1, tail=0.5 * class_aware, head=0.3, between=0.06
    )
    if class_aware:
        entries = [(labels[index].name, labels[index].color) for index in sorted(seen)]
        chips(axes[-len(columns)], entries, width=len(columns) * WIDTH)
    save(figure, path)


def panels(example: Example, labels: LabelSet) -> tuple[list[np.ndarray], list[int]]:
    """The five pictures of an example and the classes that occur in them. Matched objects have the same colour."""
    drawing = view(example)
    colors = np.broadcast_to(NO_COLOR, example.points.shape) if example.colors is None else example.colors
    true, predicted = matched_colors(example)
    pictures = [
        drawing.panel(colors),
        drawing.panel(class_colors(example.semantic, labels)),
        drawing.panel(class_colors(example.true_semantic, labels)),
        drawing.instance_panel(example.instance, predicted),
        drawing.instance_panel(example.true_instance, true),
    ]
    both = np.concatenate((drawing.pixels(example.semantic, -1), drawing.pixels(example.true_semantic, -1)))
    return pictures, [int(index) for index in np.unique(both) if index >= 0]


def view(example: Example) -> Drawing:
    """The view from the scene's camera if its pose is known; otherwise a view that `viewing` chooses."""
    camera = None
    if "camera" in example.extras and len(example.points):
        finite = np.isfinite(example.points).all(axis=1)
        camera = view_from(example.points[finite], np.asarray(example.extras["camera"], float), WIDTH)
    return draw_cloud(example.points, None, example.true_instance, camera, WIDTH)


def matched_colors(example: Example) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Colours of true and of predicted objects by id. A predicted object has the colour of the true object it matches.

    Objects are matched greedily in the order of decreasing IoU. An unmatched object gets a colour that contrasts with
    the colours around it.
    """
    true = neighbor_colors(example.points, example.true_instance)
    predicted = neighbor_colors(example.points, example.instance)
    matches = _matches(example.instance, example.true_instance)
    table = {p: true[t] for p, t in matches.items() if p in predicted and t in true}
    taken = np.array(list(true.values()), np.uint8).reshape(-1, 3)
    for number in predicted.keys() - table.keys():
        if len(taken):
            count = len(OBJECT_PALETTE)
            contrast = color_contrast(np.concatenate((OBJECT_PALETTE, taken)))[:count, count:]
            predicted[number] = OBJECT_PALETTE[int(contrast.min(axis=1).argmax())]
            taken = np.concatenate((taken, predicted[number][None]))
        table[number] = predicted[number]
    return true, table


def _matches(predicted: np.ndarray, true: np.ndarray) -> dict[int, int]:
    """Predicted id → true id, each at most once, in the order of decreasing IoU; only pairs with an IoU above SAME."""
    both = (predicted > 0) & (true > 0)
    pairs, counts = np.unique(np.stack((predicted[both], true[both]), axis=1), axis=0, return_counts=True)
    size_predicted, size_true = np.bincount(np.maximum(predicted, 0)), np.bincount(np.maximum(true, 0))
    union = size_predicted[pairs[:, 0]] + size_true[pairs[:, 1]] - counts
    overlap = counts / np.maximum(union, 1)
    matches: dict[int, int] = {}
    for row in np.argsort(-overlap, kind="stable"):
        predicted_id, true_id = (int(number) for number in pairs[row])
        if overlap[row] > SAME and predicted_id not in matches and true_id not in matches.values():
            matches[predicted_id] = true_id
    return matches


def _pad(picture: np.ndarray, height: int) -> np.ndarray:
    """Pad a picture with white above and below to the height of its row."""
    missing = height - picture.shape[0]
    return np.pad(picture, ((missing // 2, missing - missing // 2), (0, 0), (0, 0)), constant_values=255)
