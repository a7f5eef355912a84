"""The node's segmenter: loaded from parameters, reconfigured between clouds, freed on clean-up."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.parts import check_selection
from instseg3d_ros.ros.parameters import MODEL, Parameters
from instseg3d_ros.segmentation.memory import free_memory
from instseg3d_ros.segmentation.result import Result

if TYPE_CHECKING:
    from instseg3d_ros.segmentation.segmenter import Segmenter

LEFT_TO_MODEL = tuple(entry.name for entry in Parameters.entries() if entry.left_to_model)


def load_segmenter(parameters: Parameters) -> Segmenter:
    """Load the network of the node. InputError names the file, device or engine that is wrong."""
    from instseg3d_ros import Segmenter

    if parameters.threads:
        import torch

        torch.set_num_threads(parameters.threads)
    return Segmenter.load(
        parameters.model, device=parameters.device, engine=parameters.engine, precision=parameters.precision
    )


def missing_kernels() -> str:
    """One line that names the missing compiled kernels and the reason; empty if none or torch is not loaded."""
    if "torch" not in sys.modules:
        return ""
    from instseg3d_ros.sparse.native import kernels

    return kernels.summary(kernels.missing())


class Model:
    """A segmenter, `model(points, colors)`, whose options follow the node's parameters."""

    def __init__(self, parameters: Parameters):
        self.segmenter = load_segmenter(parameters)
        self._defaults = self.segmenter.options
        self.apply(parameters)
        self.segmenter.warm_up()
        self.missing_kernels = missing_kernels() if str(self.segmenter.device) == "cpu" else ""

    def apply(self, parameters: Parameters) -> None:
        self.segmenter.configure(**self._options(parameters))

    def reason_against(self, parameters: Parameters) -> str:
        """The reason why the segmenter would refuse these values; empty if it accepts them."""
        try:
            check_selection(parameters.select, self.labels)
            replace(self._defaults, **self._options(parameters))
        except InputError as error:
            return str(error)
        return ""

    def _options(self, parameters: Parameters) -> dict:
        chosen = {name: getattr(parameters, name) for name in LEFT_TO_MODEL}
        chosen = {name: getattr(self._defaults, name) if value == MODEL else value for name, value in chosen.items()}
        chosen["max_voxels"] = parameters.max_voxels
        return {**chosen, "level": "off" if parameters.target_frame else parameters.level}

    def __call__(self, points: np.ndarray, colors: np.ndarray | None) -> Result:
        return self.segmenter(points, colors)

    @property
    def labels(self) -> LabelSet:
        return self.segmenter.labels

    @property
    def device(self) -> str:
        return str(self.segmenter.device)

    def free(self) -> None:
        """Release the memory of the model, on the host and the GPU."""
        del self.segmenter
        free_memory()
