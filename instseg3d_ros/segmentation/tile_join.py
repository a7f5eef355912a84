"""Joins the instances of overlapping tiles to instances of the whole cloud."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from instseg3d_ros.segmentation.boxes import upright_boxes
from instseg3d_ros.segmentation.grouping import group
from instseg3d_ros.segmentation.result import Instance, Result

SAME = 0.5  # IoU above which instances of two tiles are the same object
SHARE = 0.75  # shared part of the smaller instance above which instances of one class are the same object


@dataclass
class Piece:
    """An instance of one tile."""

    instance: Instance
    class_index: int
    points: int  # points of the instance that the tile owns
    whole: bool  # the tile owns all points of the instance


class TileJoin:
    """Collects the answers for tiles of a cloud of `count` points and joins them.

    Two instances of different tiles are the same object if, over the points in both tiles, their IoU exceeds `SAME`, or
    if they have the same class and share at least `SHARE` of the smaller instance. A joined instance has the class
    with the most points, the mean score over its points, and a new box around all its points.
    """

    def __init__(self, count: int):
        self.semantic = np.full(count, -1, np.int16)
        self.confidence = np.zeros(count, np.float32)
        # Nodes are numbered over all tiles. Each tile has a node for "no instance" and one for each instance.
        self.node = np.full(count, -1, np.int32)  # in the tile that owns the point
        self.seen = np.full(count, -1, np.int32)  # in the last tile that contained the point
        self.first_nodes: list[int] = []
        self.nodes = 0
        self.joined: list[tuple[int, int]] = []  # pairs of nodes that belong to the same object
        self.pieces: dict[int, Piece] = {}

    def add(self, rows: np.ndarray, own: np.ndarray, result: Result) -> None:
        """Add a tile: the rows (n,) of its points, which of them (n,) bool it owns, and the answer for its points."""
        base, count = self.nodes, len(result.instances)
        table = np.zeros(max((one.id for one in result.instances), default=0) + 1, np.int32)
        table[[one.id for one in result.instances]] = np.arange(1, count + 1)
        node = base + table[result.instance]  # (n,)
        self.first_nodes.append(base)
        self.nodes += count + 1
        total, owned = (np.bincount(some - base, minlength=count + 1) for some in (node, node[own]))
        there, first = np.unique(node - base, return_index=True)
        for index, at in zip(there.tolist(), first.tolist()):
            if index:
                piece = Piece(
                    result.instances[index - 1],
                    int(result.semantic[at]),
                    int(owned[index]),
                    bool(owned[index] == total[index]),
                )
                self.pieces[base + index] = piece
        self._unite(self.seen[rows], node)
        self.seen[rows] = node
        self.semantic[rows[own]] = result.semantic[own]
        self.confidence[rows[own]] = result.confidence[own]
        self.node[rows[own]] = node[own]

    def _unite(self, old: np.ndarray, new: np.ndarray) -> None:
        """Join the nodes that an earlier tile (old, −1: none) and the newest tile (new) gave the same points (n,)."""
        both = old >= 0
        old, new = old[both].astype(np.int64), new[both].astype(np.int64)
        firsts = np.array(self.first_nodes)
        part = np.searchsorted(firsts, old, side="right") - 1
        # Sizes over the points in both tiles: of old nodes, and of new nodes for each earlier tile.
        old_size, new_size = _counts(old), _counts(part << 32 | new)
        objects = (old != firsts[part]) & (new != self.first_nodes[-1])
        for pair, shared in _counts(old[objects] << 32 | new[objects]).items():
            a, b = pair >> 32, pair & 0xFFFFFFFF
            sizes = old_size[a], new_size[int(np.searchsorted(firsts, a, side="right") - 1) << 32 | b]
            alike = self.pieces[a].class_index == self.pieces[b].class_index
            if shared > SAME * (sum(sizes) - shared) or (alike and shared >= SHARE * min(sizes)):
                self.joined.append((a, b))

    def _families(self) -> list[list[int]]:
        """The nodes of each object, in the order of their first nodes."""
        from scipy.sparse import coo_matrix  # here for a light import
        from scipy.sparse.csgraph import connected_components

        pairs = np.array(self.joined, np.int64).reshape(-1, 2)
        graph = coo_matrix((np.ones(len(pairs), bool), tuple(pairs.T)), (self.nodes, self.nodes))
        number = connected_components(graph, directed=False)[1] if self.nodes else np.zeros(0, int)
        families: dict[int, list[int]] = defaultdict(list)
        for node in self.pieces:
            families[number[node]].append(node)
        return list(families.values())

    def result(self, points: np.ndarray, min_points: int) -> Result:
        """The answer for all points (N, 3), without instances of fewer than `min_points` points."""
        families = [
            nodes for nodes in self._families() if sum(self.pieces[node].points for node in nodes) >= max(1, min_points)
        ]
        scored = sorted(((self._mean_score(nodes), nodes) for nodes in families), key=lambda pair: -pair[0])
        table = np.zeros(self.nodes + 1, np.int32)  # node → id; the last entry is for points that no tile owns
        for number, (_, nodes) in enumerate(scored, 1):
            table[nodes] = number
        instance = table[self.node]
        boxes = self._boxes(points, instance, [nodes for _, nodes in scored])
        instances, renamed = [], {}
        for number, (score, nodes) in enumerate(scored, 1):
            leader = self._leader(nodes)
            count = sum(self.pieces[node].points for node in nodes)
            instances.append(Instance(number, leader.instance.label, score, count, boxes[number]))
            renamed.update({n: leader.class_index for n in nodes if self.pieces[n].class_index != leader.class_index})
        if renamed:
            table = np.full(self.nodes + 1, -1, np.int16)
            table[list(renamed)] = list(renamed.values())
            self.semantic = np.where(table[self.node] >= 0, table[self.node], self.semantic)
        return Result(self.semantic, instance, self.confidence, instances)

    def _leader(self, nodes: list[int]) -> Piece:
        """The piece whose class and label the object gets: the first piece of the class with the most points."""
        votes: dict[int, int] = defaultdict(int)
        for node in nodes:
            votes[self.pieces[node].class_index] += self.pieces[node].points
        best = max(votes, key=lambda index: votes[index])
        return next(self.pieces[node] for node in nodes if self.pieces[node].class_index == best)

    def _mean_score(self, nodes: list[int]) -> float:
        pieces = [self.pieces[node] for node in nodes]
        return sum(p.points * p.instance.score for p in pieces) / sum(p.points for p in pieces)

    def _boxes(self, points: np.ndarray, instance: np.ndarray, families: list[list[int]]) -> dict:
        """Boxes by id: the tile's box if the tile owns the whole object, otherwise a new box."""
        boxes, missing = {}, []
        for number, nodes in enumerate(families, 1):
            alone = len(nodes) == 1 and self.pieces[nodes[0]].whole
            if alone:
                boxes[number] = self.pieces[nodes[0]].instance.box
            else:
                missing.append(number)
        place = np.full(len(families) + 1, -1, np.int32)
        place[missing] = np.arange(len(missing))
        rows = np.flatnonzero(place[instance] >= 0)
        order, begin = group(place[instance[rows]], len(missing))
        boxes.update(zip(missing, upright_boxes(points, rows[order], begin)))
        return boxes


def _counts(values: np.ndarray) -> dict[int, int]:
    unique, count = np.unique(values, return_counts=True)
    return dict(zip(unique.tolist(), count.tolist()))
