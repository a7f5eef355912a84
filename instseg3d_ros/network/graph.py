"""Attention-based k-nearest-neighbour graph layers (Sections 3.3 and 3.4 of the paper, equations 6 to 10)."""

from __future__ import annotations

import torch
from torch import nn

from instseg3d_ros.sparse import attend, attend_and_update


class MeanAggregator(nn.Module):
    """Equation 6: the plain mean of the k neighbours. (V, F), (R, k) → (R, F)."""

    def __init__(self, dim: int):
        super().__init__()

    def forward(self, x: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
        return x[neighbors].mean(dim=1)


class AttentionAggregator(nn.Module):
    """Equations 7 to 9: mean of the neighbours, weighted by the softmax of f(xᵢ, xⱼ). (V, F), (R, k) → (R, F).

    f is an MLP 2F → hidden → 1. Its first layer acts on the concatenation of both points. It is stored as two matrices,
    for the centre and for the neighbour, so that each point is multiplied once and not once per edge.
    """

    def __init__(self, dim: int, hidden: int = 8):
        super().__init__()
        self.center = nn.Linear(dim, hidden)
        self.neighbor = nn.Linear(dim, hidden, bias=False)
        self.score = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
        # The softmax cancels the bias of the score. Distributed training still needs a gradient of the bias: zero.
        score = self.score.weight[0] + 0 * self.score.bias
        return attend(x, self.center(own(x, neighbors)), self.neighbor(x), score, neighbors)


AGGREGATORS = {"attention": AttentionAggregator, "mean": MeanAggregator}


class GraphLayer(nn.Module):
    """Equation 10: x ← [x, aggregate(x)] W, a fully connected layer without bias. (V, F), (R, k) → (R, F).

    Each row of `neighbors` begins with its centre. If R = V the centres are all points in order, if R < V some points.

    W is initialized such that an untrained layer averages x and its aggregate: it smooths the embedding of the head and
    does not destroy it.
    """

    def __init__(self, dim: int, aggregator: str = "attention"):
        super().__init__()
        self.aggregate = AGGREGATORS[aggregator](dim)
        self.update = nn.Linear(2 * dim, dim, bias=False)
        with torch.no_grad():
            self.update.weight.copy_(torch.eye(dim).repeat(1, 2) / 2)

    def forward(self, x: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
        a = self.aggregate
        if isinstance(a, AttentionAggregator):
            weights = a.center.weight, a.center.bias, a.neighbor.weight, a.score.weight[0], self.update.weight
            at_once = attend_and_update(x, *weights, neighbors)
            if at_once is not None:
                return at_once
        return self.update(torch.cat((own(x, neighbors), self.aggregate(x, neighbors)), dim=1))


def own(x: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    """(R, F): the rows of x (V, F) that are the centres of neighbors (R, k)."""
    return x if len(neighbors) == len(x) else x[neighbors[:, 0]]
