"""Counts of arrivals, answers and drops with their reasons, and stage times. Every method is thread-safe."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

WINDOW = 5.0  # seconds over which rates and times are averaged


@dataclass(frozen=True)
class Summary:
    """Figures of the last `WINDOW` seconds: rates in clouds per second, times in milliseconds, None if unknown."""

    rate_in: float = 0.0
    rate_out: float = 0.0
    latency_ms: float | None = None  # mean, from arrival to answer
    pipeline_latency_ms: float | None = None  # of the last answer, from the cloud's stamp
    stages: dict[str, float] = field(default_factory=dict)  # mean milliseconds by stage
    received: int = 0
    received_now: int = 0  # since the input was opened
    answered: int = 0
    drops: dict[str, int] = field(default_factory=dict)  # reason → clouds, since the start
    failures: int = 0  # clouds in a row that could not be answered
    last_error: str = ""
    silent_for: float = 0.0  # seconds since a cloud came or the input was opened
    remark: str = ""  # a problem of the last answered cloud that did not prevent an answer
    slow_for: float = 0.0  # seconds since answers became slower than the limit; 0 if the last answer was fast enough
    frame: str = ""  # frame_id of the last cloud


class Statistics:
    """Counts of a node. `now` is a monotonic clock in seconds; tests pass a simulated clock."""

    def __init__(self, now: Callable[[], float] = monotonic):
        self._now = now
        self._lock = threading.Lock()
        self._drops: Counter[str] = Counter()
        self._received = self._received_now = self._answered = self._failures = 0
        self._last_error = self._remark = ""
        self._arrivals: deque[float] = deque(maxlen=1000)
        self._answers: deque[tuple[float, float, dict[str, float]]] = deque(maxlen=1000)
        self._slow_since: float | None = None
        self._opened = self._heard = now()
        self._pipeline_latency_ms: float | None = None
        self._frame = ""

    def opened(self) -> None:
        """Restart the measurement of silence and rates, because the input was opened."""
        with self._lock:
            self._opened = self._heard = self._now()
            self._slow_since = None
            self._failures = self._received_now = 0
            self._arrivals.clear()
            self._answers.clear()

    def arrived(self, frame: str = "") -> None:
        with self._lock:
            self._frame = frame
            self._received += 1
            self._received_now += 1
            self._heard = self._now()
            self._arrivals.append(self._heard)

    def dropped(self, reason: str) -> None:
        with self._lock:
            self._drops[reason] += 1

    def failed(self, reason: str, error: str) -> int:
        """Count a cloud that could not be answered; returns the number of consecutive failures."""
        with self._lock:
            self._drops[reason] += 1
            self._last_error = error
            self._failures += 1
            return self._failures

    def trouble(self, error: str) -> None:
        """Record an error that did not drop a cloud."""
        with self._lock:
            self._last_error = error

    def answered(
        self, latency_ms: float, pipeline_latency_ms: float, stages: dict[str, float], slow_ms: float, remark: str = ""
    ) -> None:
        """Count an answer. Times are in milliseconds: from arrival, from the cloud's stamp, and of each stage.

        A latency above `slow_ms` counts as slow.
        """
        with self._lock:
            self._remark = remark
            self._answered += 1
            self._failures = 0
            self._pipeline_latency_ms = pipeline_latency_ms
            now = self._now()
            self._answers.append((now, latency_ms, stages))
            if latency_ms <= slow_ms:
                self._slow_since = None
            elif self._slow_since is None:
                self._slow_since = now

    def summary(self) -> Summary:
        with self._lock:
            now = self._now()
            since = now - WINDOW
            span = min(max(now - self._opened, 1.0), WINDOW)
            recent = [(latency, stages) for time, latency, stages in self._answers if time >= since]
            names = dict.fromkeys(name for _, stages in recent for name in stages)
            return Summary(
                rate_in=sum(time >= since for time in self._arrivals) / span,
                rate_out=len(recent) / span,
                latency_ms=sum(latency for latency, _ in recent) / len(recent) if recent else None,
                pipeline_latency_ms=self._pipeline_latency_ms,
                stages={name: sum(stages.get(name, 0.0) for _, stages in recent) / len(recent) for name in names},
                received=self._received,
                received_now=self._received_now,
                answered=self._answered,
                drops=dict(self._drops),
                failures=self._failures,
                last_error=self._last_error,
                remark=self._remark,
                silent_for=now - self._heard,
                slow_for=0.0 if self._slow_since is None else now - self._slow_since,
                frame=self._frame,
            )
