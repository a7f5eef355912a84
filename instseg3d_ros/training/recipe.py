"""A training recipe: a YAML file in config/train/; the command line may replace every value of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from instseg3d_ros.data.augment import Augmentation
from instseg3d_ros.network.architecture import NetworkRecipe
from instseg3d_ros.segmentation.options import Options


@dataclass
class LossRecipe:
    """Equations 1 to 5. The total is the sum of cross entropy and the losses on the initial and refined embedding."""

    structure_aware: bool = True
    alpha: float = 0.7
    beta: float = 1.5
    reduction: str = "mean"
    semantic_weight: float = 1.0
    rarity: float = 0.0  # the weight of a class in the cross entropy is (its share of the points)^−rarity; paper: 0
    embedding_weight: float = 1.0
    clearance: float = 0.0  # weight of the clearance loss (not in the paper)
    margin: float = 1.0  # smallest distance of a point from the means of other objects that costs nothing


@dataclass
class Recipe:
    """Two stages as in the paper: `semantic_steps` of semantics alone, then everything until `steps`."""

    data: list[str] = field(default_factory=list)  # folders of scenes with train/ and val/
    out: str = "runs/train"
    init: str | None = None  # start from these weights (a name in models/ or a path)
    seed: int = 0
    steps: int = 20_000
    semantic_steps: int = 2_000
    batch_size: int = 4  # scenes per process and step
    learning_rate: float = 0.001
    final_decay: float = 0.0  # share of the steps, at the end, over which the learning rate falls to 0; paper: 0
    accumulate: int = 1
    precision: str = "32-true"
    devices: int = 1
    nodes: int = 1
    synchronize: bool = True  # normalize over the batches of all processes; off: faster, each process by itself
    average_every: int = 1  # above 1: each process steps by itself, and weights are averaged every so many steps
    accelerator: str = "auto"
    workers: int = 1  # processes that load and augment
    threads: int | None = None  # of torch on a CPU
    validate_every: int = 1000
    validate_scenes: int = 40
    checkpoint_every: int = 200
    object_scenes: int = 0  # number of scenes from which an object head learns at the end; 0: no object head
    object_points: bool = False  # the object head also takes a sample of the points of each object
    # Scene folders for the object head, preferably not used in training; default: `data`.
    object_data: list[str] = field(default_factory=list)
    segmentation: Options = field(default_factory=Options)  # of validation, and stored with the weights
    network: NetworkRecipe = field(default_factory=NetworkRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    augmentation: Augmentation = field(default_factory=Augmentation)
