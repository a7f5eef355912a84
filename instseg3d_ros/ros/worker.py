"""A thread that always works on the newest thing offered; what it cannot keep up with is dropped, never queued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class NewestFirst:
    """`offer` never blocks. `work` is called with one item at a time, in this object's own thread."""

    def __init__(self, work: Callable[[Any], None], name: str):
        self._work = work
        self._ready = threading.Condition()
        self._item: Any = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def offer(self, item: Any) -> bool:
        """True if an older item that nobody had begun was thrown away for this one."""
        with self._ready:
            replaced = self._item is not None
            self._item = item
            self._ready.notify()
        return replaced

    @property
    def stopped(self) -> bool:
        """Lets long work see that its result is no longer wanted."""
        return self._stopped

    def stop(self, timeout: float) -> bool:
        """Begin no further item; True if the thread ended within `timeout` seconds (it is a daemon if not)."""
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
            del item  # ten megabytes, perhaps for a long time
