"""The object head learns last: from what the finished network finds in scenes, and what was there."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from instseg3d_ros.data.scene import Scene, scene_files
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.benchmark_layout import truth_ids
from instseg3d_ros.evaluation.instance_ap import Prediction, overlaps
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.segmentation.description import input_widths
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.training.module import class_weight

log = logging.getLogger(__name__)

RIGHT = 0.5  # IoU above which an object counts as found
NAMED = 0.35  # IoU above which its class is learned
FEWEST = 200  # objects, of which the head can learn anything
EPOCHS, BATCH, RATE = 12, 256, 0.006
RARITY = 0.5  # a class weighs (its share of the objects)^−RARITY
NOISE = 0.05  # standard deviations, added to descriptions


def pick_scenes(roots: Sequence[str], count: int) -> list[Path]:
    """`count` training scenes spread evenly over all of these folders', or all where there are fewer."""
    files = [path for root in roots for path in scene_files(Path(root), "train")]
    return [files[i] for i in np.unique(np.linspace(0, len(files) - 1, min(count, len(files))).astype(int))]


def teach(
    network: Network,
    card: ModelCard,
    scenes: Sequence[Path],
    seed: int = 0,
    device: str = "auto",
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[Network, ModelCard]:
    """The same network with a new object head that has learned from these scenes, and its card.

    An older head and a calibration of its scores are left out. Raises InputError where too few objects are found.
    """
    widths = input_widths(card.architecture.classes, card.architecture.width)
    architecture = dataclasses.replace(card.architecture, object_inputs=widths)
    known = {name: value for name, value in network.state_dict().items() if not name.startswith("object_head")}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        taught = Network(architecture)
        taught.load_state_dict({**taught.state_dict(), **known})
        assert taught.object_head is not None
        card = dataclasses.replace(card, architecture=architecture, calibration=None)
        segmenter = Segmenter(taught.eval(), card, device, level="off")  # scenes stand upright already
        seen = [look(segmenter, Scene.read(path)) for path in progress(scenes)]
        taught.cpu()
        learn(taught.object_head, *(np.concatenate(column) for column in zip(*seen)))
    return taught, card


def look(segmenter: Segmenter, scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the segmenter might call an object in a scene, large and small: descriptions (G, F), and of each the true
    object that it covers best: the IoU (G,), 0 where there is none, and its class (G,)."""
    labels, candidates = segmenter.labels, segmenter.candidates(scene.points, scene.colors)
    things = np.flatnonzero(labels.things)
    if candidates is None:
        head = segmenter.network.object_head
        assert head is not None
        return np.zeros((0, len(head.mean)), np.float32), np.zeros(0), np.zeros(0, np.int64)
    order, begin = candidates.proposals.members(candidates.part, candidates.which)
    table = overlaps(
        truth_ids(scene.semantic, scene.instance, labels),
        [Prediction(order[a:b], 0, 0.0) for a, b in pairwise(begin)],
        [labels.classes[thing].id for thing in things],
        min_region=1,
    )
    iou = table.intersection / (table.size + table.true_size[:, None] - table.intersection)
    # Last comes a row of nothing, for what covers no object and for scenes that have none.
    iou = np.vstack((np.where(table.ignored[:, None], 0, iou), np.zeros(len(candidates.which))))
    best = iou.argmax(axis=0)
    return candidates.descriptions, iou.max(axis=0), things[np.append(table.true_class, 0)[best]]


def learn(head: ObjectHead, descriptions: np.ndarray, iou: np.ndarray, truth: np.ndarray) -> None:
    """Train the head on K objects: descriptions (K, F), IoU (K,) and class (K,) of the true object covered best.

    The loss is the cross entropy of the class over objects with IoU above `NAMED`, a class weighing
    (its share)^−`RARITY`, plus, over all, the binary cross entropies of the IoU itself and of whether it is above
    `RIGHT`: nothing asks for the second afterwards, but the first is learned better beside it.
    """
    named = iou > NAMED
    if named.sum() < FEWEST:
        raise InputError(f"{named.sum()} objects were found; the object head needs {FEWEST}: give it more scenes")
    x, overlap = torch.from_numpy(descriptions), torch.from_numpy(iou).float()
    head.mean.copy_(x.mean(dim=0))
    head.scale.copy_(x.std(dim=0) + 1e-6)
    share = np.bincount(truth[named], minlength=head.classes) / named.sum()
    weight = torch.from_numpy(class_weight(share, RARITY)).float()
    label = torch.from_numpy(np.where(named, truth, -1))
    optimizer = torch.optim.AdamW(head.parameters(), weight_decay=1e-3)
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    head.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            inputs = head.normalized(x[rows]) + NOISE * torch.randn(len(rows), x.shape[1])
            scores, known = head.layers(inputs), label[rows]
            covered = torch.stack((overlap[rows], (overlap[rows] > RIGHT).float()), dim=1)
            loss = 2 * functional.binary_cross_entropy_with_logits(scores[:, -2:], covered)
            if count := int((known >= 0).sum()):
                classes = functional.cross_entropy(scores[:, :-2], known, weight, ignore_index=-1, reduction="sum")
                loss = loss + classes / count
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    head.eval()
    with torch.no_grad():
        hits = (head(x)[0].argmax(dim=1)[named] == label[named]).float().mean()
    log.info("object head: %d candidates, %d of them objects, classes known %.3f", len(x), named.sum(), float(hits))
