"""The whole network of the paper's Figure 2: backbone, two heads, graph layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from instseg3d_ros.errors import InputError
from instseg3d_ros.network.backbone import BACKBONES
from instseg3d_ros.network.graph import AGGREGATORS, GraphLayer
from instseg3d_ros.network.object_head import ObjectHead
from instseg3d_ros.sparse import SparseTensor, k_nearest_neighbors
from instseg3d_ros.sparse.nearest import unseen

INPUTS = {"position_color": 6, "color": 3}
ANCHOR = 2.0  # units of the embedding per metre


@dataclass(frozen=True)
class Architecture:
    """All that fixes the shape of the network; stored with its weights. The paper's values are the defaults."""

    backbone: str = "unet"
    width: int = 16  # m
    repetitions: int = 1
    inputs: str = "position_color"
    classes: int = 22
    embedding: int = 4
    anchored: bool = False  # the embedding starts from the position, and the head learns what to add
    graph_layers: int = 2
    aggregator: str = "attention"
    neighbors: int = 8  # k, the point itself among them
    voxel_size: float = 0.02  # metres
    object_head: bool = False  # whole objects are named and scored once more

    def __post_init__(self):
        for name, value, known in (
            ("backbone", self.backbone, BACKBONES),
            ("inputs", self.inputs, INPUTS),
            ("aggregator", self.aggregator, AGGREGATORS),
        ):
            if value not in known:
                raise InputError(f"{name} '{value}' is unknown; one of: {', '.join(known)}")
        for name, low, high in (
            ("width", 1, 256), ("repetitions", 1, 8), ("classes", 1, 1000), ("embedding", 1, 64),
            ("graph_layers", 0, 8), ("neighbors", 1, 64),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}; expected {low} to {high}")
        if self.anchored and self.inputs != "position_color":
            raise InputError(f"anchored embeddings need positions; inputs are '{self.inputs}', give 'position_color'")
        if not 0.001 <= self.voxel_size <= 1:
            raise InputError(f"voxel_size is {self.voxel_size} m; expected 0.001 to 1")


@dataclass
class Output:
    """Per voxel: class scores before softmax (V, C), the embedding of the head (V, D), the refined one (V, D)."""

    logits: torch.Tensor
    embedding: torch.Tensor
    refined_embedding: torch.Tensor


def head(width: int, out: int) -> nn.Sequential:
    """MLP1 and MLP2 of Figure 2: (V, m) → (V, m) → (V, out)."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def anchor(out: int) -> nn.Linear:
    """(V, 3) metres → (V, out): at first `ANCHOR` units a metre along the first axes, and trained like all else.

    What a head must add to bring an object's points together then depends on its shape and not on where it stands,
    which a convolution knows better.
    """
    linear = nn.Linear(3, out, bias=False)
    with torch.no_grad():
        linear.weight.copy_(ANCHOR * torch.eye(out, 3))
    return linear


class Network(nn.Module):
    """SparseTensor of input features, mean positions (V, 3) → `Output`. The three stages can be called apart."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = a = architecture
        self.backbone = BACKBONES[a.backbone](INPUTS[a.inputs], a.width, a.repetitions)
        self.semantic_head = head(a.width, a.classes)
        self.embedding_head = head(a.width, a.embedding)
        self.anchor = anchor(a.embedding) if a.anchored else None
        self.graph = nn.ModuleList(GraphLayer(a.embedding, a.aggregator) for _ in range(a.graph_layers))
        self.object_head = ObjectHead(a.classes, a.width) if a.object_head else None

    def forward(self, x: SparseTensor, positions: torch.Tensor) -> Output:
        features = self.backbone(x).features
        # Mixed precision ends here: an embedding of a few bits less would not fit into the loss's margins.
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(self.semantic_head[0].weight.dtype)
            embedding = self.embed(features, x)
            return Output(self.semantic_head(features), embedding, self.refine(embedding, x, positions))

    def embed(self, features: torch.Tensor, x: SparseTensor) -> torch.Tensor:
        """(V, m) features of the backbone on input x → (V, D) embeddings before the graph layers."""
        embedding = self.embedding_head(features)
        return embedding if self.anchor is None else embedding + self.anchor(x.features[:, 3:])

    def refine(
        self, embedding: torch.Tensor, x: SparseTensor, positions: torch.Tensor, rows: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Pass the embeddings through the graph layers; neighbours are found once, by position.

        With `rows` (R,) int64, only their embeddings are wanted: what others get is of no use.
        """
        if not self.graph:
            return embedding
        a = self.architecture
        if rows is None:
            neighbors = k_nearest_neighbors(positions, x.grid, a.voxel_size, a.neighbors)
            for layer in self.graph:
                embedding = layer(embedding, neighbors)
            return embedding
        # The last layer is needed for these rows, the one before it for their neighbours too, and so on.
        seen = torch.zeros(len(embedding), dtype=torch.uint8, device=rows.device).index_fill_(0, rows, 1)
        neighbors = k_nearest_neighbors(positions, x.grid, a.voxel_size, a.neighbors, rows)
        circles = [(rows, neighbors)]  # rows one step farther out each time, and their neighbours
        for _ in self.graph[1:]:
            rows = unseen(neighbors, seen)
            neighbors = k_nearest_neighbors(positions, x.grid, a.voxel_size, a.neighbors, rows)
            circles.append((rows, neighbors))
        for depth, layer in enumerate(self.graph):
            refined = embedding.clone()
            for rows, neighbors in circles[: len(circles) - depth]:
                refined[rows] = layer(embedding, neighbors)
            embedding = refined
        return embedding


def input_features(positions: torch.Tensor, colors: torch.Tensor | None, batch: torch.Tensor, inputs: str):
    """What the network sees of each voxel: (V, 3) positions in metres, (V, 3) colours 0 to 255 or None → (V, 3 or 6).

    Colours become c / 127.5 − 1; a cloud without colour is mid-grey. Positions are counted from each scene's mean in
    x and y and from its lowest 2 % in z, so that neither the map's origin nor a stray point below the floor matters.
    """
    gray = torch.zeros_like(positions) if colors is None else colors.to(positions.dtype) / 127.5 - 1
    if inputs == "color":
        return gray
    return torch.cat((gray, positions - scene_origin(positions, batch)), dim=1)


def floor_level(z: torch.Tensor) -> torch.Tensor:
    """Height of the floor as far as it is seen: the 2 % quantile of z (N,), which a stray point below does not move."""
    return z.kthvalue(1 + int(0.02 * (len(z) - 1))).values


def scene_origin(positions: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """(V, 3) origin of each voxel's scene: mean x and y, 2 % quantile of z."""
    origin = torch.empty_like(positions)
    for scene in range(int(batch.max()) + 1 if len(batch) else 0):
        rows = (batch == scene).nonzero().squeeze(1)
        if len(rows):
            mine = positions[rows]
            origin[rows] = torch.stack((mine[:, 0].mean(), mine[:, 1].mean(), floor_level(mine[:, 2])))
    return origin
