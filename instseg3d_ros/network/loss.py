"""The paper's losses on embeddings (Section 3.2, equations 1 to 5), in O(N) and without a loop over instances.

And the clearance loss, which is not in the paper: it keeps points away from the mean embeddings of other objects.
"""

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

    mean_embedding = _mean_of_each(embedding, owner, size)
    s = _norm(embedding - mean_embedding[owner])  # equation 3
    pull = torch.relu(s - alpha).square()
    if structure_aware:
        p = _norm(position - _mean_of_each(position, owner, size)[owner])  # equation 2
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


def clearance_loss(
    embedding: torch.Tensor, instance: torch.Tensor, labelled: torch.Tensor, batch: torch.Tensor, margin: float = 1.0
) -> torch.Tensor:
    """Push points away from the mean embeddings of objects that are not theirs.

    embedding (N, D), instance (N,) integer with 0 for what is no object, labelled (N,) bool: points that take part,
    batch (N,) the scene of each point. With D(i) the distance from point i to the nearest mean of another object of its
    scene, the term of a point is max(0, margin − D(i))²; it is averaged over the points of each object, over the
    objects of a scene (all that is none counts as one more) and over the scenes. Means are taken as given: only points
    move. Equation 4 compares means alone, so a wall behind a picture may share its embedding, and a cup's few points
    weigh nothing against the pairs that are far apart anyway.
    """
    scenes = int(batch.max()) + 1 if len(batch) else 1
    total = embedding.sum() * 0  # with a gradient path, so that backward() works
    for scene in range(scenes):
        rows = ((batch == scene) & labelled).nonzero().squeeze(1)
        mine = embedding[rows]
        ids, owner, size = torch.unique(instance[rows], return_inverse=True, return_counts=True)
        first = int(len(ids) > 0 and ids[0] == 0)  # of the objects
        if len(ids) == first:
            continue
        size = size.to(mine.dtype)
        means = _mean_of_each(mine.detach(), owner, size)[first:]
        with torch.no_grad():  # of N × M distances only those below the margin need a gradient
            distance = torch.cdist(mine, means)
            things = (owner >= first).nonzero().squeeze(1)
            distance[things, owner[things] - first] = torch.inf
            nearest, other = distance.min(dim=1)
            close = (nearest < margin).nonzero().squeeze(1)
        near = _norm(mine[close] - means[other[close]])
        term = mine.new_zeros(len(mine)).index_add(0, close, torch.relu(margin - near).square())
        total = total + _mean_of_each(term.unsqueeze(1), owner, size).mean()
    return total / scenes


def _mean_of_each(values: torch.Tensor, owner: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """(M, D) means of values (N, D) over the members of each of M groups of `size` (M,); owner (N,) names the group."""
    return values.new_zeros(len(size), values.shape[1]).index_add(0, owner, values) / size.unsqueeze(1)


def _norm(x: torch.Tensor) -> torch.Tensor:
    """Euclidean norm of rows whose gradient at zero is zero (torch's is as well, sqrt's would be NaN)."""
    return torch.linalg.vector_norm(x, dim=1)
