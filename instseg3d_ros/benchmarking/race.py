"""Measures functions in turn, so that other load of the machine affects all of them equally."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Times:
    """Milliseconds of each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return float(np.median(self.rounds))

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        low, high = np.quantile(self.rounds, (0.25, 0.75))
        return float((high - low) / 2 / self.median) if self.median else 0.0

    def ratio_of(self, other: Times) -> float:
        """How many times as long `other` took: the median over rounds of the ratio within a round."""
        return float(np.median(np.divide(other.rounds, self.rounds)))


def race(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Run each contestant once to warm up, then all of them in turn, `rounds` times.

    A contestant that returns a float has measured its time itself; the float is in milliseconds.
    """
    for run in contestants.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in contestants.items():
                time.sleep(0.01)  # until threads of the previous contestant stop spinning
                start = time.perf_counter()
                own = run()
                elapsed = 1000 * (time.perf_counter() - start)
                taken[name].append(own if isinstance(own, float) else elapsed)
    finally:
        gc.enable()
    return {name: Times(tuple(values)) for name, values in taken.items()}


@dataclass(frozen=True)
class Row:
    """A line of the table. ratio: how many times as fast as the peer; if `at_most`, the value that the mark limits."""

    group: str
    what: str
    size: int  # voxels or points
    ours: Times | None
    peer: str = ""
    theirs: Times | None = None
    ratio: float | None = None
    mark: float | None = None
    at_most: bool = False
    unit: str = "×"

    @property
    def held(self) -> bool | None:
        if self.mark is None or self.ratio is None:
            return None
        return self.ratio <= self.mark if self.at_most else self.ratio >= self.mark


def against(
    group: str, what: str, size: int, times: dict[str, Times], ours: str, peer: str, mark: float | None = None
) -> Row:
    """A row with the times of this package beside those of a peer from the same race."""
    return Row(group, what, size, times[ours], peer, times[peer], times[ours].ratio_of(times[peer]), mark)
