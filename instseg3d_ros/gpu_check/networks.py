"""The networks for the checks: shipped weights, or an untrained network if the weights are missing."""

from __future__ import annotations

import torch

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.network import checkpoint
from instseg3d_ros.network.backbone import BACKBONES
from instseg3d_ros.network.checkpoint import ModelCard
from instseg3d_ros.network.inputs import NetworkInput
from instseg3d_ros.network.model import Architecture, Network
from instseg3d_ros.sparse import BatchNormReLU, SparseTensor

REPETITIONS = {"unet": 1, "resnet": 2}


def load(kind: str, frame: Frame, width: int) -> tuple[Network, ModelCard, bool]:
    """Network and card of `models/<kind>.safetensors`, and True; without this file an untrained network of `width`,
    its card, and False.

    The untrained network is anchored, so that its embeddings form clusters, and normalized to the statistics of
    `frame`, so that its activations stay within the range of float16.
    """
    try:
        return *checkpoint.load(checkpoint.find(kind)), True
    except InputError:
        if kind not in BACKBONES:
            raise
    torch.manual_seed(0)
    architecture = Architecture(
        backbone=kind, width=width, repetitions=REPETITIONS[kind], classes=len(SYNTHETIC), anchored=True
    )
    network = Network(architecture)
    norms = [module for module in network.modules() if isinstance(module, BatchNormReLU)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train().backbone(inputs(frame, architecture))
    for norm, momentum in zip(norms, before):
        norm.momentum = momentum
    return network.eval(), ModelCard(architecture, SYNTHETIC), False


def inputs(
    frame: Frame, architecture: Architecture, device: torch.device | str = "cpu", engine: str = "torch"
) -> SparseTensor:
    """The network's input for a frame: voxels on `device` with their input features."""
    points, colors = (values.to(device) for values in frame.tensors())
    a = architecture
    return NetworkInput.of_points(points, colors, a.voxel_size, a.inputs, engine=engine).x
