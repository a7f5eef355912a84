"""The cells of a map: a sorted index of keys over columns of values, whose rows are used again when cells go."""

from __future__ import annotations

import numpy as np

BITS = 21  # of a key for each axis: 2^20 cells to either side of the origin
HALF = 1 << (BITS - 1)
SLOTS = 4  # fragments that a cell holds votes for


def pack(coords: np.ndarray) -> np.ndarray:
    """(K, 3) integer cell coordinates → (K,) int64 keys, which sort by x, then y, then z."""
    x, y, z = np.asarray(coords, np.int64).T + HALF
    return x << (2 * BITS) | y << BITS | z


def unpack(keys: np.ndarray) -> np.ndarray:
    """(K,) keys → (K, 3) int64 cell coordinates."""
    mask = (1 << BITS) - 1
    return np.stack((keys >> (2 * BITS), keys >> BITS & mask, keys & mask), axis=1) - HALF


class Cells:
    """Columns of values, one row a cell; `rows[i]` is the row of the cell with the i-th smallest key `keys[i]`.

    position (3,) metres and color (3,) 0…255: weighted means over views · weight: their sum of weights, capped
    occupied: log-odds that something is there · evidence (C,): log-evidence of each class
    ids, votes (SLOTS,): fragments that views assigned the cell to (0: none) with the sum of their weights
    fragment: the one with the most votes · seen: number of the last view that saw the cell
    """

    def __init__(self, classes: int):
        self.keys = np.zeros(0, np.int64)
        self.rows = np.zeros(0, np.int64)
        self.columns = {
            "position": np.zeros((0, 3), np.float32),
            "color": np.zeros((0, 3), np.float32),
            "weight": np.zeros(0, np.float32),
            "occupied": np.zeros(0, np.float32),
            "evidence": np.zeros((0, classes), np.float32),
            "ids": np.zeros((0, SLOTS), np.int32),
            "votes": np.zeros((0, SLOTS), np.float32),
            "fragment": np.zeros(0, np.int32),
            "seen": np.zeros(0, np.int32),
        }
        self.free = np.zeros(0, np.int64)  # rows of cells that are gone
        self.filled = np.zeros(0, bool)  # rows that hold a cell

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    @property
    def num_bytes(self) -> int:
        """Memory of all arrays, spare rows included."""
        arrays: list[np.ndarray] = [self.keys, self.rows, self.free, self.filled, *self.columns.values()]
        return sum(array.nbytes for array in arrays)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """(K,) row of each key, −1 where there is no such cell. Sorted keys are found faster."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        place = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[place] == keys, self.rows[place], -1)

    def insert(self, keys: np.ndarray) -> np.ndarray:
        """Add cells with zeros in all columns; keys (K,) ascending and none of them present. Returns their rows."""
        self._reserve(len(keys))
        rows, self.free = self.free[: len(keys)], self.free[len(keys) :]
        self.filled[rows] = True
        for column in self.columns.values():
            column[rows] = 0
        place = np.searchsorted(self.keys, keys)
        self.keys = np.insert(self.keys, place, keys)
        self.rows = np.insert(self.rows, place, rows)
        return rows

    def remove(self, rows: np.ndarray) -> None:
        """Take away the cells in these rows."""
        if not len(rows):
            return
        self.filled[rows] = False
        kept = self.filled[self.rows]
        self.free = np.concatenate((self.rows[~kept], self.free))
        self.keys, self.rows = self.keys[kept], self.rows[kept]

    def _reserve(self, count: int) -> None:
        """At least `count` free rows."""
        lacking = count - len(self.free)
        if lacking <= 0:
            return
        size = len(self["seen"])
        more = max(lacking, size // 4, 4096)
        for name, column in self.columns.items():
            spare = np.zeros((more, *column.shape[1:]), column.dtype)
            self.columns[name] = np.concatenate((column, spare))
        self.filled = np.concatenate((self.filled, np.zeros(more, bool)))
        self.free = np.concatenate((self.free, np.arange(size, size + more)))
