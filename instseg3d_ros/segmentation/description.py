"""The inputs of the object head. To add an input, add a line to `INPUTS` and train the object head again.

Object heads that were trained before go on with the inputs that they name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from instseg3d_ros.segmentation.measures import Measures

RARE = 1e-3  # added to probabilities before their logarithm


@dataclass(frozen=True)
class Description:
    """Data of G proposals from which the inputs of the object head are computed. Lengths are in metres.

    measures: see `Measures`; formula_score (G,); merging (G, 3): from `Proposals.measures`; around (G, C) and
    contacts (G, 4): from `surroundings`; moments (G, 13 + F): from `moments`, and halves (2, G, 13 + F): the moments of
    the two halves, 0 for a part; floor: height of the floor.
    """

    measures: Measures
    formula_score: np.ndarray
    merging: np.ndarray
    around: np.ndarray
    contacts: np.ndarray
    moments: np.ndarray
    halves: np.ndarray
    floor: float

    @property
    def voxels(self) -> np.ndarray:
        """(G,) number of voxels."""
        return self.moments[:, 0]

    @cached_property
    def mean(self) -> np.ndarray:
        """(G, 3) mean position of the voxels."""
        return self.moments[:, 1:4] / self.moments[:, :1]

    @cached_property
    def box_center(self) -> np.ndarray:
        return np.array([box.center for box in self.measures.boxes]).reshape(-1, 3)

    @cached_property
    def box_size(self) -> np.ndarray:
        return np.array([box.size for box in self.measures.boxes]).reshape(-1, 3)

    def heights(self) -> np.ndarray:
        """(G, 3) bottom, mean and top above the floor."""
        center, half = self.box_center[:, 2], self.box_size[:, 2] / 2
        return np.column_stack((center - half, self.mean[:, 2], center + half)) - self.floor

    def deviations(self) -> np.ndarray:
        """(G, 3) standard deviations of the voxels along their principal axes, ascending."""
        mean = self.mean
        spread = (self.moments[:, 4:13] / self.moments[:, :1]).reshape(-1, 3, 3) - mean[:, :, None] * mean[:, None, :]
        return np.sqrt(np.linalg.eigvalsh(spread).clip(min=0))

    def features(self) -> np.ndarray:
        """(G, F) mean features of the backbone."""
        return self.moments[:, 13:] / self.moments[:, :1]

    def difference_of_halves(self) -> np.ndarray:
        """(G, F) absolute difference of the mean features of the two halves; 0 for a part.

        It tells a seam between two objects from a line within one.
        """
        one, other = self.halves[..., 13:] / self.halves[..., :1].clip(min=1)
        return np.abs(one - other)


class Input(NamedTuple):
    """A named group of columns.

    width: number of columns; "classes" means the number C of classes, "features" the number F of the backbone's
    features. columns: a function `Description` → (G,) or (G, width).
    """

    name: str
    width: int | str
    columns: Callable[[Description], np.ndarray]


INPUTS = (
    Input("formula score", 1, lambda d: d.formula_score),
    Input("tightness", 1, lambda d: d.measures.tightness),
    Input("share of the cluster", 1, lambda d: d.measures.cluster_share),
    Input("differences and number of parts", 3, lambda d: d.merging),
    Input("contacts", 4, lambda d: d.contacts),
    Input("log probabilities", "classes", lambda d: np.log(d.measures.probability + RARE)),
    Input("log probabilities around", "classes", lambda d: np.log(d.around + RARE)),
    Input("shorter and longer side", 2, lambda d: np.sort(d.box_size[:, :2], axis=1)),
    Input("height", 1, lambda d: d.box_size[:, 2]),
    Input("bottom, mean and top above the floor", 3, Description.heights),
    Input("distance from the origin", 1, lambda d: np.linalg.norm(d.mean, axis=1)),
    Input("log points", 1, lambda d: np.log(d.measures.points)),
    Input("log voxels", 1, lambda d: np.log(d.voxels)),
    Input("log points per voxel", 1, lambda d: np.log(d.measures.points / d.voxels)),
    Input("deviations along the principal axes", 3, Description.deviations),
    Input("features of the backbone", "features", Description.features),
    Input("difference of the features of the halves", "features", Description.difference_of_halves),
)


def input_widths(classes: int, features: int) -> tuple[tuple[str, int], ...]:
    """Name and number of columns of each input of the object head, for C classes and F features of the backbone."""
    variable = {"classes": classes, "features": features}
    return tuple((name, variable[width] if isinstance(width, str) else width) for name, width, _ in INPUTS)


def columns(description: Description, names: Sequence[str] | None = None) -> np.ndarray:
    """(G, sum of the widths) float32: the columns of the inputs with these names, side by side; None: of all `INPUTS`.

    A model names the inputs of its head, so that models from before an input was added keep working.
    """
    by_name = {one.name: one.columns for one in INPUTS}
    chosen = by_name.values() if names is None else [by_name[name] for name in names]
    return np.column_stack([columns(description) for columns in chosen]).astype(np.float32)
