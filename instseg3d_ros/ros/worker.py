"""A worker thread that processes only the newest item; older items that wait are dropped, not queued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class NewestFirst:
    """Calls `work(item)` in a separate thread, for a single item at a time. `offer` never blocks."""

    def __init__(self, work: Callable[[Any], None], name: str):
        self._work = work
        self._ready = threading.Condition()
        self._item: Any = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def offer(self, item: Any) -> bool:
        """Replace the waiting item by `item`; True if this dropped an item on which work had not begun."""
        with self._ready:
            replaced = self._item is not None
            self._item = item
            self._ready.notify()
        return replaced

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called; long work may check this to discard its result."""
        return self._stopped

    def stop(self, timeout: float) -> bool:
        """Begin no further item; True if the thread ended within `timeout` seconds.

        The thread is a daemon, so a thread that is still running does not keep the process alive.
        """
        with self._ready:
            self._stopped, self._item = True, None
            self._ready.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._ready:
                while self._item is None and not self._stopped:
                    self._ready.wait()
                if self._stopped:
                    return
                item, self._item = self._item, None
            self._work(item)
            del item  # the next item may arrive much later, and a cloud has ten megabytes
