"""Members of the same group, side by side."""

from __future__ import annotations

import numpy as np


def group(part: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """part (M,) in 0 … num − 1 → order (M,) with the members of a part together, begin (num + 1,) where each starts."""
    begin = np.concatenate(([0], np.cumsum(np.bincount(part, minlength=num))))
    small = part.astype(np.int16) if num < 1 << 15 else part  # NumPy sorts 16 bits by counting
    return np.argsort(small, kind="stable"), begin
