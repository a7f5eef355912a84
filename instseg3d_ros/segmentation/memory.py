"""Out of memory: recognises the error, and frees the memory of a failed cloud."""

from __future__ import annotations

import gc
import sys

WORDS = ("out of memory", "not enough memory", "can't allocate memory")  # in messages of torch's allocators


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: torch.OutOfMemoryError on CUDA, a RuntimeError or a MemoryError on a CPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in WORDS)


def free_memory() -> None:
    """Return unused memory to the system, on CUDA too. Drop the error first: its traceback holds the tensors."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
