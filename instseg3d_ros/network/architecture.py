"""The architecture of a network: the settings of a recipe, and values that follow from the data."""

from __future__ import annotations

from dataclasses import dataclass

from instseg3d_ros.errors import InputError
from instseg3d_ros.network.backbone import BACKBONES
from instseg3d_ros.network.graph import AGGREGATORS
from instseg3d_ros.network.inputs import INPUTS


@dataclass(frozen=True)
class NetworkRecipe:
    """Settings of the network in a recipe.

    Defaults are the paper's values where the paper gives them.

    Args:
        backbone: unet (small) or resnet (large)
        width: number m of features per voxel on the first level
        repetitions: number of blocks per level
        inputs: input features of a voxel: position_color, position or color
        embedding: number of dimensions of the embedding
        anchored: true: the embedding is the position of the voxel plus an offset that the head predicts
        graph_layers: number of graph layers
        aggregator: weights of the neighbours in the graph layers: attention (learned) or mean (equal)
        neighbors: number k of neighbours of a voxel in the graph layers, including the voxel itself
        voxel_size: edge length of a voxel, in metres
    """

    backbone: str = "unet"
    width: int = 16
    repetitions: int = 1
    inputs: str = "position_color"
    embedding: int = 4
    anchored: bool = False
    graph_layers: int = 2
    aggregator: str = "attention"
    neighbors: int = 8
    voxel_size: float = 0.02

    def __post_init__(self) -> None:
        for name, value, known in (
            ("backbone", self.backbone, BACKBONES),
            ("inputs", self.inputs, INPUTS),
            ("aggregator", self.aggregator, AGGREGATORS),
        ):
            if value not in known:
                raise InputError(f"{name} '{value}' is unknown; one of: {', '.join(known)}")
        for name, low, high in (
            ("width", 1, 256), ("repetitions", 1, 8), ("embedding", 1, 64), ("graph_layers", 0, 8),
            ("neighbors", 1, 64),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}; expected {low} to {high}")
        if self.anchored and "position" not in INPUTS[self.inputs]:
            raise InputError(
                f"anchored embeddings need positions, but inputs is '{self.inputs}';"
                " set it to 'position_color' or 'position'"
            )
        if not 0.001 <= self.voxel_size <= 1:
            raise InputError(f"voxel_size is {self.voxel_size} m; expected 0.001 to 1")


@dataclass(frozen=True)
class Architecture(NetworkRecipe):
    """All values that determine the tensor shapes of a network. They are stored with its weights.

    Args:
        classes: number of classes
        object_inputs: name and number of columns of each input of the object head; empty without an object head
        object_points: the object head also takes points of each object
        object_stuff: the object head also recognises proposals that are stuff, such as a piece of wall
    """

    classes: int = 22
    object_inputs: tuple[tuple[str, int], ...] = ()
    object_points: bool = False
    object_stuff: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.classes <= 1000:
            raise InputError(f"classes is {self.classes}; expected 1 to 1000")
        pairs = tuple((str(name), int(width)) for name, width in self.object_inputs)  # JSON has lists for tuples
        object.__setattr__(self, "object_inputs", pairs)
        if self.object_points and not pairs:
            raise InputError("object_points is true without object_inputs; an object head that takes points needs both")
