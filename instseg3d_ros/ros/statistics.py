"""What the node counts: arrivals, answers, drops with their reasons, stage times. Safe to call from any thread."""

from __future__ import annotations

import threading
from collections import Counter, deque
from time import monotonic

WINDOW = 5.0  # seconds over which rates and times are taken


class Statistics:
    """`now` is a clock of seconds that never jumps; tests give their own."""

    def __init__(self, now=monotonic):
        self.now = now
        self._lock = threading.Lock()
        self.started = now()
        self.drops: Counter[str] = Counter()  # reason → clouds
        self.received = self.answered = 0
        self.last_error = ""
        self.failures = 0  # consecutive clouds that could not be answered
        self._arrivals: deque[float] = deque(maxlen=1000)
        self._answers: deque[tuple[float, float, dict[str, float]]] = deque(maxlen=1000)
        self.slow_since: float | None = None
        self.last_arrival: float | None = None
        self.pipeline_latency_ms: float | None = None

    def arrived(self) -> None:
        with self._lock:
            self.received += 1
            self.last_arrival = self.now()
            self._arrivals.append(self.last_arrival)

    def dropped(self, reason: str, error: str = "") -> None:
        with self._lock:
            self.drops[reason] += 1
            if error:
                self.last_error = error
                self.failures += 1

    def answer(self, latency_ms: float, pipeline_latency_ms: float, stages: dict[str, float], limit_ms: float) -> None:
        """One cloud answered: milliseconds from arrival to answer, from its stamp, and per stage."""
        with self._lock:
            self.answered += 1
            self.failures = 0
            self.pipeline_latency_ms = pipeline_latency_ms
            self._answers.append((self.now(), latency_ms, stages))
            if latency_ms <= limit_ms:
                self.slow_since = None
            elif self.slow_since is None:
                self.slow_since = self.now()

    def rates(self) -> tuple[float, float]:
        """Clouds per second, in and out."""
        with self._lock:
            span = max(min(WINDOW, self.now() - self.started), 1e-3)
            since = self.now() - WINDOW
            return (
                sum(t >= since for t in self._arrivals) / span,
                sum(t >= since for t, _, _ in self._answers) / span,
            )

    def times(self) -> tuple[float | None, dict[str, float]]:
        """Mean latency and mean time per stage in milliseconds, of the last seconds; None if nothing was answered."""
        with self._lock:
            since = self.now() - WINDOW
            recent = [(latency, stages) for t, latency, stages in self._answers if t >= since]
        if not recent:
            return None, {}
        names = dict.fromkeys(name for _, stages in recent for name in stages)
        means = {name: sum(stages.get(name, 0.0) for _, stages in recent) / len(recent) for name in names}
        return sum(latency for latency, _ in recent) / len(recent), means
