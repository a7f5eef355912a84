"""Check 5: lets the card run out of memory. The frame must be dropped, its memory freed, the next frame answered."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from instseg3d_ros.benchmarking.frame import Frame
from instseg3d_ros.gpu_check import networks
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.gpu_check.finding import Finding
from instseg3d_ros.segmentation.memory import free_memory, is_out_of_memory
from instseg3d_ros.segmentation.result import Result
from instseg3d_ros.segmentation.segmenter import Segmenter

CHECK = "out of memory"
HEADROOM = 16 << 20  # free bytes of the card in this check; too few for a frame of 300,000 points
TOO_MUCH = 1 << 60  # bytes; more than any host has
LEFT = 0.05  # MiB that may remain allocated


def findings(card: Card, frame: Frame) -> Iterator[Finding]:
    """Segment a frame, then a frame that does not fit into memory, then the first frame again."""
    network, model_card, _ = networks.load("unet", frame, card.sizes.width)
    with card.computing():
        segmenter = Segmenter(network, model_card, str(card.device), card.engines[-1])
        before = segmenter(frame.points, frame.colors)
        free_memory()
        held = allocated(card)
        with starved(card, segmenter):
            message = drop(segmenter, frame)
        yield Finding(
            CHECK, "frame that does not fit", float(bool(message)), "", 1, True, text=message or "was answered"
        )
        yield Finding(CHECK, "memory that stays allocated", (allocated(card) - held) / 2**20, "MiB", LEFT)
        after = segmenter(frame.points, frame.colors)
        yield Finding(CHECK, "next frame, points with the same answer", alike(before, after), "%", 99.9, True)


def drop(segmenter: Segmenter, frame: Frame) -> str:
    """Segment a frame as the node does; returns the first line of the out-of-memory error, or an empty text."""
    try:
        segmenter(frame.points, frame.colors)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        error.__traceback__ = None  # the traceback's frames hold the tensors that must be freed
        free_memory()
        return f"dropped: {type(error).__name__}"
    return ""


@contextmanager
def starved(card: Card, segmenter: Segmenter) -> Iterator[None]:
    """A context in which the card has a few free megabytes; on a CPU the backbone allocates more than any host has."""
    if card.on_cuda:
        total = torch.cuda.get_device_properties(card.device).total_memory
        torch.cuda.set_per_process_memory_fraction(
            (torch.cuda.memory_reserved(card.device) + HEADROOM) / total, card.device
        )
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0, card.device)
        return
    hook = segmenter.network.backbone.register_forward_pre_hook(_ask_too_much)
    try:
        yield
    finally:
        hook.remove()


def _ask_too_much(*_: object) -> None:
    torch.empty(TOO_MUCH, dtype=torch.uint8)


def allocated(card: Card) -> int:
    """Bytes of all tensors: on a card from torch's counter, on a CPU from all tensors that Python can list."""
    if card.on_cuda:
        return torch.cuda.memory_allocated(card.device)
    tensors = [one for one in gc.get_objects() if type(one) in (torch.Tensor, torch.nn.Parameter)]
    return sum({one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}.values())


def alike(a: Result, b: Result) -> float:
    """Percentage of the points with the same class and the same object."""
    return 100 * float(np.mean((a.semantic == b.semantic) & (a.instance == b.instance)))
