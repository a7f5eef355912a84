"""The device under test, its engines, and the sizes of the checks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.segmenter import pick_device
from instseg3d_ros.sparse.native import build

ENGINES = ("torch", "spconv")
FAST_CARDS = ("H100", "H200")  # cards for which the limits on time hold


@dataclass(frozen=True)
class Sizes:
    """Sizes of the checks.

    points: points of a timed frame; compared_points: largest number of points of a compared frame; resolution: of
    generated frames; timed, warm_up, profiled: numbers of frames for the segmenter; rounds: rounds in which the
    backbones take turns; steps: steps of each training; compared: number of first steps that the CPU repeats; width:
    width of the untrained ResNet.
    """

    points: int
    compared_points: int
    resolution: tuple[int, int]
    frames: int
    timed: int
    warm_up: int
    profiled: int
    rounds: int
    train_resolution: tuple[int, int]
    train_frames: int
    steps: int
    compared: int
    batch_size: int
    width: int


FULL = Sizes(300_000, 300_000, (640, 480), 6, 200, 12, 5, 30, (320, 240), 24, 200, 20, 4, 32)
SMALL = Sizes(1_500, 4_000, (64, 48), 1, 2, 1, 1, 1, (64, 48), 2, 2, 2, 2, 4)


@dataclass(frozen=True)
class Card:
    """The device on which the checks run.

    engines: sparse engines to check; sizes: sizes of the checks; folder: folder for temporary files of the checks.
    """

    device: torch.device
    engines: tuple[str, ...]
    sizes: Sizes
    folder: Path

    @staticmethod
    def find(folder: Path, device: str = "auto", engines: tuple[str, ...] = ()) -> Card:
        """The card by name, with the named engines (default: all). Raises InputError if there is no such device."""
        if device == "auto" and not torch.cuda.is_available():
            raise InputError(
                f"no CUDA device is available to torch {torch.__version__}; `--device cpu` runs a rehearsal"
            )
        chosen = pick_device(device)
        if chosen.type == "cpu":
            if engines not in ((), ("torch",)):
                raise InputError("a rehearsal on a CPU runs only engine torch; omit --engines")
            return Card(chosen, ("torch",), SMALL, folder)
        return Card(chosen, engines or ENGINES, FULL, folder)

    @property
    def on_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.on_cuda else "CPU (rehearsal)"

    @property
    def marked(self) -> bool:
        """Whether the limits on time hold for this card."""
        return self.on_cuda and any(name in self.name for name in FAST_CARDS)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """A context for the computations that are checked; the CPU computes the reference outside of it.

        In the rehearsal both run on the CPU. The context then switches off the compiled kernels, so that plain torch
        operations, which CUDA also uses, are compared with the kernels.
        """
        if self.on_cuda:
            with torch.cuda.device(self.device):
                yield
            return
        before = os.environ.get(build.OFF)
        os.environ[build.OFF] = "0"
        try:
            yield
        finally:
            if before is None:
                del os.environ[build.OFF]
            else:
                os.environ[build.OFF] = before

    def synchronize(self) -> None:
        """Wait until the card has finished; no effect on a CPU."""
        if self.on_cuda:
            torch.cuda.synchronize(self.device)

    def autocast(self, dtype: torch.dtype) -> torch.autocast | nullcontext:
        from instseg3d_ros.sparse.precision import reduced_precision

        return reduced_precision(dtype, self.device)


def spconv_works() -> str:
    """Empty if spconv can be imported, otherwise the reason in one line."""
    if find_spec("spconv") is None:
        return "not installed"
    try:
        import spconv.pytorch  # noqa: F401
    except Exception as error:  # a build for another CUDA version raises many types of errors
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""
