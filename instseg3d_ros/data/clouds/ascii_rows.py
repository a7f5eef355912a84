"""Reads and writes rows of numbers in ascii files, with the spellings of NaN and infinity of different programs."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

# Spellings of Windows' C libraries: -nan(ind), nan(snan), 1.#QNAN, -1.#IND, 1.#INF
_NAN = re.compile(rb"[-+]?(?:nan\([^)\s]*\)|1\.#(?:qnan|snan|ind)\d*)", re.IGNORECASE)
_INFINITE = re.compile(rb"([-+]?)1\.#inf\d*", re.IGNORECASE)


def read_rows(file: BinaryIO, rows: int | None = None) -> np.ndarray:
    """(R, C) float64 from the next `rows` lines that are not empty, or from all remaining lines."""
    start = file.tell()
    try:
        return np.loadtxt(file, max_rows=rows, ndmin=2, comments=None)
    except ValueError:
        file.seek(start)
        text = file.read()
        plain = _INFINITE.sub(rb"\1inf", _NAN.sub(b"nan", text))
        if plain == text:
            raise
        if rows is None:
            return np.loadtxt(plain.splitlines(), ndmin=2, comments=None)
        lines = plain.splitlines(keepends=True)
        # The file position is set to the end of the rows, so that the next reader continues there.
        original = text.splitlines(keepends=True)
        used = taken = 0
        while used < len(lines) and taken < rows:
            taken += bool(lines[used].strip())
            used += 1
        file.seek(start + sum(map(len, original[:used])))
        return np.loadtxt(lines[:used], ndmin=2, comments=None)


def write_rows(file: BinaryIO, columns: list[np.ndarray]) -> None:
    """Inverse of `read_rows`; numbers are written without loss. Each column is (R,) or (R, k)."""
    flat = [part for column in columns for part in (column.T if column.ndim == 2 else (column,))]
    table = np.rec.fromarrays(flat) if flat else np.zeros(0)
    digits = {"f": {2: "%.5g", 4: "%.9g", 8: "%.17g"}}
    formats = [digits.get(column.dtype.kind, {}).get(column.dtype.itemsize, "%d") for column in flat]
    np.savetxt(file, table, fmt=formats)
