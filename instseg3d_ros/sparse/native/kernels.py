"""Calls compiled kernels.

    if kernels.available("voxelize", points.device):
        count = kernels.call("voxelize", "usable", len(points), points, 10.0, usable)

A kernel describes its own parameters (`kernel.h`). Each argument is checked against them: tensors and arrays must be
contiguous, on the CPU and of the kernel's type; None is a null pointer. A parameter for the number of threads is filled
in with `threads()`.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from instseg3d_ros.sparse.native import build

SUFFIX = {torch.float32: "f32", torch.float64: "f64"}
OUT_OF_MEMORY, FAILED = -(1 << 63), -(1 << 63) + 1  # as in kernel.h
_log = logging.getLogger(__name__)
_of_this_thread = threading.local()


def available(source: str, device: torch.device | str = "cpu") -> bool:
    """Whether the kernels of `native/SOURCE.cpp` can be used for tensors on this device."""
    on_cpu = device == "cpu" if isinstance(device, str) else device.type == "cpu"
    return on_cpu and build.enabled() and source in _libraries(build.instruction_set())[0]


def serves(source: str, features: Tensor) -> bool:
    """Whether the kernels of a source can be used for these features: on a CPU, in float32 or float64."""
    return features.dtype in SUFFIX and available(source, features.device)


def has_bf16() -> bool:
    """Whether convolutions can multiply in bfloat16: compiled kernels on a processor with instructions for it."""
    needed = "convolution", "kernel_map", "normalization", "weight_gradient"
    return all(map(available, needed)) and bool(call("convolution", "has_bf16"))


def missing() -> dict[str, str]:
    """Sources that have no compiled kernels on this machine, with the reason; plain torch computes in their place."""
    return _libraries(build.instruction_set())[1] if build.enabled() else {}


def threads() -> int:
    """Number of threads of a kernel: that of torch, or within `torch_on_one_thread` that of torch before it."""
    return getattr(_of_this_thread, "threads", 0) or torch.get_num_threads()


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    """Run the operations of torch on one thread, but kernels on as many as before.

    After an operation on several threads, torch's OpenMP threads wait for the next one in a busy loop, for some
    milliseconds. They would occupy the cores that the threads of the kernels need. Without compiled kernels, torch
    keeps its threads.
    """
    if not build.enabled() or missing():
        yield
        return
    outside, before = getattr(_of_this_thread, "threads", 0), torch.get_num_threads()
    _of_this_thread.threads = outside or before
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _of_this_thread.threads = outside


Argument = Tensor | np.ndarray | float | None  # what a kernel takes


def call(source: str, name: str, *arguments: Argument) -> int:
    """Run a kernel and return its result, or 0 if it has none.

    Raises TypeError for an invalid argument, MemoryError if the kernel runs out of memory, and RuntimeError for any
    other exception in C++.
    """
    return _kernel(source, name, build.instruction_set())(*arguments)


@functools.cache
def _libraries(isa: str) -> tuple[dict[str, ctypes.CDLL], dict[str, str]]:
    """Libraries by source, compiled in parallel at first use, and the reasons of those that failed."""
    loaded, failed = {}, {}

    def load(name: str) -> None:
        try:
            loaded[name] = build.load(build.SOURCES[name], isa)
        except build.BuildError as error:
            failed[name] = str(error)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(load, build.SOURCES))
    if failed:
        _log.warning("%s", summary(failed))
    return loaded, dict(sorted(failed.items()))


def summary(failed: dict[str, str]) -> str:
    """`missing()` in one line for a log; empty if no kernel is missing."""
    if not failed:
        return ""
    first = next(iter(failed.values()))
    return f"kernels could not be compiled, and slow torch code is used instead: {', '.join(sorted(failed))} ({first})"


@functools.cache
def _kernel(source: str, name: str, isa: str) -> Kernel:
    return Kernel(_libraries(isa)[0][source], name)


class Kernel:
    """An exported function of a library."""

    def __init__(self, library: ctypes.CDLL, name: str):
        self.name = name
        self._function = library[f"kernel_{name}"]
        self._function.restype, self._function.argtypes = ctypes.c_int64, [ctypes.c_char_p]
        self._error = library.kernel_error
        self._error.restype, self._error.argtypes = ctypes.c_char_p, []
        describe = library[f"signature_{name}"]
        describe.restype, describe.argtypes = ctypes.c_char_p, []
        self.parameters = describe().decode().split(";")[:-1]
        taken = [parameter for parameter in self.parameters if parameter != "threads"]
        self._convert = [_converter(parameter) for parameter in taken]
        self._threads = [place for place, parameter in enumerate(self.parameters) if parameter == "threads"]
        self._pack = struct.Struct("=" + "".join(_format(parameter) for parameter in self.parameters)).pack

    def __call__(self, *arguments: Argument) -> int:
        if len(arguments) != len(self._convert):
            raise TypeError(f"kernel {self.name} takes {len(self._convert)} arguments, {len(arguments)} were given")
        try:
            values = [convert(argument) for convert, argument in zip(self._convert, arguments)]
        except (TypeError, ValueError, AttributeError) as error:
            raise TypeError(f"kernel {self.name} ({', '.join(self.parameters)}): {error}") from None
        for place in self._threads:
            values.insert(place, threads())
        result = self._function(self._pack(*values))
        if result == OUT_OF_MEMORY:
            raise MemoryError(f"kernel {self.name}: not enough memory")
        if result == FAILED:
            raise RuntimeError(f"kernel {self.name}: {self._error().decode() or 'unknown exception'}")
        return result


def _format(parameter: str) -> str:
    return "Q" if parameter.endswith("*") else "d" if parameter == "float64" else "q"


def _converter(parameter: str) -> Callable[..., int | float]:
    """A function that converts an argument to the kernel's type, or raises TypeError."""
    if parameter == "int64":
        return int
    if parameter == "float64":
        return float
    name = parameter.removeprefix("const ").removesuffix("*")
    names = (name, "bool") if name == "uint8" else (name,)
    tensors = {getattr(torch, name) for name in names}
    arrays = {np.dtype(name) for name in names if name != "bfloat16"}
    written = not parameter.startswith("const ")

    def address(value: Tensor | np.ndarray | None) -> int:
        if value is None:
            return 0
        if isinstance(value, Tensor):
            if value.dtype in tensors and value.is_contiguous() and value.is_cpu:
                return value.data_ptr()
        elif isinstance(value, np.ndarray):
            if value.dtype in arrays and value.flags.c_contiguous and (value.flags.writeable or not written):
                return value.ctypes.data
        else:
            raise TypeError(f"expected a tensor or an array of {name}, got {type(value).__name__}")
        kind = f"{value.dtype} on {value.device}" if isinstance(value, Tensor) else str(value.dtype)
        raise TypeError(
            f"expected a contiguous CPU tensor or array of {name}, got {kind} of shape {tuple(value.shape)}"
        )

    return address
