"""Rows of numbers in ascii files, in all the ways in which programs write what is no number."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

# C libraries of Windows: -nan(ind), nan(snan), 1.#QNAN, -1.#IND, 1.#INF
_NAN = re.compile(rb"[-+]?(?:nan\([^)\s]*\)|1\.#(?:qnan|snan|ind)\d*)", re.IGNORECASE)
_INFINITE = re.compile(rb"([-+]?)1\.#inf\d*", re.IGNORECASE)


def read_rows(file: BinaryIO, rows: int | None = None) -> np.ndarray:
    """(R, C) float64 of the next `rows` lines that hold something, or of all that are left."""
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
        # What follows the rows is left for the next reader: as many of the original lines are passed over.
        original = text.splitlines(keepends=True)
        used = taken = 0
        while used < len(lines) and taken < rows:
            taken += bool(lines[used].strip())
            used += 1
        file.seek(start + sum(map(len, original[:used])))
        return np.loadtxt(lines[:used], ndmin=2, comments=None)


def write_rows(file: BinaryIO, columns: list[np.ndarray]) -> None:
    """Inverse of `read_rows`: every number reads back as it was. Each of the columns is (R,) or (R, k)."""
    flat = [part for column in columns for part in (column.T if column.ndim == 2 else (column,))]
    table = np.rec.fromarrays(flat) if flat else np.zeros(0)
    digits = {"f": {2: "%.5g", 4: "%.9g", 8: "%.17g"}}
    formats = [digits.get(column.dtype.kind, {}).get(column.dtype.itemsize, "%d") for column in flat]
    np.savetxt(file, table, fmt=formats)
