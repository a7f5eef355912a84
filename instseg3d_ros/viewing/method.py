"""Draws two figures of the method from the network's tensors: the result of each step, and the levels of the U-Net.

python -m instseg3d_ros.viewing.method CLOUD --model unet -o docs/images
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.viewing.colors import NO_COLOR, STUFF, class_colors, neighbor_colors
from instseg3d_ros.viewing.drawing import draw
from instseg3d_ros.viewing.picture import below, panel_figure, save

if TYPE_CHECKING:
    import torch

    from instseg3d_ros.network.backbone import Level
    from instseg3d_ros.segmentation.segmenter import Segmenter
    from instseg3d_ros.sparse.tensor import SparseTensor

WIDTH = 460  # pixels of a panel


@dataclass
class Stages:
    """Tensors of a forward pass. `points` (N, 3) have z up; `voxel_of_point` (N,) is the row of each point's voxel.

    embedding, refined (V, D); semantic (V,); levels: per level of the encoder coords (V_k, 3) and features (V_k, C_k).
    """

    points: np.ndarray
    colors: np.ndarray | None
    voxel_of_point: np.ndarray
    coords: np.ndarray
    semantic: np.ndarray
    embedding: np.ndarray
    refined: np.ndarray
    instance: np.ndarray
    things: np.ndarray
    levels: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)


def trace(segmenter: Segmenter, points: np.ndarray, colors: np.ndarray | None) -> Stages:
    """Run a `Segmenter` on finite points and return the tensors between its steps."""
    import torch

    from instseg3d_ros.network.inputs import NetworkInput
    from instseg3d_ros.segmentation.upright import upright_rotation

    keep = np.flatnonzero(np.isfinite(points).all(axis=1))
    points, colors = points[keep], None if colors is None else colors[keep]
    levelled = (points @ upright_rotation(points).T).astype(np.float32)
    result = segmenter(points, colors)
    network, levels, hooks = segmenter.network, [], []
    one: Level | None = network.backbone.levels
    while one is not None:

        def note(_module: torch.nn.Module, _inputs: tuple[SparseTensor], x: SparseTensor) -> None:
            levels.append((x.grid.coords[:, 1:].cpu().numpy(), x.features.float().cpu().numpy()))

        hooks.append(one.encode.register_forward_hook(note))
        one = one.below
    with torch.inference_mode():
        rgb = None if colors is None else torch.from_numpy(colors).to(segmenter.device).float()
        cloud = torch.from_numpy(levelled).to(segmenter.device)
        names, engine = network.architecture.inputs, segmenter.engine
        inputs = NetworkInput.of_points(cloud, rgb, segmenter.voxel_size, names, engine=engine)
        output, voxels = network(inputs), inputs.voxels
    for hook in hooks:
        hook.remove()
    probability = segmenter.probabilities(output.logits, segmenter.options.adjust)
    semantic = probability.argmax(dim=1).cpu().numpy()
    return Stages(
        levelled, colors, voxels.voxel_of_point.cpu().numpy(), voxels.grid.coords[:, 1:].cpu().numpy(), semantic,
        output.embedding.float().cpu().numpy(), output.refined_embedding.float().cpu().numpy(), result.instance,
        segmenter.likely_things(probability, segmenter.options.min_thing).cpu().numpy(), levels,
    )  # fmt: skip


def steps(stages: Stages, labels: LabelSet, path: Path, shape: tuple[int, int] | None, voxel_size: float) -> None:
    """Draw figure 1: points, voxels, classes, embeddings before and after the graph layers, instances."""
    drawing = draw(stages.points, shape, stages.instance, width=WIDTH)
    count, dimension = len(stages.coords), stages.embedding.shape[1]
    rgb = np.broadcast_to(NO_COLOR, stages.points.shape) if stages.colors is None else stages.colors
    first, second = embedding_colors(stages.embedding, stages.refined, stages.things)
    panels = (
        ("1  points", drawing.panel(rgb), f"{len(stages.points):,} points: position and colour"),
        (
            "2  voxels",
            drawing.panel(voxel_means(rgb, stages.voxel_of_point, count)[stages.voxel_of_point]),
            f"{count:,} voxels of {100 * voxel_size:g} cm: mean position and colour",
        ),
        (
            "3  class scores",
            drawing.panel(class_colors(stages.semantic.astype(np.int16)[stages.voxel_of_point], labels)),
            f"semantic head: {len(labels)} scores per voxel; the highest",
        ),
        (
            "4  embeddings",
            drawing.panel(first[stages.voxel_of_point]),
            f"embedding head: {dimension} numbers per voxel, as colour",
        ),
        ("5  refined embeddings", drawing.panel(second[stages.voxel_of_point]), "after the attention-KNN graph layers"),
        (
            "6  instances",
            drawing.instance_panel(stages.instance, neighbor_colors(stages.points, stages.instance)),
            f"mean shift on the refined embeddings: {len(np.unique(stages.instance[stages.instance > 0]))} objects",
        ),
    )
    figure, axes = panel_figure([p for _, p, _ in panels], [n for n, _, _ in panels], rows=2, foot=0.3, head=0.34)
    for ax, (_, _, text) in zip(axes, panels):
        below(ax, text)
    save(figure, path)


def levels(stages: Stages, path: Path, shape: tuple[int, int] | None, voxel_size: float) -> None:
    """Draw figure 2: the voxels of each level of the U-Net; colours are three principal components of the features."""
    drawing = draw(stages.points, shape, stages.instance, width=WIDTH)
    pictures, names, texts = [], [], []
    for number, (coords, features) in enumerate(stages.levels):
        rows = parents(stages.coords, coords, number)
        colors = principal_colors(features)[0][rows][stages.voxel_of_point]
        pictures.append(drawing.panel(colors))
        names.append(f"level {number + 1}: {100 * voxel_size * 2**number:g} cm")
        texts.append(f"{len(coords):,} voxels × {features.shape[1]} features")
    pictures.append(np.full_like(pictures[0], 255))
    figure, axes = panel_figure(pictures, [*names, ""], rows=2, foot=0.3, head=0.34)
    axes[-1].set_axis_off()
    note = (
        "The encoder's way down. On the way up,\neach level is joined with the one of its\n"
        "own resolution; the first feeds both heads."
    )
    axes[-1].text(0, 40, note, fontsize=9, va="top", color="#5d6570")
    for ax, text in zip(axes, texts):
        below(ax, text)
    save(figure, path)


def voxel_means(values: np.ndarray, inverse: np.ndarray, count: int) -> np.ndarray:
    """(count, 3) uint8: mean of the points' values (N, 3) in each voxel."""
    sums = np.stack([np.bincount(inverse, values[:, k], count) for k in range(values.shape[1])], axis=1)
    return np.rint(sums / np.maximum(np.bincount(inverse, minlength=count), 1)[:, None]).astype(np.uint8)


def parents(fine: np.ndarray, coarse: np.ndarray, level: int) -> np.ndarray:
    """Row (V,) of the coarse voxel (V_k, 3), `level` levels up, that contains each fine voxel (V, 3)."""
    wanted = np.concatenate((coarse.astype(np.int64), fine.astype(np.int64) >> level))
    _, number = np.unique(wanted, axis=0, return_inverse=True)
    number = number.reshape(-1)
    row_of = np.full(number.max(initial=0) + 1, -1)
    row_of[number[: len(coarse)]] = np.arange(len(coarse))
    return row_of[number[len(coarse) :]]


def principal_colors(*features: np.ndarray) -> list[np.ndarray]:
    """Colours (V, 3) uint8 for each array (V, C): three principal components of all arrays together."""
    together = np.concatenate(features).astype(np.float64)
    together -= together.mean(axis=0)
    _, _, axes = np.linalg.svd(together[:: len(together) // 20_000 + 1], full_matrices=False)
    value = together @ axes[:3].T
    value = np.pad(value, ((0, 0), (0, 3 - value.shape[1])))
    low, high = np.percentile(value, (2, 98), axis=0)
    scaled = np.clip((value - low) / np.maximum(high - low, 1e-9), 0, 1)
    colors = np.rint(40 + 200 * scaled).astype(np.uint8)
    return np.split(colors, np.cumsum([len(one) for one in features])[:-1])


def embedding_colors(embedding: np.ndarray, refined: np.ndarray, things: np.ndarray) -> list[np.ndarray]:
    """Colours for both embeddings (V, D) with the same principal components, for comparison; stuff is grey."""
    both = [np.broadcast_to(STUFF, (len(things), 3)).copy() for _ in range(2)]
    if things.any():
        for full, part in zip(both, principal_colors(embedding[things], refined[things])):
            full[things] = part
    return both


def shrink(path: Path) -> None:
    """Reduce a PNG to 256 colours and a third of its size, for pictures in a repository."""
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB").quantize(256).save(path, optimize=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m instseg3d_ros.viewing.method", description=__doc__.splitlines()[0])
    parser.add_argument("cloud", type=Path, help="ply, pcd, npz, or a bag, of which the first cloud is taken")
    parser.add_argument("--model", default="unet")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args(arguments)
    from instseg3d_ros import Segmenter
    from instseg3d_ros.data.clouds import is_bag, read_cloud
    from instseg3d_ros.data.clouds.bags import Bag
    from instseg3d_ros.messages.axes import body_rotation

    if is_bag(options.cloud):
        with Bag(options.cloud) as bag:
            cloud = next(bag.clouds()).checked(options.cloud)
    else:
        cloud = read_cloud(options.cloud)
    segmenter = Segmenter.load(options.model)
    points = cloud.points @ body_rotation(cloud).T.astype(np.float32)
    stages = trace(segmenter, points, cloud.colors)
    options.out.mkdir(parents=True, exist_ok=True)
    written = options.out / "method_steps.png", options.out / "method_levels.png"
    steps(stages, segmenter.labels, written[0], cloud.shape, segmenter.voxel_size)
    levels(stages, written[1], cloud.shape, segmenter.voxel_size)
    for path in written:
        shrink(path)
        print(path)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except InputError as error:
        sys.exit(f"method: {error}")
