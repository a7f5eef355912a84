"""A training recipe: a YAML file in config/train/; the command line may replace every value of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from instseg3d_ros.data.augment import Augmentation
from instseg3d_ros.network.architecture import NetworkRecipe
from instseg3d_ros.segmentation.options import Options


@dataclass
class LossRecipe:
    """Settings of the loss, equations 1 to 5.

    The total is the sum of cross entropy and the losses on the initial and the refined embedding.

    Args:
        structure_aware: true: points far from the centre of their object have a higher weight; false: equal weights
        alpha: distance of an embedding from the mean of its object below which equation 1 is 0
        beta: distance between the means of two objects above which equation 4 is 0
        reduction: mean: average over the points of an object; sum: equation 1 as printed
        semantic_weight: weight of the cross entropy of the classes
        rarity: the weight of a class in the cross entropy is (its share of the points)^-rarity; paper: 0
        embedding_weight: weight of the embedding losses
        clearance: weight of the clearance loss, which separates points from other objects (not in the paper)
        margin: distance of a point from the means of other objects above which the clearance loss is 0
    """

    structure_aware: bool = True
    alpha: float = 0.7
    beta: float = 1.5
    reduction: str = "mean"
    semantic_weight: float = 1.0
    rarity: float = 0.0
    embedding_weight: float = 1.0
    clearance: float = 0.0
    margin: float = 1.0


@dataclass
class Recipe:
    """Settings of a training.

    A training has two stages as in the paper: `semantic_steps` of semantics alone, then the whole loss until `steps`.

    Args:
        data: folders of scenes with train/ and val/
        out: output folder
        init: initial weights: a name in models/ or a path
        seed: random seed
        steps: number of steps of both stages
        semantic_steps: number of steps of the first stage
        batch_size: scenes per process and step
        learning_rate: learning rate
        final_decay: share of the steps, at the end of the training, in which the learning rate falls to 0; paper: 0
        clip: largest norm of the gradient of a step; a larger gradient is scaled down to it; 0: no limit
        accumulate: number of batches whose gradients are summed for a step
        precision: number format, as Lightning names it: 32-true, 16-mixed or bf16-mixed
        devices: number of devices, or of processes on a CPU
        nodes: number of machines
        synchronize: true: batch normalization over all processes; false: over each process separately, which is faster
        average_every: 1: processes share the gradients of each step; N above 1: only the mean weights every N steps
        accelerator: device of the training, as Lightning names it: auto, cpu or gpu
        workers: number of processes that load and augment scenes
        threads: number of CPU threads of torch per process; null: the choice of torch
        validate_every: number of steps between validations
        validate_scenes: number of scenes of a validation
        checkpoint_every: number of steps between checkpoints
        object_scenes: number of scenes from which an object head learns at the end; 0: no object head
        object_points: true: the object head also takes a sample of the points of each object
        object_data: scene folders for the object head, preferably not used in training; default: `data`
        segmentation: options of validation, which are stored with the weights
        network: settings of the network
        loss: settings of the loss
        augmentation: settings of the augmentation
    """

    data: list[str] = field(default_factory=list)
    out: str = "runs/train"
    init: str | None = None
    seed: int = 0
    steps: int = 20_000
    semantic_steps: int = 2_000
    batch_size: int = 4
    learning_rate: float = 0.001
    final_decay: float = 0.0
    clip: float = 0.0
    accumulate: int = 1
    precision: str = "32-true"
    devices: int = 1
    nodes: int = 1
    synchronize: bool = True
    average_every: int = 1
    accelerator: str = "auto"
    workers: int = 1
    threads: int | None = None
    validate_every: int = 1000
    validate_scenes: int = 40
    checkpoint_every: int = 200
    object_scenes: int = 0
    object_points: bool = False
    object_data: list[str] = field(default_factory=list)
    segmentation: Options = field(default_factory=Options)
    network: NetworkRecipe = field(default_factory=NetworkRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    augmentation: Augmentation = field(default_factory=Augmentation)
