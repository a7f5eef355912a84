"""Trains the object head at the end of a training, on the proposals of the trained network in labelled scenes."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from instseg3d_ros.data.scene import Scene, scene_files
from instseg3d_ros.errors import InputError
from instseg3d_ros.evaluation.benchmark_layout import truth_ids
from instseg3d_ros.evaluation.instance_ap import Prediction, overlaps
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.model import Network
from instseg3d_ros.network.object_head import AROUND, GEOMETRY, OWN, ObjectHead, PointEncoder
from instseg3d_ros.segmentation.description import input_widths
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.training.module import class_weight

log = logging.getLogger(__name__)

RIGHT = 0.5  # IoU above which a proposal counts as correct
NAMED = 0.35  # IoU above which the head learns the class of a proposal
FEWEST = 200  # smallest number of proposals with a class from which the head can learn
EPOCHS, BATCH, RATE = 12, 256, 0.006
POINT_EPOCHS, POINT_BATCH, POINT_RATE = 6, 128, 0.003  # for a head that takes points
RARITY = 0.5  # the weight of a class is (its share of the proposals)^−RARITY
NOISE = 0.05  # noise that is added to descriptions, in standard deviations
STUFF = 0.6  # share of the points with a stuff class above which the proposal has this class
DROP_COLOR, DROP_FEATURES = 0.4, 0.2  # shares of the proposals whose colours or features are set to 0
STRETCH = 0.08  # standard deviation of the factor by which a proposal's points are scaled


@dataclass(frozen=True)
class Lessons:
    """Training examples: K proposals with their descriptions and their true IoU and class.

    descriptions (K, D); iou (K,): IoU with the true object that the proposal covers best; label (K,): class, or −1 for
    a proposal that is neither an object nor stuff; points (K, P, E) float16 and surrounded (K,): as in `PointSamples`,
    for a head that takes points.
    """

    descriptions: np.ndarray
    iou: np.ndarray
    label: np.ndarray
    points: np.ndarray | None = None
    surrounded: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.iou)

    @staticmethod
    def together(parts: Sequence[Lessons]) -> Lessons:
        """Concatenate the proposals of several scenes; scenes without proposals are skipped."""
        parts = [part for part in parts if len(part)] or list(parts[:1])
        columns = {name: [getattr(part, name) for part in parts] for name in vars(parts[0])}
        return Lessons(**{name: np.concatenate(rows) for name, rows in columns.items() if rows[0] is not None})


def pick_scenes(roots: Sequence[str], count: int) -> list[Path]:
    """`count` training scenes, evenly spread over all folders, or all scenes if there are fewer."""
    files = [path for root in roots for path in scene_files(Path(root), "train")]
    return [files[i] for i in np.unique(np.linspace(0, len(files) - 1, min(count, len(files))).astype(int))]


def teach(
    network: Network,
    card: ModelCard,
    scenes: Sequence[Path],
    seed: int = 0,
    device: str = "auto",
    progress: Callable[[Iterable], Iterable] = iter,
    points: bool = False,
) -> tuple[Network, ModelCard]:
    """Train a new object head on labelled scenes; returns the network with this head, and its card.

    The head also learns to recognise proposals that are stuff. If `points` is True, it also takes points of each
    proposal. An existing head and the calibration of its scores are discarded. Raises InputError if too few proposals
    cover an object.
    """
    widths = input_widths(card.architecture.classes, card.architecture.width)
    architecture = dataclasses.replace(card.architecture, object_inputs=widths, object_points=points, object_stuff=True)
    known = {name: value for name, value in network.state_dict().items() if not name.startswith("object_head")}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        taught = Network(architecture)
        taught.load_state_dict({**taught.state_dict(), **known})
        assert taught.object_head is not None
        card = dataclasses.replace(card, architecture=architecture, calibration=None)
        segmenter = Segmenter(taught.eval(), card, device, level="off")  # in the scenes z points up
        seen = [look(segmenter, Scene.read(path)) for path in progress(scenes)]
        taught.cpu()
        learn(taught.object_head, Lessons.together(seen))
    return taught, card


def look(segmenter: Segmenter, scene: Scene) -> Lessons:
    """Proposals of the segmenter in a scene, with the true object that each proposal covers best."""
    labels, candidates = segmenter.labels, segmenter.candidates(scene.points, scene.colors)
    things = np.flatnonzero(labels.things)
    if candidates is None:
        head = segmenter.network.object_head
        assert head is not None
        return Lessons(np.zeros((0, len(head.mean)), np.float32), np.zeros(0), np.zeros(0, np.int64))
    order, begin = candidates.proposals.members(candidates.part, candidates.which)
    table = overlaps(
        truth_ids(scene.semantic, scene.instance, labels),
        [Prediction(order[a:b], 0, 0.0) for a, b in pairwise(begin)],
        [labels.classes[thing].id for thing in things],
        min_region=1,
    )
    iou = table.intersection / (table.size + table.true_size[:, None] - table.intersection)
    # The last row means no object, for proposals that cover no object and for scenes without objects.
    iou = np.vstack((np.where(table.ignored[:, None], 0, iou), np.zeros(len(candidates.which))))
    best = things[np.append(table.true_class, 0)[iou.argmax(axis=0)]]
    label = np.where(iou.max(axis=0) > NAMED, best, _stuff(scene.semantic, order, begin, labels))
    lessons = Lessons(candidates.descriptions, iou.max(axis=0), label)
    if (samples := candidates.samples) is None:
        return lessons
    return dataclasses.replace(lessons, points=samples.inputs().astype(np.float16), surrounded=samples.surrounded)


def _stuff(semantic: np.ndarray, order: np.ndarray, begin: np.ndarray, labels: LabelSet) -> np.ndarray:
    """(G,): stuff class of more than a share `STUFF` of the points order[begin[g] : begin[g + 1]]; −1 if none."""
    stuff = np.flatnonzero(~np.array(labels.things))
    if not len(stuff):
        return np.full(len(begin) - 1, -1)
    share = np.array([(semantic[order[a:b], None] == stuff).mean(axis=0) for a, b in pairwise(begin)])
    share = share.reshape(-1, len(stuff))
    return np.where(share.max(axis=1) > STUFF, stuff[share.argmax(axis=1)], -1)


def learn(head: ObjectHead, lessons: Lessons) -> None:
    """Train the head, and its point encoder if it has one, on K proposals.

    The loss is the sum of three terms: the cross entropy of the class over proposals with a label, in which a class has
    the weight (its share)^−`RARITY`; the binary cross entropy of the IoU over all proposals; and the binary cross
    entropy of whether the IoU is above `RIGHT`. The last output is used only in training: it improves the second term.
    Stuff classes are learned only if the head has `stuff`.
    """
    known = lessons.iou > NAMED
    if known.sum() < FEWEST:
        raise InputError(
            f"{known.sum()} proposals cover an object; the object head needs {FEWEST}; increase object_scenes"
        )
    if head.stuff:
        known = lessons.label >= 0
    x, overlap = torch.from_numpy(lessons.descriptions), torch.from_numpy(lessons.iou).float()
    head.mean.copy_(x.mean(dim=0))
    head.scale.copy_(x.std(dim=0) + 1e-6)
    views = None if head.encoder is None else _Views(head.encoder, lessons)
    share = np.bincount(lessons.label[known], minlength=head.classes) / known.sum()
    weight = torch.from_numpy(class_weight(share, RARITY)).float()
    label = torch.from_numpy(np.where(known, lessons.label, -1))
    optimizer = torch.optim.AdamW(head.parameters(), weight_decay=1e-3)
    epochs, batch, rate = (EPOCHS, BATCH, RATE) if views is None else (POINT_EPOCHS, POINT_BATCH, POINT_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * -(-len(x) // batch))
    head.train()
    hits = 0
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            inputs = head.normalized(x[rows]) + NOISE * torch.randn(len(rows), x.shape[1])
            if views is not None:
                inputs = torch.cat((inputs, views.encoded(rows)), dim=1)
            scores, truth = head.layers(inputs), label[rows]
            covered = torch.stack((overlap[rows], (overlap[rows] > RIGHT).float()), dim=1)
            loss = 2 * functional.binary_cross_entropy_with_logits(scores[:, -2:], covered)
            if count := int((truth >= 0).sum()):
                classes = functional.cross_entropy(scores[:, :-2], truth, weight, ignore_index=-1, reduction="sum")
                loss = loss + classes / count
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if epoch == epochs - 1:
                hits += int((scores[:, :-2].argmax(dim=1) == truth).sum())
    head.eval()
    share_right = hits / max(1, int(known.sum()))
    log.info("object head: %d proposals, %d with a class, %.3f of them right", len(x), known.sum(), share_right)


class _Views:
    """Augmentation of the points of K proposals: a random half of the points, rotated, mirrored and scaled.

    Colours and features of some proposals are set to 0. The constructor also sets `mean` and `scale` of the encoder.
    """

    def __init__(self, encoder: PointEncoder, lessons: Lessons):
        assert lessons.points is not None and lessons.surrounded is not None
        self.encoder = encoder
        self.points, self.surrounded = torch.from_numpy(lessons.points), torch.from_numpy(lessons.surrounded)
        some = self.points[:: max(1, len(self.points) // 2000)].float().flatten(0, 1)
        encoder.mean[4:] = some[:, 4:].mean(
            dim=0
        )  # lengths are measured from the middle of the box and from the floor: their mean stays 0
        encoder.scale.copy_(some.std(dim=0) + 1e-6)

    def encoded(self, rows: torch.Tensor) -> torch.Tensor:
        """Encode the augmented points of some proposals: (len(rows), E)."""
        own, around = OWN // 2, AROUND // 2
        kept = torch.cat((torch.randperm(OWN)[:own], OWN + torch.randperm(AROUND)[:around]))
        points = self.points[rows][:, kept].float()
        turn = torch.randint(4, (len(rows), 1)) * (torch.pi / 2) + 0.1 * torch.randn(len(rows), 1)
        mirror, (x, y) = 1 - 2 * torch.randint(2, (len(rows), 1)), points[..., :2].unbind(dim=-1)
        points[..., 0] = turn.cos() * x * mirror - turn.sin() * y
        points[..., 1] = turn.sin() * x * mirror + turn.cos() * y
        points[..., :3] *= (1 + STRETCH * torch.randn(len(rows), 1, 1)).clamp(0.8, 1.25)
        points = (points - self.encoder.mean) / self.encoder.scale
        points[torch.rand(len(rows)) < DROP_COLOR, :, 4:GEOMETRY] = 0
        points[torch.rand(len(rows)) < DROP_FEATURES, :, GEOMETRY:] = 0
        return self.encoder.encode(points, self.surrounded[rows], own)
