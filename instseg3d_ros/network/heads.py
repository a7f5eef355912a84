"""Both heads of the network on all voxels of a cloud, for inference on a CPU, in one pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from instseg3d_ros.network.inputs import NetworkInput
from instseg3d_ros.network.model import Network
from instseg3d_ros.sparse.native import kernels


def read_heads(
    network: Network, features: Tensor, inputs: NetworkInput, shift: Tensor, stuff: Tensor, most_stuff: float
) -> tuple[Tensor, Tensor, Tensor] | None:
    """What `network.semantic_head`, softmax and `network.embed` compute from features (V, m) of the backbone:
    probabilities (V, C), embeddings (V, D), and the voxels (R,) of things, ascending.

    shift (C,) is taken off the class scores before the softmax; stuff (S,) int64 are the classes of stuff. A voxel is
    of a thing where these have a probability of at most `most_stuff` together. For inference on a CPU in float32; None
    elsewhere.
    """
    if torch.is_grad_enabled() or features.dtype != torch.float32 or not kernels.available("heads", features.device):
        return None
    semantic, embed, anchor = network.semantic_head, network.embedding_head, network.anchor
    layers = [layer for head in (semantic, embed) for layer in head if isinstance(layer, nn.Linear)]
    held = [tensor.contiguous() for layer in layers for tensor in (layer.weight, layer.bias)]
    (count, width), classes, dim = features.shape, len(shift), layers[-1].out_features
    marks = torch.zeros(classes).index_fill_(0, stuff, 1)
    probability, embedding = features.new_empty(count, classes), features.new_empty(count, dim)
    things = torch.empty(count, dtype=torch.int64)
    position = None if anchor is None else inputs.position.contiguous()
    found = kernels.call(
        "heads", "heads", count, width, features.contiguous(), position, classes, dim, *held,
        None if anchor is None else anchor.weight.contiguous(), shift.float().contiguous(), marks, most_stuff,
        probability, embedding, things,
    )  # fmt: skip
    return probability, embedding, things[:found].clone()
