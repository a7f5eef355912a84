"""Log messages with a minimum period for each kind."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rclpy.impl.rcutils_logger import RcutilsLogger

PERIOD = 5.0  # seconds between two log lines of one kind


class Throttled:
    """`log(kind, text)` logs a warning unless a warning of the same kind was logged within the last `PERIOD` s."""

    def __init__(self, logger: RcutilsLogger, now: Callable[[], float] = monotonic):
        self._logger, self._now = logger, now
        self._last: dict[str, float] = {}
        self._kept: dict[str, int] = {}

    def __call__(self, kind: str, text: str) -> None:
        now = self._now()
        if now - self._last.get(kind, -1e9) < PERIOD:
            self._kept[kind] = self._kept.get(kind, 0) + 1
            return
        more = self._kept.pop(kind, 0)
        self._last[kind] = now
        self._logger.warning(text + (f" ({more} more like this)" if more else ""))


def place(error: Exception) -> str:
    """Class and source location of an unexpected exception, for bug reports."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.filename.rpartition('/')[2]}:{frame.lineno}"
