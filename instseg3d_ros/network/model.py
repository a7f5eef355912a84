"""The whole network of the paper's Figure 2: backbone, two heads, graph layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.backbone import BACKBONES
from instseg3d_ros.network.graph import GraphLayer
from instseg3d_ros.network.inputs import NetworkInput, input_width
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.sparse import Voxels, k_nearest_neighbors
from instseg3d_ros.sparse.nearest import unseen

ANCHOR = 2.0  # units of the embedding per metre


@dataclass
class Output:
    """Per voxel: class scores before softmax (V, C), embedding (V, D), embedding after the graph layers (V, D)."""

    logits: torch.Tensor
    embedding: torch.Tensor
    refined_embedding: torch.Tensor


def head(width: int, out: int) -> nn.Sequential:
    """MLP1 and MLP2 of Figure 2: (V, m) → (V, m) → (V, out)."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def anchor(out: int) -> nn.Linear:
    """A trained linear layer from positions (V, 3), in metres, to embeddings (V, out).

    It is initialized with `ANCHOR` units per metre on the first three axes. The offset that the embedding head must add
    then depends on the shape of an object and not on its position, which suits a convolution better.
    """
    linear = nn.Linear(3, out, bias=False)
    with torch.no_grad():
        linear.weight.copy_(ANCHOR * torch.eye(out, 3))
    return linear


class Network(nn.Module):
    """`NetworkInput` → `Output`: backbone, heads, graph layers. `embed` and `refine` can also be called separately."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = a = architecture
        self.backbone = BACKBONES[a.backbone](input_width(a.inputs), a.width, a.repetitions)
        self.semantic_head = head(a.width, a.classes)
        self.embedding_head = head(a.width, a.embedding)
        self.anchor = anchor(a.embedding) if a.anchored else None
        self.graph = nn.ModuleList(GraphLayer(a.embedding, a.aggregator) for _ in range(a.graph_layers))
        self.object_head = None
        if a.object_inputs:
            points = a.width if a.object_points else None
            names, widths = zip(*a.object_inputs)
            self.object_head = ObjectHead(a.classes, sum(widths), points=points, stuff=a.object_stuff, names=names)

    def forward(self, inputs: NetworkInput) -> Output:
        features = self.backbone(inputs.x).features
        # The heads compute in full precision, because the margins of the loss are too small for half precision.
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(self.semantic_head[0].weight.dtype)
            embedding = self.embed(features, inputs)
            return Output(self.semantic_head(features), embedding, self.refine(embedding, inputs.voxels))

    def embed(self, features: torch.Tensor, inputs: NetworkInput) -> torch.Tensor:
        """(V, m) features of the backbone on `inputs` → (V, D) embeddings before the graph layers."""
        embedding = self.embedding_head(features)
        return embedding if self.anchor is None else embedding + self.anchor(inputs.position)

    def refine(self, embedding: torch.Tensor, voxels: Voxels, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Pass the embeddings (V, D) of the voxels through the graph layers. Neighbours are searched once, by position.

        If `rows` (R,) int64 are given, only the embeddings of these rows are refined; the others are undefined.
        """
        if not self.graph:
            return embedding

        def neighbors_of(rows: torch.Tensor | None) -> torch.Tensor:
            k = self.architecture.neighbors
            return k_nearest_neighbors(voxels.positions, voxels.grid, voxels.voxel_size, k, rows)

        if rows is None:
            neighbors = neighbors_of(None)
            for layer in self.graph:
                embedding = layer(embedding, neighbors)
            return embedding
        # The last layer is needed for these rows, the layer before it also for their neighbours, and so on.
        seen = torch.zeros(len(embedding), dtype=torch.uint8, device=rows.device).index_fill_(0, rows, 1)
        neighbors = neighbors_of(rows)
        circles = [(rows, neighbors)]  # rows at 0, 1, 2 … steps from `rows`, and their neighbours
        for _ in self.graph[1:]:
            rows = unseen(neighbors, seen)
            neighbors = neighbors_of(rows)
            circles.append((rows, neighbors))
        for depth, layer in enumerate(self.graph):
            refined = embedding.clone()
            for rows, neighbors in circles[: len(circles) - depth]:
                refined[rows] = layer(embedding, neighbors)
            embedding = refined
        return embedding
