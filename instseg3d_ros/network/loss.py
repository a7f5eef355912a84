"""The losses on embeddings: the paper's (Section 3.2, equations 1 to 5) in O(N) without a loop over instances.

The clearance loss is not in the paper. It pushes points away from the mean embeddings of other objects.
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
    """Pull points to the mean embedding of their instance, and push the mean embeddings of a scene apart.

    Args:
        embedding: (N, D) float
        position: (N, 3) float, in metres
        instance: (N,) integer; points with 0 are ignored
        batch: (N,) scene of each point; None: all points belong to one scene
        alpha: distance from the mean embedding below which equation 1 is 0
        beta: distance between two mean embeddings above which equation 4 is 0
        structure_aware: weight each point by 1 / (1 + exp(−p)), where p is its distance from the centre of its
            instance (equation 1); False: all weights are 1 (the paper's vanilla loss)
        reduction: reduction over the points of an instance in equation 1: "sum" as printed, or "mean", so that large
            instances do not dominate

    Returns the scalar of equation 5, averaged over the scenes. A scene without instances counts as 0; a scene with a
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

    # Instances of all scenes are numbered together, ordered by scene: owner (N,), scene (M,), size (M,).
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

    # Pairs are formed only within a scene: `later[i]` instances follow instance i in its scene.
    end = per_scene.cumsum(0)[scene]
    later = end - 1 - torch.arange(num, device=end.device)
    left = torch.repeat_interleave(torch.arange(num, device=end.device), later)
    start = torch.repeat_interleave(later.cumsum(0) - later, later)
    right = left + 1 + torch.arange(len(left), device=end.device) - start
    distance = _norm(mean_embedding[left] - mean_embedding[right])
    push = torch.relu(beta - distance).square()  # equation 4
    m = population[left]
    inter = (2 * push / (m * (m - 1))).sum()  # equation 5 counts each unordered pair twice
    return (intra + inter) / num_scenes


def clearance_loss(
    embedding: torch.Tensor, instance: torch.Tensor, labelled: torch.Tensor, batch: torch.Tensor, margin: float = 1.0
) -> torch.Tensor:
    """Push points away from the mean embeddings of other objects.

    Args:
        embedding: (N, D) float
        instance: (N,) integer; 0: the point belongs to no object
        labelled: (N,) bool; only these points are used
        batch: (N,) scene of each point
        margin: distance from the means of other objects above which the term is 0

    The term of point i is max(0, margin − D(i))², where D(i) is the distance from its embedding to the nearest mean of
    another object in its scene. The terms are averaged over the points of each object, over the objects of a scene (all
    points without an object count as one more object) and over the scenes. The means get no gradient.

    Equation 4 compares only means. It therefore allows a wall to share the embedding of a picture on it, and the points
    of small objects have little effect on it.
    """
    scenes = int(batch.max()) + 1 if len(batch) else 1
    total = embedding.sum() * 0  # with a gradient path, so that backward() works
    for scene in range(scenes):
        rows = ((batch == scene) & labelled).nonzero().squeeze(1)
        mine = embedding[rows]
        ids, owner, size = torch.unique(instance[rows], return_inverse=True, return_counts=True)
        first = int(len(ids) > 0 and ids[0] == 0)  # index of the first object
        if len(ids) == first:
            continue
        size = size.to(mine.dtype)
        means = _mean_of_each(mine.detach(), owner, size)[first:]
        with torch.no_grad():  # only the distances below the margin need a gradient
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
    """(M, D): mean of values (N, D) over each of M groups. owner (N,): group of each value; size (M,): group sizes."""
    return values.new_zeros(len(size), values.shape[1]).index_add(0, owner, values) / size.unsqueeze(1)


def _norm(x: torch.Tensor) -> torch.Tensor:
    """Euclidean norm of each row. Its gradient at zero is zero; the gradient of sqrt would be NaN."""
    return torch.linalg.vector_norm(x, dim=1)
