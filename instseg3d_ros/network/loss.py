"""The paper's losses on embeddings (Section 3.2, equations 1 to 5), in O(N) and without a loop over instances."""

from __future__ import annotations

import torch


def structure_aware_loss(
    embedding: torch.Tensor,
    position: torch.Tensor,
    instance: torch.Tensor,
    batch: torch.Tensor | None = None,
    alpha: float = 0.7,
    beta: float = 1.5,
    structure_aware: bool = True,
    reduction: str = "mean",
) -> torch.Tensor:
    """Pull the points of an instance to their mean embedding, push mean embeddings of a scene apart.

    embedding (N, D) and position (N, 3) in metres are floating, instance (N,) integer with 0 ignored, batch (N,) the
    scene of each point (None: one scene). `structure_aware` weighs a point by 1 / (1 + exp(−p)), p its distance to the
    instance's centre (equation 1); without, every weight is 1 (the paper's vanilla loss). `reduction` says what
    becomes of an instance's points in equation 1: "sum" as printed, "mean" so that a wall does not outweigh a cup.

    Returns the scalar of equation 5, averaged over the scenes; a scene without instances counts as 0, and one with a
    single instance has no inter term. Raises ValueError on an unknown reduction.
    """
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction '{reduction}' is neither 'mean' nor 'sum'")
    num_scenes = 1 if batch is None else max(1, len(torch.unique(batch)))
    kept = instance != 0
    embedding, position, instance = embedding[kept], position[kept], instance[kept].long()
    if len(embedding) == 0:
        return embedding.sum()  # zero, with a gradient path so that backward() works
    batch = torch.zeros_like(instance) if batch is None else batch[kept].long()

    # Instances of all scenes in one numbering, ordered by scene: owner (N,), scene (M,), size (M,).
    low = instance.min()
    span = instance.max() - low + 1
    ids, owner, size = torch.unique(batch * span + (instance - low), return_inverse=True, return_counts=True)
    num = len(ids)
    _, scene, per_scene = torch.unique(ids // span, return_inverse=True, return_counts=True)
    size = size.to(embedding.dtype)
    population = per_scene.to(embedding.dtype)[scene]  # M of equation 5, for each instance's scene

    def mean_over_instance(values: torch.Tensor) -> torch.Tensor:
        return values.new_zeros(num, values.shape[1]).index_add(0, owner, values) / size.unsqueeze(1)

    mean_embedding = mean_over_instance(embedding)
    s = _norm(embedding - mean_embedding[owner])  # equation 3
    pull = torch.relu(s - alpha).square()
    if structure_aware:
        p = _norm(position - mean_over_instance(position)[owner])  # equation 2
        pull = pull * torch.sigmoid(p)
    intra = pull.new_zeros(num).index_add(0, owner, pull)  # equation 1
    if reduction == "mean":
        intra = intra / size
    intra = (intra / population).sum()

    # Pairs of instances within one scene only: `later[i]` instances follow i in its scene.
    end = per_scene.cumsum(0)[scene]
    later = end - 1 - torch.arange(num, device=end.device)
    left = torch.repeat_interleave(torch.arange(num, device=end.device), later)
    start = torch.repeat_interleave(later.cumsum(0) - later, later)
    right = left + 1 + torch.arange(len(left), device=end.device) - start
    distance = _norm(mean_embedding[left] - mean_embedding[right])
    push = torch.relu(beta - distance).square()  # equation 4
    m = population[left]
    inter = (2 * push / (m * (m - 1))).sum()  # each unordered pair stands twice in equation 5
    return (intra + inter) / num_scenes


def _norm(x: torch.Tensor) -> torch.Tensor:
    """Euclidean norm of rows whose gradient at zero is zero (torch's is as well, sqrt's would be NaN)."""
    return torch.linalg.vector_norm(x, dim=1)
