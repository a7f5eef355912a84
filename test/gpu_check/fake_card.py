"""A CUDA device for tests on machines without one: tensors that say they are on `cuda:0` and refuse what CUDA's refuse.

    with FakeCard() as card:
        x = torch.zeros(3, device="cuda")  # a CPU tensor in disguise
        x.numpy()  # TypeError, as on CUDA
    card.waits  # how often the host had to wait for a number, by operation

Arithmetic is the CPU's. What it shows is which code is chosen for a CUDA tensor, that no tensor of the CPU meets one of
the card, and that none reaches NumPy or a kernel for the CPU. Forward passes only: autograd drops the disguise.
"""

from collections import Counter
from contextlib import ExitStack, nullcontext
from typing import ClassVar
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)
REFUSED = {Tensor.numpy, Tensor.__array__, Tensor.data_ptr, Tensor.untyped_storage}
NUMBERS = {Tensor.item, Tensor.tolist, Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__}
SIZED = {
    torch.nonzero, Tensor.nonzero, torch.unique, Tensor.unique, torch.unique_consecutive, Tensor.unique_consecutive,
    torch.bincount, Tensor.bincount, torch.repeat_interleave, torch.masked_select,
}  # fmt: skip
INDEXING = {Tensor.__getitem__, Tensor.__setitem__}


class OnCard(Tensor):
    """A tensor in disguise."""

    waits: ClassVar[Counter] = Counter()

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func == Tensor.device.__get__:
            return CUDA
        if func == Tensor.is_cuda.__get__:
            return True
        if func in REFUSED:
            raise TypeError(f"can't use {func.__name__} of a tensor on {CUDA}")
        if func in NUMBERS | SIZED:
            cls.waits[func.__name__] += 1
        if func is Tensor.cpu or (func is Tensor.to and _device(args[1:], kwargs) == torch.device("cpu")):
            cls.waits["cpu"] += 1
            return args[0].as_subclass(Tensor)
        if func is Tensor.to:
            args, kwargs = tree_map(_at_home, (args, kwargs))
        else:
            _refuse_mixture(func, args, kwargs)
        return super().__torch_function__(func, types, args, kwargs)


def _at_home(value):
    """The CPU in place of the device that is played."""
    return torch.device("cpu") if isinstance(value, str | torch.device) else value


def _refuse_mixture(func, args, kwargs):
    if func in INDEXING:
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        OnCard.waits["bool index"] += any(isinstance(i, Tensor) and i.dtype == torch.bool for i in index)
        args = (args[0], *args[2:])  # an index may lie on the CPU
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    strangers = [t for t in tensors if not isinstance(t, OnCard) and t.ndim]
    if strangers:
        raise RuntimeError(f"{func.__name__}: expected all tensors on {CUDA}, found {tuple(strangers[0].shape)} on cpu")


def _device(args, kwargs):
    """The device that is named in a call of `Tensor.to`, by itself or as that of another tensor; None without one."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            return value.device
        if isinstance(value, str | torch.device):
            return torch.device(value)
    return None


def disguised(tensor):
    return tensor.as_subclass(OnCard) if isinstance(tensor, Tensor) else tensor


class FakeCard(TorchFunctionMode):
    """While entered, torch has one CUDA device; `waits` counts from then on."""

    def __enter__(self):
        self.patches = ExitStack()
        for name, value in (
            ("is_available", lambda: True), ("device_count", lambda: 1), ("synchronize", self._synchronize),
            ("device", lambda device: nullcontext()),
        ):  # fmt: skip
            self.patches.enter_context(patch.object(torch.cuda, name, value))
        self.waits = OnCard.waits = Counter()
        return super().__enter__()

    def __exit__(self, *error):
        self.patches.close()
        return super().__exit__(*error)

    def _synchronize(self, device=None):
        self.waits["synchronize"] += 1

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is Tensor.to and not isinstance(args[0], OnCard):
            there = _device(args[1:], kwargs)
            if there is not None and there.type == "cuda":
                others = [value for value in args[1:] if isinstance(value, torch.dtype)]
                return disguised(args[0].to(*others, copy=True))
        if kwargs.get("device") is not None and torch.device(kwargs["device"]).type == "cuda":
            return tree_map(disguised, func(*args, **{**kwargs, "device": "cpu"}))
        return func(*args, **kwargs)


def move(module):
    """What `module.to("cuda")` does, for the disguise."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = torch.nn.Parameter(disguised(value.detach().clone()), requires_grad=False)
        for name, value in part._buffers.items():
            if value is not None:
                part._buffers[name] = disguised(value.clone())
    return module
