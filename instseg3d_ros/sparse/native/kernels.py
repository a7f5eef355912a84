"""Calls into the compiled kernels of this folder: tensors go as pointers, everything else as 64-bit integers."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from instseg3d_ros.sparse.native import build

SOURCES = ("attention", "convolution", "kernel_map", "nearest", "normalization", "voxelize", "weight_gradient")
SUFFIX = {torch.float32: "f32", torch.float64: "f64"}


@functools.cache
def _libraries() -> dict[str, ctypes.CDLL] | None:
    """All libraries, built side by side at first use; None unless every one is there."""
    with ThreadPoolExecutor(len(SOURCES)) as pool:
        found = list(pool.map(lambda name: build.load(name, build.HERE / f"{name}.cpp"), SOURCES))
    there = {name: library for name, library in zip(SOURCES, found) if library is not None}
    if len(there) < len(SOURCES):
        return None
    _keep_memory()
    return there


def _keep_memory() -> None:
    """Ask glibc to keep what layers allocate and free instead of returning it to the system and clearing it anew.

    The pages of a layer's output otherwise cost about as much as its batch normalization. Environment variables that
    set the same limits (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_) have precedence.
    """
    trim_threshold, mmap_threshold = -1, -3  # names in malloc.h
    for option, variable, value in (
        (trim_threshold, "MALLOC_TRIM_THRESHOLD_", 256 << 20),
        (mmap_threshold, "MALLOC_MMAP_THRESHOLD_", 32 << 20),  # glibc's largest
    ):
        with contextlib.suppress(OSError, AttributeError):
            if variable not in os.environ:
                ctypes.CDLL(None).mallopt(option, value)


def available(device: torch.device) -> bool:
    """Whether the kernels serve tensors on this device."""
    return device.type == "cpu" and build.enabled() and _libraries() is not None


def serves(features: Tensor) -> bool:
    """Whether the kernels serve these features: on a CPU, in float32 or float64."""
    return features.dtype in SUFFIX and available(features.device)


def has_bf16() -> bool:
    """Whether convolutions can multiply in bfloat16 here: compiled kernels on a processor with instructions for it."""
    return available(torch.device("cpu")) and bool(query("convolution", "has_bf16"))


def call(source: str, name: str, *arguments: Tensor | float | None) -> int:
    """Run a kernel on as many threads as torch uses. Tensors must be contiguous and stay alive until it returns."""
    return _function(source, name)(ctypes.c_int64(torch.get_num_threads()), *map(build.plain, arguments))


def query(source: str, name: str) -> int:
    """A number that a library knows."""
    return _function(source, name)()


@functools.cache
def _function(source: str, name: str):
    libraries = _libraries()
    assert libraries is not None, "ask `available` first"
    function = getattr(libraries[source], name)
    function.restype = ctypes.c_int64
    return function
