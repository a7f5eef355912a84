"""Sorts members by their group."""

from __future__ import annotations

import numpy as np


def group(part: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """part (M,) → order (M,), begin (num + 1,): part k has the members order[begin[k] : begin[k + 1]]."""
    begin = np.concatenate(([0], np.cumsum(np.bincount(part, minlength=num))))
    small = part.astype(np.int16) if num < 1 << 15 else part  # NumPy sorts 16-bit integers in linear time
    return np.argsort(small, kind="stable"), begin
