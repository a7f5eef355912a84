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
    """Equations 7 to 9: neighbours weighted by the softmax of f(xᵢ, xⱼ). (V, F), (R, k) → (R, F).

    f is an MLP 2F → hidden → 1. Its first layer acts on a concatenation, so it is kept as two halves, one for the
    centre and one for the neighbour: each point is multiplied once, not once per edge.
    """

    def __init__(self, dim: int, hidden: int = 8):
        super().__init__()
        self.center = nn.Linear(dim, hidden)
        self.neighbor = nn.Linear(dim, hidden, bias=False)
        self.score = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
        # The softmax takes the bias of the score out; distributed training still wants a gradient of it, which is zero.
        score = self.score.weight[0] + 0 * self.score.bias
        return attend(x, self.center(own(x, neighbors)), self.neighbor(x), score, neighbors)


AGGREGATORS = {"attention": AttentionAggregator, "mean": MeanAggregator}


class GraphLayer(nn.Module):
    """Equation 10: x ← [x, aggregate(x)] W, a fully connected layer without bias. (V, F), (R, k) → (R, F).

    A row of neighbours begins with the point they belong to; R = V are all points in order, R < V some of them.

    W starts as the mean of its two halves, so an untrained layer smooths and does not scramble what the embedding
    head already gives.
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
    """(R, F) rows of x (V, F): the points whose neighbours (R, k) are given."""
    return x if len(neighbors) == len(x) else x[neighbors[:, 0]]
