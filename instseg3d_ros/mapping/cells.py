"""The cells of a map: columns of values with a row for each cell, and an index that finds the rows by position.

The index holds blocks of 8 × 8 × 8 cells, each with a table of 512 rows. Work on the cells in view touches the blocks
in view and a list of all blocks, but no list of all cells, so that its time does not grow with the map.
"""

from __future__ import annotations

import numpy as np

from instseg3d_ros.sparse.native import kernels

BITS = 21  # bits of a key for each axis: 2^20 cells on each side of the origin
HALF = 1 << (BITS - 1)
EDGE = 8  # cells along an edge of a block
INSIDE = 7 << (2 * BITS) | 7 << BITS | 7  # bits of a key that give the place within the block
TABLE = EDGE**3
SLOTS = 4  # number of fragments for which a cell holds votes
MORE = 16  # memory grows by 1 / MORE of its size …
LEAST = 1 << 14  # … and by this number of rows at least, because growing takes a millisecond


def pack(coords: np.ndarray) -> np.ndarray:
    """(K, 3) integer cell coordinates → (K,) int64 keys, which sort by x, then y, then z."""
    x, y, z = np.asarray(coords, np.int64).T + HALF
    return x << (2 * BITS) | y << BITS | z


def unpack(keys: np.ndarray) -> np.ndarray:
    """(K,) keys → (K, 3) int64 cell coordinates."""
    mask = (1 << BITS) - 1
    return np.stack((keys >> (2 * BITS), keys >> BITS & mask, keys & mask), axis=1) - HALF


class Cells:
    """Columns of values with a row for each cell. Rows of removed cells are used again.

    key: see `pack` · position (3,) metres and color (3,) 0…255: weighted means over views · weight: sum of their
    weights, capped · occupied: log-odds that the cell is occupied · evidence (C,): log-evidence of each class ·
    ids, votes (SLOTS,): fragments that views assigned the cell to (0: none) with the sums of their weights ·
    fragment: the fragment with most votes · seen: number of the last view that saw the cell · slot: row in `table`

    blocks (B,): keys of the first cell of each block, ascending · slots (B,): the block's row in `table` (T, TABLE),
    which holds the row of each cell of the block, −1 for none, in `cells_in` (T,), the number of its cells, and in
    `last_seen` (T,), the number of the last view that saw one of them
    """

    def __init__(self, classes: int):
        self.columns: dict[str, np.ndarray] = {
            "key": np.zeros(0, np.int64),
            "position": np.zeros((0, 3), np.float32),
            "color": np.zeros((0, 3), np.float32),
            "weight": np.zeros(0, np.float32),
            "occupied": np.zeros(0, np.float32),
            "evidence": np.zeros((0, classes), np.float32),
            "ids": np.zeros((0, SLOTS), np.int32),
            "votes": np.zeros((0, SLOTS), np.float32),
            "fragment": np.zeros(0, np.int32),
            "seen": np.zeros(0, np.int32),
            "slot": np.zeros(0, np.int32),
        }
        self.blocks = np.zeros(0, np.int64)
        self.slots = np.zeros(0, np.int32)
        self.table = np.zeros((0, TABLE), np.int32)
        self.cells_in = np.zeros(0, np.int32)
        self.last_seen = np.zeros(0, np.int32)
        self._free_slots = np.zeros(0, np.int32)
        self._free_rows = np.zeros(0, np.int64)
        self._count = 0
        self._sorted: np.ndarray | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, column: str) -> np.ndarray:
        """The array of a column. It is no longer valid after `insert`, which may move the memory."""
        return self.columns[column]

    @property
    def rows(self) -> np.ndarray:
        """(M,) rows of all cells in the order of their keys."""
        if self._sorted is None:
            rows = self.rows_of(np.arange(len(self.blocks)))
            self._sorted = rows[np.argsort(self["key"][rows])]
        return self._sorted

    @property
    def keys(self) -> np.ndarray:
        """(M,) keys of all cells, ascending."""
        return self["key"][self.rows]

    @property
    def num_bytes(self) -> int:
        """Memory of all arrays, spare rows included."""
        index = (self.blocks, self.slots, self.table, self.cells_in, self.last_seen, self._free_slots, self._free_rows)
        return sum(array.nbytes for array in index) + sum(column.nbytes for column in self.columns.values())

    @property
    def index(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """The index in the form that the kernels take."""
        return len(self.blocks), self.blocks, self.slots, self.table

    def find(self, keys: np.ndarray) -> np.ndarray:
        """(K,) row of each key, −1 if the map lacks the cell. Faster if consecutive keys are near each other."""
        rows = np.full(len(keys), -1)
        if not len(self.blocks):
            return rows
        if kernels.available("cells"):
            kernels.call("cells", "find", len(keys), np.ascontiguousarray(keys), *self.index, rows)
            return rows
        block = keys & ~INSIDE
        place = np.searchsorted(self.blocks, block).clip(max=len(self.blocks) - 1)
        there = np.flatnonzero(self.blocks[place] == block)
        rows[there] = self.table[self.slots[place[there]], _place_in_block(keys[there])]
        return rows

    def rows_of(self, blocks: np.ndarray) -> np.ndarray:
        """Rows of all cells in the blocks with these places in `blocks`, block by block."""
        rows = self.table[self.slots[blocks]].ravel()
        return rows[rows >= 0].astype(np.int64)

    def middles(self) -> np.ndarray:
        """(B, 3) float64 middles of the blocks, in cells."""
        return unpack(self.blocks) + EDGE / 2

    def see(self, rows: np.ndarray, view: int) -> None:
        """Record that view number `view` saw these cells."""
        self["seen"][rows] = view
        self.last_seen[self["slot"][rows]] = view

    def insert(self, keys: np.ndarray) -> np.ndarray:
        """Add cells with zeros in all columns and return their rows; keys (K,) are distinct and not in the map."""
        self._sorted = None
        self._reserve_rows(len(keys))
        rows, self._free_rows = np.split(self._free_rows, [len(keys)])
        self["key"][rows] = keys
        slots = self._slots_for(keys & ~INSIDE)
        self["slot"][rows] = slots
        self.table[slots, _place_in_block(keys)] = rows
        touched, counts = np.unique(slots, return_counts=True)
        self.cells_in[touched] += counts.astype(np.int32)
        self._count += len(rows)
        return rows

    def remove(self, rows: np.ndarray) -> None:
        """Remove the cells in these rows."""
        if not len(rows):
            return
        self._sorted = None
        slots = self["slot"][rows]
        self.table[slots, _place_in_block(self["key"][rows])] = -1
        touched, counts = np.unique(slots, return_counts=True)
        self.cells_in[touched] -= counts.astype(np.int32)
        for column in self.columns.values():
            column[rows] = 0
        self._free_rows = np.concatenate((rows, self._free_rows))
        self._count -= len(rows)
        empty = touched[self.cells_in[touched] == 0]
        if len(empty):
            kept = ~np.isin(self.slots, empty)
            self.blocks, self.slots = self.blocks[kept], self.slots[kept]
            self._free_slots = np.concatenate((empty, self._free_slots))

    def _slots_for(self, blocks: np.ndarray) -> np.ndarray:
        """(K,) rows in `table` of the blocks (K,); new blocks are added."""
        wanted, which = np.unique(blocks, return_inverse=True)
        place = np.searchsorted(self.blocks, wanted)
        new = np.ones(len(wanted), bool)
        if len(self.blocks):
            new = self.blocks[place.clip(max=len(self.blocks) - 1)] != wanted
        count = int(new.sum())
        if count > len(self._free_slots):
            size = len(self.table)
            more = max(count - len(self._free_slots), size // MORE, 64)
            self.table.resize((size + more, TABLE), refcheck=False)
            for counts in (self.cells_in, self.last_seen):
                counts.resize(size + more, refcheck=False)
            self._free_slots = np.concatenate((self._free_slots, np.arange(size, size + more, dtype=np.int32)))
        slots, self._free_slots = np.split(self._free_slots, [count])
        self.table[slots] = -1
        self.blocks = np.insert(self.blocks, place[new], wanted[new])
        self.slots = np.insert(self.slots, place[new], slots)
        return self.slots[np.searchsorted(self.blocks, wanted)][which]

    def _reserve_rows(self, count: int) -> None:
        """Ensure that at least `count` rows are free."""
        lacking = count - len(self._free_rows)
        if lacking <= 0:
            return
        size = len(self["seen"])
        more = max(lacking, size // MORE, LEAST)
        for column in self.columns.values():
            # In place: the system extends or moves the pages of a large array without copying them.
            column.resize((size + more, *column.shape[1:]), refcheck=False)
        self._free_rows = np.concatenate((self._free_rows, np.arange(size, size + more)))


def _place_in_block(keys: np.ndarray) -> np.ndarray:
    """(K,) column of `table` for each key."""
    return (keys >> (2 * BITS) & 7) << 6 | (keys >> BITS & 7) << 3 | keys & 7
