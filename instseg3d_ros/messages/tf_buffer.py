"""A buffer of the transforms of the last seconds, interpolated at a stamp; it replaces tf2 if tf2 is not installed."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable

import numpy as np

from instseg3d_ros.messages.rotations import interpolate, inverse, rigid
from instseg3d_ros.messages.tf_message import StampedTransform

KEPT = 10 * 10**9  # nanoseconds for which transforms are stored, as in tf2
DEEPEST = 100  # largest number of ancestors of a frame; more means a loop


def plain(frame: str) -> str:
    """A frame's name without the leading slash that ROS 1 and some drivers write."""
    return frame.lstrip("/")


class Unavailable(LookupError):
    """Raised for a missing transform; the message names both frames and the reason."""


class TransformBuffer:
    """`lookup(target, source, stamp)` → (4, 4): target ← source. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: dict[str, _Edge] = {}  # child → its parent

    def clear(self) -> None:
        """Remove all dynamic transforms. Static transforms are kept, because they are published only once."""
        with self._lock:
            self._edges = {child: edge for child, edge in self._edges.items() if edge.fixed}

    def add(self, transforms: Iterable[StampedTransform], fixed: bool) -> None:
        with self._lock:
            for one in transforms:
                parent, child = plain(one.parent), plain(one.child)
                values = np.array((*one.translation, *one.quaternion))
                if not np.isfinite(values).all() or np.linalg.norm(values[3:]) < 0.5 or parent == child:
                    continue  # tf2 also ignores such transforms
                edge = self._edges.get(child)
                if edge is None or edge.parent != parent or edge.fixed != fixed:
                    edge = self._edges[child] = _Edge(parent, fixed)
                edge.add(one.stamp, values)

    def lookup(self, target: str, source: str, stamp: int) -> np.ndarray:
        """(4, 4) target ← source at `stamp` nanoseconds; 0: newest transforms. Raises Unavailable with the reason."""
        target, source = plain(target), plain(source)
        with self._lock:
            for frame in (target, source):
                if frame not in self._edges and all(frame != edge.parent for edge in self._edges.values()):
                    raise Unavailable(f"no transform from {source} to {target}: frame '{frame}' is not published")
            up, down = self._chain(source), self._chain(target)
            common = next((frame for frame in up if frame in down), None)
            if common is None:
                raise Unavailable(
                    f"no transform from {source} to {target}: their trees end at {up[-1]} and {down[-1]} and are not "
                    "connected"
                )
            try:
                return inverse(self._rise(down, common, stamp)) @ self._rise(up, common, stamp)
            except Unavailable as error:
                raise Unavailable(f"no transform from {source} to {target} at the cloud's stamp: {error}") from None

    def _chain(self, frame: str) -> list[str]:
        chain = [frame]
        while chain[-1] in self._edges and len(chain) < DEEPEST:
            chain.append(self._edges[chain[-1]].parent)
        return chain

    def _rise(self, chain: list[str], top: str, stamp: int) -> np.ndarray:
        """(4, 4) top ← chain[0]."""
        matrix = np.eye(4)
        for frame in chain[: chain.index(top)]:
            matrix = self._edges[frame].at(stamp, frame) @ matrix
        return matrix


class _Edge:
    """History of the pose of a child frame in its parent, by stamp. values: x y z, quaternion x y z w."""

    def __init__(self, parent: str, fixed: bool):
        self.parent, self.fixed = parent, fixed
        self._stamps: list[int] = []
        self._values: list[np.ndarray] = []

    def add(self, stamp: int, values: np.ndarray) -> None:
        stamps = self._stamps
        if self.fixed or (stamps and stamp < stamps[-1] - KEPT):  # time has jumped back: later transforms are removed
            stamps.clear()
            self._values.clear()
        index = bisect_left(stamps, stamp)
        if index < len(stamps) and stamps[index] == stamp:
            self._values[index] = values
            return
        stamps.insert(index, stamp)
        self._values.insert(index, values)
        old = bisect_left(stamps, stamps[-1] - KEPT)
        del stamps[:old], self._values[:old]

    def at(self, stamp: int, frame: str) -> np.ndarray:
        stamps = self._stamps
        if self.fixed or stamp == 0:
            return _matrix(self._values[-1])
        if stamp > stamps[-1]:
            raise Unavailable(f"the newest {self.parent} → {frame} is {(stamp - stamps[-1]) / 1e9:.3f} s older")
        if stamp < stamps[0]:
            raise Unavailable(f"the oldest {self.parent} → {frame} is {(stamps[0] - stamp) / 1e9:.3f} s newer")
        index = bisect_left(stamps, stamp)
        after = self._values[index]
        if stamps[index] == stamp:
            return _matrix(after)
        before = self._values[index - 1]
        share = (stamp - stamps[index - 1]) / (stamps[index] - stamps[index - 1])
        place = before[:3] + share * (after[:3] - before[:3])
        return rigid(place, interpolate(before[3:], after[3:], share))


def _matrix(values: np.ndarray) -> np.ndarray:
    return rigid(values[:3], values[3:])
