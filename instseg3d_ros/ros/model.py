"""The segmenter as the node holds it: loaded from parameters, retuned between clouds, freed on clean-up."""

from __future__ import annotations

import sys
from dataclasses import replace

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.parts import check_selection
from instseg3d_ros.ros.parameters import MODEL, Parameters
from instseg3d_ros.segmentation.memory import free_memory
from instseg3d_ros.segmentation.result import Result

LEFT_TO_MODEL = ("bandwidth", "merge", "min_points", "min_score", "max_range")  # where the parameter is -1


def load_segmenter(parameters: Parameters):
    """The one place where the node gets a network. InputError says which file, device or engine is wrong."""
    from instseg3d_ros import Segmenter

    if parameters.threads:
        import torch

        torch.set_num_threads(parameters.threads)
    return Segmenter.load(
        parameters.model, device=parameters.device, engine=parameters.engine, precision=parameters.precision
    )


def missing_kernels() -> str:
    """Which compiled kernels are missing and why, in one line; empty where none is or torch has not been loaded."""
    if "torch" not in sys.modules:
        return ""
    from instseg3d_ros.sparse.native import kernels

    return kernels.summary(kernels.missing())


class Model:
    """segmenter(points, colors) with options that follow the parameters."""

    def __init__(self, parameters: Parameters):
        self.segmenter = load_segmenter(parameters)
        self._own = self.segmenter.options
        self.apply(parameters)
        self.segmenter.warm_up()
        self.missing_kernels = missing_kernels() if str(self.segmenter.device) == "cpu" else ""

    def apply(self, parameters: Parameters) -> None:
        self.segmenter.configure(**self._options(parameters))

    def reason_against(self, parameters: Parameters) -> str:
        """Why the segmenter would refuse these values; empty if it would not."""
        try:
            check_selection(parameters.select, self.labels)
            replace(self._own, **self._options(parameters))
        except InputError as error:
            return str(error)
        return ""

    def _options(self, parameters: Parameters) -> dict:
        chosen = {name: getattr(parameters, name) for name in LEFT_TO_MODEL}
        chosen = {name: getattr(self._own, name) if value == MODEL else value for name, value in chosen.items()}
        chosen["max_voxels"] = parameters.max_voxels
        return {**chosen, "level": "off" if parameters.target_frame else parameters.level}

    def __call__(self, points, colors) -> Result:
        return self.segmenter(points, colors)

    @property
    def labels(self):
        return self.segmenter.labels

    @property
    def device(self) -> str:
        return str(self.segmenter.device)

    def free(self) -> None:
        """Give the memory back, the GPU's too."""
        self.segmenter = None
        free_memory()
