"""Check 5: out of memory on purpose. The frame is dropped, memory is freed, the next frame is answered."""

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
HEADROOM = 16 << 20  # bytes that a starved card may still allocate: too few for a frame of 300,000 points
TOO_MUCH = 1 << 60  # bytes that no host has
LEFT = 0.05  # MiB that may stay allocated


def findings(card: Card, frame: Frame) -> Iterator[Finding]:
    """A frame before, one that does not fit, and the first one again."""
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
    """Segment a frame as the node does; the first line of the error where memory ran out, empty where it did not."""
    try:
        segmenter(frame.points, frame.colors)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        error.__traceback__ = None  # its frames hold the tensors that are to be freed
        free_memory()
        return f"dropped: {type(error).__name__}"
    return ""


@contextmanager
def starved(card: Card, segmenter: Segmenter) -> Iterator[None]:
    """Leaves the card a few megabytes; on a CPU the backbone asks for more than any host has."""
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
    """Bytes that tensors hold: on the card as torch counts them, on a CPU those of all tensors that Python knows."""
    if card.on_cuda:
        return torch.cuda.memory_allocated(card.device)
    tensors = [one for one in gc.get_objects() if type(one) in (torch.Tensor, torch.nn.Parameter)]
    return sum({one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}.values())


def alike(a: Result, b: Result) -> float:
    """Per cent of the points with the same class and the same object."""
    return 100 * float(np.mean((a.semantic == b.semantic) & (a.instance == b.instance)))
