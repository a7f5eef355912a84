"""The device under test, the engines that run on it, and how large the checks are."""

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
FAST_CARDS = ("H100", "H200")  # the marks on time are those of these cards


@dataclass(frozen=True)
class Sizes:
    """How much is computed.

    points: of a timed frame; compared_points: most in a compared frame; resolution: of generated frames; timed,
    warm_up, profiled: frames that run through the segmenter; rounds: turns in the race of the backbones; steps: of each
    training, the first `compared` of which the CPU repeats; width: of the untrained ResNet.
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
    """device: where the checks run; engines: sparse engines to check there; sizes: how large the checks are; folder:
    for files that the checks need while they run."""

    device: torch.device
    engines: tuple[str, ...]
    sizes: Sizes
    folder: Path

    @staticmethod
    def find(folder: Path, device: str = "auto", engines: tuple[str, ...] = ()) -> Card:
        """The card by name, with all its engines unless some are named. InputError where there is no such device."""
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
        """Whether the marks on time are meant for this card."""
        return self.on_cuda and any(name in self.name for name in FAST_CARDS)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """What runs inside is what is checked; what runs outside, on the CPU, is what it is compared with.

        In the rehearsal the device is the same, so the compiled kernels are switched off inside: plain torch
        operations, which also serve CUDA, stand in for the card.
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
        """Wait for the card, as far as there is something to wait for."""
        if self.on_cuda:
            torch.cuda.synchronize(self.device)

    def autocast(self, dtype: torch.dtype) -> torch.autocast | nullcontext:
        from instseg3d_ros.sparse.precision import reduced_precision

        return reduced_precision(dtype, self.device)


def spconv_works() -> str:
    """Empty where spconv can be imported, else why not, in one line."""
    if find_spec("spconv") is None:
        return "not installed"
    try:
        import spconv.pytorch  # noqa: F401
    except Exception as error:  # a build for another CUDA fails in many ways
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""
